//! Which portfolio of a strategy is in force.

use tokio_postgres::GenericClient;
use tracing::info;
use uuid::Uuid;

use super::ActivateError;
use crate::postgres::{LogLevel, LogRow, Postgres, write_log};
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
/// A draft of a day after that of the one in force.
const IS_NEWER: &str = "SELECT d.status = 'DRAFT' AND NOT EXISTS (SELECT FROM strategy.portfolios a
        WHERE a.strategy_id = d.strategy_id AND a.status = 'ACTIVE' AND a.as_of > d.as_of)
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

/// Puts a draft in force, in the place of the one that is. The cached copy is deleted after the commit.
///
/// # Errors
/// [`ActivateError::Unknown`], [`ActivateError::NotDraft`], or what the database says; then nothing has
/// changed.
pub async fn activate(
    postgres: &Postgres,
    cache: &Cache,
    portfolio: Uuid,
    who: &str,
    why: Option<&str>,
) -> Result<Activated, ActivateError> {
    let mut client = postgres.client().await?;
    let transaction = client.transaction().await?;
    let unknown = || ActivateError::Unknown(portfolio);
    let found = transaction.query_opt(STANDS, &[&portfolio]).await?;
    let strategy_id: String = found.ok_or_else(unknown)?.try_get(0)?;
    transaction.execute(LOCK, &[&strategy_id]).await?;
    let found = transaction.query_opt(STANDS, &[&portfolio]).await?;
    let status: String = found.ok_or_else(unknown)?.try_get(1)?;
    if status != "DRAFT" {
        return Err(ActivateError::NotDraft { portfolio, status });
    }
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
    write_log(&*transaction, &log).await?;
    transaction.commit().await?;
    cache.delete(&[portfolio_key(&strategy_id)]).await;
    info!(%portfolio, strategy_id, who, "portfolio activated");
    Ok(Activated {
        portfolio,
        strategy_id,
        archived,
    })
}

/// Returns whether a portfolio is a draft, and none of a later day is in force.
pub(super) async fn is_newer_draft(
    client: &impl GenericClient,
    portfolio: Uuid,
) -> Result<bool, tokio_postgres::Error> {
    let row = client.query_opt(IS_NEWER, &[&portfolio]).await?;
    row.map_or(Ok(false), |row| row.try_get(0))
}
