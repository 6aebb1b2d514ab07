-- Pauses of exits that the system sets by itself, each with a reason of its own, beside the mode of the
-- operator in trade.exit_control. While there is a row, exits are paused as by PAUSE_ALL; the strictest
-- is in force. Recovery lifts only its own.
CREATE TABLE trade.exit_pauses (
    reason   text PRIMARY KEY CHECK (reason IN ('BROKER_DOWN')),
    message  text NOT NULL,
    since_ts timestamptz NOT NULL DEFAULT clock_timestamp()
);
SELECT system.follow_changes('trade.exit_pauses');
