//! Limits of the account.

use tokio_postgres::{GenericClient, Row};
use turnstile_connectors::postgres::Postgres;

use crate::api::risk_limits::{Figures, RiskLimits, RiskLimitsChange};
use crate::queries::{QueryError, Saved, acting};

/// The profile in force with its limits now.
const SELECT: &str =
    "SELECT p.profile, p.version, p.reason, p.updated_by, p.updated_ts, l.id AS limits_id,
        l.positions_max, l.single_max_pct, l.sector_max_pct, l.market_max_pct,
        l.daily_loss_max_pct, l.total_loss_max_pct, l.active_from, l.active_to
    FROM system.risk_profile p
    LEFT JOIN system.risk_limits l ON l.profile = p.profile
        AND l.active_from <= clock_timestamp()
        AND (l.active_to IS NULL OR l.active_to > clock_timestamp())";

const CHOOSE: &str = "UPDATE system.risk_profile
    SET profile = $1, reason = $2, updated_by = $3, version = version + 1,
        updated_ts = clock_timestamp()
    WHERE version = $4";

/// Times are those of the transaction, so that the old limits end where the new ones begin.
const END: &str = "UPDATE system.risk_limits
    SET active_to = now(), reason = $2, updated_by = $3, updated_ts = clock_timestamp()
    WHERE profile = $1 AND active_from <= now() AND (active_to IS NULL OR active_to > now())";

/// They end at the latest where others of the profile begin.
const BEGIN: &str = "INSERT INTO system.risk_limits (profile, positions_max, single_max_pct,
        sector_max_pct, market_max_pct, daily_loss_max_pct, total_loss_max_pct, active_from,
        active_to, reason, updated_by)
    SELECT $1, $4, $5, $6, $7, $8, $9, now(), least($10::text::timestamptz, (
        SELECT min(active_from) FROM system.risk_limits WHERE profile = $1 AND active_from > now())),
        $2, $3";

/// Returns the limits in force, none where the row of the profile was deleted.
pub(crate) async fn one(db: &Postgres) -> Result<Option<RiskLimits>, QueryError> {
    Ok(load(&**db.client().await?).await?)
}

/// Sets the limits if they stand at the version that the change was made from. What history keeps
/// comes by triggers in the same transaction.
pub(crate) async fn set(
    db: &Postgres,
    change: &RiskLimitsChange,
) -> Result<Saved<RiskLimits>, QueryError> {
    let mut client = db.client().await?;
    let tx = acting(&mut client).await?;
    let RiskLimitsChange {
        profile,
        reason,
        updated_by,
        ..
    } = change;
    let chosen = tx
        .execute(CHOOSE, &[profile, reason, updated_by, &change.version])
        .await?;
    if chosen == 0 {
        let now = load(&**tx).await?;
        return Ok(Saved::unsaved(now.map(|limits| limits.version)));
    }
    tx.execute(END, &[profile, reason, updated_by]).await?;
    let until = change.active_to.map(|until| until.to_string());
    tx.execute(
        BEGIN,
        &[
            profile,
            reason,
            updated_by,
            &change.positions_max,
            &change.single_max_pct,
            &change.sector_max_pct,
            &change.market_max_pct,
            &change.daily_loss_max_pct,
            &change.total_loss_max_pct,
            &until,
        ],
    )
    .await?;
    let limits = load(&**tx).await?;
    tx.commit().await?;
    Ok(limits.map_or(Saved::Missing, Saved::Done))
}

async fn load(client: &impl GenericClient) -> Result<Option<RiskLimits>, tokio_postgres::Error> {
    let row = client.query_opt(SELECT, &[]).await?;
    row.as_ref().map(limits).transpose()
}

fn limits(row: &Row) -> Result<RiskLimits, tokio_postgres::Error> {
    let figures = match row.try_get::<_, Option<i64>>("limits_id")? {
        None => None,
        Some(_) => Some(Figures {
            positions_max: row.try_get("positions_max")?,
            single_max_pct: row.try_get("single_max_pct")?,
            sector_max_pct: row.try_get("sector_max_pct")?,
            market_max_pct: row.try_get("market_max_pct")?,
            daily_loss_max_pct: row.try_get("daily_loss_max_pct")?,
            total_loss_max_pct: row.try_get("total_loss_max_pct")?,
            active_from: row.try_get("active_from")?,
            active_to: row.try_get("active_to")?,
        }),
    };
    Ok(RiskLimits {
        profile: row.try_get("profile")?,
        limits: figures,
        version: row.try_get("version")?,
        reason: row.try_get("reason")?,
        updated_by: row.try_get("updated_by")?,
        updated_ts: row.try_get("updated_ts")?,
    })
}
