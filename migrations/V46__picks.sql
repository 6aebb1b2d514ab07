-- Picks that other programs send (domain 6.6): who may, what they sent, and what became of each symbol of
-- a day. docs/strategy.md says how they are merged and which gates they pass.

-- Who may send. Of several that name a symbol, the one with the lowest priority leads.
CREATE TABLE trade.pick_producers (
    producer_id integer PRIMARY KEY CHECK (producer_id > 0),
    name        text NOT NULL CHECK (name <> ''),
    priority    integer NOT NULL UNIQUE CHECK (priority > 0),
    weight      numeric(7,6) NOT NULL CHECK (weight > 0 AND weight <= 1),
    is_enabled  boolean NOT NULL DEFAULT true, -- false: nothing is taken, and what was sent does not count
    updated_by  text NOT NULL CHECK (updated_by <> ''),
    updated_ts  timestamptz NOT NULL DEFAULT clock_timestamp()
);
INSERT INTO trade.pick_producers (producer_id, name, priority, weight, updated_by) VALUES
    (3002, 'event', 1, 0.4, 'migration'),
    (3001, 'news', 2, 0.3, 'migration'),
    (3000, 'ranking', 3, 0.3, 'migration');

-- What was sent at once. A later run of a producer takes the place of the one before, also an empty one.
CREATE TABLE trade.pick_runs (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, -- in the order of arrival
    producer_id integer NOT NULL REFERENCES trade.pick_producers,
    run_id      text NOT NULL CHECK (run_id ~ '^[A-Za-z0-9._-]{1,64}$'), -- part of action keys
    asof_ts     timestamptz NOT NULL,          -- what the producer knew: its age counts from here
    received_ts timestamptz NOT NULL DEFAULT clock_timestamp(),
    sent_by     text NOT NULL CHECK (sent_by <> ''),
    body_digest text NOT NULL CHECK (body_digest ~ '^[0-9a-f]{64}$'), -- SHA-256; equal ones are one run
    UNIQUE (producer_id, run_id),
    -- Clocks may differ a little; a run from the future would never grow old.
    CHECK (asof_ts <= received_ts + interval '1 minute')
);
CREATE INDEX pick_runs_asof ON trade.pick_runs (producer_id, asof_ts DESC, id DESC);
SELECT system.make_insert_only('trade.pick_runs');
SELECT system.follow_changes('trade.pick_runs');
CREATE FUNCTION trade.tell_of_picks() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('turnstile_picks', '');
    RETURN NULL;
END $$;
CREATE TRIGGER tell AFTER INSERT ON trade.pick_runs
    FOR EACH STATEMENT EXECUTE FUNCTION trade.tell_of_picks();

CREATE TABLE trade.picks (
    pick_run_id bigint NOT NULL REFERENCES trade.pick_runs (id),
    symbol      text NOT NULL REFERENCES market.stocks,
    side        text NOT NULL CHECK (side = 'LONG'),
    score       numeric(7,6) NOT NULL CHECK (score >= 0 AND score <= 1),
    confidence  text NOT NULL CHECK (confidence IN ('LOW', 'MEDIUM', 'HIGH')),
    rank        integer NOT NULL CHECK (rank > 0),
    reasons     text[] NOT NULL DEFAULT '{}',
    price_max   numeric(20,4) CHECK (price_max > 0 AND price_max <= 1e11), -- KRW; not bought above it
    valid_until timestamptz,                   -- exclusive; null: as long as its run counts
    PRIMARY KEY (pick_run_id, symbol)
);
SELECT system.make_insert_only('trade.picks');

-- The newest run of each producer that may send, of the last day. Not all of them still count: how old a
-- run may be is a matter of the configuration.
CREATE VIEW trade.pick_runs_newest AS
SELECT DISTINCT ON (r.producer_id) r.id, r.producer_id, p.name AS producer, p.priority, p.weight,
    r.run_id, r.asof_ts, r.received_ts
FROM trade.pick_runs r JOIN trade.pick_producers p USING (producer_id)
WHERE p.is_enabled AND r.asof_ts > clock_timestamp() - interval '1 day'
ORDER BY r.producer_id, r.asof_ts DESC, r.id DESC;

