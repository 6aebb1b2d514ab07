-- Administrative issues (관리종목) and cautions (투자주의) have two tellers: the exchange's listing, whose
-- department names them (import of daily bars), and the broker. Beside what V39 and V43 say of who owns
-- what of market.stocks:
--   is_managed, managed_on: the jobs "stocks" and "stocks followed", and the import, KOSDAQ and KONEX only;
--       they speak of the same, and the word for the later day counts, of one day the one told last.
--   is_caution, caution_on, caution_source: the job "fundamentals" and the import, likewise. But a
--       department tells 투자주의환기종목 alone: one without it takes no warning of the broker back
--       (투자주의, 투자경고, 투자위험). The broker's word for a later day takes back either.
ALTER TABLE market.stocks
    ADD COLUMN managed_on     date,         -- day at the exchange for which is_managed was told; null: nobody told
    ADD COLUMN caution_on     date,         -- the same of is_caution
    ADD COLUMN caution_source text CHECK (caution_source IN ('IMPORT', 'KIS_REST'));

-- Whether a word on the caution of an issue counts: "told" for "day" by "teller", against what stands since
-- a day by a source. No word or no day: nothing was told.
CREATE FUNCTION market.caution_counts(
    stands boolean, since date, source text, told boolean, day date, teller text
) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce(told IS NOT NULL AND day >= coalesce(since, day)
        AND (told OR NOT stands OR teller = 'KIS_REST' OR source IS DISTINCT FROM 'KIS_REST'), false)
$$;

-- What is stored already: the broker's words have the day for which it was asked, and the departments of
-- imports made before stand in segment, of the day of the newest bar.
UPDATE market.stocks s SET
    managed_on = coalesce(checked_on, listed_on),
    is_managed = CASE WHEN checked_on IS NULL AND listed_on IS NOT NULL
        THEN segment = '관리종목(소속부없음)' ELSE is_managed END,
    caution_on = coalesce(quoted_on, listed_on),
    caution_source = CASE WHEN quoted_on IS NOT NULL THEN 'KIS_REST'
        WHEN listed_on IS NOT NULL THEN 'IMPORT' END,
    is_caution = CASE WHEN quoted_on IS NULL AND listed_on IS NOT NULL
        THEN segment = '투자주의환기종목(소속부없음)' ELSE is_caution END
FROM (SELECT k.symbol, CASE WHEN k.segment IS NOT NULL THEN
            (SELECT max(trade_date) FROM market.daily_bars d WHERE d.symbol = k.symbol) END AS listed_on
    FROM market.stocks k) l
WHERE l.symbol = s.symbol AND num_nonnulls(checked_on, quoted_on, listed_on) > 0;
