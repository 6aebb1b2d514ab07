-- What exits are asked and told from outside: volatility, manual sales, previews, saved rules.

-- What is known of a symbol for the whole session; one row a symbol, in force as it stands.
CREATE TABLE market.symbol_context (
    symbol     text PRIMARY KEY REFERENCES market.stocks,
    trade_date date NOT NULL,               -- session it was made for
    atr_pct    numeric(12,6) CHECK (atr_pct >= 0), -- ATR(14) over the close of the day before, a ratio
    prev_close numeric(20,4) CHECK (prev_close > 0),
    updated_ts timestamptz NOT NULL DEFAULT now()
);
SELECT system.follow_changes('market.symbol_context');

-- Requests of the operator to sell. One is over once its order row exists, or it was withdrawn or
-- refused.
CREATE TABLE trade.manual_exits (
    request_id  uuid PRIMARY KEY,
    position_id uuid NOT NULL REFERENCES trade.positions,
    symbol      text NOT NULL,
    qty         bigint NOT NULL CHECK (qty > 0),
    asked_by    text NOT NULL,
    reason      text,
    state       text NOT NULL DEFAULT 'ASKED' CHECK (state IN ('ASKED', 'ORDERED', 'WITHDRAWN', 'REFUSED')),
    message     text,                       -- why it was refused
    order_id    uuid REFERENCES trade.orders,
    created_ts  timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_ts  timestamptz NOT NULL DEFAULT clock_timestamp(),
    CHECK ((state = 'ORDERED') = (order_id IS NOT NULL))
);
CREATE INDEX manual_exits_position ON trade.manual_exits (position_id);
SELECT system.follow_changes('trade.manual_exits');

-- The order of a manual sale names its request in the action key,
-- {position}:{cycle}:{phase}:MANUAL:{request}:1. Where it stands, the request was followed, also if
-- it was withdrawn at the last moment.
CREATE FUNCTION trade.end_manual_exit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE trade.manual_exits
    SET state = 'ORDERED', message = NULL, order_id = NEW.order_id, updated_ts = clock_timestamp()
    WHERE position_id = NEW.position_id AND request_id::text = split_part(NEW.action_key, ':', 5);
    RETURN NULL;
END $$;
CREATE TRIGGER end_manual_exit AFTER INSERT ON trade.orders
    FOR EACH ROW WHEN (NEW.reason_code = 'MANUAL') EXECUTE FUNCTION trade.end_manual_exit();

-- A request does not outlive what it was allowed under.
CREATE FUNCTION trade.refuse_manual_exits() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE trade.manual_exits
    SET state = 'REFUSED', updated_ts = clock_timestamp(),
        message = CASE NEW.status WHEN 'CLOSED' THEN 'the position is closed'
            ELSE 'exit_mode of the position is DISABLED' END
    WHERE position_id = NEW.position_id AND state = 'ASKED';
    RETURN NULL;
END $$;
CREATE TRIGGER refuse_manual_exits AFTER UPDATE OF status, exit_mode ON trade.positions
    FOR EACH ROW WHEN (NEW.status = 'CLOSED' OR NEW.exit_mode = 'DISABLED')
    EXECUTE FUNCTION trade.refuse_manual_exits();

-- Questions which positions would sell now if a rule stood; answered by the engine.
CREATE TABLE trade.rule_previews (
    request_id  uuid PRIMARY KEY,
    rule_id     text NOT NULL,              -- the rule it would replace, or a new one
    scope       text NOT NULL CHECK (scope IN ('DEFAULT', 'STRATEGY', 'SYMBOL', 'POSITION')),
    scope_key   text,
    rules       jsonb NOT NULL,
    asked_by    text NOT NULL,
    answered_us bigint,                     -- logical time of the answer
    answered_ts timestamptz,
    created_ts  timestamptz NOT NULL DEFAULT clock_timestamp(),
    CHECK ((scope IN ('STRATEGY', 'SYMBOL')) = (scope_key IS NOT NULL)),
    CHECK ((answered_us IS NULL) = (answered_ts IS NULL))
);
SELECT system.follow_changes('trade.rule_previews');
CREATE TABLE trade.rule_preview_hits (
    request_id  uuid NOT NULL REFERENCES trade.rule_previews ON DELETE CASCADE,
    position_id uuid NOT NULL,
    symbol      text NOT NULL,
    reason      text NOT NULL,
    rule_id     text,                       -- custom exit rule
    qty         bigint NOT NULL,
    price       numeric(20,4) NOT NULL,     -- evaluation price
    level       numeric(20,4) NOT NULL,     -- price that had to be reached
    PRIMARY KEY (request_id, position_id)
);

-- A changed rule is a new version, whoever changes it.
ALTER TABLE trade.exit_rules ADD COLUMN updated_by text;
CREATE FUNCTION trade.exit_rules_touch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_ts := clock_timestamp();
    IF NEW.version = OLD.version
        AND (NEW.rules, NEW.scope, NEW.scope_key) IS DISTINCT FROM (OLD.rules, OLD.scope, OLD.scope_key)
    THEN
        NEW.version := OLD.version + 1;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER touch BEFORE UPDATE ON trade.exit_rules
    FOR EACH ROW EXECUTE FUNCTION trade.exit_rules_touch();

-- The rule that serves each live position, and what chose it: the engine's resolution in SQL.
CREATE VIEW trade.position_rules AS
SELECT p.position_id, chosen.*
FROM trade.positions p
CROSS JOIN LATERAL (
    SELECT r.rule_id AS profile_id, r.version AS profile_version,
        CASE WHEN r.rule_id = p.exit_profile_id THEN 'POSITION' ELSE r.scope END AS profile_level
    FROM trade.exit_rules r
    WHERE r.is_active
        AND coalesce(r.effective_from <= (now() AT TIME ZONE 'Asia/Seoul')::date, true)
        AND (r.rule_id = p.exit_profile_id
            OR (r.scope = 'SYMBOL' AND r.scope_key = p.symbol)
            OR (r.scope = 'STRATEGY' AND r.scope_key = p.strategy_id)
            OR r.scope = 'DEFAULT')
    ORDER BY array_position(
            ARRAY['POSITION', 'SYMBOL', 'STRATEGY', 'DEFAULT'],
            CASE WHEN r.rule_id = p.exit_profile_id THEN 'POSITION' ELSE r.scope END),
        r.rule_id COLLATE "C"
    LIMIT 1
) chosen
WHERE p.status <> 'CLOSED';
