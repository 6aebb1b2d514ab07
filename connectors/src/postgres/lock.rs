//! Advisory locks on a connection of their own: whoever dies lets go.

use std::time::Duration;

use tokio_postgres::Client;
use tokio_util::sync::CancellationToken;

use super::{Postgres, PostgresError};

/// How often a held lock's connection is proved alive.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// How often a lock that somebody else holds is asked for.
const ASK_EVERY: Duration = Duration::from_millis(100);

/// A session-level advisory lock. It is held until released or until its connection ends.
#[derive(Debug)]
pub struct AdvisoryLock {
    client: Client,
    /// Cancelled when the connection ends.
    ended: CancellationToken,
    key: i64,
    session: LockSession,
}

/// The session that holds a lock, as the server knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockSession {
    pid: i32,
    /// When it began; numbers of processes come again.
    began: String,
}

impl LockSession {
    async fn of(client: &Client) -> Result<Self, PostgresError> {
        let query = "SELECT pid, backend_start::text FROM pg_stat_activity
            WHERE pid = pg_backend_pid()";
        let row = client.query_one(query, &[]).await?;
        Ok(Self {
            pid: row.try_get(0)?,
            began: row.try_get(1)?,
        })
    }

    /// Ends it where it still stands, a session of ours that the server has not given up. Returns whether
    /// it did.
    ///
    /// # Errors
    /// If the server cannot be reached.
    pub async fn end(&self, postgres: &Postgres) -> Result<bool, PostgresError> {
        let query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE pid = $1 AND backend_start::text = $2";
        let client = postgres.client().await?;
        let ended = client.query_opt(query, &[&self.pid, &self.began]).await?;
        Ok(ended.is_some())
    }
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
            let session = LockSession::of(&client).await?;
            Ok(Self {
                client,
                ended,
                key,
                session,
            })
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
        // Asked again and again: a server that stands still must not keep whoever waits.
        let take = client.prepare("SELECT pg_try_advisory_lock($1)").await?;
        loop {
            let asked = async { client.query_one(&take, &[&key]).await };
            let answer = tokio::time::timeout(HEARTBEAT, asked).await;
            let row = answer.map_err(|_| silent())??;
            if row.try_get::<_, bool>(0)? {
                let session = LockSession::of(&client).await?;
                return Ok(Self {
                    client,
                    ended,
                    key,
                    session,
                });
            }
            tokio::time::sleep(ASK_EVERY).await;
        }
    }

    /// Returns the session that holds it.
    pub fn session(&self) -> &LockSession {
        &self.session
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
    pub async fn release(&self) {
        let released = self
            .client
            .execute("SELECT pg_advisory_unlock($1)", &[&self.key])
            .await;
        if let Err(error) = released {
            tracing::debug!(%error, "lock not released; it ends with its connection");
        }
    }
}

fn silent() -> PostgresError {
    PostgresError::Unreachable {
        place: "the connection of a lock".to_owned(),
        reason: format!("no answer within {HEARTBEAT:?}"),
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
