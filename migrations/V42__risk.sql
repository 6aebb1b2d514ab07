-- Risk (domain section 7): limits by profile and time, the emergency stop, what the gate found of every
-- entry, and reports.

-- Limits of a profile for a period; those of a profile never overlap. Percentages are of the equity,
-- all limits inclusive.
CREATE TABLE system.risk_limits (
    id                 bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    profile            text NOT NULL CHECK (profile IN ('DEFAULT', 'CONSERVATIVE', 'AGGRESSIVE')),
    positions_max      integer NOT NULL CHECK (positions_max >= 0),        -- names held or being bought
    single_max_pct     numeric(7,4) NOT NULL CHECK (single_max_pct > 0 AND single_max_pct <= 100),
    sector_max_pct     numeric(7,4) NOT NULL CHECK (sector_max_pct > 0 AND sector_max_pct <= 100),
    market_max_pct     numeric(7,4) NOT NULL CHECK (market_max_pct > 0 AND market_max_pct <= 100),
    daily_loss_max_pct numeric(7,4) NOT NULL CHECK (daily_loss_max_pct > 0 AND daily_loss_max_pct <= 100),
    total_loss_max_pct numeric(7,4) NOT NULL CHECK (total_loss_max_pct > 0 AND total_loss_max_pct <= 100), -- of the month
    active_from        timestamptz NOT NULL DEFAULT clock_timestamp(),
    active_to          timestamptz,            -- exclusive; null: until others take its place
    reason             text,
    updated_by         text NOT NULL CHECK (updated_by <> ''),
    updated_ts         timestamptz NOT NULL DEFAULT clock_timestamp(),
    CHECK (active_to >= active_from),
    CONSTRAINT risk_limits_do_not_overlap EXCLUDE USING gist (
        int4range(CASE profile WHEN 'DEFAULT' THEN 0 WHEN 'CONSERVATIVE' THEN 1 ELSE 2 END,
            CASE profile WHEN 'DEFAULT' THEN 0 WHEN 'CONSERVATIVE' THEN 1 ELSE 2 END, '[]') WITH &&,
        tstzrange(active_from, active_to) WITH &&)
);
INSERT INTO system.risk_limits (profile, positions_max, single_max_pct, sector_max_pct, market_max_pct,
    daily_loss_max_pct, total_loss_max_pct, active_from, reason, updated_by)
VALUES ('DEFAULT', 15, 15, 40, 100, 3, 10, 'epoch', 'initial', 'migration'),
    ('CONSERVATIVE', 10, 10, 30, 100, 2, 6, 'epoch', 'initial', 'migration'),
    ('AGGRESSIVE', 20, 20, 50, 100, 5, 15, 'epoch', 'initial', 'migration');

-- The one profile in force. Where it has no limits at a time nothing is bought.
CREATE TABLE system.risk_profile (
    id         integer PRIMARY KEY DEFAULT 1 CHECK (id = 1),
    profile    text NOT NULL CHECK (profile IN ('DEFAULT', 'CONSERVATIVE', 'AGGRESSIVE')),
    version    integer NOT NULL DEFAULT 1,     -- rises with every change of limits or profile by the API
    reason     text,
    updated_by text NOT NULL CHECK (updated_by <> ''),
    updated_ts timestamptz NOT NULL DEFAULT clock_timestamp()
);
INSERT INTO system.risk_profile (profile, reason, updated_by) VALUES ('DEFAULT', 'initial', 'migration');

-- While it is enabled, or its row is gone, nothing is bought; exits go on.
CREATE TABLE system.emergency_stop (
    id         integer PRIMARY KEY DEFAULT 1 CHECK (id = 1),
    is_enabled boolean NOT NULL DEFAULT false,
    version    integer NOT NULL DEFAULT 1,     -- rises with every change by the API
    reason     text NOT NULL CHECK (reason <> ''),
    updated_by text NOT NULL CHECK (updated_by <> ''),
    updated_ts timestamptz NOT NULL DEFAULT clock_timestamp()
);
INSERT INTO system.emergency_stop (reason, updated_by) VALUES ('initial', 'migration');

