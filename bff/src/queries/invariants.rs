//! Standing invariants: what must never be so, and was.

use turnstile_connectors::postgres::Postgres;

use crate::api::invariants::InvariantViolation;
use crate::cursor::NumberCursor;
use crate::envelope::Listed;
use crate::extract::Page;
use crate::queries::{QueryError, listed};

/// Returns a page of violations, the last first: those that are over (true), those that stand (false), or
/// all.
pub(crate) async fn list(
    db: &Postgres,
    is_over: Option<bool>,
    page: Page<NumberCursor>,
) -> Result<Listed<InvariantViolation, NumberCursor>, QueryError> {
    let client = db.client().await?;
    let rows = client
        .query(
            "SELECT id, kind, key, symbol, position_id, detail, since, until
             FROM system.invariant_violations
             WHERE id < $1 AND (until IS NOT NULL) = coalesce($2, until IS NOT NULL)
             ORDER BY id DESC LIMIT $3",
            &[&page.below.0, &is_over, &(page.limit + 1)],
        )
        .await?;
    listed(
        &rows,
        &page,
        |row| Ok(NumberCursor(row.try_get("id")?)),
        |row| {
            Ok(InvariantViolation {
                id: row.try_get("id")?,
                kind: row.try_get("kind")?,
                key: row.try_get("key")?,
                symbol: row.try_get("symbol")?,
                position_id: row.try_get("position_id")?,
                detail: row.try_get("detail")?,
                since: row.try_get("since")?,
                until: row.try_get("until")?,
            })
        },
    )
}
