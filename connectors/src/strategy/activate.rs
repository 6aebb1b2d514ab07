//! Which portfolio of a strategy is in force.

use crate::postgres::Transaction;
use tracing::info;
use uuid::Uuid;

use super::{ActivateError, bounds};
use crate::postgres::{Actor, LogLevel, LogRow, Postgres, begin_as, write_log};
use crate::redis::Cache;

/// Activations of one strategy wait for each other.
const LOCK: &str =
    "SELECT pg_advisory_xact_lock(hashtextextended('turnstile portfolio ' || $1, 0))";
const STANDS: &str = "SELECT strategy_id, status FROM strategy.portfolios WHERE portfolio_id = $1";
const ARCHIVE: &str =
    "UPDATE strategy.portfolios SET status = 'ARCHIVED', archived_ts = clock_timestamp()
    WHERE strategy_id = $1 AND status = 'ACTIVE' RETURNING portfolio_id";
const ACTIVATE: &str = "UPDATE strategy.portfolios SET status = 'ACTIVE', activated_by = $2,
        activation_reason = $3, activated_ts = clock_timestamp()
    WHERE portfolio_id = $1";
/// Whether a draft is newer than the one in force: of a later day, or stored later of the same day. Of
/// two that are equal in both, the one in force stays.
const IS_NEWER: &str = "SELECT NOT EXISTS (SELECT FROM strategy.portfolios a
        WHERE a.strategy_id = d.strategy_id AND a.status = 'ACTIVE'
            AND (a.as_of, a.created_ts) >= (d.as_of, d.created_ts))
    FROM strategy.portfolios d WHERE d.portfolio_id = $1";

/// What an activation did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Activated {
    /// The portfolio in force.
    pub portfolio: Uuid,
    /// Its strategy.
    pub strategy_id: String,
    /// The one that was before.
    pub archived: Option<Uuid>,
}

/// Returns the key of the cached copy of a strategy's portfolio in force.
pub fn portfolio_key(strategy: &str) -> String {
    format!("portfolio:{strategy}")
}

/// Puts a draft in force in the place of the one that is, be that a newer one: who asks means it. The
/// cached copy is deleted after the commit. `who` is named in the row, `actor` in the audit.
///
/// # Errors
/// [`ActivateError::Unknown`], [`ActivateError::NotDraft`], [`ActivateError::BeyondBounds`], or what the
/// database says; then nothing has changed.
pub async fn activate(
    postgres: &Postgres,
    cache: &Cache,
    portfolio: Uuid,
    who: &str,
    why: Option<&str>,
    actor: &Actor,
) -> Result<Activated, ActivateError> {
    let mut client = postgres.client().await?;
    let transaction = begin_as(&mut client, actor).await?;
    let strategy_id = lock_draft(&transaction, portfolio).await?;
    put_in_force(transaction, cache, portfolio, strategy_id, who, why).await
}

/// Puts a draft in force like [`activate`], but only where it is newer than the one that is: of a later
/// day, or stored later of the same day. Otherwise nothing changes, and none is returned. The two are
/// compared while no other activation of the strategy is under way.
///
/// # Errors
/// Those of [`activate`].
pub(super) async fn activate_newer(
    postgres: &Postgres,
    cache: &Cache,
    portfolio: Uuid,
    who: &str,
    why: Option<&str>,
) -> Result<Option<Activated>, ActivateError> {
    let mut client = postgres.client().await?;
    let transaction = client.transaction().await?;
    let strategy_id = lock_draft(&transaction, portfolio).await?;
    let is_newer: bool = transaction
        .query_one(IS_NEWER, &[&portfolio])
        .await?
        .try_get(0)?;
    if !is_newer {
        return Ok(None);
    }
    let activated = put_in_force(transaction, cache, portfolio, strategy_id, who, why).await?;
    Ok(Some(activated))
}

/// Keeps other activations out until the end of `transaction`, and returns the strategy of the draft, which
/// is within the bounds.
async fn lock_draft(
    transaction: &Transaction<'_>,
    portfolio: Uuid,
) -> Result<String, ActivateError> {
    let unknown = || ActivateError::Unknown(portfolio);
    let found = transaction.query_opt(STANDS, &[&portfolio]).await?;
    let strategy_id: String = found.ok_or_else(unknown)?.try_get(0)?;
    transaction.execute(LOCK, &[&strategy_id]).await?;
    let found = transaction.query_opt(STANDS, &[&portfolio]).await?;
    let status: String = found.ok_or_else(unknown)?.try_get(1)?;
    if status != "DRAFT" {
        return Err(ActivateError::NotDraft { portfolio, status });
    }
    bounds::check(transaction, portfolio).await?;
    Ok(strategy_id)
}

/// Puts the draft that `transaction` has locked in force, and commits.
async fn put_in_force(
    transaction: Transaction<'_>,
    cache: &Cache,
    portfolio: Uuid,
    strategy_id: String,
    who: &str,
    why: Option<&str>,
) -> Result<Activated, ActivateError> {
    let archived = transaction.query_opt(ARCHIVE, &[&strategy_id]).await?;
    let archived = archived.map(|row| row.try_get(0)).transpose()?;
    transaction
        .execute(ACTIVATE, &[&portfolio, &who, &why])
        .await?;
    let log = LogRow {
        level: LogLevel::Info,
        module: "strategy",
        event: "PORTFOLIO_ACTIVATED",
        symbol: None,
        position_id: None,
        message: format!("portfolio {portfolio} of strategy {strategy_id} is in force, by {who}"),
        context: serde_json::json!({
            "strategy_id": strategy_id, "portfolio_id": portfolio, "archived": archived,
            "by": who, "reason": why,
        }),
    };
    write_log(&**transaction, &log).await?;
    transaction.commit().await?;
    cache.delete(&[portfolio_key(&strategy_id)]).await;
    info!(%portfolio, strategy_id, who, "portfolio activated");
    Ok(Activated {
        portfolio,
        strategy_id,
        archived,
    })
}
