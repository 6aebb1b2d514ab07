//! Rows of the configuration.

use std::collections::BTreeMap;

use tokio_postgres::Row;
use turnstile_connectors::postgres::Postgres;

use crate::api::settings::{SettingChange, Stored};
use crate::queries::{QueryError, Saved, acting};

const COLUMNS: &str = "key, value, version, reason, updated_by, updated_ts";

/// Returns all rows by key.
pub(crate) async fn list(db: &Postgres) -> Result<BTreeMap<String, Stored>, QueryError> {
    let client = db.client().await?;
    let query = format!("SELECT {COLUMNS} FROM system.config");
    let rows = client.query(&query, &[]).await?;
    let rows = rows
        .iter()
        .map(|row| Ok((row.try_get("key")?, stored(row)?)));
    rows.collect()
}

/// Returns the row of `key`, or that there is none.
pub(crate) async fn one(db: &Postgres, key: &str) -> Result<Stored, QueryError> {
    let client = db.client().await?;
    let query = format!("SELECT {COLUMNS} FROM system.config WHERE key = $1");
    let row = client.query_opt(&query, &[&key]).await?;
    Ok(row.as_ref().map(stored).transpose()?.unwrap_or_default())
}

/// Saves a value if the row stands at the version that the change was made from.
pub(crate) async fn set(
    db: &Postgres,
    key: &str,
    change: &SettingChange,
) -> Result<Saved<Stored>, QueryError> {
    let mut client = db.client().await?;
    let client = acting(&mut client).await?;
    let query = match change.version {
        0 => format!(
            "INSERT INTO system.config (key, value, reason, updated_by, version)
             VALUES ($1, $2, $3, $4, $5 + 1) ON CONFLICT (key) DO NOTHING RETURNING {COLUMNS}"
        ),
        _ => format!(
            "UPDATE system.config SET value = $2, reason = $3, updated_by = $4
             WHERE key = $1 AND version = $5 RETURNING {COLUMNS}"
        ),
    };
    let SettingChange {
        value,
        version,
        reason,
        updated_by,
    } = change;
    let row = client
        .query_opt(&query, &[&key, value, reason, updated_by, version])
        .await?;
    if let Some(row) = row {
        let saved = stored(&row)?;
        client.commit().await?;
        return Ok(Saved::Done(saved));
    }
    let standing = "SELECT version FROM system.config WHERE key = $1";
    let row = client.query_opt(standing, &[&key]).await?;
    // No row is version 0.
    let version = row.map(|row| row.try_get(0)).transpose()?.unwrap_or(0);
    Ok(Saved::Changed { version })
}

fn stored(row: &Row) -> Result<Stored, tokio_postgres::Error> {
    Ok(Stored {
        value: row.try_get("value")?,
        version: row.try_get("version")?,
        reason: row.try_get("reason")?,
        updated_by: row.try_get("updated_by")?,
        updated_ts: row.try_get("updated_ts")?,
    })
}
