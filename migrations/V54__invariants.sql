-- Standing invariants: what must never be so. The engine maintains them as a view and writes here what
-- does not hold, from when it was seen until it was over.
CREATE TABLE system.invariant_violations (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind        text NOT NULL CHECK (kind IN ('OVERSELL', 'BREACH', 'ORDER', 'HOLDINGS', 'CACHE')),
    key         text NOT NULL,              -- position, action key, symbol or key of the cache
    symbol      text,
    position_id uuid,
    detail      text NOT NULL,              -- what is wrong, in words, as it was last
    since       timestamptz NOT NULL,       -- logical time
    until       timestamptz,                -- none: it stands
    CHECK (until >= since)
);
CREATE UNIQUE INDEX invariant_violations_standing ON system.invariant_violations (kind, key)
    WHERE until IS NULL;

-- What does not hold now. Always empty; a row is an alarm.
CREATE VIEW system.invariants_broken AS
SELECT kind, key, symbol, position_id, detail, since FROM system.invariant_violations
WHERE until IS NULL;
