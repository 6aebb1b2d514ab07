-- What holds entries back, and which orders are open: said once, for rebalances and picks.

-- Why nobody but the operator buys anything now. A row that is gone says nothing good.
CREATE FUNCTION trade.entries_held_back() RETURNS text LANGUAGE sql STABLE AS $$
    SELECT CASE
        WHEN NOT EXISTS (SELECT FROM system.emergency_stop WHERE NOT is_enabled)
            THEN 'the emergency stop is on'
        WHEN NOT EXISTS (SELECT FROM trade.exit_control WHERE mode = 'RUNNING')
            THEN 'exits are not RUNNING'
        WHEN EXISTS (SELECT FROM trade.exit_pauses) THEN 'the system has paused exits'
    END
$$;

-- Orders of an account of the last week that something may become of still, with the shares left.
CREATE FUNCTION trade.open_orders(account text)
RETURNS TABLE (order_id uuid, position_id uuid, candidate_id uuid, symbol text, side text, left_qty bigint)
LANGUAGE sql STABLE SET jit = off AS $$
    SELECT o.order_id, o.position_id, o.candidate_id, o.symbol, o.side, o.qty - n.filled_qty
    FROM trade.orders o
    CROSS JOIN LATERAL (SELECT v.status, v.filled_qty FROM trade.orders_now v
        WHERE v.order_id = o.order_id OFFSET 0) n
    WHERE o.account_id = open_orders.account AND o.created_ts > now() - interval '7 days'
        -- Most have ended: that is seen without their whole course.
        AND NOT EXISTS (SELECT FROM trade.order_events e WHERE e.order_id = o.order_id
            AND (e.status IN ('CANCELLED', 'CANCELLED_PARTIAL', 'REJECTED', 'ERROR')
                OR e.filled_qty >= o.qty))
        AND n.status NOT IN ('FILLED', 'CANCELLED', 'CANCELLED_PARTIAL', 'REJECTED', 'ERROR')
$$;

-- Names of which a strategy holds or is buying something, with the shares that no sale takes yet, and why
-- a rebalance leaves a name as it is.
CREATE OR REPLACE FUNCTION strategy.stakes(strategy text, account text)
RETURNS TABLE (symbol text, position_id uuid, held bigint, sellable bigint, kept text)
LANGUAGE sql STABLE SET jit = off AS $$
    WITH open_orders AS MATERIALIZED (
        SELECT * FROM trade.open_orders(stakes.account)
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
