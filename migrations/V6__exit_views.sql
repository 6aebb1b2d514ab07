-- What the engine says beside decisions: levels as they stand, samples of them, hits not decided.

-- Where each rule of a held position fires. A view that the engine keeps by change: whoever wants a
-- distance joins it with the newest price. No foreign key: rows come at up to 20,000 a second, of
-- positions that the engine has read from their table.
CREATE TABLE trade.exit_levels (
    position_id     uuid NOT NULL,
    symbol          text NOT NULL,
    reason          text NOT NULL,          -- as in trade.orders.reason_code
    rule_id         text,                   -- custom exit rule
    side            text NOT NULL CHECK (side IN ('BELOW', 'ABOVE')), -- reached at or below, at or above
    level           numeric(20,4) NOT NULL,
    profile_id      text NOT NULL,          -- trade.exit_rules.rule_id
    profile_version integer NOT NULL,
    profile_level   text NOT NULL CHECK (profile_level IN ('POSITION', 'SYMBOL', 'STRATEGY', 'DEFAULT')),
    hwm_price       numeric(20,4),
    since           timestamptz NOT NULL,   -- logical time at which this level came to stand
    UNIQUE NULLS NOT DISTINCT (position_id, reason, rule_id)
) WITH (fillfactor = 70); -- Levels that trail are written over and over: room for the new version.
CREATE INDEX exit_levels_symbol ON trade.exit_levels (symbol);

-- Every rule's verdict and distance, sampled each minute, those nearest to firing first.
CREATE TABLE trade.exit_signals (
    trade_date   date NOT NULL,             -- Seoul date of evaluated_ts
    evaluated_ts timestamptz NOT NULL,
    position_id  uuid NOT NULL,
    symbol       text NOT NULL,
    rule_name    text NOT NULL,             -- as in trade.orders.reason_code
    rule_id      text,                      -- custom exit rule
    side         text NOT NULL,
    level        numeric(20,4) NOT NULL,
    price        numeric(20,4) NOT NULL,    -- bid above zero, else last
    distance     numeric(24,12) NOT NULL,   -- way to the level as a ratio of the price; 0 or less: reached
    is_triggered boolean NOT NULL,          -- whether the price has reached the level
    pnl_pct      numeric(20,6),             -- percent of the average cost
    hwm          numeric(20,4),
    stop_floor   numeric(20,4),
    UNIQUE NULLS NOT DISTINCT (trade_date, evaluated_ts, position_id, rule_name, rule_id)
) PARTITION BY RANGE (trade_date);
CREATE INDEX exit_signals_position ON trade.exit_signals (position_id, evaluated_ts DESC);
SELECT system.make_insert_only('trade.exit_signals');

-- Creates the partition of `day` if it is missing, guarded like its parent.
CREATE FUNCTION trade.ensure_exit_signals_partition(day date) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    partition text := 'exit_signals_' || to_char(day, 'YYYYMMDD');
BEGIN
    IF to_regclass('trade.' || partition) IS NOT NULL THEN
        RETURN false;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('trade.ensure_exit_signals_partition'));
    IF to_regclass('trade.' || partition) IS NOT NULL THEN
        RETURN false;
    END IF;
    EXECUTE format(
        'CREATE TABLE trade.%I PARTITION OF trade.exit_signals FOR VALUES FROM (%L) TO (%L)',
        partition, day, day + 1);
    PERFORM system.make_insert_only(('trade.' || partition)::regclass);
    RETURN true;
END $$;

-- Hits that were not decided, once per crossing and reason.
CREATE TABLE trade.exit_withheld (
    logical_us  bigint NOT NULL,
    position_id uuid NOT NULL,
    symbol      text NOT NULL,
    reason      text NOT NULL,
    rule_id     text,
    why         text NOT NULL CHECK (why IN ('SEVERITY', 'QUANTITY', 'MODE', 'ATTEMPTS')),
    price       numeric(20,4) NOT NULL,     -- evaluation price
    level       numeric(20,4) NOT NULL,     -- price that had to be reached
    created_ts  timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE NULLS NOT DISTINCT (position_id, logical_us, reason, rule_id, why)
);
CREATE INDEX exit_withheld_time ON trade.exit_withheld (logical_us DESC);
SELECT system.make_insert_only('trade.exit_withheld');
