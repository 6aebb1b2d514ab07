//! Times of day without entries.

use tokio_postgres::Row;
use turnstile_connectors::postgres::Postgres;

use crate::api::reentry_windows::{Removal, Window, WindowChange};
use crate::cursor::NameCursor;
use crate::envelope::Listed;
use crate::extract::Page;
use crate::queries::{QueryError, acting, listed};

const COLUMNS: &str = "window_id, to_char(from_time, 'HH24:MI:SS') AS from_time,
    to_char(until_time, 'HH24:MI:SS') AS until_time, is_active, reason, updated_by, updated_ts";

/// Returns a page of windows, by id in the order of bytes.
pub(crate) async fn list(
    db: &Postgres,
    page: Page<NameCursor>,
) -> Result<Listed<Window, NameCursor>, QueryError> {
    let client = db.client().await?;
    let query = format!(
        "SELECT {COLUMNS} FROM trade.reentry_windows WHERE window_id COLLATE \"C\" > $1
         ORDER BY window_id COLLATE \"C\" LIMIT $2"
    );
    let rows = client
        .query(&query, &[&page.below.0, &(page.limit + 1)])
        .await?;
    let key = |row: &Row| Ok(NameCursor(row.try_get("window_id")?));
    listed(&rows, &page, key, window)
}

/// Saves a window, with a row of history.
pub(crate) async fn save(
    db: &Postgres,
    id: &str,
    change: &WindowChange,
) -> Result<Window, QueryError> {
    let mut client = db.client().await?;
    let client = acting(&mut client).await?;
    let query = format!(
        "WITH saved AS (
             INSERT INTO trade.reentry_windows AS w
                 (window_id, from_time, until_time, is_active, reason, updated_by)
             VALUES ($1, $2::text::time, $3::text::time, $4, $5, $6)
             ON CONFLICT (window_id) DO UPDATE SET from_time = excluded.from_time,
                 until_time = excluded.until_time, is_active = excluded.is_active,
                 reason = excluded.reason, updated_by = excluded.updated_by,
                 updated_ts = clock_timestamp()
             RETURNING *
         ), noted AS (
             INSERT INTO trade.reentry_edits (kind, key, content, edited_by, reason)
             SELECT 'WINDOW', window_id, to_jsonb(saved), $6, $5 FROM saved
         ) SELECT {COLUMNS} FROM saved"
    );
    let (from, until) = (change.from_time.to_string(), change.until_time.to_string());
    let row = client
        .query_one(
            &query,
            &[
                &id,
                &from,
                &until,
                &change.is_active,
                &change.reason,
                &change.updated_by,
            ],
        )
        .await?;
    let saved = window(&row)?;
    client.commit().await?;
    Ok(saved)
}

/// Removes a window, with a row of history. Returns what it was.
pub(crate) async fn remove(
    db: &Postgres,
    id: &str,
    removal: &Removal,
) -> Result<Option<Window>, QueryError> {
    let mut client = db.client().await?;
    let client = acting(&mut client).await?;
    let query = format!(
        "WITH gone AS (
             DELETE FROM trade.reentry_windows WHERE window_id = $1 RETURNING *
         ), noted AS (
             INSERT INTO trade.reentry_edits (kind, key, edited_by, reason)
             SELECT 'WINDOW', window_id, $2, $3 FROM gone
         ) SELECT {COLUMNS} FROM gone"
    );
    let row = client
        .query_opt(&query, &[&id, &removal.asked_by, &removal.reason])
        .await?;
    let gone = row.as_ref().map(window).transpose()?;
    client.commit().await?;
    Ok(gone)
}

fn window(row: &Row) -> Result<Window, tokio_postgres::Error> {
    Ok(Window {
        window_id: row.try_get("window_id")?,
        from_time: row.try_get("from_time")?,
        until_time: row.try_get("until_time")?,
        is_active: row.try_get("is_active")?,
        reason: row.try_get("reason")?,
        updated_by: row.try_get("updated_by")?,
        updated_ts: row.try_get("updated_ts")?,
    })
}
