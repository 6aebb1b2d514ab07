-- Flow 1: listed stocks and every price.

CREATE TABLE market.stocks (
    symbol            text PRIMARY KEY CHECK (symbol ~ '^[A-Za-z0-9]{1,9}$'),
    name              text NOT NULL,
    market            text NOT NULL CHECK (market IN ('KOSPI', 'KOSDAQ', 'KONEX', 'UNKNOWN')),
    segment           text,
    instrument_type   text NOT NULL DEFAULT 'STOCK' CHECK (instrument_type IN ('STOCK', 'ETF', 'ETN', 'UNKNOWN')),
    status            text NOT NULL DEFAULT 'ACTIVE' CHECK (status IN ('ACTIVE', 'SUSPENDED', 'DELISTED')),
    listing_date      date,
    delisting_date    date,
    sector            text,
    industry          text,
    market_cap        bigint,
    is_tradable       boolean NOT NULL DEFAULT true,
    is_managed        boolean NOT NULL DEFAULT false,
    is_caution        boolean NOT NULL DEFAULT false,
    trade_halt_reason text,
    created_ts        timestamptz NOT NULL DEFAULT now(),
    updated_ts        timestamptz NOT NULL DEFAULT now()
);

-- Every tick. A tick is identified by its logical time; exchange time has whole seconds and two
-- equal trades are two rows. No foreign key: an unknown symbol never rejects a tick.
CREATE TABLE market.prices (
    trade_date   date NOT NULL,            -- Seoul date of logical_us
    logical_us   bigint NOT NULL,          -- microseconds since the Unix epoch, strictly increasing
    symbol       text NOT NULL,
    ts           timestamptz NOT NULL,     -- exchange time
    recv_ts      timestamptz NOT NULL,     -- when the frame was read
    source       text NOT NULL,            -- KIS_WS, KIS_REST, NAVER
    last_price   numeric(20,4) NOT NULL,
    bid          numeric(20,4),
    ask          numeric(20,4),
    volume       bigint NOT NULL,          -- of this trade
    acml_volume  bigint,                   -- of the day so far
    trade_value  numeric(24,4),            -- of the day so far, KRW
    change_price numeric(20,4),            -- against the previous close, signed
    change_rate  numeric(12,4),            -- percent, signed
    bid_volume   bigint,
    ask_volume   bigint,
    session      text NOT NULL,            -- market class of the tick
    PRIMARY KEY (trade_date, logical_us)
) PARTITION BY RANGE (trade_date);
CREATE INDEX prices_symbol ON market.prices (symbol, logical_us DESC);
SELECT system.make_insert_only('market.prices');

-- Creates the partition of `day` if it is missing, guarded like its parent.
CREATE FUNCTION market.ensure_prices_partition(day date) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    partition text := 'prices_' || to_char(day, 'YYYYMMDD');
BEGIN
    IF to_regclass('market.' || partition) IS NOT NULL THEN
        RETURN false;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('market.ensure_prices_partition'));
    IF to_regclass('market.' || partition) IS NOT NULL THEN
        RETURN false;
    END IF;
    EXECUTE format(
        'CREATE TABLE market.%I PARTITION OF market.prices FOR VALUES FROM (%L) TO (%L)',
        partition, day, day + 1);
    PERFORM system.make_insert_only(('market.' || partition)::regclass);
    RETURN true;
END $$;

CREATE TABLE strategy.watchlist (
    symbol     text NOT NULL,
    category   text NOT NULL DEFAULT 'watch' CHECK (category IN ('watch', 'candidate')),
    memo       text,
    created_ts timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (symbol, category)
);
SELECT system.follow_changes('strategy.watchlist');
