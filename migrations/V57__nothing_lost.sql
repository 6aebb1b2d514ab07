-- Which order sold the shares that have left a position, also that of somebody else at the broker; null: they
-- were found to be gone. What our orders have sold is held against what they have taken.
ALTER TABLE trade.sale_results ADD COLUMN order_id uuid REFERENCES trade.orders;
-- Sales so far are those of their executions. No row changes but in the new column.
ALTER TABLE trade.sale_results DISABLE TRIGGER insert_only, DISABLE TRIGGER follow_changes;
UPDATE trade.sale_results s SET order_id = x.order_id FROM trade.executions x WHERE x.fill_id = s.sale_id;
ALTER TABLE trade.sale_results ENABLE ALWAYS TRIGGER insert_only, ENABLE TRIGGER follow_changes;

-- Decisions of an engine that lost its database before they were stored. They were never orders and were
-- sent to nobody: what still holds is decided anew, under the same key where nothing else has happened.
CREATE TABLE trade.decisions_unstored (
    action_key text PRIMARY KEY,
    logical_us bigint NOT NULL,             -- of the event that caused it
    symbol     text NOT NULL,
    decision   jsonb NOT NULL,              -- as the engine made it, with its explanation
    created_ts timestamptz NOT NULL DEFAULT clock_timestamp()
);
SELECT system.make_insert_only('trade.decisions_unstored');
SELECT system.grant_to_groups();
