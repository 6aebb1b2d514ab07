-- Limits of re-entries in percent of equity, what the account is worth, who changed what by the API,
-- and two figures of the policy table (domain 5.3) that its rows lacked.

ALTER TABLE trade.reentry_limits
    ADD COLUMN exposure_max_pct numeric(7,4)                            -- gate G3, of equity
        CHECK (exposure_max_pct > 0 AND exposure_max_pct <= 100),
    ADD COLUMN daily_loss_max_pct numeric(7,4) DEFAULT 3                -- gate G4, of equity
        CHECK (daily_loss_max_pct > 0 AND daily_loss_max_pct <= 100),
    ADD COLUMN version integer NOT NULL DEFAULT 1;                      -- rises with every change by the API

ALTER TABLE trade.reentry_windows ADD COLUMN reason text;

-- What an account is worth as the broker states it: securities and cash. The newest row counts, for
-- five minutes.
CREATE TABLE trade.account_equity (
    account_id text PRIMARY KEY,
    equity     numeric(20,4) NOT NULL,      -- KRW
    asof_ts    timestamptz NOT NULL         -- when the broker was asked
);
SELECT system.follow_changes('trade.account_equity');

-- What was changed by the API: the row as it stood then; null: it was removed.
CREATE TABLE trade.reentry_edits (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    ts        timestamptz NOT NULL DEFAULT clock_timestamp(),
    kind      text NOT NULL CHECK (kind IN ('WINDOW', 'LIMITS', 'BLACKLIST', 'REGIME')),
    key       text NOT NULL,
    content   jsonb,
    edited_by text NOT NULL CHECK (edited_by <> ''),
    reason    text
);
SELECT system.make_insert_only('trade.reentry_edits');

-- A rebound comes with volume, and a breakout lasts for three candles of a minute.
UPDATE trade.reentry_rules
    SET trigger_params = trigger_params || '{"volume_ratio": 1.2}', updated_ts = now()
    WHERE created_by = 'policy' AND trigger_params->>'type' = 'REBOUND'
        AND NOT trigger_params ? 'volume_ratio';
UPDATE trade.reentry_rules
    SET trigger_params = trigger_params || '{"stable_minutes": 3}', updated_ts = now()
    WHERE created_by = 'policy' AND trigger_params->>'type' = 'BREAKOUT'
        AND NOT trigger_params ? 'stable_minutes';
