-- Symbols whose prices are wanted, and how much: the ranks of before, and the additive score of the
-- priority manager. Candidates of a re-entry stand between orders and the watchlist.
CREATE INDEX orders_bought ON trade.orders (created_ts) WHERE side = 'BUY';

CREATE OR REPLACE VIEW trade.followed AS
SELECT symbol, min(rank) AS rank, sum(score)::integer AS score FROM (
    SELECT symbol, min(CASE status WHEN 'CLOSING' THEN 0 ELSE 1 END) AS rank,
        10000 + max(CASE status WHEN 'CLOSING' THEN 5000 ELSE 0 END) AS score
        FROM trade.positions WHERE status IN ('OPEN', 'CLOSING') GROUP BY symbol
    UNION ALL
    -- What is being bought; what is being sold is held.
    SELECT DISTINCT o.symbol, 2, 5000
        FROM trade.orders o
        CROSS JOIN LATERAL (
            SELECT coalesce(max(e.filled_qty), 0) AS filled_qty,
                bool_or(e.status IN ('CANCELLED', 'CANCELLED_PARTIAL', 'REJECTED', 'ERROR')) AS is_over
            FROM trade.order_events e WHERE e.order_id = o.order_id) f
        WHERE o.side = 'BUY' AND o.created_ts > now() - interval '1 day'
            AND NOT f.is_over AND f.filled_qty < o.qty
    UNION ALL
    SELECT DISTINCT symbol, 2, 2000 FROM trade.reentry_candidates
        WHERE state NOT IN ('ENTERED', 'EXPIRED', 'BLOCKED')
    UNION ALL
    SELECT DISTINCT symbol, 3, 1000 FROM strategy.watchlist WHERE symbol ~ '^[A-Za-z0-9]{1,9}$'
    UNION ALL
    -- Index funds that tell of the market as a whole, where they are listed.
    SELECT symbol, 4, 500 FROM market.stocks WHERE symbol IN ('069500', '229200', '102110')
        AND status = 'ACTIVE'
) wishes GROUP BY symbol;
