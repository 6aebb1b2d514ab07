-- What the system measures, what it warns of, and whom it has told.

-- Samples of every process: a value where it has changed, everything each five minutes. Old ones are
-- deleted by the process that wrote them.
CREATE TABLE system.metrics (
    ts       timestamptz NOT NULL,
    instance text NOT NULL,
    name     text NOT NULL,
    labels   jsonb NOT NULL DEFAULT '{}',
    value    double precision NOT NULL
);
CREATE INDEX metrics_name ON system.metrics (name, ts DESC);
CREATE INDEX metrics_ts ON system.metrics USING brin (ts);

-- An episode a row: from the first time that it was raised until it is over.
CREATE TABLE system.alarms (
    id              uuid PRIMARY KEY,
    key             text NOT NULL,             -- what makes it the same alarm
    name            text NOT NULL,
    level           text NOT NULL CHECK (level IN ('INFO', 'WARNING', 'CRITICAL', 'P0')), -- the worst of it
    instance        text NOT NULL,             -- the process that watches over it
    subject         text,                      -- what it is about, such as a symbol
    message         text NOT NULL,
    value           double precision,          -- measured last beyond the limit
    threshold       double precision,          -- the limit
    raised_ts       timestamptz NOT NULL,
    last_ts         timestamptz NOT NULL,      -- when it was last seen to stand, within half a minute
    repeats         bigint NOT NULL DEFAULT 0,
    cleared_ts      timestamptz,
    -- An alarm that becomes worse has to be acknowledged anew.
    acknowledged_by text,
    acknowledged_ts timestamptz,
    acknowledge_reason text,
    CHECK ((acknowledged_by IS NULL) = (acknowledged_ts IS NULL))
);
CREATE UNIQUE INDEX alarms_open ON system.alarms (key) WHERE cleared_ts IS NULL;
CREATE INDEX alarms_raised ON system.alarms (raised_ts DESC, id DESC);
SELECT system.follow_changes('system.alarms');
-- Whoever takes note acts; how an alarm goes on is no action.
SELECT system.audit('system.alarms', 'level', 'message', 'value', 'threshold', 'last_ts', 'repeats', 'cleared_ts');

-- What became of each message.
CREATE TABLE system.alarm_deliveries (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    alarm_id uuid NOT NULL,
    turn     text NOT NULL CHECK (turn IN ('RAISED', 'ESCALATED', 'CLEARED')),
    channel  text NOT NULL,
    ts       timestamptz NOT NULL,
    attempts integer NOT NULL,
    fault    text                              -- why it was given up; null: it was sent
);
CREATE INDEX alarm_deliveries_alarm ON system.alarm_deliveries (alarm_id);
SELECT system.make_insert_only('system.alarm_deliveries');

-- Engines that are active, once a second each. An engine that ends in order takes its row along.
CREATE TABLE system.engine_beats (
    engine_id    uuid PRIMARY KEY,             -- of one start of one process
    account_id   text NOT NULL,
    instance     text NOT NULL,
    beat_ts      timestamptz NOT NULL,
    evaluated_ts timestamptz NOT NULL          -- when the engine last handed out what it had evaluated
);
