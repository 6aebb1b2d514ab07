-- Who may use the API, and who changed what.

-- A token is a public part and a secret of 32 random bytes, of which only the digest is kept.
CREATE TABLE system.api_tokens (
    token_id      text PRIMARY KEY,
    name          text NOT NULL,
    role          text NOT NULL CHECK (role IN ('VIEWER', 'TRADER', 'ADMIN')),
    secret_sha256 bytea NOT NULL CHECK (octet_length(secret_sha256) = 32),
    reason        text,
    created_by    text NOT NULL,
    created_ts    timestamptz NOT NULL DEFAULT now(),
    expires_ts    timestamptz CHECK (expires_ts > created_ts),
    last_used_ts  timestamptz,
    revoked_by    text,
    revoked_ts    timestamptz,
    CHECK ((revoked_ts IS NULL) = (revoked_by IS NULL))
);
CREATE UNIQUE INDEX api_tokens_name ON system.api_tokens (name) WHERE revoked_ts IS NULL;

-- A signed-in browser. Its cookie is a secret too; it ends with its token.
CREATE TABLE system.api_sessions (
    secret_sha256 bytea PRIMARY KEY CHECK (octet_length(secret_sha256) = 32),
    token_id      text NOT NULL REFERENCES system.api_tokens,
    created_ts    timestamptz NOT NULL DEFAULT now(),
    expires_ts    timestamptz NOT NULL,
    ended_ts      timestamptz
);
CREATE INDEX api_sessions_open ON system.api_sessions (expires_ts) WHERE ended_ts IS NULL;

-- What was changed: who (actor: a token of the API, else the role of the database), for whom and why
-- (what the row itself says), and the row before and after.
CREATE TABLE system.audit_log (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    ts           timestamptz NOT NULL DEFAULT clock_timestamp(),
    actor        text NOT NULL,
    on_behalf_of text,
    reason       text,
    request_id   text,
    table_name   text NOT NULL,
    op           text NOT NULL CHECK (op IN ('INSERT', 'UPDATE', 'DELETE')),
    was          jsonb,
    now          jsonb
);
CREATE INDEX audit_log_table ON system.audit_log (table_name, id DESC);
SELECT system.make_insert_only('system.audit_log');

-- Arguments: columns that are left out, for they are secret or say only that the row is in use.
-- A change of nothing else is none.
CREATE FUNCTION system.audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    hidden text[] := coalesce(TG_ARGV, '{}');
    was    jsonb;
    is_now jsonb;
    stands jsonb;
BEGIN
    IF TG_OP <> 'INSERT' THEN
        was := to_jsonb(OLD) - hidden;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        is_now := to_jsonb(NEW) - hidden;
    END IF;
    IF was - 'updated_ts' IS NOT DISTINCT FROM is_now - 'updated_ts' THEN
        RETURN NULL;
    END IF;
    stands := coalesce(is_now, was);
    INSERT INTO system.audit_log
        (actor, on_behalf_of, reason, request_id, table_name, op, was, now)
    VALUES (
        coalesce(nullif(current_setting('turnstile.actor', true), ''), session_user),
        coalesce(stands->>'revoked_by', stands->>'acknowledged_by', stands->>'updated_by', stands->>'asked_by',
            stands->>'sent_by', stands->>'activated_by', stands->>'created_by'),
        coalesce(stands->>'reason', stands->>'activation_reason', stands->>'acknowledge_reason'),
        nullif(current_setting('turnstile.request_id', true), ''),
        TG_TABLE_SCHEMA || '.' || TG_TABLE_NAME,
        TG_OP,
        was,
        is_now
    );
    RETURN NULL;
END $$;

CREATE FUNCTION system.audit(target regclass, VARIADIC hidden text[] DEFAULT '{}') RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format(
        'CREATE TRIGGER audit_change AFTER INSERT OR UPDATE OR DELETE ON %s
         FOR EACH ROW EXECUTE FUNCTION system.audit_change(%s)',
        target,
        (SELECT string_agg(quote_literal(one), ', ') FROM unnest(hidden) AS one));
END $$;

-- The tables that are written more than once.
SELECT system.audit('market.stocks');
SELECT system.audit('trade.positions');
SELECT system.audit('trade.exit_rules');
SELECT system.audit('trade.reentry_rules');
SELECT system.audit('strategy.portfolios');
SELECT system.audit('system.config');
-- What decides whether and how much is traded.
SELECT system.audit('trade.exit_control');
SELECT system.audit('trade.reentry_control');
SELECT system.audit('trade.reentry_limits');
SELECT system.audit('trade.reentry_windows');
SELECT system.audit('trade.reentry_blacklist');
SELECT system.audit('market.regime_override');
SELECT system.audit('system.risk_limits');
SELECT system.audit('system.risk_profile');
SELECT system.audit('system.emergency_stop');
SELECT system.audit('trade.pick_producers');
-- What is asked of the engine.
SELECT system.audit('trade.manual_entries');
SELECT system.audit('trade.manual_exits');
SELECT system.audit('trade.order_requests');
SELECT system.audit('trade.reentry_expiries');
SELECT system.audit('trade.pick_runs');
SELECT system.audit('strategy.run_requests');
-- Who may use the API.
SELECT system.audit('system.api_tokens', 'secret_sha256', 'last_used_ts');
SELECT system.audit('system.api_sessions', 'secret_sha256');
