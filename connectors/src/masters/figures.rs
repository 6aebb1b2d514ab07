//! Figures of companies in `market.fundamentals`, with what else the same answer says of a stock.

use jiff::civil::Date;
use turnstile_dataflows::model::Symbol;

use super::inquiry::Unasked;
use super::stocks::unasked;
use crate::jobs::JobError;
use crate::kis::CompanyFigures;
use crate::postgres::Postgres;

/// Symbols to ask for day `$1`, not those in `$2`: what is followed first, then, of the 1500 most traded
/// on the newest session, what was not asked for longest. More do not pass the filters of the universe.
const NEXT: &str = "WITH traded AS MATERIALIZED (
        SELECT symbol, value FROM market.daily_bars
        WHERE trade_date = (SELECT max(trade_date) FROM market.daily_bars)
        ORDER BY value DESC, symbol LIMIT 1500)
    SELECT s.symbol, f.symbol IS NOT NULL
    FROM market.stocks s LEFT JOIN trade.followed f USING (symbol)
        LEFT JOIN traded t USING (symbol)
    WHERE s.quoted_on IS DISTINCT FROM $1::text::date AND s.symbol <> ALL($2::text[])
        AND s.status <> 'DELISTED' AND s.instrument_type IN ('STOCK', 'UNKNOWN')
        AND (f.symbol IS NOT NULL OR t.symbol IS NOT NULL)
    ORDER BY f.rank NULLS LAST, s.quoted_on NULLS FIRST, t.value DESC NULLS LAST, s.symbol
    LIMIT $3";
const ASKED: &str = "SELECT count(*) FROM market.stocks WHERE quoted_on = $1::text::date";
const QUOTED: &str = "UPDATE market.stocks SET quoted_on = $2::text::date WHERE symbol = $1";
/// Notes who told of a caution for day `$2`, where it counts.
const CAUTION_TOLD: &str = "UPDATE market.stocks
    SET caution_on = $2::text::date, caution_source = 'KIS_REST'
    WHERE symbol = $1 AND market.caution_counts(is_caution, caution_on, caution_source,
        $3::boolean, $2::text::date, 'KIS_REST')";
/// Figures of day `$2`, where one of them is other than the newest that is known of it.
const STORE_FIGURES: &str = "WITH newest AS (
        SELECT (array_agg(per ORDER BY report_date DESC) FILTER (WHERE per IS NOT NULL))[1] AS per,
            (array_agg(pbr ORDER BY report_date DESC) FILTER (WHERE pbr IS NOT NULL))[1] AS pbr,
            (array_agg(eps ORDER BY report_date DESC) FILTER (WHERE eps IS NOT NULL))[1] AS eps,
            (array_agg(bps ORDER BY report_date DESC) FILTER (WHERE bps IS NOT NULL))[1] AS bps
        FROM market.fundamentals WHERE symbol = $1 AND report_date <= $2::text::date)
    INSERT INTO market.fundamentals AS f (symbol, report_date, per, pbr, eps, bps, source)
    SELECT $1, $2::text::date, $3, $4, $5, $6, 'KIS_REST' FROM newest
    WHERE (coalesce(round($3::numeric, 6), newest.per), coalesce(round($4::numeric, 6), newest.pbr),
            coalesce(round($5::numeric, 4), newest.eps), coalesce(round($6::numeric, 4), newest.bps))
        IS DISTINCT FROM (newest.per, newest.pbr, newest.eps, newest.bps)
    ON CONFLICT (symbol, report_date) DO UPDATE SET per = coalesce(excluded.per, f.per),
        pbr = coalesce(excluded.pbr, f.pbr), eps = coalesce(excluded.eps, f.eps),
        bps = coalesce(excluded.bps, f.bps), source = excluded.source,
        updated_ts = clock_timestamp()";
/// What of day `$4` is another one of the issue; V53 says whether a caution counts.
const STORE_STOCK: &str = "UPDATE market.stocks s SET
        sector = CASE WHEN may THEN $2::text ELSE sector END,
        sector_source = CASE WHEN may THEN 'KIS_REST' ELSE sector_source END,
        is_caution = CASE WHEN counts THEN $3::boolean ELSE is_caution END, updated_ts = now()
    FROM (SELECT sector_source IS DISTINCT FROM 'IMPORT' AND $2::text IS NOT NULL AS may,
            market.caution_counts(is_caution, caution_on, caution_source,
                $3::boolean, $4::text::date, 'KIS_REST') AS counts
        FROM market.stocks WHERE symbol = $1) m
    WHERE s.symbol = $1 AND (may AND s.sector IS DISTINCT FROM $2::text
        OR counts AND s.is_caution <> $3::boolean)";

/// Returns up to `count` symbols that are to be asked for `day`, the most urgent first.
pub(super) async fn next(
    postgres: &Postgres,
    day: Date,
    without: &[String],
    count: i64,
) -> Result<Vec<Unasked>, JobError> {
    let client = postgres.client().await?;
    let statement = client.prepare_cached(NEXT).await?;
    let rows = client
        .query(&statement, &[&day.to_string(), &without, &count])
        .await?;
    rows.iter().map(unasked).collect()
}

/// Returns how many symbols were asked for `day`.
pub(super) async fn asked(postgres: &Postgres, day: Date) -> Result<i64, JobError> {
    let client = postgres.client().await?;
    let row = client.query_one(ASKED, &[&day.to_string()]).await?;
    Ok(row.try_get(0)?)
}

/// Notes that a symbol was asked for `day`, with nothing learned.
pub(super) async fn note_asked(
    postgres: &Postgres,
    symbol: Symbol,
    day: Date,
) -> Result<(), JobError> {
    let client = postgres.client().await?;
    client
        .execute(QUOTED, &[&symbol.to_string(), &day.to_string()])
        .await?;
    Ok(())
}

/// Stores what was told of a company for `day`. Returns whether anything is new.
pub(super) async fn store(
    postgres: &Postgres,
    told: &CompanyFigures,
    day: Date,
) -> Result<bool, JobError> {
    let (symbol, day) = (told.symbol.to_string(), day.to_string());
    let mut client = postgres.client().await?;
    let transaction = client.transaction().await?;
    let figures = transaction
        .execute(
            STORE_FIGURES,
            &[&symbol, &day, &told.per, &told.pbr, &told.eps, &told.bps],
        )
        .await?;
    let stock = transaction
        .execute(
            STORE_STOCK,
            &[&symbol, &told.sector, &told.is_caution, &day],
        )
        .await?;
    transaction
        .execute(CAUTION_TOLD, &[&symbol, &day, &told.is_caution])
        .await?;
    transaction.execute(QUOTED, &[&symbol, &day]).await?;
    transaction.commit().await?;
    Ok(figures + stock > 0)
}
