-- The daily strategy: what was asked, each run, and one snapshot a stage, each with the id of its input.
-- docs/strategy.md says what the figures are. Figures have 10 decimals, as they were computed.

-- A run of a strategy for one day. Two runs of the same input give the same rows, so the second one is
-- only made where somebody insists. What ends REFUSED has no snapshot: the last universe stays.
CREATE TABLE strategy.runs (
    run_id       uuid PRIMARY KEY,
    strategy_id  text NOT NULL CHECK (strategy_id <> ''),
    as_of        date NOT NULL,
    trigger      text NOT NULL CHECK (trigger IN ('SCHEDULE', 'CLI', 'API')),
    asked_by     text NOT NULL CHECK (asked_by <> ''),
    state        text NOT NULL DEFAULT 'RUNNING' CHECK (state IN ('RUNNING', 'DONE', 'FAILED', 'REFUSED')),
    stage        text,                       -- the one under way, or the last one
    reason       text,                       -- why it failed or was refused, or has no portfolio
    input_digest text,                       -- SHA-256 of all that was computed from; null: not read
    durations    jsonb NOT NULL DEFAULT '{}', -- milliseconds by stage
    counts       jsonb NOT NULL DEFAULT '{}', -- rows by what they are
    created_ts   timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_ts     timestamptz,
    CHECK ((state = 'RUNNING') = (ended_ts IS NULL)),
    CHECK (state NOT IN ('FAILED', 'REFUSED') OR reason IS NOT NULL)
);
CREATE INDEX runs_created ON strategy.runs (created_ts DESC, run_id DESC);
CREATE INDEX runs_input ON strategy.runs (strategy_id, as_of, input_digest);
CREATE INDEX runs_running ON strategy.runs (strategy_id) WHERE state = 'RUNNING';

