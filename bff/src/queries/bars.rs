//! Bars of a symbol: stored ones, and of the last minutes those that prices come to.

use jiff::civil::Date;
use tokio_postgres::Row;
use turnstile_connectors::postgres::Postgres;
use turnstile_dataflows::model::Symbol;

use crate::api::bars::Bar;
use crate::queries::QueryError;

/// What one bar is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Interval {
    /// A session.
    Day,
    /// A minute of the exchange's time.
    Minute,
}

/// Which bars are wanted: the newest `limit` between two dates, both inclusive.
#[derive(Debug)]
pub(crate) struct Span {
    /// First date in Seoul.
    pub(crate) from: Option<Date>,
    /// Last date in Seoul.
    pub(crate) to: Option<Date>,
    /// Most bars.
    pub(crate) limit: i64,
}

/// A halted day has a close alone.
const DAYS: &str = "
    SELECT trade_date::timestamp AT TIME ZONE 'Asia/Seoul' AS time, trade_date::text AS date,
        open, high, low, close, volume
    FROM market.daily_bars
    WHERE symbol = $1 AND open > 0
        AND trade_date >= coalesce($2::text::date, '-infinity')
        AND trade_date <= coalesce($3::text::date, 'infinity')
    ORDER BY trade_date DESC LIMIT $4";

/// Stored bars have the prices up to a logical time, which they are committed with; what prices have come
/// since is read in the same snapshot, and a minute that has both is put together. How far back is bounded:
/// where bars are not kept up, the prices of two days count.
const MINUTES: &str = "
    WITH bounds AS (
        SELECT coalesce($2::text::date::timestamp AT TIME ZONE 'Asia/Seoul', '-infinity') AS begin,
            coalesce(($3::text::date + 1)::timestamp AT TIME ZONE 'Asia/Seoul', 'infinity') AS until
    ), stored AS (
        SELECT minute, open, high, low, close, volume FROM market.minute_bars
        WHERE symbol = $1 AND minute >= (SELECT begin FROM bounds) AND minute < (SELECT until FROM bounds)
        ORDER BY minute DESC LIMIT $4
    ), reach AS (
        SELECT coalesce(max(durable_us), 0) AS us FROM system.sink_progress WHERE sink = 'minute_bars'
    ), fresh AS (
        SELECT date_trunc('minute', ts) AS minute, (array_agg(last_price ORDER BY logical_us))[1] AS open,
            max(last_price) AS high, min(last_price) AS low,
            (array_agg(last_price ORDER BY logical_us DESC))[1] AS close, sum(volume)::bigint AS volume
        FROM market.prices
        WHERE symbol = $1 AND logical_us > (SELECT us FROM reach) AND session <> 'EXPECTED'
            AND trade_date >= (SELECT greatest(
                (to_timestamp(us / 1000000) AT TIME ZONE 'Asia/Seoul')::date,
                (now() AT TIME ZONE 'Asia/Seoul')::date - 1) FROM reach)
            AND ts >= (SELECT begin FROM bounds) AND ts < (SELECT until FROM bounds)
        GROUP BY date_trunc('minute', ts)
    )
    SELECT minute AS time, (minute AT TIME ZONE 'Asia/Seoul')::date::text AS date,
        coalesce(stored.open, fresh.open) AS open, greatest(stored.high, fresh.high) AS high,
        least(stored.low, fresh.low) AS low, coalesce(fresh.close, stored.close) AS close,
        coalesce(stored.volume, 0) + coalesce(fresh.volume, 0) AS volume
    FROM stored FULL JOIN fresh USING (minute)
    ORDER BY minute DESC LIMIT $4";

/// Returns the bars of `symbol` in `span`, the oldest first.
pub(crate) async fn list(
    db: &Postgres,
    symbol: &Symbol,
    interval: Interval,
    span: &Span,
) -> Result<Vec<Bar>, QueryError> {
    let client = db.client().await?;
    let query = match interval {
        Interval::Day => DAYS,
        Interval::Minute => MINUTES,
    };
    let [from, to] = [span.from, span.to].map(|date| date.map(|date| date.to_string()));
    let rows = client
        .query(query, &[&&*symbol.text(), &from, &to, &span.limit])
        .await?;
    let bars = rows.iter().rev().map(bar);
    Ok(bars.collect::<Result<_, _>>()?)
}

fn bar(row: &Row) -> Result<Bar, tokio_postgres::Error> {
    Ok(Bar {
        time: row.try_get("time")?,
        date: row.try_get("date")?,
        open: row.try_get("open")?,
        high: row.try_get("high")?,
        low: row.try_get("low")?,
        close: row.try_get("close")?,
        volume: row.try_get("volume")?,
    })
}
