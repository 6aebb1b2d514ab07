-- What the newest ranking of the daily strategy selects. A CHASE buys back only what is in it, where its
-- rule does not say otherwise (trigger_params, ranking_held).
CREATE TABLE strategy.ranked (
    symbol     text PRIMARY KEY REFERENCES market.stocks,
    rank       integer NOT NULL CHECK (rank > 0),
    as_of      date NOT NULL,               -- day of the exchange that the ranking is of
    updated_ts timestamptz NOT NULL DEFAULT clock_timestamp()
);
SELECT system.follow_changes('strategy.ranked');

-- The day of that ranking, also where it selects nothing: no older one comes after it.
CREATE TABLE strategy.ranking_in_force (
    id         integer PRIMARY KEY DEFAULT 1 CHECK (id = 1),
    as_of      date NOT NULL,
    updated_ts timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Puts the ranking of a day in force: its selected symbols, the first one first. To be called in the
-- transaction that stores the ranking; of several at once, each waits for the one before. Rows that stay
-- as they are are not touched. Returns false, and does nothing, where that of a later day is in force;
-- one of a day that has not come yet (in Seoul) keeps none out.
CREATE FUNCTION strategy.replace_ranked(as_of date, symbols text[]) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    IF replace_ranked.as_of IS NULL OR replace_ranked.symbols IS NULL THEN
        RAISE EXCEPTION 'strategy.replace_ranked: a day and symbols expected, was % and %',
            replace_ranked.as_of, replace_ranked.symbols;
    END IF;
    IF (SELECT count(*) <> count(DISTINCT selected) FROM unnest(replace_ranked.symbols) AS selected) THEN
        RAISE EXCEPTION 'strategy.replace_ranked: each symbol once expected, was %', replace_ranked.symbols;
    END IF;
    INSERT INTO strategy.ranking_in_force AS standing (as_of) VALUES (replace_ranked.as_of)
    ON CONFLICT (id) DO UPDATE SET as_of = excluded.as_of, updated_ts = clock_timestamp()
        WHERE standing.as_of <= excluded.as_of
            OR standing.as_of > (clock_timestamp() AT TIME ZONE 'Asia/Seoul')::date;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    DELETE FROM strategy.ranked AS standing WHERE NOT standing.symbol = ANY (replace_ranked.symbols);
    INSERT INTO strategy.ranked AS standing (symbol, rank, as_of)
    SELECT selected.symbol, selected.rank, replace_ranked.as_of
    FROM unnest(replace_ranked.symbols) WITH ORDINALITY AS selected (symbol, rank)
    ON CONFLICT (symbol) DO UPDATE
        SET rank = excluded.rank, as_of = excluded.as_of, updated_ts = clock_timestamp()
        WHERE (standing.rank, standing.as_of) IS DISTINCT FROM (excluded.rank, excluded.as_of);
    RETURN true;
END $$;
