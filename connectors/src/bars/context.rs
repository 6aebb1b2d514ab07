//! What a session needs to know of the days before it: volatility and the last close.

use futures_util::TryStreamExt;
use jiff::civil::Date;
use rust_decimal::Decimal;
use tokio_postgres::{Client, Row};
use turnstile_dataflows::model::{DayRange, atr_ratio};

use crate::postgres::{Postgres, PostgresError};

/// Days of the calendar that are read: some 170 sessions, after which the first hardly counts.
const READ_DAYS: i32 = 250;

/// Bars with trades, of issues that have a bar on `$1`; only of those in `$3`, unless that is null.
const BARS: &str = "SELECT b.symbol, b.high, b.low, b.close
    FROM market.daily_bars b
    WHERE b.trade_date BETWEEN $1::text::date - $2::integer AND $1::text::date AND b.high > 0
        AND ($3::text[] IS NULL OR b.symbol = ANY($3))
        AND EXISTS (SELECT FROM market.daily_bars l
            WHERE l.symbol = b.symbol AND l.trade_date = $1::text::date)
    ORDER BY b.symbol, b.trade_date";

/// The close before a session is that of its last day, also of a day without trades. What stands for
/// the session already stays: it is constant in a session, and an operator may have set it.
const STORE: &str =
    "INSERT INTO market.symbol_context AS c (symbol, trade_date, atr_pct, prev_close)
    SELECT b.symbol, $1::text::date, a.atr_pct, b.close
    FROM market.daily_bars b
    LEFT JOIN unnest($3::text[], $4::numeric[]) AS a (symbol, atr_pct) USING (symbol)
    WHERE b.trade_date = $2::text::date AND ($5::text[] IS NULL OR b.symbol = ANY($5))
    ON CONFLICT (symbol) DO UPDATE SET trade_date = excluded.trade_date, updated_ts = now(),
        atr_pct = CASE WHEN c.trade_date = excluded.trade_date
            THEN coalesce(c.atr_pct, excluded.atr_pct) ELSE excluded.atr_pct END,
        prev_close = CASE WHEN c.trade_date = excluded.trade_date
            THEN coalesce(c.prev_close, excluded.prev_close) ELSE excluded.prev_close END
    WHERE c.trade_date <> excluded.trade_date
        OR (c.atr_pct IS NULL AND excluded.atr_pct IS NOT NULL)
        OR (c.prev_close IS NULL AND excluded.prev_close IS NOT NULL)";

const DROP_OLD: &str = "DELETE FROM market.symbol_context WHERE trade_date < $1::text::date";

/// What became of a refresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refreshed {
    /// Issues whose context is new or different.
    pub changed: u64,
    /// Issues that have none any more: their last bar is too old.
    pub dropped: u64,
}

/// Makes the contexts of `session` from bars up to `before`, the trading day before it: of all issues,
/// or of those in `symbols`.
///
/// # Errors
/// What the database says; the contexts stay as they were then.
pub async fn refresh(
    postgres: &Postgres,
    session: Date,
    before: Date,
    symbols: Option<&[String]>,
) -> Result<Refreshed, PostgresError> {
    let mut client = postgres.connect_alone().await?;
    let (session, before) = (session.to_string(), before.to_string());
    let (known, ratios) = ratios(&client, &before, symbols).await?;
    let transaction = client.transaction().await?;
    let changed = transaction
        .execute(STORE, &[&session, &before, &known, &ratios, &symbols])
        .await?;
    let dropped = transaction.execute(DROP_OLD, &[&session]).await?;
    transaction.commit().await?;
    Ok(Refreshed { changed, dropped })
}

/// Returns the issues that have an ATR on `before`, and theirs.
async fn ratios(
    client: &Client,
    before: &str,
    only: Option<&[String]>,
) -> Result<(Vec<String>, Vec<Decimal>), PostgresError> {
    let values: [&(dyn tokio_postgres::types::ToSql + Sync); 3] = [&before, &READ_DAYS, &only];
    let mut rows = std::pin::pin!(client.query_raw(BARS, values).await?);
    let (mut symbols, mut ratios) = (Vec::new(), Vec::new());
    let mut of = String::new();
    let mut days = Vec::new();
    let mut close = |of: &mut String, days: &mut Vec<DayRange>, next: String| {
        if let Some(ratio) = atr_ratio(days) {
            symbols.push(std::mem::take(of));
            ratios.push(ratio);
        }
        *of = next;
        days.clear();
    };
    while let Some(row) = rows.try_next().await? {
        let (symbol, day) = read(&row)?;
        if symbol != of {
            close(&mut of, &mut days, symbol);
        }
        days.push(day);
    }
    close(&mut of, &mut days, String::new());
    Ok((symbols, ratios))
}

fn read(row: &Row) -> Result<(String, DayRange), PostgresError> {
    let day = DayRange {
        high: row.try_get("high")?,
        low: row.try_get("low")?,
        close: row.try_get("close")?,
    };
    Ok((row.try_get("symbol")?, day))
}
