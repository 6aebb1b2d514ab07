-- Symbols whose prices are wanted, the most urgent first: what is being sold, what is held, what may be
-- bought back, what is watched.
CREATE VIEW trade.followed AS
SELECT symbol, min(rank) AS rank FROM (
    SELECT symbol, CASE status WHEN 'CLOSING' THEN 0 ELSE 1 END AS rank
        FROM trade.positions WHERE status IN ('OPEN', 'CLOSING')
    UNION ALL
    SELECT symbol, 2 FROM trade.reentry_candidates
        WHERE state NOT IN ('ENTERED', 'EXPIRED', 'BLOCKED')
    UNION ALL
    SELECT symbol, 3 FROM strategy.watchlist WHERE symbol ~ '^[A-Za-z0-9]{1,9}$'
) wishes GROUP BY symbol;
