-- Least privilege: groups of the database for the processes, which own nothing.
--
-- Tables belong to the role that migrates. Stream job, BFF and readers sign in as roles that are members
-- of a group. Who owns no table can neither alter one nor disable a trigger of it.

-- What triggers write, nobody else does. They run as the owner, and find only what they name.
ALTER FUNCTION system.log_change() SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION system.audit_change() SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION trade.keep_control_history() SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
-- Of a row that is gone it says who signed in, as before: inside it the current user is the owner.
CREATE OR REPLACE FUNCTION system.keep_risk_edit() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        INSERT INTO system.risk_edits (kind, op, content, edited_by)
            VALUES (TG_ARGV[0], TG_OP, to_jsonb(OLD), session_user);
    ELSE
        INSERT INTO system.risk_edits (kind, op, content, edited_by, reason)
            VALUES (TG_ARGV[0], TG_OP, to_jsonb(NEW), NEW.updated_by, NEW.reason);
    END IF;
    RETURN NULL;
END $$;

-- Partitions are made and detached as the owner, too.
ALTER FUNCTION market.ensure_prices_partition(date)
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION market.detach_prices(date, text)
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION trade.ensure_exit_signals_partition(date)
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp;

-- A trigger on a table of one's own would call them, too.
REVOKE EXECUTE ON FUNCTION
    system.log_change(), system.audit_change(), trade.keep_control_history(), system.keep_risk_edit(),
    market.ensure_prices_partition(date), market.detach_prices(date, text),
    trade.ensure_exit_signals_partition(date)
FROM PUBLIC;

-- Tables of which a row never changes.
CREATE VIEW system.insert_only_tables AS
SELECT tgrelid::regclass AS relation FROM pg_trigger
WHERE tgfoid = 'system.refuse_change()'::regprocedure AND NOT tgisinternal AND tgparentid = 0;

-- Grants each group that there is what its processes need, and nothing else. To be called by the owner
-- again where a group was created later.
CREATE FUNCTION system.grant_to_groups() RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    owner   text := (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = 'market.prices'::regclass);
    history regclass;
    member  text;
    target  regclass;
