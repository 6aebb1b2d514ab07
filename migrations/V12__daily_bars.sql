-- One bar a trading day and issue: what volatility, universe and signals are computed from.
CREATE TABLE market.daily_bars (
    symbol     text NOT NULL REFERENCES market.stocks,
    trade_date date NOT NULL,
    open       numeric(20,4) NOT NULL,     -- 0, like high and low, where the issue was halted
    high       numeric(20,4) NOT NULL,
    low        numeric(20,4) NOT NULL,
    close      numeric(20,4) NOT NULL CHECK (close > 0),
    volume     bigint NOT NULL CHECK (volume >= 0),
    value      numeric(24,4) NOT NULL,      -- KRW traded
    market_cap numeric(24,4),               -- KRW
    shares     bigint,                      -- listed
    source     text NOT NULL,               -- IMPORT, KIS_REST
    updated_ts timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (symbol, trade_date)
);
CREATE INDEX daily_bars_date ON market.daily_bars (trade_date);

-- Files that are being imported or were, so that one that broke off goes on where it was.
CREATE TABLE system.imports (
    sha256     text PRIMARY KEY,            -- of the file
    kind       text NOT NULL,
    file       text NOT NULL,
    rows_done  bigint NOT NULL DEFAULT 0,
    is_done    boolean NOT NULL DEFAULT false,
    created_ts timestamptz NOT NULL DEFAULT now(),
    updated_ts timestamptz NOT NULL DEFAULT now()
);
