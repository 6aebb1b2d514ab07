//! Advisory locks on a connection of their own: whoever dies lets go.

use std::time::Duration;

use tokio_postgres::Client;
use tokio_util::sync::CancellationToken;

use super::{Postgres, PostgresError};

/// How often a held lock's connection is proved alive.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// A session-level advisory lock. It is held until released or until its connection ends.
#[derive(Debug)]
pub struct AdvisoryLock {
    client: Client,
    /// Cancelled when the connection ends.
    ended: CancellationToken,
    key: i64,
}

impl AdvisoryLock {
    /// Takes the lock, or says that somebody else has it.
    ///
    /// # Errors
    /// [`PostgresError::Locked`], or if the server cannot be reached.
    pub async fn try_take(postgres: &Postgres, key: i64) -> Result<Self, PostgresError> {
        let (client, ended) = connect(postgres).await?;
        let row = client
            .query_one("SELECT pg_try_advisory_lock($1)", &[&key])
            .await?;
        if row.try_get::<_, bool>(0)? {
            Ok(Self { client, ended, key })
        } else {
            Err(PostgresError::Locked(key))
        }
    }

    /// Takes the lock, waiting until it is free. Dropping the future gives up.
    ///
    /// # Errors
    /// If the server cannot be reached.
    pub async fn wait(postgres: &Postgres, key: i64) -> Result<Self, PostgresError> {
        let (client, ended) = connect(postgres).await?;
        client.batch_execute("SET statement_timeout = 0").await?;
        client
            .execute("SELECT pg_advisory_lock($1)", &[&key])
            .await?;
        client.batch_execute("RESET statement_timeout").await?;
        Ok(Self { client, ended, key })
    }

    /// Returns when the lock may be lost: its connection ended or no longer answers. Cancel-safe.
    pub async fn lost(&self) {
        loop {
            let pause = tokio::time::sleep(HEARTBEAT);
            if self.ended.run_until_cancelled(pause).await.is_none() {
                return;
            }
            let alive = tokio::time::timeout(HEARTBEAT, self.client.simple_query("SELECT 1")).await;
            if !matches!(alive, Ok(Ok(_))) {
                return;
            }
        }
    }

    /// Lets go at once.
    pub async fn release(self) {
        let released = self
            .client
            .execute("SELECT pg_advisory_unlock($1)", &[&self.key])
            .await;
        if let Err(error) = released {
            tracing::debug!(%error, "lock not released; it ends with its connection");
        }
    }
}

async fn connect(postgres: &Postgres) -> Result<(Client, CancellationToken), PostgresError> {
    let (client, connection) = postgres.connect_raw().await?;
    let ended = CancellationToken::new();
    let end = ended.clone().drop_guard();
    drop(crate::task::spawn("lock connection", async move {
        if let Err(error) = connection.await {
            tracing::warn!(%error, "connection of a lock ended");
        }
        drop(end);
    }));
    Ok((client, ended))
}
