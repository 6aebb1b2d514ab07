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

-- Names of a portfolio in force are wanted like those of the watchlist: they are about to be bought.
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
    SELECT DISTINCT h.symbol, 3, 1000 FROM strategy.portfolios p
        CROSS JOIN LATERAL jsonb_to_recordset(p.holdings) AS h (symbol text)
        WHERE p.status = 'ACTIVE'
    UNION ALL
    -- Index funds that tell of the market as a whole, where they are listed.
    SELECT symbol, 4, 500 FROM market.stocks WHERE symbol IN ('069500', '229200', '102110')
        AND status = 'ACTIVE'
) wishes GROUP BY symbol;
