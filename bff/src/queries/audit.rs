//! The audit: who changed what.

use tokio_postgres::Row;
use tokio_postgres::types::Json;
use turnstile_connectors::postgres::Postgres;

use crate::api::audit::{AuditEntry, AuditFilter};
use crate::cursor::NumberCursor;
use crate::envelope::Listed;
use crate::extract::Page;
use crate::queries::{QueryError, listed};

/// Returns a page of changes, newest first.
pub(crate) async fn list(
    db: &Postgres,
    filter: &AuditFilter,
    page: Page<NumberCursor>,
) -> Result<Listed<AuditEntry, NumberCursor>, QueryError> {
    let client = db.client().await?;
    let rows = client
        .query(
            "SELECT * FROM system.audit_log
             WHERE id < $1 AND ($3::text IS NULL OR table_name = $3)
               AND ($4::text IS NULL OR actor = $4)
             ORDER BY id DESC LIMIT $2",
            &[
                &page.below.0,
                &(page.limit + 1),
                &filter.table,
                &filter.actor,
            ],
        )
        .await?;
    let key = |row: &Row| Ok(NumberCursor(row.try_get("id")?));
    listed(&rows, &page, key, |row| {
        Ok(AuditEntry {
            id: row.try_get("id")?,
            ts: row.try_get("ts")?,
            actor: row.try_get("actor")?,
            on_behalf_of: row.try_get("on_behalf_of")?,
            reason: row.try_get("reason")?,
            request_id: row.try_get("request_id")?,
            table_name: row.try_get("table_name")?,
            op: row.try_get("op")?,
            was: row
                .try_get::<_, Option<Json<_>>>("was")?
                .map(|Json(row)| row),
            now: row
                .try_get::<_, Option<Json<_>>>("now")?
                .map(|Json(row)| row),
        })
    })
}
