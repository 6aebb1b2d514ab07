//! Feed: where the change feed begins.

use std::collections::BTreeSet;

use tokio_postgres::Client;
use turnstile_connectors::postgres::PostgresError;

/// Where the change feed begins.
#[derive(Debug)]
pub(crate) struct Begin {
    /// Last transaction that lies wholly before it.
    pub(crate) xid: u64,
    /// Every table that it follows, with its schema.
    pub(crate) tables: BTreeSet<String>,
}

/// Returns where a feed on the snapshot of `client` begins.
pub(crate) async fn begin(client: &Client) -> Result<Begin, PostgresError> {
    let row = client
        .query_one(
            "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint - 1,
                    array(SELECT nspname || '.' || relname FROM pg_trigger
                          JOIN pg_class ON pg_class.oid = tgrelid
                          JOIN pg_namespace ON pg_namespace.oid = relnamespace
                          WHERE tgname = 'follow_changes')",
            &[],
        )
        .await?;
    let tables: Vec<String> = row.try_get(1)?;
    Ok(Begin {
        xid: u64::try_from(row.try_get::<_, i64>(0)?).unwrap_or_default(),
        tables: tables.into_iter().collect(),
    })
}
