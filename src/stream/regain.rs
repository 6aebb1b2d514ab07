//! Finding the database again: one that takes writes, with the lock of the account free.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use turnstile_connectors::execution::StoreError;
use turnstile_connectors::postgres::{AdvisoryLock, Postgres, PostgresConfig, PostgresError};
use turnstile_connectors::spill::{Restored, Spill, SpillError, restore};

use super::active::{take_lock, wait_for_lock};
use super::remains::Remains;

/// How often a server is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// How long a lock that is held may be that of a session of our own that the server has not ended yet.
const OWN_SESSION_MAX: Duration = Duration::from_secs(3);
const OWN_SESSION_PAUSE: Duration = Duration::from_millis(100);

/// Where the database is looked for, and what is stored there.
pub(super) struct Place<'p> {
    pub(super) config: &'p PostgresConfig,
    pub(super) account: String,
    pub(super) spill: Arc<Spill>,
}

/// A database that takes writes.
pub(super) enum Found {
    /// This process has the lock of the account.
    Free(Box<There>),
    /// Another engine has it.
    Taken(Box<Postgres>),
}

/// A database in which this process holds the lock.
pub(super) struct There {
    pub(super) postgres: Postgres,
    pub(super) lock: AdvisoryLock,
    /// What was kept on disk, and is stored now.
    pub(super) restored: Restored,
}

/// Connects, takes the lock, lets the engine before store what it had decided, and stores what was kept.
/// What was kept is stored also where another engine has the lock.
pub(super) async fn regain(
    place: &Place<'_>,
    remains: &mut Option<Remains>,
) -> anyhow::Result<Found> {
    let postgres = Postgres::connect(place.config).await?;
    let was_active = remains.is_some();
    let lock = match patiently_take_lock(&postgres, &place.account, was_active).await {
        Ok(lock) => lock,
        Err(PostgresError::Locked(_)) => {
            restore(&place.spill, &postgres).await?;
            return Ok(Found::Taken(Box::new(postgres)));
        }
        Err(error) => return Err(error.into()),
    };
    if let Some(remains) = remains.take() {
        remains.let_store().await;
    }
    let restored = restore(&place.spill, &postgres).await?;
    Ok(Found::Free(Box::new(There {
        postgres,
        lock,
        restored,
    })))
}

/// Takes the lock. A server that stood still may need a moment to see that the session before is gone.
async fn patiently_take_lock(
    postgres: &Postgres,
    account: &str,
    was_active: bool,
) -> Result<AdvisoryLock, PostgresError> {
    let until = Instant::now() + OWN_SESSION_MAX;
    loop {
        match take_lock(postgres, account).await {
            Err(PostgresError::Locked(_)) if was_active && Instant::now() < until => {
                tokio::time::sleep(OWN_SESSION_PAUSE).await;
            }
            taken => return taken,
        }
    }
}

/// Waits for the lock that another engine has.
pub(super) async fn stand_by(
    place: &Place<'_>,
    postgres: &Postgres,
) -> Result<AdvisoryLock, PostgresError> {
    wait_for_lock(postgres, &place.account).await
}

/// Waits until a server answers.
pub(super) async fn is_back(config: &PostgresConfig) {
    while Postgres::connect(config).await.is_err() {
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Returns whether an engine did not begin because the database is away.
pub(super) fn is_away(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        if let Some(SpillError::Postgres(error)) = cause.downcast_ref() {
            return error.is_transient();
        }
        if let Some(error) = cause.downcast_ref::<StoreError>() {
            return error.is_transient();
        }
        if let Some(error) = cause.downcast_ref::<PostgresError>() {
            return error.is_transient();
        }
        // No answer of a server: the connection failed.
        let error = cause.downcast_ref::<tokio_postgres::Error>();
        error.is_some_and(|error| error.as_db_error().is_none())
    })
}
