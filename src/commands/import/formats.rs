//! What files hold: the end of `turnstile import … --help`.

/// The columns of a kind of file, what makes two of its rows the same, and what else is to know.
macro_rules! format_of {
    ($columns:literal, $key:literal, $notes:literal) => {
        concat!(
            "The file is CSV with a header, UTF-8, plain or compressed with gzip (told by content), its \
             columns in any order; those in brackets may lack, or be empty in a row:\n\n",
            $columns,
            "\n\n",
            $notes,
            "\n\nOf two rows of one ",
            $key,
            " the later line counts; what is stored is written again only where it differs, and an empty \
             field leaves it. Dates are of the years 1900 to 9999. A file that broke off goes on where it \
             was, known again by its content; a file that is stored already is left alone without --again, \
             and with it read from its first row. A malformed line stops the import with status 2 and names \
             file, line, column and reason; what was stored before stays."
        )
    };
}

pub(super) const DAILY: &str = format_of!(
    "  date, symbol, name, market, open, high, low, close, volume, value [, market_cap, shares, dept]

  market   KOSPI, KOSDAQ, KOSDAQ GLOBAL (KOSDAQ with its section) or KONEX
  prices   KRW with at most 4 decimals; open, high and low of a halted issue are 0
  dept     section of the market",
    "issue and day",
    "Names and sections of the issues are those of their latest bar."
);

pub(super) const FUNDAMENTALS: &str = format_of!(
    "  symbol, report_date [, per, pbr, psr, roe, debt_ratio, eps, bps]

  report_date            day from which the figures are known, 2026-02-20
  per, pbr, psr          price by earnings, book value and sales of a share
  roe, debt_ratio        ratios: 0.15 is 15 %; a percentage is not recognised as one
  eps, bps               KRW",
    "issue and report date",
    "At least one figure must be there. One that is missing is missing, never 0: write nothing for it. \
     Ratios have at most 6 decimals, amounts 4."
);

pub(super) const FLOWS: &str = format_of!(
    "  symbol, date [, foreign_net, institution_net, individual_net]

  date     trading day, 2026-02-20
  nets     shares bought less shares sold on that day, whole numbers",
    "issue and day",
    "At least one of the three must be there."
);

pub(super) const DISCLOSURES: &str = format_of!(
    "  receipt_no, symbol, disclosed_ts, title [, url]

  receipt_no     number at the authority (DART 접수번호), up to 32 digits, letters or hyphens
  disclosed_ts   RFC 3339, 2026-02-20T16:05:00+09:00, or microseconds since 1970
  title          in Korean; its kind follows from it (docs/strategy.md)",
    "receipt number",
    "The day of a disclosure is its day in Seoul."
);

pub(super) const RANKINGS: &str = format_of!(
    "  category, market, rank, symbol, collected_on

  category       POPULAR: searched for most
  market         KOSPI or KOSDAQ
  rank           from 1
  collected_on   day of the list, 2026-02-20",
    "day, category, market and rank",
    "The newest list of a market up to the day of a run counts. A list that has become shorter keeps its \
     last ranks."
);

pub(super) const SECTORS: &str = format_of!(
    "  symbol, sector [, industry]",
    "issue",
    "A sector that was imported is not overwritten by what the broker says. Any names do; issues of one \
     name are of one sector."
);
