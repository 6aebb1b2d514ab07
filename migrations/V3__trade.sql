-- Flow 2: positions, exit rules, decisions, orders, executions, exit events.

CREATE TABLE trade.exit_rules (
    rule_id        text PRIMARY KEY,
    -- DEFAULT: every position. STRATEGY, SYMBOL: those of scope_key. POSITION: those that name it
    -- in exit_profile_id. The most specific one is in force.
    scope          text NOT NULL CHECK (scope IN ('DEFAULT', 'STRATEGY', 'SYMBOL', 'POSITION')),
    scope_key      text,
    name           text NOT NULL,
    description    text,
    rules          jsonb NOT NULL,          -- one profile, decision contract section 5
    version        integer NOT NULL DEFAULT 1,
    is_active      boolean NOT NULL DEFAULT true,
    effective_from date,
    reason         text,
    created_by     text NOT NULL,
    created_ts     timestamptz NOT NULL DEFAULT now(),
    updated_ts     timestamptz NOT NULL DEFAULT now(),
    CHECK ((scope IN ('STRATEGY', 'SYMBOL')) = (scope_key IS NOT NULL))
);
CREATE UNIQUE INDEX exit_rules_one_per_scope ON trade.exit_rules (scope, coalesce(scope_key, ''))
    WHERE is_active AND scope <> 'POSITION';
SELECT system.follow_changes('trade.exit_rules');

CREATE TABLE trade.positions (
    position_id     uuid PRIMARY KEY,
    account_id      text NOT NULL,
    symbol          text NOT NULL REFERENCES market.stocks,
    side            text NOT NULL DEFAULT 'LONG' CHECK (side = 'LONG'),
    qty             bigint NOT NULL CHECK (qty >= 0),
    original_qty    bigint NOT NULL CHECK (original_qty >= 0),
    avg_price       numeric(20,4) NOT NULL CHECK (avg_price >= 0),
    entry_ts        timestamptz NOT NULL,
    status          text NOT NULL DEFAULT 'OPEN' CHECK (status IN ('OPEN', 'CLOSING', 'CLOSED')),
    strategy_id     text NOT NULL DEFAULT 'MANUAL',
    exit_mode       text NOT NULL DEFAULT 'ENABLED' CHECK (exit_mode IN ('ENABLED', 'DISABLED', 'MANUAL_ONLY')),
    exit_profile_id text,
    cycle           integer NOT NULL DEFAULT 1,
    candidate_id    uuid,                   -- the re-entry that opened it
    version         integer NOT NULL DEFAULT 1,
    closed_ts       timestamptz,
    created_ts      timestamptz NOT NULL DEFAULT now(),
    updated_ts      timestamptz NOT NULL DEFAULT now(),
    CHECK ((status = 'CLOSED') = (closed_ts IS NOT NULL))
);
-- Strategies may hold the same symbol side by side; each holds it once.
CREATE UNIQUE INDEX positions_one_live ON trade.positions (account_id, symbol, strategy_id)
    WHERE status IN ('OPEN', 'CLOSING');

-- Phase and floor move in the transaction of the fill. The engine recomputes marks from
-- market.prices at start; a mark here only raises the result.
CREATE TABLE trade.position_state (
    position_id      uuid PRIMARY KEY REFERENCES trade.positions,
    phase            text NOT NULL DEFAULT 'OPEN'
        CHECK (phase IN ('OPEN', 'TP1_DONE', 'TP2_DONE', 'TP3_DONE', 'TRAILING_ACTIVE', 'EXITED')),
    stop_floor_price numeric(20,4),
    hwm_price        numeric(20,4),
    hwm_us           bigint,
    updated_ts       timestamptz NOT NULL DEFAULT now()
);

CREATE FUNCTION trade.positions_touch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_ts := clock_timestamp();
    IF NEW.qty <> OLD.qty OR NEW.avg_price <> OLD.avg_price THEN
        NEW.version := OLD.version + 1;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER touch BEFORE UPDATE ON trade.positions
    FOR EACH ROW EXECUTE FUNCTION trade.positions_touch();

CREATE FUNCTION trade.positions_open_state() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO trade.position_state (position_id) VALUES (NEW.position_id);
    RETURN NULL;
END $$;
CREATE TRIGGER open_state AFTER INSERT ON trade.positions
    FOR EACH ROW EXECUTE FUNCTION trade.positions_open_state();
SELECT system.follow_changes('trade.positions');
SELECT system.follow_changes('trade.position_state');

