-- What sales bring, one row each: a loss counts on the day on which it is made, also while the rest of the
-- position is held.

-- A row an execution that sells shares of a position, stored in its transaction, and one whenever shares are
-- gone that nobody sold. The average cost is that at the sale: later purchases and splits change nothing of
-- it. trade.exit_events sums up a position once, when it is closed.
CREATE TABLE trade.sale_results (
    sale_id      uuid PRIMARY KEY,          -- fill_id of the execution; of shares that are gone one of its own
    position_id  uuid NOT NULL REFERENCES trade.positions,
    account_id   text NOT NULL,
    symbol       text NOT NULL,
    sold_ts      timestamptz NOT NULL,      -- when the fill became known, by its notice or a list
    qty          bigint NOT NULL CHECK (qty > 0),
    price        numeric(20,4) NOT NULL,
    avg_price    numeric(20,4) NOT NULL,    -- average cost of the position
    costs        numeric(20,4) NOT NULL,    -- fee and tax, KRW
    realized_pnl numeric(20,4) NOT NULL     -- KRW: qty * (price - avg_price) - costs
);

-- Sales so far, at the average as it stands: what it was at each of them was not kept.
INSERT INTO trade.sale_results (sale_id, position_id, account_id, symbol, sold_ts, qty, price, avg_price,
    costs, realized_pnl)
SELECT x.fill_id, p.position_id, p.account_id, p.symbol, x.ts, x.qty, x.price, p.avg_price, x.fee + x.tax,
    x.qty * (x.price - p.avg_price) - x.fee - x.tax
FROM trade.executions x JOIN trade.orders o USING (order_id) JOIN trade.positions p USING (position_id)
WHERE o.side = 'SELL';

-- Of positions that ended without a sale of their last shares: what their exit events say beyond it.
INSERT INTO trade.sale_results (sale_id, position_id, account_id, symbol, sold_ts, qty, price, avg_price,
    costs, realized_pnl)
SELECT e.exit_event_id, e.position_id, e.account_id, e.symbol, e.exit_ts, e.exit_qty - s.qty,
    e.exit_avg_price, p.avg_price, 0, e.realized_pnl - s.realized_pnl
FROM trade.exit_events e JOIN trade.positions p USING (position_id)
CROSS JOIN LATERAL (
    SELECT coalesce(sum(r.qty), 0)::bigint AS qty, coalesce(sum(r.realized_pnl), 0) AS realized_pnl
    FROM trade.sale_results r WHERE r.position_id = e.position_id) s
WHERE e.source = 'BROKER' AND e.exit_qty > s.qty;

CREATE INDEX sale_results_sold ON trade.sale_results (sold_ts);
SELECT system.make_insert_only('trade.sale_results');
-- Risk, picks and re-entries count by it, so it is followed: one row of the change log a fill that sells.
-- Purchases and their executions go on without (V10).
SELECT system.follow_changes('trade.sale_results');

-- What is held, at the price that its weight is reckoned with, against its average cost; KRW. Null in reports
-- from before.
ALTER TABLE system.risk_reports ADD COLUMN unrealized_result numeric;
-- Realised in the month, and unrealised.
ALTER TABLE system.risk_reports ADD COLUMN total_result numeric;
ALTER TABLE system.risk_reports ADD COLUMN total_result_pct numeric;
