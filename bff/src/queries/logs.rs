//! Logs: what the system tells its operators.

use tokio_postgres::types::Json;
use turnstile_connectors::postgres::Postgres;

use crate::api::logs::LogEntry;
use crate::cursor::NumberCursor;
use crate::envelope::Listed;
use crate::extract::Page;
use crate::queries::{QueryError, listed};

/// Which entries are listed. What is absent narrows nothing.
pub(crate) struct Filter {
    pub(crate) level: Option<&'static str>,
    pub(crate) event: Option<String>,
    pub(crate) symbol: Option<String>,
}

/// Returns a page of log entries, newest first.
pub(crate) async fn list(
    db: &Postgres,
    filter: &Filter,
    page: Page<NumberCursor>,
) -> Result<Listed<LogEntry, NumberCursor>, QueryError> {
    let client = db.client().await?;
    let Filter {
        level,
        event,
        symbol,
    } = filter;
    let rows = client
        .query(
            "SELECT id, ts, level, module, event, symbol, position_id, request_id, message, context
             FROM system.logs
             WHERE id < $1 AND ($3::text IS NULL OR level = $3) AND ($4::text IS NULL OR event = $4)
                 AND ($5::text IS NULL OR symbol = $5)
             ORDER BY id DESC LIMIT $2",
            &[&page.below.0, &(page.limit + 1), level, event, symbol],
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