-- Every change of the three tables above, whoever made it: the row as it stood then.
CREATE TABLE system.risk_edits (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    ts        timestamptz NOT NULL DEFAULT clock_timestamp(),
    kind      text NOT NULL CHECK (kind IN ('LIMITS', 'PROFILE', 'STOP')),
    op        text NOT NULL CHECK (op IN ('INSERT', 'UPDATE', 'DELETE')),
    content   jsonb NOT NULL,
    edited_by text NOT NULL,                   -- the database's user where a row was deleted
    reason    text
);
SELECT system.make_insert_only('system.risk_edits');
CREATE FUNCTION system.keep_risk_edit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        INSERT INTO system.risk_edits (kind, op, content, edited_by)
            VALUES (TG_ARGV[0], TG_OP, to_jsonb(OLD), current_user);
    ELSE
        INSERT INTO system.risk_edits (kind, op, content, edited_by, reason)
            VALUES (TG_ARGV[0], TG_OP, to_jsonb(NEW), NEW.updated_by, NEW.reason);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER keep_edit AFTER INSERT OR UPDATE OR DELETE ON system.risk_limits
    FOR EACH ROW EXECUTE FUNCTION system.keep_risk_edit('LIMITS');
CREATE TRIGGER keep_edit AFTER INSERT OR UPDATE OR DELETE ON system.risk_profile
    FOR EACH ROW EXECUTE FUNCTION system.keep_risk_edit('PROFILE');
CREATE TRIGGER keep_edit AFTER INSERT OR UPDATE OR DELETE ON system.emergency_stop
    FOR EACH ROW EXECUTE FUNCTION system.keep_risk_edit('STOP');
SELECT system.follow_changes('system.risk_limits');
SELECT system.follow_changes('system.risk_profile');
SELECT system.follow_changes('system.emergency_stop');

-- What an issue belongs to is followed; what else is told of it is not.
CREATE TRIGGER follow_issues AFTER INSERT OR DELETE ON market.stocks
    FOR EACH ROW EXECUTE FUNCTION system.log_change();
CREATE TRIGGER follow_issue_changes AFTER UPDATE ON market.stocks FOR EACH ROW
    WHEN (OLD.market IS DISTINCT FROM NEW.market OR OLD.sector IS DISTINCT FROM NEW.sector)
    EXECUTE FUNCTION system.log_change();

-- What the gate found of every entry: all results up to the first refusal, with what was compared.
CREATE TABLE system.risk_checks (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    ts          timestamptz NOT NULL DEFAULT clock_timestamp(),
    judged_us   bigint NOT NULL,               -- when, by the clock of the gate
    action_key  text NOT NULL,                 -- of the order that it is about
    symbol      text NOT NULL,
    intent_type text NOT NULL,
    qty         bigint NOT NULL,
    price       numeric(20,4) NOT NULL,
    is_approved boolean NOT NULL,
    limits_id   bigint,                        -- the row of limits; null: there were none
    results     jsonb NOT NULL,
    UNIQUE (action_key, judged_us)
);
SELECT system.make_insert_only('system.risk_checks');

-- Refusals.
CREATE TABLE system.risk_violations (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    check_id      bigint NOT NULL UNIQUE REFERENCES system.risk_checks,
    ts            timestamptz NOT NULL DEFAULT clock_timestamp(),
    action_key    text NOT NULL,
    symbol        text NOT NULL,
    intent_type   text NOT NULL,
    check_type    text NOT NULL CHECK (check_type IN ('EMERGENCY_STOP', 'LIMITS', 'TOTAL_POSITIONS',
        'SINGLE_WEIGHT', 'SECTOR_WEIGHT', 'MARKET_WEIGHT', 'DAILY_LOSS', 'TOTAL_LOSS')),
    current_value numeric,                     -- after the order: names, else KRW; null: not known
    limit_value   numeric,
    message       text NOT NULL
);
SELECT system.make_insert_only('system.risk_violations');

-- The account beside its limits, every few minutes. Amounts in KRW, percentages cut off to two places.
CREATE TABLE system.risk_reports (
    id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    ts                timestamptz NOT NULL DEFAULT clock_timestamp(),
    level             text NOT NULL CHECK (level IN ('GREEN', 'YELLOW', 'ORANGE', 'RED')),
    unknown           text,                    -- what is not known, and makes it RED
    profile           text,
    is_stopped        boolean NOT NULL,
    positions         integer NOT NULL,
    equity            numeric,
    largest_symbol    text,
    largest_weight    numeric,                 -- percent of the equity, as the other weights
    sector_weights    jsonb NOT NULL,
    market_weights    jsonb NOT NULL,
    day_result        numeric NOT NULL,
    month_result      numeric NOT NULL,
    day_result_pct    numeric,
    month_result_pct  numeric,
    highest_usage     numeric,                 -- percent of the limit
    usages            jsonb NOT NULL,          -- by check
    daily_buffer_pct  numeric,                 -- (1 - loss / limit) * 100
    total_buffer_pct  numeric
);
CREATE INDEX risk_reports_ts ON system.risk_reports (ts DESC);
SELECT system.make_insert_only('system.risk_reports');

-- The logical time of the last order of a candidate that the gate refused: it watches on.
ALTER TABLE trade.reentry_candidates ADD COLUMN refused_us bigint;
