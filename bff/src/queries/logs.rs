//! Logs: what the system tells its operators.

use tokio_postgres::Row;
use tokio_postgres::types::Json;
use turnstile_connectors::postgres::Postgres;

use crate::api::logs::LogEntry;
use crate::cursor::NumberCursor;
use crate::envelope::Listed;
use crate::extract::Page;
use crate::queries::{QueryError, listed};

/// Returns a page of log entries, newest first.
pub(crate) async fn list(
    db: &Postgres,
    page: Page<NumberCursor>,
) -> Result<Listed<LogEntry, NumberCursor>, QueryError> {
    let client = db.client().await?;
    let rows = client
        .query(
            "SELECT id, ts, level, module, event, symbol, position_id, request_id, message, context
             FROM system.logs WHERE id < $1 ORDER BY id DESC LIMIT $2",
            &[&page.below.0, &(page.limit + 1)],
        )
        .await?;
    listed(
        &rows,
        &page,
        |row| Ok(NumberCursor(row.try_get("id")?)),
        entry,
    )
}

/// Returns the last entry's number; 0 if there is none.
pub(crate) async fn newest_id(db: &Postgres) -> Result<i64, QueryError> {
    let client = db.client().await?;
    let statement = client
        .prepare_cached("SELECT coalesce(max(id), 0) FROM system.logs")
        .await?;
    Ok(client.query_one(&statement, &[]).await?.try_get(0)?)
}

/// Returns the newest `limit` alarms after the entry `after`, newest first: entries that somebody
/// should look at.
pub(crate) async fn alarms(
    db: &Postgres,
    after: i64,
    limit: i64,
) -> Result<Vec<LogEntry>, QueryError> {
    let client = db.client().await?;
    let statement = client
        .prepare_cached(
            "SELECT id, ts, level, module, event, symbol, position_id, request_id, message, context
             FROM system.logs WHERE id > $1 AND level <> 'INFO' ORDER BY id DESC LIMIT $2",
        )
        .await?;
    let rows = client.query(&statement, &[&after, &limit]).await?;
    Ok(rows.iter().map(entry).collect::<Result<_, _>>()?)
}

fn entry(row: &Row) -> Result<LogEntry, tokio_postgres::Error> {
    Ok(LogEntry {
        id: row.try_get("id")?,
        ts: row.try_get("ts")?,
        level: row.try_get("level")?,
        module: row.try_get("module")?,
        event: row.try_get("event")?,
        symbol: row.try_get("symbol")?,
        position_id: row.try_get("position_id")?,
        request_id: row.try_get("request_id")?,
        message: row.try_get("message")?,
        context: row.try_get::<_, Json<_>>("context")?.0,
    })
}
