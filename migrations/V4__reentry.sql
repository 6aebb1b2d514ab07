-- Flow 3: re-entry rules, candidates and their history.

CREATE TABLE trade.reentry_rules (
    rule_id               text PRIMARY KEY,
    name                  text NOT NULL,
    symbol                text,             -- null: every symbol
    exit_reason_code      text NOT NULL,    -- a reason such as SL1, or a class: SL, TRAIL, TP
    regime                text CHECK (regime IN ('RISK_ON', 'NEUTRAL', 'RISK_OFF', 'PANIC')), -- null: every regime
    allow_candidate       boolean NOT NULL DEFAULT true,
    allow_entry           boolean NOT NULL DEFAULT true,
    cooldown_minutes      numeric(10,4) NOT NULL DEFAULT 30 CHECK (cooldown_minutes >= 0),
    watch_ttl_minutes     numeric(10,4) NOT NULL DEFAULT 120 CHECK (watch_ttl_minutes > 0),
    max_reentries_per_day integer NOT NULL DEFAULT 2 CHECK (max_reentries_per_day >= 0),
    max_reentries_total   integer NOT NULL DEFAULT 2 CHECK (max_reentries_total >= 0),
    size_pct_entry1       numeric(7,4) NOT NULL DEFAULT 60 CHECK (size_pct_entry1 > 0 AND size_pct_entry1 <= 100),
    size_pct_entry2       numeric(7,4) CHECK (size_pct_entry2 > 0 AND size_pct_entry2 <= 100),
    trigger_params        jsonb NOT NULL,   -- {"type": "REBOUND", "rebound": 0.02}
    is_active             boolean NOT NULL DEFAULT true,
    priority              integer NOT NULL DEFAULT 0,
    created_by            text NOT NULL,
    created_ts            timestamptz NOT NULL DEFAULT now(),
    updated_ts            timestamptz NOT NULL DEFAULT now()
);
SELECT system.follow_changes('trade.reentry_rules');

CREATE TABLE trade.reentry_candidates (
    candidate_id       uuid PRIMARY KEY,
    exit_event_id      uuid NOT NULL UNIQUE REFERENCES trade.exit_events,
    symbol             text NOT NULL,
    origin_position_id uuid NOT NULL,
    exit_reason_code   text NOT NULL,
    exit_ts            timestamptz NOT NULL,
    exit_price         numeric(20,4) NOT NULL,
    original_qty       bigint NOT NULL,
    prior_hwm          numeric(20,4),
    cooldown_until     timestamptz,
    state              text NOT NULL CHECK (state IN ('COOLDOWN', 'WATCH', 'READY', 'ENTERED', 'EXPIRED', 'BLOCKED')),
    rule_id            text,
    blocked_gate       text,
    blocked_reason     text,
    updated_ts         timestamptz NOT NULL DEFAULT now()
);
SELECT system.follow_changes('trade.reentry_candidates');

CREATE TABLE trade.reentry_history (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    candidate_id  uuid NOT NULL REFERENCES trade.reentry_candidates,
    exit_event_id uuid NOT NULL REFERENCES trade.exit_events,
    symbol        text NOT NULL,
    ts            timestamptz NOT NULL DEFAULT clock_timestamp(),
    decided_us    bigint NOT NULL,          -- logical time of the verdict
    status        text NOT NULL CHECK (status IN ('COOLDOWN', 'WATCH', 'SUBMITTED', 'ENTERED', 'BLOCKED', 'EXPIRED')),
    gate          text,
    reason        text,
    regime        text,
    price         numeric(20,4),
    order_id      uuid REFERENCES trade.orders,
    rule_id       text,
    UNIQUE (candidate_id, decided_us, status)
);
CREATE INDEX reentry_history_symbol ON trade.reentry_history (symbol, decided_us DESC);
SELECT system.make_insert_only('trade.reentry_history');
SELECT system.follow_changes('trade.reentry_history');
