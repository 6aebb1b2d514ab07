-- PostgreSQL serializes the commits of transactions that have notified. Writers that commit often turn
-- `turnstile.bell` off and notify by themselves, once for many commits.
CREATE OR REPLACE FUNCTION system.log_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO system.change_log (table_name, op, content)
    VALUES (
        TG_TABLE_SCHEMA || '.' || TG_TABLE_NAME,
        TG_OP,
        to_jsonb(CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END) - 'explanation' - 'raw'
    );
    IF current_setting('turnstile.bell', true) IS DISTINCT FROM 'off' THEN
        PERFORM pg_notify('turnstile_changes', '');
    END IF;
    RETURN NULL;
END $$;

-- That an order is new, and that it is about to be sent, changes nothing for anybody who follows: its
-- row says the one, and the answer of the broker comes right after the other.
DROP TRIGGER follow_changes ON trade.order_events;
CREATE TRIGGER follow_changes AFTER INSERT ON trade.order_events FOR EACH ROW
    WHEN (NOT (NEW.status = 'SENDING' OR (NEW.status = 'NEW' AND NEW.send_attempt = 0 AND NEW.code IS NULL)))
    EXECUTE FUNCTION system.log_change();

-- Read in the order of time only: ranges of pages do.
DROP INDEX system.change_log_created;
CREATE INDEX change_log_created ON system.change_log USING brin (created_ts) WITH (pages_per_range = 16);