-- Stage 1.
CREATE TABLE strategy.universe_snapshots (
    snapshot_id  uuid PRIMARY KEY,
    run_id       uuid NOT NULL UNIQUE REFERENCES strategy.runs,
    strategy_id  text NOT NULL,
    as_of        date NOT NULL,
    filter_stats jsonb NOT NULL,             -- listings, those that pass, and those kept out by reason
    created_ts   timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX universe_snapshots_latest ON strategy.universe_snapshots (strategy_id, as_of DESC, created_ts DESC);
CREATE TABLE strategy.universe_daily (
    snapshot_id   uuid NOT NULL REFERENCES strategy.universe_snapshots,
    universe_date date NOT NULL,
    symbol        text NOT NULL,
    tier          text CHECK (tier IN ('HOLDING', 'WATCHLIST', 'RANKING', 'LISTED')),
    list          text CHECK (list IN ('VOLUME_SURGE', 'VALUE', 'GAINERS', 'POPULAR', 'MARKET_CAP')),
    exclusion     text CHECK (exclusion IN ('MARKET', 'INSTRUMENT', 'NAME', 'STATUS', 'MANAGED', 'CAUTION',
                      'HALTED', 'MARKET_CAP', 'VALUE', 'VOLUME')),
    market        text NOT NULL,
    sector        text,
    market_cap    bigint,                    -- KRW
    avg_volume_5d bigint,                    -- shares
    avg_value_5d  bigint,                    -- KRW
    PRIMARY KEY (snapshot_id, symbol),
    CHECK ((tier IS NULL) <> (exclusion IS NULL)),
    CHECK (coalesce(tier = 'RANKING', false) = (list IS NOT NULL))
);

-- Stage 2: every symbol of the universe that goes on to factors, and the signals among them.
CREATE TABLE strategy.signal_snapshots (
    snapshot_id          uuid PRIMARY KEY,
    universe_snapshot_id uuid NOT NULL UNIQUE REFERENCES strategy.universe_snapshots,
    strategy_id          text NOT NULL,
    as_of                date NOT NULL,
    created_ts           timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX signal_snapshots_latest ON strategy.signal_snapshots (strategy_id, as_of DESC, created_ts DESC);
CREATE TABLE strategy.factor_scores (
    snapshot_id uuid NOT NULL REFERENCES strategy.signal_snapshots,
    symbol      text NOT NULL,
    momentum    numeric(12,10),              -- -1 to 1; null: missing
    technical   numeric(12,10),
    value       numeric(12,10),
    quality     numeric(12,10),
    flow        numeric(12,10),
    event       numeric(12,10),
    total_score numeric(12,10),              -- null, like the next two: fewer than four factors
    strength    numeric(14,10),              -- 0 to 100
    conviction  numeric(14,10),              -- 0 to 100
    PRIMARY KEY (snapshot_id, symbol),
    CHECK (num_nulls(total_score, strength, conviction) IN (0, 3))
);
CREATE TABLE strategy.signals (
    snapshot_id uuid NOT NULL,
    kind        text NOT NULL CHECK (kind IN ('BUY', 'SELL')),
    rank        integer NOT NULL CHECK (rank > 0),
    symbol      text NOT NULL,
    strength    numeric(14,10) NOT NULL,
    conviction  numeric(14,10) NOT NULL,
    total_score numeric(12,10) NOT NULL,
    momentum    numeric(12,10),              -- the factors, as strategy.factor_scores has them
    technical   numeric(12,10),
    value       numeric(12,10),
    quality     numeric(12,10),
    flow        numeric(12,10),
    event       numeric(12,10),
    PRIMARY KEY (snapshot_id, kind, rank),
    UNIQUE (snapshot_id, symbol),
    FOREIGN KEY (snapshot_id, symbol) REFERENCES strategy.factor_scores
);

-- Stage 3: the BUY signals in order.
CREATE TABLE strategy.ranking_snapshots (
    snapshot_id        uuid PRIMARY KEY,
    signal_snapshot_id uuid NOT NULL UNIQUE REFERENCES strategy.signal_snapshots,
    strategy_id        text NOT NULL,
    as_of              date NOT NULL,
    created_ts         timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX ranking_snapshots_latest ON strategy.ranking_snapshots (strategy_id, as_of DESC, created_ts DESC);
CREATE TABLE strategy.rankings (
    snapshot_id uuid NOT NULL REFERENCES strategy.ranking_snapshots,
    rank        integer NOT NULL CHECK (rank > 0),
    symbol      text NOT NULL,
    market      text NOT NULL,
    sector      text,
    total_score numeric(20,10) NOT NULL,     -- score without the losses
    score       numeric(20,10) NOT NULL,
    strength    numeric(14,10) NOT NULL,
    risk_score  numeric(14,10) NOT NULL,     -- 0 to 100
    volatility  numeric(20,10),              -- percent a year
    liquidity   bigint,                      -- mean value of a day, KRW
    sector_loss bigint NOT NULL,             -- points lost for its sector, and its market
    market_loss bigint NOT NULL,
    selected    boolean NOT NULL,
    reason      text CHECK (reason IN ('VOLATILITY', 'VALUE', 'SCORE', 'COUNT')), -- why not selected
    PRIMARY KEY (snapshot_id, rank),
    UNIQUE (snapshot_id, symbol),
    CHECK (selected = (reason IS NULL))
);

-- Stage 4: target weights. Which one is in force is the only thing here that changes.
CREATE TABLE strategy.portfolios (
    portfolio_id        uuid PRIMARY KEY,
    strategy_id         text NOT NULL,
    ranking_snapshot_id uuid NOT NULL UNIQUE REFERENCES strategy.ranking_snapshots,
    as_of               date NOT NULL,
    holdings            jsonb NOT NULL CHECK (jsonb_typeof(holdings) = 'array'), -- rank, symbol, sector, weight
    total_weight        integer NOT NULL CHECK (total_weight BETWEEN 0 AND 1000000), -- millionths of equity
    status              text NOT NULL DEFAULT 'DRAFT' CHECK (status IN ('DRAFT', 'ACTIVE', 'ARCHIVED')),
    notes               text,
    activated_by        text,
    activation_reason   text,
    activated_ts        timestamptz,
    archived_ts         timestamptz,
    version             integer NOT NULL DEFAULT 1, -- rises with every change of the status
    created_ts          timestamptz NOT NULL DEFAULT clock_timestamp(),
    CHECK ((status = 'DRAFT') = (activated_by IS NULL)),
    CHECK ((activated_by IS NULL) = (activated_ts IS NULL)),
    CHECK ((status = 'ARCHIVED') = (archived_ts IS NOT NULL))
);
CREATE UNIQUE INDEX portfolios_one_active ON strategy.portfolios (strategy_id) WHERE status = 'ACTIVE';
CREATE INDEX portfolios_created ON strategy.portfolios (created_ts DESC, portfolio_id DESC);
CREATE INDEX portfolios_latest ON strategy.portfolios (strategy_id, as_of DESC, created_ts DESC);

-- What a portfolio says stays; its status goes from DRAFT to ACTIVE to ARCHIVED.
CREATE FUNCTION strategy.portfolios_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.portfolio_id, NEW.strategy_id, NEW.ranking_snapshot_id, NEW.as_of, NEW.holdings, NEW.total_weight)
        IS DISTINCT FROM
       (OLD.portfolio_id, OLD.strategy_id, OLD.ranking_snapshot_id, OLD.as_of, OLD.holdings, OLD.total_weight)
    THEN
        RAISE EXCEPTION 'the content of portfolio % stays as it is', OLD.portfolio_id
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.status <> OLD.status THEN
        IF (OLD.status, NEW.status) NOT IN (('DRAFT', 'ACTIVE'), ('ACTIVE', 'ARCHIVED')) THEN
            RAISE EXCEPTION 'portfolio % cannot go from % to %', OLD.portfolio_id, OLD.status, NEW.status
                USING ERRCODE = 'restrict_violation';
        END IF;
        NEW.version := OLD.version + 1;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard BEFORE UPDATE ON strategy.portfolios
    FOR EACH ROW EXECUTE FUNCTION strategy.portfolios_guard();

SELECT system.make_insert_only(stage::regclass) FROM unnest(ARRAY[
    'strategy.universe_snapshots', 'strategy.universe_daily', 'strategy.signal_snapshots',
    'strategy.factor_scores', 'strategy.signals', 'strategy.ranking_snapshots',
    'strategy.rankings']) AS stage;

-- Runs with the ids of what they stored.
CREATE VIEW strategy.run_results AS
SELECT r.*, u.snapshot_id AS universe_snapshot_id, s.snapshot_id AS signal_snapshot_id,
    k.snapshot_id AS ranking_snapshot_id, p.portfolio_id, p.status AS portfolio_status
FROM strategy.runs r
LEFT JOIN strategy.universe_snapshots u USING (run_id)
LEFT JOIN strategy.signal_snapshots s ON s.universe_snapshot_id = u.snapshot_id
LEFT JOIN strategy.ranking_snapshots k ON k.signal_snapshot_id = s.snapshot_id
LEFT JOIN strategy.portfolios p ON p.ranking_snapshot_id = k.snapshot_id;

-- Names of portfolios as rows; weights in millionths of equity.
CREATE VIEW strategy.portfolio_holdings AS
SELECT p.portfolio_id, h.rank, h.symbol, s.name, h.sector, h.weight
FROM strategy.portfolios p
CROSS JOIN LATERAL jsonb_to_recordset(p.holdings)
    AS h (rank integer, symbol text, sector text, weight integer)
LEFT JOIN market.stocks s ON s.symbol = h.symbol;

-- What the operator asks to run. The stream job does it, or says why it does not. What fails for a
-- passing reason is tried again, so many times and after a longer pause each; others have their turn.
CREATE TABLE strategy.run_requests (
    request_id uuid PRIMARY KEY,
    as_of      date,                         -- none: the last session that has bars
    asked_by   text NOT NULL CHECK (asked_by <> ''),
    reason     text,
    state      text NOT NULL DEFAULT 'ASKED'
        CHECK (state IN ('ASKED', 'RUNNING', 'DONE', 'REFUSED', 'FAILED')),
    message    text,                         -- why it was refused or failed, or waits
    run_id     uuid REFERENCES strategy.runs,
    attempts   integer NOT NULL DEFAULT 0,   -- how often it was begun
    due_ts     timestamptz NOT NULL DEFAULT clock_timestamp(), -- not before; while it waits
    created_ts timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_ts timestamptz NOT NULL DEFAULT clock_timestamp(),
    CHECK (state <> 'DONE' OR run_id IS NOT NULL)
);
CREATE INDEX run_requests_asked ON strategy.run_requests (created_ts) WHERE state IN ('ASKED', 'RUNNING');
