//! Feed: where the change feed begins, and what it follows.

use std::collections::BTreeSet;

use tokio_postgres::Client;
use turnstile_connectors::postgres::{Postgres, PostgresError};

use crate::queries::QueryError;

/// Returns the last transaction that lies wholly before a feed on the snapshot of `client`.
pub(crate) async fn begin_xid(client: &Client) -> Result<u64, PostgresError> {
    let row = client
        .query_one(
            "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint - 1",
            &[],
        )
        .await?;
    Ok(u64::try_from(row.try_get::<_, i64>(0)?).unwrap_or_default())
}

/// Returns every table that the feed follows, with its schema.
pub(crate) async fn tables(db: &Postgres) -> Result<BTreeSet<String>, QueryError> {
    let row = db
        .client()
        .await?
        .query_one(
            "SELECT array(SELECT nspname || '.' || relname FROM pg_trigger
                 JOIN pg_class ON pg_class.oid = tgrelid
                 JOIN pg_namespace ON pg_namespace.oid = relnamespace
                 WHERE tgname = 'follow_changes')",
            &[],
        )
        .await?;
    let tables: Vec<String> = row.try_get(0)?;
    Ok(tables.into_iter().collect())
}
