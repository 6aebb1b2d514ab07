-- The stock master as the broker tells it (search-stock-info). Who owns what of market.stocks:
--   the job "stocks": status, is_tradable, is_managed, is_nxt_tradable, is_nxt_stopped, listed_shares,
--       listing_date, delisting_date, industry, checked_on, checked_ts;
--   the import of daily bars: name, market, segment, market_cap;
--   whoever meets a symbol first (price sink, ledger): the row itself, market and type UNKNOWN.
-- The job fills name, market and instrument_type only where they are such placeholders. What an answer
-- does not say stays as it is. is_caution and trade_halt_reason are nobody's yet.
ALTER TABLE market.stocks
    ADD COLUMN is_nxt_tradable boolean,       -- cptt_trad_tr_psbl_yn; null: not told
    ADD COLUMN is_nxt_stopped  boolean,       -- nxt_tr_stop_yn
    ADD COLUMN listed_shares   bigint,        -- lstg_stqt
    ADD COLUMN checked_on      date,          -- day at the exchange for which the broker was asked
    ADD COLUMN checked_ts      timestamptz;   -- when
CREATE INDEX stocks_checked ON market.stocks (checked_on);
