//! The market regime.

use tokio_postgres::Row;
use turnstile_connectors::postgres::Postgres;
use turnstile_dataflows::model::Regime;

use crate::api::regime::{RegimeChange, RegimeNow};
use crate::queries::{QueryError, acting};

/// Returns the operator's regime and the last snapshot that may count.
pub(crate) async fn one(db: &Postgres) -> Result<Option<RegimeNow>, QueryError> {
    let client = db.client().await?;
    let row = client
        .query_opt(
            "SELECT o.*, s.regime AS snapshot, s.asof_ts, s.source
             FROM market.regime_override o LEFT JOIN LATERAL (
                 SELECT regime, asof_ts, source FROM market.regime_snapshots
                 WHERE asof_ts <= now() + interval '5 minutes'
                 ORDER BY asof_ts DESC, id DESC LIMIT 1) s ON true",
            &[],
        )
        .await?;
    Ok(row.as_ref().map(regime).transpose()?)
}

/// Sets the operator's regime, with a row of history.
pub(crate) async fn set(db: &Postgres, change: &RegimeChange) -> Result<(), QueryError> {
    let mut client = db.client().await?;
    let client = acting(&mut client).await?;
    let name = change.regime.map(Regime::name);
    let until = change.until_ts.map(|until| until.to_string());
    client
        .execute(
            "WITH saved AS (
                 INSERT INTO market.regime_override AS o (regime, until_ts, reason, updated_by)
                 VALUES ($1, $2::text::timestamptz, $3, $4)
                 ON CONFLICT (id) DO UPDATE SET regime = excluded.regime,
                     until_ts = excluded.until_ts, reason = excluded.reason,
                     updated_by = excluded.updated_by, updated_ts = clock_timestamp()
                 RETURNING *
             )
             INSERT INTO trade.reentry_edits (kind, key, content, edited_by, reason)
             SELECT 'REGIME', '1', to_jsonb(saved), $4, $3 FROM saved",
            &[&name, &until, &change.reason, &change.updated_by],
        )
        .await?;
    Ok(client.commit().await?)
}

fn regime(row: &Row) -> Result<RegimeNow, tokio_postgres::Error> {
    Ok(RegimeNow {
        regime: row.try_get("regime")?,
        until_ts: row.try_get("until_ts")?,
        reason: row.try_get("reason")?,
        updated_by: row.try_get("updated_by")?,
        updated_ts: row.try_get("updated_ts")?,
        snapshot: row.try_get("snapshot")?,
        snapshot_asof: row.try_get("asof_ts")?,
        snapshot_source: row.try_get("source")?,
    })
}
