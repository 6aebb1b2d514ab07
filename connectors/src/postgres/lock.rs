//! Advisory locks on a connection of their own: whoever dies lets go.

use std::time::Duration;

use tokio_postgres::Client;

use super::{Postgres, PostgresError};

/// How often a held lock's connection is proved alive.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// A session-level advisory lock. It is held until released or until its connection ends.
#[derive(Debug)]
pub struct AdvisoryLock {
    client: Client,
    key: i64,
}

impl AdvisoryLock {
    /// Takes the lock, or says that somebody else has it.
    ///
    /// # Errors
    /// [`PostgresError::Locked`], or if the server cannot be reached.
    pub async fn try_take(postgres: &Postgres, key: i64) -> Result<Self, PostgresError> {
        let client = postgres.connect_alone().await?;
        let row = client
            .query_one("SELECT pg_try_advisory_lock($1)", &[&key])
            .await?;
        if row.try_get::<_, bool>(0)? {
            Ok(Self { client, key })
        } else {
            Err(PostgresError::Locked(key))
        }
    }

    /// Takes the lock, waiting until it is free. Dropping the future gives up.
    ///
    /// # Errors
    /// If the server cannot be reached.
    pub async fn wait(postgres: &Postgres, key: i64) -> Result<Self, PostgresError> {
        let client = postgres.connect_alone().await?;
        client.batch_execute("SET statement_timeout = 0").await?;
        client
            .execute("SELECT pg_advisory_lock($1)", &[&key])
            .await?;
        client.batch_execute("RESET statement_timeout").await?;
        Ok(Self { client, key })
    }

    /// Returns when the lock may be lost: its connection no longer answers.
    pub async fn lost(&self) {
        loop {
            tokio::time::sleep(HEARTBEAT).await;
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
