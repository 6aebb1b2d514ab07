-- What jobs did, and the days of the exchange as they are told.

-- One row a run. A key is what the run was for: a day, a day with a time, a start. A job has at most one
-- finished run (DONE, SKIPPED) of a key; failed ones are repeated.
CREATE TABLE system.job_runs (
    run_id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id text NOT NULL,                 -- whose engine runs it: one at a time
    job        text NOT NULL,
    run_key    text NOT NULL,
    status     text NOT NULL DEFAULT 'RUNNING'
        CHECK (status IN ('RUNNING', 'DONE', 'FAILED', 'SKIPPED')),
    started_ts timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_ts   timestamptz,
    fetched    bigint NOT NULL DEFAULT 0,     -- answers or rows that came from outside
    changed    bigint NOT NULL DEFAULT 0,     -- rows that are different now
    reason     text,                          -- why it failed or was skipped
    CHECK ((ended_ts IS NULL) = (status = 'RUNNING'))
);
CREATE UNIQUE INDEX job_runs_finished ON system.job_runs (account_id, job, run_key)
    WHERE status IN ('DONE', 'SKIPPED');
CREATE INDEX job_runs_running ON system.job_runs (account_id) WHERE status = 'RUNNING';

-- A day by each who tells of it: the operator (by SQL), the broker (chk-holiday), the configuration
-- (written by the engine at start, for what it covers). The first of them counts.
CREATE TABLE market.calendar (
    day               date NOT NULL,
    source            text NOT NULL CHECK (source IN ('OPERATOR', 'KIS', 'CONFIG')),
    is_open           boolean NOT NULL,       -- opnd_yn: the one for orders
    is_trading_day    boolean,                -- tr_day_yn; null: not told
    is_business_day   boolean,                -- bzdy_yn
    is_settlement_day boolean,                -- sttl_day_yn
    is_conflict       boolean NOT NULL DEFAULT false, -- the broker says other than the configuration
    fetched_ts        timestamptz NOT NULL DEFAULT clock_timestamp(), -- told last
    changed_ts        timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (day, source)
);

-- Every day that was told otherwise than before, whoever told it.
CREATE TABLE market.calendar_history (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    ts       timestamptz NOT NULL DEFAULT clock_timestamp(),
    day      date NOT NULL,
    source   text NOT NULL,
    was_open boolean,                         -- null: nothing was told before
    is_open  boolean                          -- null: nothing is told any more
);
CREATE INDEX calendar_history_day ON market.calendar_history (day);
SELECT system.make_insert_only('market.calendar_history');

CREATE FUNCTION market.note_calendar() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF NEW.is_open = OLD.is_open THEN
            RETURN NULL;
        END IF;
        INSERT INTO market.calendar_history (day, source, was_open, is_open)
            VALUES (NEW.day, NEW.source, OLD.is_open, NEW.is_open);
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO market.calendar_history (day, source, was_open)
            VALUES (OLD.day, OLD.source, OLD.is_open);
    ELSIF NEW.source = 'OPERATOR' THEN
        INSERT INTO market.calendar_history (day, source, is_open)
            VALUES (NEW.day, NEW.source, NEW.is_open);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER note_calendar AFTER INSERT OR UPDATE OR DELETE ON market.calendar
    FOR EACH ROW EXECUTE FUNCTION market.note_calendar();

-- The days as they count. A weekend never opens, whoever says so.
CREATE VIEW market.calendar_days AS
SELECT DISTINCT ON (day) day, source, is_open AND extract(isodow FROM day) < 6 AS is_open,
    is_trading_day, is_business_day, is_settlement_day,
    bool_or(is_conflict) OVER (PARTITION BY day) AS is_conflict, fetched_ts, changed_ts
FROM market.calendar
ORDER BY day, CASE source WHEN 'OPERATOR' THEN 0 WHEN 'KIS' THEN 1 ELSE 2 END;
