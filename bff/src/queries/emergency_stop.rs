//! The emergency stop.

use tokio_postgres::Row;
use turnstile_connectors::postgres::Postgres;

use crate::api::emergency_stop::{EmergencyStop, EmergencyStopChange};
use crate::queries::{QueryError, Saved, acting};

const SELECT: &str = "SELECT is_enabled, version, reason, updated_by, updated_ts
    FROM system.emergency_stop";

/// A stop without a version is set whatever stands, also where the row is gone.
const STOP: &str = "INSERT INTO system.emergency_stop AS s (is_enabled, reason, updated_by)
    VALUES ($1, $2, $3)
    ON CONFLICT (id) DO UPDATE SET is_enabled = excluded.is_enabled, reason = excluded.reason,
        updated_by = excluded.updated_by, version = s.version + 1, updated_ts = clock_timestamp()
    WHERE $4::integer IS NULL OR s.version = $4
    RETURNING is_enabled, version, reason, updated_by, updated_ts";
const CHANGE: &str = "UPDATE system.emergency_stop
    SET is_enabled = $1, reason = $2, updated_by = $3, version = version + 1,
        updated_ts = clock_timestamp()
    WHERE version = $4
    RETURNING is_enabled, version, reason, updated_by, updated_ts";

/// Returns the stop, none where its row was deleted.
pub(crate) async fn one(db: &Postgres) -> Result<Option<EmergencyStop>, QueryError> {
    let row = db.client().await?.query_opt(SELECT, &[]).await?;
    Ok(row.as_ref().map(stop).transpose()?)
}

/// Sets the stop. What history keeps comes by a trigger in the same transaction.
pub(crate) async fn set(
    db: &Postgres,
    change: &EmergencyStopChange,
) -> Result<Saved<EmergencyStop>, QueryError> {
    let mut client = db.client().await?;
    let client = acting(&mut client).await?;
    let EmergencyStopChange {
        is_enabled,
        version,
        reason,
        updated_by,
    } = change;
    let statement = if *is_enabled { STOP } else { CHANGE };
    let saved = client
        .query_opt(statement, &[is_enabled, reason, updated_by, version])
        .await?;
    if let Some(row) = saved {
        let stop = stop(&row)?;
        client.commit().await?;
        return Ok(Saved::Done(stop));
    }
    let now = client.query_opt(SELECT, &[]).await?;
    let now = now.as_ref().map(stop).transpose()?;
    Ok(Saved::unsaved(now.map(|now| now.version)))
}

fn stop(row: &Row) -> Result<EmergencyStop, tokio_postgres::Error> {
    Ok(EmergencyStop {
        is_enabled: row.try_get("is_enabled")?,
        version: row.try_get("version")?,
        reason: row.try_get("reason")?,
        updated_by: row.try_get("updated_by")?,
        updated_ts: row.try_get("updated_ts")?,
    })
}
