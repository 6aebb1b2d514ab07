//! One engine of an account is active: the one that holds its lock.

use anyhow::Context;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::{error, info};
use turnstile_connectors::kis::KisSettings;
use turnstile_connectors::postgres::{AdvisoryLock, Postgres, PostgresError};

/// Returns the account as the database has it, `12345678-01`.
pub(super) fn account_id(settings: &KisSettings) -> String {
    format!("{}-{}", settings.account.cano(), settings.account.product())
}

/// Takes the lock of the account; waits as a standby while another engine has it.
pub(super) async fn take_lock(
    postgres: &Postgres,
    account: &str,
    stop: &CancellationToken,
) -> anyhow::Result<AdvisoryLock> {
    let row = postgres
        .client()
        .await?
        .query_one(
            "SELECT hashtextextended('turnstile engine ' || $1, 0)",
            &[&account],
        )
        .await?;
    let key: i64 = row.try_get(0)?;
    match AdvisoryLock::try_take(postgres, key).await {
        Ok(lock) => return Ok(lock),
        Err(PostgresError::Locked(_)) => {
            info!("another engine of this account is active; waiting as standby");
        }
        Err(error) => return Err(error.into()),
    }
    let waiting = stop
        .run_until_cancelled(AdvisoryLock::wait(postgres, key))
        .await;
    let lock = waiting.context("stopped while waiting as standby")??;
    info!("taking over");
    Ok(lock)
}

/// Tells when the lock is lost; gives it back at `stop`.
pub(super) async fn guard_lock(
    lock: AdvisoryLock,
    lost: watch::Sender<bool>,
    stop: CancellationToken,
) {
    if stop.run_until_cancelled(lock.lost()).await.is_some() {
        error!("the lock of the active engine may be lost; stopping");
        lost.send_replace(true);
        return;
    }
    lock.release().await;
}
