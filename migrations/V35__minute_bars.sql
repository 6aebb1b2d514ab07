-- One bar for each symbol and minute, kept up from market.prices: every price but the expected ones of
-- auctions counts once, in the order of logical time, in the minute of its exchange time. system.sink_progress ('minute_bars') says up to
-- which logical time; the bar of a minute that is under way grows.
CREATE TABLE market.minute_bars (
    symbol text NOT NULL,
    minute timestamptz NOT NULL,           -- its begin, exchange time
    open   numeric(20,4) NOT NULL CHECK (open > 0),
    high   numeric(20,4) NOT NULL,
    low    numeric(20,4) NOT NULL CHECK (low > 0),
    close  numeric(20,4) NOT NULL CHECK (close BETWEEN low AND high AND open BETWEEN low AND high),
    volume bigint NOT NULL CHECK (volume >= 0),
    ticks  bigint NOT NULL CHECK (ticks > 0),
    PRIMARY KEY (symbol, minute)
);
