-- What the daily strategy is computed from beside bars: figures of companies, who buys, what was
-- disclosed, and lists that others keep. A row is told again by its key; the later word counts.

-- Figures of a company; null: not told. At least one is.
CREATE TABLE market.fundamentals (
    symbol      text NOT NULL REFERENCES market.stocks,
    report_date date NOT NULL,              -- the day from which the figures are known
    per         numeric(20,6),
    pbr         numeric(20,6),
    psr         numeric(20,6),
    roe         numeric(20,6),              -- ratio: 0.15 is 15 %
    debt_ratio  numeric(20,6),              -- ratio
    eps         numeric(20,4),              -- KRW
    bps         numeric(20,4),              -- KRW
    source      text NOT NULL CHECK (source <> ''), -- IMPORT, KIS_REST
    updated_ts  timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (symbol, report_date),
    CHECK (num_nonnulls(per, pbr, psr, roe, debt_ratio, eps, bps) > 0),
    CHECK ('NaN' <> ALL (ARRAY[per, pbr, psr, roe, debt_ratio, eps, bps]))
);
CREATE INDEX fundamentals_date ON market.fundamentals (report_date);

-- Shares bought less shares sold on a day, by who did; null: not told. At least one is.
CREATE TABLE market.investor_flows (
    symbol          text NOT NULL REFERENCES market.stocks,
    trade_date      date NOT NULL,
    foreign_net     bigint,
    institution_net bigint,
    individual_net  bigint,
    source          text NOT NULL CHECK (source <> ''),
    updated_ts      timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (symbol, trade_date),
    CHECK (num_nonnulls(foreign_net, institution_net, individual_net) > 0)
);
CREATE INDEX investor_flows_date ON market.investor_flows (trade_date);

CREATE TABLE market.disclosures (
    receipt_no   text PRIMARY KEY CHECK (receipt_no ~ '^[0-9A-Za-z-]{1,32}$'), -- at the authority
    symbol       text NOT NULL REFERENCES market.stocks,
    disclosed_ts timestamptz NOT NULL,
    title        text NOT NULL CHECK (title <> ''), -- in Korean; its kind follows from it
    url          text,
    source       text NOT NULL CHECK (source <> ''),
    created_ts   timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX disclosures_symbol ON market.disclosures (symbol, disclosed_ts);

-- Lists of issues, as somebody else ranks them; the newest list of a category and market counts.
CREATE TABLE market.stock_rankings (
    category     text NOT NULL CHECK (category IN ('POPULAR')), -- searched for most
    market       text NOT NULL CHECK (market IN ('KOSPI', 'KOSDAQ')),
    rank         integer NOT NULL CHECK (rank > 0),
    symbol       text NOT NULL REFERENCES market.stocks,
    collected_on date NOT NULL,
    source       text NOT NULL CHECK (source <> ''),
    created_ts   timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (collected_on, category, market, rank)
);

-- Who owns what of market.stocks, beside what V39 says:
--   the job "fundamentals": is_caution, quoted_on, and sector where no import has told it;
--   the import of sectors: sector, and industry until the job "stocks" tells it.
ALTER TABLE market.stocks
    ADD COLUMN sector_source text CHECK (sector_source IN ('IMPORT', 'KIS_REST')),
    ADD COLUMN quoted_on     date;          -- day at the exchange for which the broker was asked for figures
CREATE INDEX stocks_quoted ON market.stocks (quoted_on);