CREATE TABLE trade.exit_control (
    id         integer PRIMARY KEY DEFAULT 1 CHECK (id = 1),
    mode       text NOT NULL CHECK (mode IN ('RUNNING', 'PAUSE_PROFIT', 'PAUSE_ALL', 'EMERGENCY_FLATTEN')),
    reason     text,
    updated_by text NOT NULL,
    updated_ts timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE trade.reentry_control (
    id         integer PRIMARY KEY DEFAULT 1 CHECK (id = 1),
    mode       text NOT NULL CHECK (mode IN ('RUNNING', 'PAUSE_ENTRY', 'PAUSE_ALL')),
    reason     text,
    updated_by text NOT NULL,
    updated_ts timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE trade.control_history (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    scope      text NOT NULL CHECK (scope IN ('exit', 'reentry')),
    mode       text NOT NULL,
    reason     text,
    updated_by text NOT NULL,
    ts         timestamptz NOT NULL DEFAULT clock_timestamp()
);
SELECT system.make_insert_only('trade.control_history');
CREATE FUNCTION trade.keep_control_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO trade.control_history (scope, mode, reason, updated_by)
    VALUES (TG_ARGV[0], NEW.mode, NEW.reason, NEW.updated_by);
    RETURN NULL;
END $$;
CREATE TRIGGER keep_history AFTER INSERT OR UPDATE ON trade.exit_control
    FOR EACH ROW EXECUTE FUNCTION trade.keep_control_history('exit');
CREATE TRIGGER keep_history AFTER INSERT OR UPDATE ON trade.reentry_control
    FOR EACH ROW EXECUTE FUNCTION trade.keep_control_history('reentry');
INSERT INTO trade.exit_control (mode, reason, updated_by) VALUES ('RUNNING', 'initial', 'migration');
INSERT INTO trade.reentry_control (mode, reason, updated_by) VALUES ('RUNNING', 'initial', 'migration');
SELECT system.follow_changes('trade.exit_control');
SELECT system.follow_changes('trade.reentry_control');

-- One immutable row per decision. What became of it is told by trade.order_events.
CREATE TABLE trade.orders (
    order_id     uuid PRIMARY KEY,
    action_key   text NOT NULL UNIQUE,
    account_id   text NOT NULL,
    position_id  uuid REFERENCES trade.positions,
    candidate_id uuid,
    symbol       text NOT NULL REFERENCES market.stocks,
    side         text NOT NULL CHECK (side IN ('BUY', 'SELL')),
    intent_type  text NOT NULL CHECK (intent_type IN ('ENTRY', 'EXIT_PARTIAL', 'EXIT_FULL')),
    qty          bigint NOT NULL CHECK (qty > 0),
    order_type   text NOT NULL CHECK (order_type IN ('MKT', 'LMT')),
    limit_price  numeric(20,4) CHECK ((limit_price IS NOT NULL) = (order_type = 'LMT')),
    reason_code  text NOT NULL,
    phase        text,                      -- before the decision
    cycle        integer,                   -- of the position, at the decision
    attempt      integer NOT NULL DEFAULT 1,
    rule_id      text,                      -- custom exit rule or re-entry rule
    price        numeric(20,4) NOT NULL,    -- evaluation price
    level        numeric(20,4) NOT NULL,    -- price that had to be reached
    decided_us   bigint NOT NULL,           -- logical time of the decision
    tick_us      bigint,                    -- logical time of the tick it was judged on
    cancels      text[] NOT NULL DEFAULT '{}', -- action keys of weaker orders to cancel first
    explanation  jsonb NOT NULL,            -- every input of the decision with its version
    created_ts   timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX orders_position ON trade.orders (position_id);
CREATE INDEX orders_created ON trade.orders (created_ts DESC);
SELECT system.make_insert_only('trade.orders');
SELECT system.follow_changes('trade.orders');

CREATE TABLE trade.order_events (
    event_id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_id        uuid NOT NULL REFERENCES trade.orders,
    status          text NOT NULL CHECK (status IN (
        'NEW', 'PENDING_APPROVAL', 'SENDING', 'SUBMITTED', 'PARTIAL', 'FILLED', 'REJECTED',
        'CANCELLED', 'CANCELLED_PARTIAL', 'ERROR', 'UNKNOWN')),
    send_attempt    integer NOT NULL DEFAULT 0, -- how often it had been sent
    sent_qty        bigint,                 -- what was asked of the broker, if less than decided
    broker_date     date,                   -- order numbers repeat daily
    broker_order_no text,
    broker_org_no   text,
    filled_qty      bigint NOT NULL DEFAULT 0 CHECK (filled_qty >= 0), -- cumulative
    notice_qty      bigint NOT NULL DEFAULT 0, -- cumulative by execution notices
    poll_qty        bigint NOT NULL DEFAULT 0, -- cumulative by the broker's order list
    code            text,
    message         text,
    raw             jsonb,
    ts              timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX order_events_order ON trade.order_events (order_id, event_id);
CREATE INDEX order_events_broker ON trade.order_events (broker_order_no, broker_date)
    WHERE broker_order_no IS NOT NULL;
SELECT system.make_insert_only('trade.order_events');
SELECT system.follow_changes('trade.order_events');

-- Present state of each order, whatever the order in which its facts were stored.
CREATE VIEW trade.orders_now AS
WITH facts AS (
    SELECT
        order_id,
        max(filled_qty) AS filled_qty,
        max(notice_qty) AS notice_qty,
        max(poll_qty) AS poll_qty,
        max(send_attempt) AS send_attempt,
        min(sent_qty) AS sent_qty,
        max(broker_order_no) AS broker_order_no,
        max(broker_org_no) AS broker_org_no,
        max(broker_date) AS broker_date,
        bool_or(status IN ('CANCELLED', 'CANCELLED_PARTIAL')) AS cancelled,
        bool_or(status = 'REJECTED') AS rejected,
        bool_or(status = 'ERROR') AS error,
        bool_or(status = 'SUBMITTED') AS submitted,
        -- Before the broker answered: the last attempt counts. NEW after an attempt means that the
        -- broker was proved not to have it.
        max(send_attempt * 10 + CASE status
            WHEN 'PENDING_APPROVAL' THEN 0 WHEN 'SENDING' THEN 1 WHEN 'UNKNOWN' THEN 2
            WHEN 'NEW' THEN 3 ELSE -1000 END) AS sending_key,
        min(ts) AS first_ts,
        max(ts) AS updated_ts
    FROM trade.order_events
    GROUP BY order_id
)
SELECT
    o.order_id, o.action_key, o.account_id, o.position_id, o.candidate_id, o.symbol, o.side,
    o.intent_type, o.qty, o.order_type, o.limit_price, o.reason_code, o.phase, o.cycle, o.attempt,
    o.rule_id, o.price, o.level,
    o.decided_us, o.tick_us, o.cancels, o.created_ts,
    CASE
        WHEN f.filled_qty > 0 AND f.filled_qty >= coalesce(f.sent_qty, o.qty) THEN 'FILLED'
        WHEN f.cancelled THEN CASE WHEN f.filled_qty > 0 THEN 'CANCELLED_PARTIAL' ELSE 'CANCELLED' END
        WHEN f.rejected THEN 'REJECTED'
        WHEN f.error THEN 'ERROR'
        WHEN f.filled_qty > 0 THEN 'PARTIAL'
        WHEN f.submitted THEN 'SUBMITTED'
        WHEN f.sending_key % 10 = 0 THEN 'PENDING_APPROVAL'
        WHEN f.sending_key % 10 = 1 THEN 'SENDING'
        WHEN f.sending_key % 10 = 2 THEN 'UNKNOWN'
        ELSE 'NEW'
    END AS status,
    f.filled_qty, f.notice_qty, f.poll_qty, f.send_attempt, f.sent_qty,
    f.broker_order_no, f.broker_org_no, f.broker_date, f.updated_ts
FROM trade.orders o
JOIN facts f USING (order_id);

CREATE TABLE trade.executions (
    fill_id    uuid PRIMARY KEY,
    order_id   uuid NOT NULL REFERENCES trade.orders,
    exec_key   text NOT NULL,               -- distinct per order: source and cumulative quantity
    ts         timestamptz NOT NULL,
    qty        bigint NOT NULL CHECK (qty > 0),
    price      numeric(20,4) NOT NULL CHECK (price > 0),
    fee        numeric(20,4) NOT NULL DEFAULT 0,
    tax        numeric(20,4) NOT NULL DEFAULT 0,
    source     text NOT NULL CHECK (source IN ('NOTICE', 'POLL')),
    raw        jsonb,
    created_ts timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (order_id, exec_key)
);
CREATE INDEX executions_created ON trade.executions (created_ts DESC);
SELECT system.make_insert_only('trade.executions');
SELECT system.follow_changes('trade.executions');

CREATE TABLE trade.exit_events (
    exit_event_id    uuid PRIMARY KEY,
    position_id      uuid NOT NULL UNIQUE REFERENCES trade.positions,
    account_id       text NOT NULL,
    symbol           text NOT NULL,
    exit_ts          timestamptz NOT NULL,
    exit_qty         bigint NOT NULL,
    original_qty     bigint NOT NULL,
    exit_avg_price   numeric(20,4) NOT NULL,
    exit_reason_code text NOT NULL,
    source           text NOT NULL CHECK (source IN ('AUTO_EXIT', 'MANUAL', 'BROKER', 'UNKNOWN')),
    order_id         uuid REFERENCES trade.orders,
    exit_profile_id  text,
    prior_hwm        numeric(20,4),
    realized_pnl     numeric(20,4) NOT NULL, -- KRW, net of fee and tax
    realized_pnl_pct numeric(12,6) NOT NULL, -- of the cost, percent
    created_ts       timestamptz NOT NULL DEFAULT clock_timestamp()
);
SELECT system.make_insert_only('trade.exit_events');
SELECT system.follow_changes('trade.exit_events');
