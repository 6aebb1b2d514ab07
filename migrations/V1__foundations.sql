-- Foundations: schemas, the insert-only guard, the change log that feeds the engine.

CREATE SCHEMA market;
CREATE SCHEMA trade;
CREATE SCHEMA strategy;
CREATE SCHEMA system;

-- Refuses UPDATE, DELETE and TRUNCATE of an insert-only table, for every role.
CREATE FUNCTION system.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%.% is insert-only: % refused', TG_TABLE_SCHEMA, TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation';
END $$;

CREATE FUNCTION system.make_insert_only(target regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format(
        'CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON %s
         FOR EACH STATEMENT EXECUTE FUNCTION system.refuse_change()', target);
    -- Also under session_replication_role = replica.
    EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER insert_only', target);
END $$;

-- One row per changed row of a table that the engine or the BFF follows. A reader takes what its
-- snapshot sees and its previous snapshot did not (so no commit is missed, whatever the order in
-- which transactions end), grouped by transaction, ordered by the last change_id of each.
CREATE TABLE system.change_log (
    change_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    xid        xid8 NOT NULL DEFAULT pg_current_xact_id(),
    table_name text NOT NULL,
    op         text NOT NULL CHECK (op IN ('INSERT', 'UPDATE', 'DELETE')),
    content    jsonb NOT NULL,
    created_ts timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX change_log_xid ON system.change_log (xid);
CREATE INDEX change_log_created ON system.change_log (created_ts);

-- Large columns that no follower of changes needs are left out.
CREATE FUNCTION system.log_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO system.change_log (table_name, op, content)
    VALUES (
        TG_TABLE_SCHEMA || '.' || TG_TABLE_NAME,
        TG_OP,
        to_jsonb(CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END) - 'explanation' - 'raw'
    );
    PERFORM pg_notify('turnstile_changes', '');
    RETURN NULL;
END $$;

CREATE FUNCTION system.follow_changes(target regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format(
        'CREATE TRIGGER follow_changes AFTER INSERT OR UPDATE OR DELETE ON %s
         FOR EACH ROW EXECUTE FUNCTION system.log_change()', target);
END $$;

CREATE TABLE system.config (
    key        text PRIMARY KEY,
    value      jsonb NOT NULL,
    version    integer NOT NULL DEFAULT 1,
    reason     text,
    updated_by text NOT NULL,
    updated_ts timestamptz NOT NULL DEFAULT now()
);
SELECT system.follow_changes('system.config');

CREATE TABLE system.logs (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    ts          timestamptz NOT NULL DEFAULT clock_timestamp(),
    level       text NOT NULL CHECK (level IN ('INFO', 'WARNING', 'CRITICAL', 'P0')),
    module      text NOT NULL,
    event       text NOT NULL,
    symbol      text,
    position_id uuid,
    request_id  text,
    message     text NOT NULL,
    context     jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX logs_ts ON system.logs (ts DESC);
SELECT system.make_insert_only('system.logs');

-- Every engine input that is not a tick, with its logical time, so that a past day replays.
CREATE TABLE system.engine_events (
    logical_us bigint NOT NULL,
    seq        integer NOT NULL,
    kind       text NOT NULL,
    payload    jsonb NOT NULL,
    ts         timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (logical_us, seq)
);
SELECT system.make_insert_only('system.engine_events');

-- How far each sink is durable. Written in the transaction of the batch itself.
CREATE TABLE system.sink_progress (
    sink       text PRIMARY KEY,
    durable_us bigint NOT NULL,
    updated_ts timestamptz NOT NULL DEFAULT now()
);
