//! Logs: what the system tells its operators.

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
        |row| {
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
        },
    )
}
