//! Symbols of which nothing is bought back.

use tokio_postgres::Row;
use turnstile_connectors::postgres::Postgres;

use crate::api::reentry_blacklist::{BlacklistChange, Blacklisted};
use crate::api::reentry_windows::Removal;
use crate::cursor::NameCursor;
use crate::envelope::Listed;
use crate::extract::Page;
use crate::queries::{QueryError, acting, listed};

/// Returns a page of symbols, in the order of bytes.
pub(crate) async fn list(
    db: &Postgres,
    page: Page<NameCursor>,
) -> Result<Listed<Blacklisted, NameCursor>, QueryError> {
    let client = db.client().await?;
    let rows = client
        .query(
            "SELECT * FROM trade.reentry_blacklist WHERE symbol COLLATE \"C\" > $1
             ORDER BY symbol COLLATE \"C\" LIMIT $2",
            &[&page.below.0, &(page.limit + 1)],
        )
        .await?;
    let key = |row: &Row| Ok(NameCursor(row.try_get("symbol")?));
    listed(&rows, &page, key, blacklisted)
}

/// Saves the row of a symbol, with a row of history.
pub(crate) async fn save(
    db: &Postgres,
    symbol: &str,
    change: &BlacklistChange,
) -> Result<Blacklisted, QueryError> {
    let mut client = db.client().await?;
    let client = acting(&mut client).await?;
    let until = change.until_ts.map(|until| until.to_string());
    let row = client
        .query_one(
            "WITH saved AS (
                 INSERT INTO trade.reentry_blacklist (symbol, reason, until_ts, created_by)
                 VALUES ($1, $2, $3::text::timestamptz, $4)
                 ON CONFLICT (symbol) DO UPDATE SET reason = excluded.reason,
                     until_ts = excluded.until_ts, created_by = excluded.created_by,
                     created_ts = clock_timestamp()
                 RETURNING *
             ), noted AS (
                 INSERT INTO trade.reentry_edits (kind, key, content, edited_by, reason)
                 SELECT 'BLACKLIST', symbol, to_jsonb(saved), $4, $2 FROM saved
             ) SELECT * FROM saved",
            &[&symbol, &change.reason, &until, &change.updated_by],
        )
        .await?;
    let saved = blacklisted(&row)?;
    client.commit().await?;
    Ok(saved)
}

/// Removes the row of a symbol, with a row of history. Returns what it was.
pub(crate) async fn remove(
    db: &Postgres,
    symbol: &str,
    removal: &Removal,
) -> Result<Option<Blacklisted>, QueryError> {
    let mut client = db.client().await?;
    let client = acting(&mut client).await?;
    let row = client
        .query_opt(
            "WITH gone AS (
                 DELETE FROM trade.reentry_blacklist WHERE symbol = $1 RETURNING *
             ), noted AS (
                 INSERT INTO trade.reentry_edits (kind, key, edited_by, reason)
                 SELECT 'BLACKLIST', symbol, $2, $3 FROM gone
             ) SELECT * FROM gone",
            &[&symbol, &removal.asked_by, &removal.reason],
        )
        .await?;
    let gone = row.as_ref().map(blacklisted).transpose()?;
    client.commit().await?;
    Ok(gone)
}

fn blacklisted(row: &Row) -> Result<Blacklisted, tokio_postgres::Error> {
    Ok(Blacklisted {
        symbol: row.try_get("symbol")?,
        reason: row.try_get("reason")?,
        until_ts: row.try_get("until_ts")?,
        created_by: row.try_get("created_by")?,
        created_ts: row.try_get("created_ts")?,
    })
}
