//! Limits of re-entries.

use tokio_postgres::Row;
use turnstile_connectors::postgres::Postgres;

use crate::api::reentry_limits::{Limits, LimitsChange};
use crate::queries::{QueryError, Saved, acting};

/// The row with what percents are of.
const SELECT: &str = "SELECT l.*, e.equity, e.asof_ts FROM trade.reentry_limits l
    LEFT JOIN LATERAL (SELECT equity, asof_ts FROM trade.account_equity
        ORDER BY asof_ts DESC LIMIT 1) e ON true";

/// One statement: the row, and what history keeps of the change.
const CHANGE: &str = "WITH saved AS (
        UPDATE trade.reentry_limits SET entry_regimes = $1, positions_max = $2, exposure_max = $3,
            exposure_max_pct = $4, daily_loss_max = $5, daily_loss_max_pct = $6, reason = $7,
            updated_by = $8, updated_ts = clock_timestamp(), version = version + 1
        WHERE version = $9 RETURNING *
    ), noted AS (
        INSERT INTO trade.reentry_edits (kind, key, content, edited_by, reason)
        SELECT 'LIMITS', '1', to_jsonb(saved), $8, $7 FROM saved
    ) SELECT 1 FROM saved";
const CREATE: &str = "WITH saved AS (
        INSERT INTO trade.reentry_limits (entry_regimes, positions_max, exposure_max,
            exposure_max_pct, daily_loss_max, daily_loss_max_pct, reason, updated_by)
        SELECT $1, $2, $3, $4, $5, $6, $7, $8 WHERE $9::integer IS NULL
        ON CONFLICT (id) DO NOTHING RETURNING *
    ), noted AS (
        INSERT INTO trade.reentry_edits (kind, key, content, edited_by, reason)
        SELECT 'LIMITS', '1', to_jsonb(saved), $8, $7 FROM saved
    ) SELECT 1 FROM saved";

/// Returns the limits, none where their row was deleted.
pub(crate) async fn one(db: &Postgres) -> Result<Option<Limits>, QueryError> {
    let client = db.client().await?;
    let row = client.query_opt(SELECT, &[]).await?;
    Ok(row.as_ref().map(limits).transpose()?)
}

/// Sets the limits if they stand at the version that the change was made from.
pub(crate) async fn set(db: &Postgres, change: &LimitsChange) -> Result<Saved<Limits>, QueryError> {
    let mut client = db.client().await?;
    let client = acting(&mut client).await?;
    let regimes: Vec<&str> = change.entry_regimes.iter().map(|one| one.name()).collect();
    let statement = if change.version.is_some() {
        CHANGE
    } else {
        CREATE
    };
    let saved = client
        .query_opt(
            statement,
            &[
                &regimes,
                &change.positions_max,
                &change.exposure_max,
                &change.exposure_max_pct,
                &change.daily_loss_max,
                &change.daily_loss_max_pct,
                &change.reason,
                &change.updated_by,
                &change.version,
            ],
        )
        .await?;
    let now = client.query_opt(SELECT, &[]).await?;
    let now = now.as_ref().map(limits).transpose()?;
    client.commit().await?;
    Ok(match (saved, now) {
        (Some(_), Some(limits)) => Saved::Done(limits),
        (_, now) => Saved::unsaved(now.map(|limits| limits.version)),
    })
}

fn limits(row: &Row) -> Result<Limits, tokio_postgres::Error> {
    Ok(Limits {
        entry_regimes: row.try_get("entry_regimes")?,
        positions_max: row.try_get("positions_max")?,
        exposure_max: row.try_get("exposure_max")?,
        exposure_max_pct: row.try_get("exposure_max_pct")?,
        daily_loss_max: row.try_get("daily_loss_max")?,
        daily_loss_max_pct: row.try_get("daily_loss_max_pct")?,
        equity: row.try_get("equity")?,
        equity_asof: row.try_get("asof_ts")?,
        version: row.try_get("version")?,
        reason: row.try_get("reason")?,
        updated_by: row.try_get("updated_by")?,
        updated_ts: row.try_get("updated_ts")?,
    })
}
