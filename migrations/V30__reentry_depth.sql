-- Flow 3 to full depth: regime, blacklist, windows, limits, forced ends, and the policy table.

ALTER TABLE trade.reentry_rules
    ADD COLUMN max_reentries_per_week integer NOT NULL DEFAULT 3 CHECK (max_reentries_per_week >= 0);
ALTER TABLE trade.reentry_candidates ADD COLUMN watch_until timestamptz; -- when it expires

-- Symbols of which nothing is bought back.
CREATE TABLE trade.reentry_blacklist (
    symbol     text PRIMARY KEY CHECK (symbol ~ '^[A-Za-z0-9]{1,9}$'),
    reason     text NOT NULL,
    until_ts   timestamptz,                 -- exclusive; null: until the row is deleted
    created_by text NOT NULL,
    created_ts timestamptz NOT NULL DEFAULT now()
);
SELECT system.follow_changes('trade.reentry_blacklist');

-- Times of day in Seoul in which candidates are followed and nothing is bought.
CREATE TABLE trade.reentry_windows (
    window_id  text PRIMARY KEY,
    from_time  time NOT NULL,
    until_time time NOT NULL,               -- exclusive
    is_active  boolean NOT NULL DEFAULT true,
    updated_by text NOT NULL,
    updated_ts timestamptz NOT NULL DEFAULT now(),
    CHECK (from_time < until_time)
);
SELECT system.follow_changes('trade.reentry_windows');
INSERT INTO trade.reentry_windows (window_id, from_time, until_time, is_active, updated_by)
VALUES ('opening', '09:00', '09:30', false, 'migration'), ('closing', '14:50', '15:30', false, 'migration');

-- What re-entries may do to the account. Null: no limit.
CREATE TABLE trade.reentry_limits (
    id             integer PRIMARY KEY DEFAULT 1 CHECK (id = 1),
    entry_regimes  text[] NOT NULL DEFAULT '{RISK_ON,NEUTRAL,RISK_OFF}' -- gate G0
        CHECK (entry_regimes <@ '{RISK_ON,NEUTRAL,RISK_OFF,PANIC}'),
    positions_max  integer DEFAULT 15 CHECK (positions_max >= 0),       -- gate G3, live positions
    exposure_max   numeric(20,4) CHECK (exposure_max >= 0),             -- gate G3, KRW at cost
    daily_loss_max numeric(20,4) CHECK (daily_loss_max >= 0),           -- gate G4, KRW realised
    reason         text,
    updated_by     text NOT NULL,
    updated_ts     timestamptz NOT NULL DEFAULT now()
);
SELECT system.follow_changes('trade.reentry_limits');
INSERT INTO trade.reentry_limits (updated_by) VALUES ('migration');

-- Candidates that an operator ends. The engine says EXPIRED of them.
CREATE TABLE trade.reentry_expiries (
    candidate_id uuid PRIMARY KEY REFERENCES trade.reentry_candidates,
    asked_by     text NOT NULL CHECK (asked_by <> ''),
    reason       text,
    created_ts   timestamptz NOT NULL DEFAULT clock_timestamp()
);
SELECT system.make_insert_only('trade.reentry_expiries');
SELECT system.follow_changes('trade.reentry_expiries');

-- What producers find the regime of the market to be. A producer inserts a row at least every five
-- minutes, as of the moment that it judged; the one with the latest asof_ts counts, for five minutes.
-- It may be any program; its rows name it in source. Without a fresh row RISK_OFF is assumed.
CREATE TABLE market.regime_snapshots (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    asof_ts    timestamptz NOT NULL,
    regime     text NOT NULL CHECK (regime IN ('RISK_ON', 'NEUTRAL', 'RISK_OFF', 'PANIC')),
    source     text NOT NULL CHECK (source <> ''),
    details    jsonb NOT NULL DEFAULT '{}',  -- what it was judged from
    created_ts timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX regime_snapshots_asof ON market.regime_snapshots (asof_ts DESC);
SELECT system.make_insert_only('market.regime_snapshots');
SELECT system.follow_changes('market.regime_snapshots');

-- The operator's regime, which counts instead of any snapshot. Null: producers decide.
CREATE TABLE market.regime_override (
    id         integer PRIMARY KEY DEFAULT 1 CHECK (id = 1),
    regime     text CHECK (regime IN ('RISK_ON', 'NEUTRAL', 'RISK_OFF', 'PANIC')),
    until_ts   timestamptz,                 -- exclusive; null: until it is lifted
    reason     text,
    updated_by text NOT NULL,
    updated_ts timestamptz NOT NULL DEFAULT now()
);
SELECT system.follow_changes('market.regime_override');
INSERT INTO market.regime_override (updated_by) VALUES ('migration');

-- The policy table: exit reason by regime. It serves nobody before its rows are made active.
INSERT INTO trade.reentry_rules (rule_id, name, exit_reason_code, regime, is_active, allow_candidate,
    allow_entry, max_reentries_total, cooldown_minutes, size_pct_entry1, size_pct_entry2, trigger_params,
    created_by)
SELECT 'policy-' || lower(reason) || '-' || lower(replace(regime, '_', '-')),
    'policy ' || reason || ' ' || regime, reason, regime, false, candidate, entry, total, cooldown,
    first, second, trigger::jsonb, 'policy'
FROM (VALUES
    ('SL',    'PANIC',    false, false, 0, 120, 40, NULL, '{"type": "REBOUND", "rebound": 0.03}'),
    ('SL',    'RISK_OFF', true,  false, 0, 120, 40, NULL, '{"type": "REBOUND", "rebound": 0.03}'),
    ('SL',    'NEUTRAL',  true,  true,  1, 60,  40, NULL, '{"type": "REBOUND", "rebound": 0.03, "structure_break": true, "stable_minutes": 15}'),
    ('SL',    'RISK_ON',  true,  true,  1, 45,  50, NULL, '{"type": "REBOUND", "rebound": 0.02}'),
    ('TRAIL', 'PANIC',    false, false, 0, 60,  30, NULL, '{"type": "REBOUND", "rebound": 0.05}'),
    ('TRAIL', 'RISK_OFF', true,  true,  1, 60,  30, NULL, '{"type": "REBOUND", "rebound": 0.05, "structure_break": true}'),
    ('TRAIL', 'NEUTRAL',  true,  true,  2, 30,  50, 50,   '{"type": "BREAKOUT", "atr_k": 0.5, "volume_ratio": 1.2}'),
    ('TRAIL', 'RISK_ON',  true,  true,  2, 15,  60, 40,   '{"type": "BREAKOUT", "atr_k": 0.5}'),
    ('TP',    'PANIC',    false, false, 0, 20,  40, NULL, '{"type": "CHASE", "momentum": 0.7}'),
    ('TP',    'RISK_OFF', false, false, 0, 20,  40, NULL, '{"type": "CHASE", "momentum": 0.7}'),
    ('TP',    'NEUTRAL',  true,  true,  1, 20,  40, NULL, '{"type": "CHASE", "momentum": 0.7, "volatility_atr": 3}'),
    ('TP',    'RISK_ON',  true,  true,  2, 10,  60, 40,   '{"type": "CHASE", "momentum": 0.7, "volatility_atr": 0}')
) AS cell (reason, regime, candidate, entry, total, cooldown, first, second, trigger);