BEGIN
    FOR member IN
        SELECT rolname FROM pg_roles
        WHERE rolname IN ('turnstile_stream', 'turnstile_bff', 'turnstile_reader')
    LOOP
        EXECUTE format('GRANT USAGE ON SCHEMA market, trade, strategy, system, archive TO %I', member);
        EXECUTE format('REVOKE ALL ON ALL TABLES IN SCHEMA market, trade, strategy, system, archive FROM %I',
            member);
        EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA market, trade, strategy, system, archive TO %I',
            member);
        -- Later tables: partitions, and those of later versions.
        EXECUTE format('ALTER DEFAULT PRIVILEGES FOR ROLE %I IN SCHEMA market, trade, strategy, system
            GRANT SELECT ON TABLES TO %I', owner, member);
        -- The digests of secrets are for whom they open the door.
        EXECUTE format('REVOKE ALL ON system.api_tokens, system.api_sessions FROM %I', member);
        -- A process has to see that the schema is that of its program.
        FOR history IN
            SELECT oid FROM pg_class WHERE relname = 'refinery_schema_history' AND relpersistence = 'p'
                AND relowner = (SELECT relowner FROM pg_class WHERE oid = 'market.prices'::regclass)
        LOOP
            EXECUTE format('GRANT SELECT ON %s TO %I', history, member);
        END LOOP;
    END LOOP;

    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'turnstile_stream') THEN
        GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA market, trade, strategy, system
            TO turnstile_stream;
        EXECUTE format('ALTER DEFAULT PRIVILEGES FOR ROLE %I IN SCHEMA market, trade, strategy, system
            GRANT INSERT, UPDATE, DELETE ON TABLES TO turnstile_stream', owner);
        FOR target IN SELECT relation FROM system.insert_only_tables LOOP
            EXECUTE format('REVOKE UPDATE, DELETE ON %s FROM turnstile_stream', target);
        END LOOP;
        -- Locks of orders, and of partitions that are archived, need it; the trigger refuses the change.
        GRANT UPDATE ON trade.orders TO turnstile_stream;
        FOR target IN SELECT partition FROM market.prices_partitions LOOP
            EXECUTE format('GRANT UPDATE ON %s TO turnstile_stream', target);
        END LOOP;
        -- Old entries are deleted by the stream job, new ones are made by triggers alone.
        REVOKE INSERT, UPDATE ON system.change_log FROM turnstile_stream;
        REVOKE INSERT ON system.audit_log, system.risk_edits, trade.control_history FROM turnstile_stream;
        -- Who may use the API, and what people decide there.
        REVOKE ALL ON system.api_tokens, system.api_sessions FROM turnstile_stream;
        REVOKE INSERT, UPDATE, DELETE ON
            system.config, system.risk_limits, system.risk_profile, system.emergency_stop,
            trade.exit_control, trade.reentry_control, trade.reentry_limits, trade.reentry_windows,
            trade.exit_rules, trade.reentry_rules, strategy.watchlist,
            trade.reentry_blacklist, market.regime_override, trade.pick_producers, trade.cash_flows
            FROM turnstile_stream;
        GRANT EXECUTE ON FUNCTION
            market.ensure_prices_partition(date), market.detach_prices(date, text),
            trade.ensure_exit_signals_partition(date)
            TO turnstile_stream;
    END IF;

    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'turnstile_bff') THEN
        -- What is decided by people.
        GRANT INSERT, UPDATE ON
            system.config, system.risk_limits, system.emergency_stop, trade.exit_rules,
            trade.reentry_limits, market.regime_override, system.api_tokens, system.api_sessions
            TO turnstile_bff;
        GRANT UPDATE ON
            system.risk_profile, trade.exit_control, trade.reentry_control, strategy.portfolios
            TO turnstile_bff;
        GRANT INSERT, UPDATE, DELETE ON
            strategy.watchlist, trade.reentry_windows, trade.reentry_blacklist
            TO turnstile_bff;
        GRANT INSERT ON trade.cash_flows, trade.reentry_edits TO turnstile_bff;
        GRANT SELECT ON system.api_tokens, system.api_sessions TO turnstile_bff;
        -- What is asked of the engine.
        GRANT INSERT ON
            trade.manual_entries, trade.manual_exits, trade.order_requests, trade.reentry_expiries,
            trade.pick_runs, trade.picks, strategy.run_requests
            TO turnstile_bff;
        GRANT INSERT, DELETE ON trade.rule_previews TO turnstile_bff;
        -- A request to sell locks its position. The column is set by a trigger, whatever is written.
        GRANT UPDATE (updated_ts) ON trade.positions TO turnstile_bff;
        -- Its own health.
        GRANT INSERT ON system.logs, system.alarm_deliveries TO turnstile_bff;
        GRANT INSERT, UPDATE ON system.alarms TO turnstile_bff;
        GRANT INSERT, DELETE ON system.metrics TO turnstile_bff;
    END IF;

    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'turnstile_reader') THEN
        GRANT SELECT (token_id, name, role, reason, created_by, created_ts, expires_ts, last_used_ts,
            revoked_by, revoked_ts) ON system.api_tokens TO turnstile_reader;
        GRANT SELECT (token_id, created_ts, expires_ts, ended_ts) ON system.api_sessions
            TO turnstile_reader;
    END IF;
END $$;
REVOKE EXECUTE ON FUNCTION system.grant_to_groups() FROM PUBLIC;

-- The groups are of the whole server: they may be there from another database.
DO $$
DECLARE
    member text;
BEGIN
    FOREACH member IN ARRAY ARRAY['turnstile_stream', 'turnstile_bff', 'turnstile_reader'] LOOP
        CONTINUE WHEN EXISTS (SELECT FROM pg_roles WHERE rolname = member);
        BEGIN
            EXECUTE format('CREATE ROLE %I NOLOGIN', member);
        EXCEPTION
            WHEN insufficient_privilege THEN
                RAISE NOTICE 'group % not created: this role may not create roles; see docs/runbook.md', member;
            WHEN duplicate_object OR unique_violation THEN
                NULL; -- Another database of the server was faster.
        END;
    END LOOP;
END $$;
SELECT system.grant_to_groups();