-- What was decided: one row an account, day and symbol.
CREATE TABLE trade.pick_decisions (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id  text NOT NULL,
    day         date NOT NULL,                 -- in Seoul
    symbol      text NOT NULL REFERENCES market.stocks,
    decision    text NOT NULL CHECK (decision IN ('PLACED', 'REFUSED')),
    gate        text CHECK (gate IN ('EXPOSURE', 'SYMBOL', 'DAILY_LOSS', 'ENTRIES', 'DUPLICATE', 'KEY')),
    reason      text,                          -- why it was refused
    mode        text NOT NULL CHECK (mode IN ('PRIORITY', 'WEIGHTED', 'CONSENSUS')),
    score       numeric(7,6) NOT NULL,         -- merged
    confidence  text NOT NULL CHECK (confidence IN ('LOW', 'MEDIUM', 'HIGH')),
    producers   jsonb NOT NULL CHECK (jsonb_typeof(producers) = 'array'), -- each with its run, the lead first
    action_key  text NOT NULL,                 -- ENTRY:{yyyymmdd}:{symbol}:{producer}:{run_id} of the lead
    qty         bigint,                        -- shares asked for
    limit_price numeric(20,4),
    equity      numeric(20,4),                 -- KRW, that it was reckoned with
    request_id  uuid UNIQUE REFERENCES trade.manual_entries,
    created_ts  timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (account_id, day, symbol),
    CHECK ((decision = 'PLACED') = (request_id IS NOT NULL)),
    CHECK ((decision = 'REFUSED') = (gate IS NOT NULL)),
    CHECK ((gate IS NULL) = (reason IS NULL))
);
SELECT system.make_insert_only('trade.pick_decisions');
SELECT system.follow_changes('trade.pick_decisions');

-- What keeps a pick from being decided for now: a row whenever that is something else than before.
CREATE TABLE trade.pick_holds (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id text NOT NULL,
    day        date NOT NULL,                  -- in Seoul
    symbol     text NOT NULL REFERENCES market.stocks,
    gate       text NOT NULL CHECK (gate IN ('SESSION', 'CONTROL', 'EQUITY', 'PRICE', 'CONSTRAINT', 'SPACING')),
    reason     text NOT NULL,
    mode       text NOT NULL,
    score      numeric(7,6) NOT NULL,
    confidence text NOT NULL,
    producers  jsonb NOT NULL,
    action_key text NOT NULL,                  -- that it would have
    created_ts timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX pick_holds_last ON trade.pick_holds (account_id, day, symbol, id DESC);
SELECT system.make_insert_only('trade.pick_holds');

-- Names of a portfolio in force and picks that may be bought are wanted like those of the watchlist: a price
-- has to be there when they are judged.
CREATE OR REPLACE VIEW trade.followed AS
SELECT symbol, min(rank) AS rank, sum(score)::integer AS score FROM (
    SELECT symbol, min(CASE status WHEN 'CLOSING' THEN 0 ELSE 1 END) AS rank,
        10000 + max(CASE status WHEN 'CLOSING' THEN 5000 ELSE 0 END) AS score
        FROM trade.positions WHERE status IN ('OPEN', 'CLOSING') GROUP BY symbol
    UNION ALL
    -- What is being bought; what is being sold is held.
    SELECT DISTINCT o.symbol, 2, 5000
        FROM trade.orders o
        CROSS JOIN LATERAL (
            SELECT coalesce(max(e.filled_qty), 0) AS filled_qty,
                bool_or(e.status IN ('CANCELLED', 'CANCELLED_PARTIAL', 'REJECTED', 'ERROR')) AS is_over
            FROM trade.order_events e WHERE e.order_id = o.order_id) f
        WHERE o.side = 'BUY' AND o.created_ts > now() - interval '1 day'
            AND NOT f.is_over AND f.filled_qty < o.qty
    UNION ALL
    SELECT DISTINCT symbol, 2, 2000 FROM trade.reentry_candidates
        WHERE state NOT IN ('ENTERED', 'EXPIRED', 'BLOCKED')
    UNION ALL
    SELECT DISTINCT symbol, 3, 1000 FROM strategy.watchlist WHERE symbol ~ '^[A-Za-z0-9]{1,9}$'
    UNION ALL
    SELECT DISTINCT h.symbol, 3, 1000 FROM strategy.portfolios p
        CROSS JOIN LATERAL jsonb_to_recordset(p.holdings) AS h (symbol text)
        WHERE p.status = 'ACTIVE'
    UNION ALL
    SELECT DISTINCT k.symbol, 3, 800 FROM trade.pick_runs_newest n
        JOIN trade.picks k ON k.pick_run_id = n.id
        WHERE n.asof_ts > clock_timestamp() - interval '2 hours' AND k.rank <= 20
            AND (k.valid_until IS NULL OR k.valid_until > clock_timestamp())
    UNION ALL
    -- Index funds that tell of the market as a whole, where they are listed.
    SELECT symbol, 4, 500 FROM market.stocks WHERE symbol IN ('069500', '229200', '102110')
        AND status = 'ACTIVE'
) wishes GROUP BY symbol;
