-- Portfolios become positions: what is sold and bought for one, each once.

-- What the account can spend when today's trades have settled, beside what it is worth.
ALTER TABLE trade.account_equity ADD COLUMN cash numeric(20,4); -- deposit at D+2, KRW; null: not told

-- Who asks to buy need not be a person. The position belongs to the strategy that asked.
ALTER TABLE trade.manual_entries
    ADD COLUMN strategy_id text NOT NULL DEFAULT 'MANUAL',
    ADD COLUMN action_key  text,            -- of its order; null: MANUAL:{request_id}
    ADD COLUMN reason_code text NOT NULL DEFAULT 'MANUAL'
        CHECK (reason_code IN ('MANUAL', 'REBALANCE', 'PICK'));
CREATE UNIQUE INDEX manual_entries_key ON trade.manual_entries (action_key);
CREATE INDEX manual_entries_order ON trade.manual_entries (order_id);

-- One run for each portfolio: a key REBAL:{portfolio}:{symbol}:{side} is used once.
CREATE TABLE strategy.rebalances (
    portfolio_id uuid PRIMARY KEY REFERENCES strategy.portfolios,
    day          date NOT NULL,             -- at the exchange
    account_id   text NOT NULL,
    equity       numeric(20,4) NOT NULL,    -- KRW, at its beginning
    state        text NOT NULL CHECK (state IN ('SELLING', 'DONE')),
    reason       text,                      -- why it ended without having bought everything
    created_ts   timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_ts   timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- What it came to for each name, traded or not.
CREATE TABLE strategy.rebalance_lines (
    portfolio_id uuid NOT NULL REFERENCES strategy.rebalances,
    symbol       text NOT NULL,
    side         text NOT NULL CHECK (side IN ('BUY', 'SELL', 'NONE')),
    action_key   text NOT NULL UNIQUE,      -- REBAL:{portfolio}:{symbol}:{side}
    place        int NOT NULL,              -- in the order of trades
    weight       bigint NOT NULL,           -- target, millionths of equity
    held         bigint NOT NULL,           -- shares, at its beginning
    target       bigint,                    -- shares; null: not traded
    qty          bigint NOT NULL CHECK (qty >= 0), -- shares to trade
    price        numeric(20,4),             -- that it was computed at
    skipped      text,                      -- why fewer than the difference are traded, or none
    request_id   uuid,                      -- of trade.manual_exits or trade.manual_entries
    PRIMARY KEY (portfolio_id, symbol),
    CHECK ((side = 'NONE') = (qty = 0))
);

-- What a purchase is judged on: its limit, else the best offer known.
CREATE FUNCTION trade.price_asked(symbol text, limit_price numeric) RETURNS numeric
LANGUAGE sql STABLE AS $$
    SELECT coalesce(price_asked.limit_price, (
        SELECT coalesce(p.ask, p.last_price) FROM market.prices p
        WHERE p.symbol = price_asked.symbol ORDER BY p.logical_us DESC LIMIT 1))
$$;

-- Names of which a strategy holds or is buying something, with the shares that no sale takes yet, and why
-- a rebalance leaves a name as it is.
CREATE FUNCTION strategy.stakes(strategy text, account text)
RETURNS TABLE (symbol text, position_id uuid, held bigint, sellable bigint, kept text)
LANGUAGE sql STABLE SET jit = off AS $$
    WITH open_orders AS (
        SELECT o.order_id, o.position_id, o.candidate_id, o.symbol, o.side, o.qty - n.filled_qty AS left_qty
        FROM trade.orders o
        CROSS JOIN LATERAL (SELECT v.status, v.filled_qty FROM trade.orders_now v
            WHERE v.order_id = o.order_id OFFSET 0) n
        WHERE o.account_id = stakes.account AND o.created_ts > now() - interval '7 days'
            -- Most have ended: that is seen without their whole course.
            AND NOT EXISTS (SELECT FROM trade.order_events e WHERE e.order_id = o.order_id
                AND (e.status IN ('CANCELLED', 'CANCELLED_PARTIAL', 'REJECTED', 'ERROR')
                    OR e.filled_qty >= o.qty))
            AND n.status NOT IN ('FILLED', 'CANCELLED', 'CANCELLED_PARTIAL', 'REJECTED', 'ERROR')
    ), held AS (
        SELECT p.symbol, p.position_id, p.qty, p.exit_mode,
            p.status = 'CLOSING' OR EXISTS (SELECT FROM trade.manual_exits m
                WHERE m.position_id = p.position_id AND m.state = 'ASKED') AS is_leaving,
            (SELECT coalesce(sum(o.left_qty), 0)::bigint FROM open_orders o
                WHERE o.position_id = p.position_id AND o.side = 'SELL') AS selling
        FROM trade.positions p
        WHERE p.strategy_id = stakes.strategy AND p.account_id = stakes.account
            AND p.status IN ('OPEN', 'CLOSING')
    ), coming AS (
        SELECT e.symbol FROM trade.manual_entries e
            WHERE e.strategy_id = stakes.strategy AND e.state = 'ASKED'
        UNION
        SELECT o.symbol FROM open_orders o JOIN trade.manual_entries e USING (order_id)
            WHERE e.strategy_id = stakes.strategy
        UNION
        SELECT o.symbol FROM open_orders o
            JOIN trade.reentry_candidates c USING (candidate_id)
            JOIN trade.positions p ON p.position_id = c.origin_position_id
            WHERE o.side = 'BUY' AND p.strategy_id = stakes.strategy
    )
    SELECT symbol, h.position_id, coalesce(h.qty, 0), greatest(coalesce(h.qty - h.selling, 0), 0),
        CASE WHEN c.symbol IS NOT NULL THEN 'UNDER_WAY'
            WHEN h.is_leaving OR h.selling > 0 THEN 'ACTIVE_EXIT'
            WHEN h.exit_mode <> 'ENABLED' THEN 'EXIT_MODE' END
    FROM held h FULL JOIN coming c USING (symbol)
$$;

-- Purchases of a rebalance that nobody has asked for yet: at most what is missing to the target now, at
-- the price of now, else that of the beginning. With why one is not bought any more.
CREATE FUNCTION strategy.purchases_left(portfolio uuid)
RETURNS TABLE (symbol text, place int, qty bigint, price numeric, is_fresh boolean, kept text)
LANGUAGE sql STABLE SET jit = off AS $$
    SELECT l.symbol, l.place, least(l.qty, l.target - coalesce(s.held, 0)),
        coalesce(b.price, l.price), b.price IS NOT NULL,
        CASE WHEN s.kept IS NOT NULL THEN s.kept
            -- What was sold meanwhile was sold for a reason.
            WHEN coalesce(s.held, 0) < l.held THEN 'ACTIVE_EXIT'
            WHEN EXISTS (SELECT FROM trade.exit_events x JOIN trade.positions p USING (position_id)
                WHERE p.strategy_id = f.strategy_id AND x.account_id = r.account_id
                    AND x.symbol = l.symbol AND x.created_ts > r.created_ts) THEN 'ACTIVE_EXIT'
            WHEN l.target <= s.held THEN 'SMALL_WEIGHT' END
    FROM strategy.rebalances r
    JOIN strategy.portfolios f USING (portfolio_id)
    JOIN strategy.rebalance_lines l USING (portfolio_id)
    LEFT JOIN strategy.stakes(f.strategy_id, r.account_id) s ON s.symbol = l.symbol
    LEFT JOIN market.best_prices b
        ON b.symbol = l.symbol AND NOT b.is_stale AND b.fresh_until > clock_timestamp()
    WHERE r.portfolio_id = purchases_left.portfolio AND l.side = 'BUY' AND l.request_id IS NULL
$$;
