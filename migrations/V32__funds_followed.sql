-- Index funds that the regime of the market is judged from are followed where they are listed.
CREATE OR REPLACE VIEW trade.followed AS
SELECT symbol, min(rank) AS rank FROM (
    SELECT symbol, CASE status WHEN 'CLOSING' THEN 0 ELSE 1 END AS rank
        FROM trade.positions WHERE status IN ('OPEN', 'CLOSING')
    UNION ALL
    SELECT symbol, 2 FROM trade.reentry_candidates
        WHERE state NOT IN ('ENTERED', 'EXPIRED', 'BLOCKED')
    UNION ALL
    SELECT symbol, 3 FROM strategy.watchlist WHERE symbol ~ '^[A-Za-z0-9]{1,9}$'
    UNION ALL
    SELECT symbol, 4 FROM market.stocks WHERE symbol IN ('069500', '229200') AND status = 'ACTIVE'
) wishes GROUP BY symbol;
