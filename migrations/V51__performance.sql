-- What an account has earned: its equity by days, what was paid in and out, and its closed trades.

-- The last equity of each day in Seoul. What the broker says is no action of anybody, so it is not audited.
CREATE TABLE trade.equity_days (
    account_id text NOT NULL,
    day        date NOT NULL,
    equity     numeric(20,4) NOT NULL CHECK (equity <> 'NaN'), -- KRW, securities and cash
    asof_ts    timestamptz NOT NULL,         -- when the broker was asked
    PRIMARY KEY (account_id, day)
);
CREATE FUNCTION trade.keep_equity_day() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO trade.equity_days AS d (account_id, day, equity, asof_ts)
    VALUES (NEW.account_id, (NEW.asof_ts AT TIME ZONE 'Asia/Seoul')::date, NEW.equity, NEW.asof_ts)
    ON CONFLICT (account_id, day) DO UPDATE SET equity = excluded.equity, asof_ts = excluded.asof_ts
    WHERE d.asof_ts <= excluded.asof_ts;
    RETURN NULL;
END $$;
CREATE TRIGGER keep_day AFTER INSERT OR UPDATE ON trade.account_equity
    FOR EACH ROW EXECUTE FUNCTION trade.keep_equity_day();
INSERT INTO trade.equity_days (account_id, day, equity, asof_ts)
SELECT account_id, (asof_ts AT TIME ZONE 'Asia/Seoul')::date, equity, asof_ts FROM trade.account_equity;

-- Money that came into the account or left it, and was not earned. A wrong row is made good by its
-- opposite.
CREATE TABLE trade.cash_flows (
    flow_id    uuid PRIMARY KEY,             -- of the idempotency key
    account_id text NOT NULL CHECK (account_id <> ''),
    day        date NOT NULL,                -- in Seoul: the first whose equity holds it
    amount     numeric(20,4) NOT NULL        -- KRW; above 0: paid in
        CHECK (amount <> 0 AND amount BETWEEN -900000000000000 AND 900000000000000),
    note       text NOT NULL CHECK (note <> ''),
    asked_by   text NOT NULL CHECK (asked_by <> ''),
    created_ts timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX cash_flows_day ON trade.cash_flows (account_id, day);
CREATE INDEX cash_flows_created ON trade.cash_flows (account_id, created_ts DESC, flow_id DESC);
SELECT system.make_insert_only('trade.cash_flows');
SELECT system.audit('trade.cash_flows');

-- Positions that were closed. The result is that of their exit event; fee and tax are those of the sales,
-- as it counts them: what a purchase cost is in the average price.
CREATE INDEX exit_events_exit ON trade.exit_events (account_id, exit_ts DESC, exit_event_id DESC);
CREATE VIEW trade.closed_trades AS
SELECT e.exit_event_id, e.position_id, e.account_id, e.symbol, p.strategy_id, p.entry_ts, e.exit_ts,
    e.exit_qty AS qty, p.avg_price AS entry_avg_price, e.exit_avg_price, e.exit_reason_code, e.source,
    costs.fee, costs.tax, e.realized_pnl, e.realized_pnl_pct
FROM trade.exit_events e
JOIN trade.positions p USING (position_id)
CROSS JOIN LATERAL (
    SELECT coalesce(sum(x.fee), 0) AS fee, coalesce(sum(x.tax), 0) AS tax
    FROM trade.orders o JOIN trade.executions x USING (order_id)
    WHERE o.position_id = e.position_id AND o.side = 'SELL') costs;
