//! Listings in `market.stocks`, as the stock master reads and writes them.

use jiff::civil::Date;
use serde_json::json;
use tokio_postgres::Row;
use tracing::{info, warn};
use turnstile_dataflows::model::Symbol;

use super::inquiry::Unasked;
use super::listing::{Status, Stored};
use crate::jobs::JobError;
use crate::kis::StockInfo;
use crate::postgres::{LogLevel, LogRow, Postgres, write_log};

/// Symbols to ask for day `$1`: what is followed first, then what was not asked for longest. Not those
/// in `$2`; only followed ones where `$3`.
const NEXT: &str = "SELECT s.symbol, f.symbol IS NOT NULL
    FROM market.stocks s LEFT JOIN trade.followed f USING (symbol)
    WHERE s.checked_on IS DISTINCT FROM $1::text::date AND s.symbol <> ALL($2::text[])
        AND (f.symbol IS NOT NULL OR NOT $3)
    ORDER BY f.rank NULLS LAST, s.status = 'DELISTED', s.checked_on NULLS FIRST, s.symbol
    LIMIT $4";
const ASKED: &str = "SELECT count(*) FROM market.stocks WHERE checked_on = $1::text::date";
/// Notes that a symbol was asked for day `$2`, and, where `$3`, that it was told whether it is managed.
const CHECKED: &str = "UPDATE market.stocks
    SET checked_on = $2::text::date, checked_ts = clock_timestamp(),
        managed_on = CASE WHEN $3 THEN greatest(managed_on, $2::text::date) ELSE managed_on END
    WHERE symbol = $1";
const READ: &str = "SELECT name, market, instrument_type, status, is_tradable, is_managed,
        managed_on::text, is_nxt_tradable, is_nxt_stopped, listed_shares, listing_date::text, delisting_date::text,
        industry,
        EXISTS (SELECT FROM trade.positions p
            WHERE p.symbol = s.symbol AND p.status IN ('OPEN', 'CLOSING')) AS is_held
    FROM market.stocks s WHERE symbol = $1 FOR NO KEY UPDATE OF s";
const STORE: &str = "UPDATE market.stocks SET name = $2, market = $3, instrument_type = $4,
        status = $5, is_tradable = $6, is_managed = $7, is_nxt_tradable = $8, is_nxt_stopped = $9,
        listed_shares = $10, listing_date = $11::text::date, delisting_date = $12::text::date,
        industry = $13, updated_ts = now()
    WHERE symbol = $1";

/// Returns up to `count` symbols that are to be asked for `day`, the most urgent first.
pub(super) async fn next(
    postgres: &Postgres,
    day: Date,
    without: &[String],
    only_followed: bool,
    count: i64,
) -> Result<Vec<Unasked>, JobError> {
    let client = postgres.client().await?;
    let statement = client.prepare_cached(NEXT).await?;
    let rows = client
        .query(
            &statement,
            &[&day.to_string(), &without, &only_followed, &count],
        )
        .await?;
    rows.iter().map(unasked).collect()
}

/// Reads a symbol, and whether it is followed.
pub(super) fn unasked(row: &Row) -> Result<Unasked, JobError> {
    let text: &str = row.try_get(0)?;
    let symbol = text.parse();
    Ok(Unasked {
        symbol: symbol.map_err(|error| JobError::Answer(format!("market.stocks: {error}")))?,
        is_followed: row.try_get(1)?,
    })
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
        .execute(CHECKED, &[&symbol.to_string(), &day.to_string(), &false])
        .await?;
    Ok(())
}

/// Stores what was told of a listing for `day`, and tells what is new. Returns whether anything is.
pub(super) async fn store(
    postgres: &Postgres,
    told: &StockInfo,
    day: Date,
) -> Result<bool, JobError> {
    let symbol = told.symbol.to_string();
    let mut client = postgres.client().await?;
    let transaction = client.transaction().await?;
    let Some(row) = transaction.query_opt(READ, &[&symbol]).await? else {
        return Ok(false); // Somebody has deleted it.
    };
    let (before, is_held) = (read(&row)?, row.try_get("is_held")?);
    let after = before.after(told, day);
    let has_changed = after != before;
    if has_changed {
        transaction
            .execute(
                STORE,
                &[
                    &symbol,
                    &after.name,
                    &after.market,
                    &after.instrument_type,
                    &after.status.name(),
                    &after.is_tradable,
                    &after.is_managed,
                    &after.is_on_nxt,
                    &after.is_stopped_on_nxt,
                    &after.listed_shares,
                    &after.listed_on.map(|day| day.to_string()),
                    &after.delisted_on.map(|day| day.to_string()),
                    &after.industry,
                ],
            )
            .await?;
    }
    transaction
        .execute(
            CHECKED,
            &[&symbol, &day.to_string(), &told.is_managed.is_some()],
        )
        .await?;
    let news = news(&symbol, &before, &after, is_held);
    if let Some(news) = &news {
        write_log(&**transaction, news).await?;
    }
    transaction.commit().await?;
    match news {
        Some(news) if is_held => warn!(symbol, "{}", news.message),
        Some(news) => info!(symbol, "{}", news.message),
        None => {}
    }
    Ok(has_changed)
}

/// Returns the row of `system.logs` for what a human should know; a held stock matters more.
fn news(symbol: &str, before: &Stored, after: &Stored, is_held: bool) -> Option<LogRow> {
    let news = before.news(after);
    if news.is_empty() {
        return None;
    }
    let level = match (is_held, after.status) {
        (true, Status::Delisted) => LogLevel::Critical,
        (true, Status::Active | Status::Suspended) => LogLevel::Warning,
        (false, _) => LogLevel::Info,
    };
    let state = |stored: &Stored| {
        json!({
            "status": stored.status.name(),
            "is_managed": stored.is_managed,
            "is_nxt_stopped": stored.is_stopped_on_nxt,
            "delisting_date": stored.delisted_on.map(|day| day.to_string()),
        })
    };
    Some(LogRow {
        level,
        module: "stocks",
        event: "STOCK_CHANGED",
        symbol: Some(symbol.to_owned()),
        position_id: None,
        message: format!("{symbol}: {}", news.join(", ")),
        context: json!({"before": state(before), "after": state(after), "is_held": is_held}),
    })
}

fn read(row: &Row) -> Result<Stored, JobError> {
    let status: &str = row.try_get("status")?;
    Ok(Stored {
        name: row.try_get("name")?,
        market: row.try_get("market")?,
        instrument_type: row.try_get("instrument_type")?,
        status: Status::of(status)
            .ok_or_else(|| JobError::Answer(format!("market.stocks: status {status}")))?,
        is_tradable: row.try_get("is_tradable")?,
        is_managed: row.try_get("is_managed")?,
        managed_on: date_of(row, "managed_on")?,
        is_on_nxt: row.try_get("is_nxt_tradable")?,
        is_stopped_on_nxt: row.try_get("is_nxt_stopped")?,
        listed_shares: row.try_get("listed_shares")?,
        listed_on: date_of(row, "listing_date")?,
        delisted_on: date_of(row, "delisting_date")?,
        industry: row.try_get("industry")?,
    })
}

fn date_of(row: &Row, column: &str) -> Result<Option<Date>, JobError> {
    let text: Option<&str> = row.try_get(column)?;
    let date = text.map(str::parse).transpose();
    date.map_err(|error| JobError::Answer(format!("market.stocks: {column}: {error}")))
}
