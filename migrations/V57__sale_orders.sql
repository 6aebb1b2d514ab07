-- Which order sold the shares that have left a position, also that of somebody else at the broker; null: they
-- were found to be gone. What our orders have sold is held against what they have taken.
ALTER TABLE trade.sale_results ADD COLUMN order_id uuid REFERENCES trade.orders;
-- Sales so far are those of their executions. No row changes but in the new column.
ALTER TABLE trade.sale_results DISABLE TRIGGER insert_only, DISABLE TRIGGER follow_changes;
UPDATE trade.sale_results s SET order_id = x.order_id FROM trade.executions x WHERE x.fill_id = s.sale_id;
ALTER TABLE trade.sale_results ENABLE ALWAYS TRIGGER insert_only, ENABLE TRIGGER follow_changes;
