-- Replay equals live: how far each run of an engine is stored, and what came of replaying its days.

-- One row for each start of an engine. Between begun_us and through_us nothing is missing: every input of
-- the run with such a logical time is in market.prices or system.engine_events, and every decision that
-- followed from them in trade.orders or trade.reentry_history.
CREATE TABLE system.engine_runs (
    run_id     uuid PRIMARY KEY,
    account_id text NOT NULL,
    begun_us   bigint NOT NULL,      -- before the load; what belongs to the run is later
    through_us bigint NOT NULL,      -- moves once a second
    ended_ts   timestamptz,          -- null: it runs, or it ended without saying so
    CHECK (through_us >= begun_us)
);
CREATE INDEX engine_runs_begun ON system.engine_runs (begun_us);

-- The decisions of a day, whenever they were stored.
CREATE INDEX orders_decided ON trade.orders (decided_us);

-- One row for each replay of a day in Seoul.
CREATE TABLE system.replay_runs (
    replay_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    day         date NOT NULL,
    begun_ts    timestamptz NOT NULL,
    ended_ts    timestamptz NOT NULL DEFAULT clock_timestamp(),
    is_over     boolean NOT NULL,    -- the day was over when it was replayed
    ticks       bigint NOT NULL,     -- from the load on that the day builds on
    events      bigint NOT NULL,
    decisions   bigint NOT NULL,     -- of the day that were compared
    unproven    bigint NOT NULL,     -- stored ones that were not: beyond through_us of their run
    differences bigint NOT NULL
);
CREATE INDEX replay_runs_day ON system.replay_runs (day);
SELECT system.make_insert_only('system.replay_runs');

-- What differed, at most the first 10,000 of a replay.
CREATE TABLE system.replay_differences (
    replay_id  bigint NOT NULL REFERENCES system.replay_runs,
    number     integer NOT NULL,     -- from 1 on
    kind       text NOT NULL CHECK (kind IN ('MISSING', 'EXTRA', 'DIFFERENT')),
    action_key text NOT NULL,
    position   text NOT NULL,        -- or the re-entry candidate
    decided_us bigint NOT NULL,
    field      text,                 -- of a decision that is there twice
    live       text,
    replayed   text,
    PRIMARY KEY (replay_id, number),
    CHECK ((kind = 'DIFFERENT') = (field IS NOT NULL))
);
SELECT system.make_insert_only('system.replay_differences');
