//! Finding the database again: one that takes writes, with the lock of the account free.

use std::sync::Arc;
use std::time::Duration;

use tracing::warn;
use turnstile_connectors::execution::StoreError;
use turnstile_connectors::postgres::{
    AdvisoryLock, LockSession, Postgres, PostgresConfig, PostgresError,
};
use turnstile_connectors::spill::{Restored, Spill, SpillError, restore};

use super::active::take_lock;
use super::remains::Remains;

/// How often a server is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How long a server takes to end a session.
const SESSION_END: Duration = Duration::from_millis(200);

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
}

/// Connects, takes the lock, and lets the engine before store what it had decided. What was kept is
/// stored here where another engine has the lock.
pub(super) async fn regain(
    place: &Place<'_>,
    own: Option<&LockSession>,
    remains: &mut Option<Remains>,
) -> anyhow::Result<Found> {
    let postgres = Postgres::connect(place.config).await?;
    // A server that the network was cut from may still have our session of before, with its lock.
    if let Some(own) = own
        && own.end(&postgres).await?
    {
        warn!("a session of before still held the lock; it is ended");
        tokio::time::sleep(SESSION_END).await;
    }
    let lock = match take_lock(&postgres, &place.account).await {
        Ok(lock) => lock,
        Err(PostgresError::Locked(_)) => {
            restore(&place.spill, &postgres, &mut Restored::default()).await?;
            return Ok(Found::Taken(Box::new(postgres)));
        }
        Err(error) => return Err(error.into()),
    };
    if let Some(remains) = remains.take() {
        tokio::select! {
            () = remains.let_store() => {}
            () = lock.lost() => return Err(lost_meanwhile().into()),
        }
    }
    Ok(Found::Free(Box::new(There { postgres, lock })))
}

/// Returns the error of a lock that was lost before an engine lived.
pub(super) fn lost_meanwhile() -> PostgresError {
    PostgresError::Unreachable {
        place: "the connection of the lock".to_owned(),
        reason: "it ended while the engine began".to_owned(),
    }
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
