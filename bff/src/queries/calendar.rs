//! Calendar: the days of the exchange.

use jiff::civil::Date;
use turnstile_connectors::postgres::Postgres;

use crate::api::calendar::CalendarDay;
use crate::queries::QueryError;

const DAYS: &str = "SELECT day::text AS day, source, is_open, is_trading_day, is_business_day,
        is_settlement_day, is_conflict, fetched_ts, changed_ts
    FROM market.calendar_days WHERE day BETWEEN $1::text::date AND $2::text::date ORDER BY day";

/// Returns the days from `from` to `to`, both inclusive, of which something is known.
pub(crate) async fn list(
    db: &Postgres,
    from: Date,
    to: Date,
) -> Result<Vec<CalendarDay>, QueryError> {
    let client = db.client().await?;
    let rows = client
        .query(DAYS, &[&from.to_string(), &to.to_string()])
        .await?;
    let days = rows.iter().map(|row| {
        Ok(CalendarDay {
            date: row.try_get("day")?,
            is_open: row.try_get("is_open")?,
            source: row.try_get("source")?,
            is_trading_day: row.try_get("is_trading_day")?,
            is_business_day: row.try_get("is_business_day")?,
            is_settlement_day: row.try_get("is_settlement_day")?,
            is_conflict: row.try_get("is_conflict")?,
            fetched_ts: row.try_get("fetched_ts")?,
            changed_ts: row.try_get("changed_ts")?,
        })
    });
    Ok(days.collect::<Result<_, tokio_postgres::Error>>()?)
}
