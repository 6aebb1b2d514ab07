-- Executions and the history of re-entries tell the engine nothing that positions and candidates do
-- not: nobody follows their changes, and each would cost a row of the change log in the transaction
-- of a fill.
DROP TRIGGER follow_changes ON trade.executions;
DROP TRIGGER follow_changes ON trade.reentry_history;
