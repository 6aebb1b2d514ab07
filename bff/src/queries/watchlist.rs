//! The watchlist.

use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use turnstile_connectors::postgres::Postgres;

use crate::api::reentry_windows::Removal;
use crate::api::watchlist::{WatchChange, Watched};
use crate::cursor::NameCursor;
use crate::envelope::Listed;
use crate::extract::Page;
use crate::queries::stocks::{PRICE_COLUMNS, PRICE_JOIN, last_price};
use crate::queries::{QueryError, Saved, acting, listed};

/// What became of an addition.
#[expect(
    clippy::large_enum_variant,
    reason = "one value a request, handed on at once"
)]
pub(crate) enum Added {
    /// It is on the list now.
    New(Watched),
    /// It was before.
    Known,
    /// There is no such stock.
    NoStock,
}

/// Sort key: category, then symbol.
const KEY: &str = "(category || '/' || symbol) COLLATE \"C\"";

const LIST: &str = "SELECT * FROM strategy.watchlist
    WHERE (category || '/' || symbol) COLLATE \"C\" > $1 AND ($3::text IS NULL OR category = $3)
    ORDER BY (category || '/' || symbol) COLLATE \"C\" LIMIT $2";
const ADD: &str =
    "INSERT INTO strategy.watchlist (category, symbol, memo, target_price, alert_enabled,
        alert_price, alert_condition, reason, updated_by)
    SELECT $1, symbol, $3, $4, $5, $6, $7, $8, $9 FROM market.stocks WHERE symbol = $2
    ON CONFLICT (symbol, category) DO NOTHING RETURNING *";
const CHANGE: &str =
    "UPDATE strategy.watchlist SET memo = $3, target_price = $4, alert_enabled = $5,
        alert_price = $6, alert_condition = $7, reason = $8, updated_by = $9
    WHERE category = $1 AND symbol = $2 AND version = $10 RETURNING *";
/// So that the audit of the removal says who asked for it, and why.
const SIGN: &str = "UPDATE strategy.watchlist SET reason = $3, updated_by = $4
    WHERE category = $1 AND symbol = $2";
const REMOVE: &str =
    "DELETE FROM strategy.watchlist WHERE category = $1 AND symbol = $2 RETURNING *";

/// Returns the statement of the rows that `chosen` returns, with names and newest prices.
fn named(chosen: &str) -> String {
    format!(
        "WITH chosen AS ({chosen})
         SELECT chosen.*, stock.name, {PRICE_COLUMNS}
         FROM chosen LEFT JOIN market.stocks AS stock USING (symbol) {PRICE_JOIN}
         ORDER BY {KEY}"
    )
}

/// Returns a page of the list `category`, or of all, in the order of [`KEY`].
pub(crate) async fn list(
    db: &Postgres,
    category: Option<&'static str>,
    page: Page<NameCursor>,
) -> Result<Listed<Watched, NameCursor>, QueryError> {
    let client = db.client().await?;
    let statement = client.prepare_cached(&named(LIST)).await?;
    let rows = client
        .query(&statement, &[&page.below.0, &(page.limit + 1), &category])
        .await?;
    let key = |row: &Row| {
        let (category, symbol): (&str, &str) = (row.try_get("category")?, row.try_get("symbol")?);
        Ok(NameCursor(format!("{category}/{symbol}")))
    };
    listed(&rows, &page, key, watched)
}

/// Returns what [`ADD`] and [`CHANGE`] begin with.
fn values<'v>(
    (category, symbol): &'v (&'v str, &'v str),
    change: &'v WatchChange,
) -> Vec<&'v (dyn ToSql + Sync)> {
    vec![
        category,
        symbol,
        &change.memo,
        &change.target_price,
        &change.alert_enabled,
        &change.alert_price,
        &change.alert_condition,
        &change.reason,
        &change.updated_by,
    ]
}

/// Puts the symbol of `place` on its list.
pub(crate) async fn add(
    db: &Postgres,
    place: (&str, &str),
    change: &WatchChange,
) -> Result<Added, QueryError> {
    let mut client = db.client().await?;
    let client = acting(&mut client).await?;
    let row = client
        .query_opt(&named(ADD), &values(&place, change))
        .await?;
    if let Some(row) = row {
        let added = watched(&row)?;
        client.commit().await?;
        return Ok(Added::New(added));
    }
    let stock = "SELECT FROM market.stocks WHERE symbol = $1";
    let stock = client.query_opt(stock, &[&place.1]).await?;
    Ok(stock.map_or(Added::NoStock, |_| Added::Known))
}

/// Changes what is said of the symbol of `place`, if it stands at the version that the change was made
/// from.
pub(crate) async fn change(
    db: &Postgres,
    place: (&str, &str),
    change: &WatchChange,
) -> Result<Saved<Watched>, QueryError> {
    let mut client = db.client().await?;
    let client = acting(&mut client).await?;
    let mut values = values(&place, change);
    values.push(&change.version);
    if let Some(row) = client.query_opt(&named(CHANGE), &values).await? {
        let changed = watched(&row)?;
        client.commit().await?;
        return Ok(Saved::Done(changed));
    }
    let standing = "SELECT version FROM strategy.watchlist WHERE category = $1 AND symbol = $2";
    let row = client.query_opt(standing, &[&place.0, &place.1]).await?;
    let standing = row.map(|row| row.try_get(0)).transpose()?;
    Ok(Saved::unsaved(standing))
}

/// Takes a symbol off a list. Returns what it was.
pub(crate) async fn remove(
    db: &Postgres,
    (category, symbol): (&str, &str),
    removal: &Removal,
) -> Result<Option<Watched>, QueryError> {
    let mut client = db.client().await?;
    let client = acting(&mut client).await?;
    client
        .execute(
            SIGN,
            &[&category, &symbol, &removal.reason, &removal.asked_by],
        )
        .await?;
    let row = client
        .query_opt(&named(REMOVE), &[&category, &symbol])
        .await?;
    let gone = row.as_ref().map(watched).transpose()?;
    client.commit().await?;
    Ok(gone)
}

fn watched(row: &Row) -> Result<Watched, tokio_postgres::Error> {
    Ok(Watched {
        symbol: row.try_get("symbol")?,
        name: row.try_get("name")?,
        category: row.try_get("category")?,
        memo: row.try_get("memo")?,
        target_price: row.try_get("target_price")?,
        alert_enabled: row.try_get("alert_enabled")?,
        alert_price: row.try_get("alert_price")?,
        alert_condition: row.try_get("alert_condition")?,
        version: row.try_get("version")?,
        reason: row.try_get("reason")?,
        updated_by: row.try_get("updated_by")?,
        created_ts: row.try_get("created_ts")?,
        updated_ts: row.try_get("updated_ts")?,
        price: last_price(row)?,
    })
}
