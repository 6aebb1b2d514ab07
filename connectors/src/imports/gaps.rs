//! What the strategy's data lacks.
//!
//! Asked is of the sessions of a span (days that the calendar says are open, or that have a bar with
//! volume) and of the issues that the strategy may look at: ACTIVE shares of KOSPI and KOSDAQ, each from
//! its listing on.

use jiff::civil::Date;
use tokio_postgres::Row;

use crate::postgres::{Postgres, PostgresError};

/// Days after which a fundamental counts as missing (docs/strategy.md).
const FUNDAMENTAL_DAYS_MAX: i32 = 450;
/// Issues that are named of each gap.
const EXAMPLES_MAX: i32 = 5;

const SESSIONS: &str = "SELECT day::date FROM generate_series($1::text::date, $2::text::date, '1 day') day
    WHERE coalesce((SELECT is_open FROM market.calendar_days c WHERE c.day = day.day::date), false)
        OR EXISTS (SELECT FROM market.daily_bars b WHERE b.trade_date = day.day::date AND b.volume > 0)";
const ISSUES: &str = "SELECT symbol, coalesce(listing_date, (SELECT min(trade_date)
            FROM market.daily_bars b WHERE b.symbol = s.symbol), '-infinity') AS since
    FROM market.stocks s WHERE status = 'ACTIVE' AND instrument_type = 'STOCK'
        AND market IN ('KOSPI', 'KOSDAQ')";
const NEWEST_BAR: &str = "SELECT max(trade_date)::text FROM market.daily_bars";

/// What a session lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayGap {
    /// The session, such as 2026-02-20.
    pub day: String,
    /// Issues without a row.
    pub issues: i64,
    /// The first of them.
    pub examples: Vec<String>,
}

/// What is lacking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gaps {
    /// First and last day that was looked at.
    pub span: (Date, Date),
    /// Sessions among them.
    pub sessions: i64,
    /// Issues that the strategy may look at.
    pub issues: i64,
    /// Sessions where bars are missing.
    pub bars: Vec<DayGap>,
    /// Sessions where flows are missing.
    pub flows: Vec<DayGap>,
    /// Issues without a fundamental that counts on the last day, and the first of them.
    pub fundamentals: (i64, Vec<String>),
}

/// Looks what is lacking from `from` to `to`; without them in the 30 days up to the newest bar. None
/// where there is no bar at all.
///
/// # Errors
/// What the database says.
pub async fn find_gaps(
    postgres: &Postgres,
    from: Option<Date>,
    to: Option<Date>,
) -> Result<Option<Gaps>, PostgresError> {
    let client = postgres.connect_alone().await?;
    let newest: Option<String> = client.query_one(NEWEST_BAR, &[]).await?.try_get(0)?;
    let newest = newest.and_then(|day| day.parse().ok());
    let Some(to) = to.or(newest) else {
        return Ok(None);
    };
    let from = from.unwrap_or_else(|| to.saturating_sub(jiff::Span::new().days(30)));
    let (first, last) = (from.to_string(), to.to_string());
    let counts = format!(
        "SELECT (SELECT count(*) FROM ({SESSIONS}) d), (SELECT count(*) FROM ({ISSUES}) i)"
    );
    let counts = client.query_one(&counts, &[&first, &last]).await?;
    let by_day = |table: &str| {
        format!(
            "SELECT d.day::text, count(*), (array_agg(i.symbol ORDER BY i.symbol))[1:$3]
             FROM ({SESSIONS}) d JOIN ({ISSUES}) i ON i.since <= d.day
             LEFT JOIN {table} t ON t.symbol = i.symbol AND t.trade_date = d.day
             WHERE t.symbol IS NULL GROUP BY d.day ORDER BY d.day"
        )
    };
    let (bars, flows) = (by_day("market.daily_bars"), by_day("market.investor_flows"));
    let bars = client.query(&bars, &[&first, &last, &EXAMPLES_MAX]).await?;
    let flows = client
        .query(&flows, &[&first, &last, &EXAMPLES_MAX])
        .await?;
    let fundamentals = format!(
        "SELECT count(*), (array_agg(symbol ORDER BY symbol))[1:$2] FROM ({ISSUES}) i
         WHERE NOT EXISTS (SELECT FROM market.fundamentals f WHERE f.symbol = i.symbol
             AND f.report_date BETWEEN $1::text::date - $3::integer AND $1::text::date)"
    );
    let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 3] =
        [&last, &EXAMPLES_MAX, &FUNDAMENTAL_DAYS_MAX];
    let fundamentals = client.query_one(&fundamentals, &parameters).await?;
    Ok(Some(Gaps {
        span: (from, to),
        sessions: counts.try_get(0)?,
        issues: counts.try_get(1)?,
        bars: read(&bars)?,
        flows: read(&flows)?,
        fundamentals: (
            fundamentals.try_get(0)?,
            fundamentals.try_get::<_, Option<_>>(1)?.unwrap_or_default(),
        ),
    }))
}

fn read(rows: &[Row]) -> Result<Vec<DayGap>, PostgresError> {
    let gaps = rows.iter().map(|row| {
        Ok(DayGap {
            day: row.try_get(0)?,
            issues: row.try_get(1)?,
            examples: row.try_get(2)?,
        })
    });
    gaps.collect()
}
