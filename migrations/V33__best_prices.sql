-- The best price of each symbol of the running engine, of all sources, with its age: written once a
-- second where it has changed. Whoever reads it when nobody writes any more sees it by fresh_until.
CREATE TABLE market.best_prices (
    symbol       text PRIMARY KEY,
    price        numeric(20,4) NOT NULL CHECK (price > 0),
    source       text NOT NULL CHECK (source IN ('KIS_WS', 'KIS_REST', 'NAVER')),
    received_ts  timestamptz NOT NULL,
    -- Whose limits its age has: those of the session, or the longer ones off session.
    session      text NOT NULL CHECK (session IN ('REGULAR', 'OFF')),
    fresh_until  timestamptz NOT NULL,
    stale_reason text CHECK (stale_reason IN
        ('WS_TIMEOUT', 'REST_TIMEOUT', 'NAVER_TIMEOUT', 'ALL_SOURCES_STALE')),
    is_stale     boolean GENERATED ALWAYS AS (stale_reason IS NOT NULL) STORED,
    -- A worse source that says otherwise at the same moment.
    apart_source text CHECK (apart_source IN ('KIS_REST', 'NAVER')),
    apart_price  numeric(20,4),
    apart_level  text CHECK (apart_level IN ('LOW', 'MEDIUM', 'HIGH')),
    logical_us   bigint NOT NULL
) WITH (fillfactor = 50);
