//! One engine of an account is active: the one that holds its lock.

use std::sync::Arc;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::{error, info};
use turnstile_connectors::kis::KisSettings;
use turnstile_connectors::postgres::{AdvisoryLock, Postgres, PostgresError};

use super::life::Loss;

/// Returns the account as the database has it, `12345678-01`.
pub(super) fn account_id(settings: &KisSettings) -> String {
    format!("{}-{}", settings.account.cano(), settings.account.product())
}

/// Takes the lock of the account.
///
/// # Errors
/// [`PostgresError::Locked`] while another engine has it, or if the server cannot be reached.
pub(super) async fn take_lock(
    postgres: &Postgres,
    account: &str,
) -> Result<AdvisoryLock, PostgresError> {
    AdvisoryLock::try_take(postgres, key(postgres, account).await?).await
}

/// Takes the lock of the account as soon as the engine that has it lets go.
///
/// # Errors
/// If the server cannot be reached.
pub(super) async fn wait_for_lock(
    postgres: &Postgres,
    account: &str,
) -> Result<AdvisoryLock, PostgresError> {
    info!("another engine of this account is active; waiting as standby");
    let lock = AdvisoryLock::wait(postgres, key(postgres, account).await?).await?;
    info!("taking over");
    Ok(lock)
}

async fn key(postgres: &Postgres, account: &str) -> Result<i64, PostgresError> {
    let query = "SELECT hashtextextended('turnstile engine ' || $1, 0)";
    let row = postgres
        .client()
        .await?
        .query_one(query, &[&account])
        .await?;
    Ok(row.try_get(0)?)
}

/// Tells when the lock is lost; gives it back at `release`.
pub(super) async fn guard_lock(
    lock: Arc<AdvisoryLock>,
    lost: watch::Sender<Option<Loss>>,
    release: CancellationToken,
) {
    if release.run_until_cancelled(lock.lost()).await.is_some() {
        error!("the lock of the active engine may be lost; it ends");
        lost.send_replace(Some(Loss::Lock));
        return;
    }
    lock.release().await;
}
