//! The bell of the change feed, for writers that commit hundreds of times a second.
//!
//! PostgreSQL serializes the commits of transactions that have notified: a lock is held until each is
//! on disk. Connections of [`Postgres::quiet_pool`] therefore do not notify (`turnstile.bell` is off);
//! their writers ring after the commit, and one notification serves all that have rung meanwhile.
//! Where a process dies in between, the feed's own period makes up for it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio_postgres::Client;
use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::{Postgres, PostgresError};
use crate::task;

/// Pause between notifications; the feed reads no more often.
const SPACING: Duration = Duration::from_millis(5);
const RETRY: Duration = Duration::from_millis(500);
/// Nothing is lost with this commit: it need not wait for the disk.
const SETTINGS: &str = "SET synchronous_commit = off";
const NOTIFY: &str = "SELECT pg_notify('turnstile_changes', '')";

/// Tells the followers of changes that something was committed.
#[derive(Clone, Debug)]
pub struct Bell {
    rung: Arc<Notify>,
}

impl Bell {
    /// Starts the bell of a database; it is heard until `stop`.
    pub fn start(postgres: &Postgres, stop: CancellationToken) -> Self {
        let rung = Arc::new(Notify::new());
        let (postgres, heard) = (postgres.clone(), rung.clone());
        drop(task::spawn("bell", async move {
            let mut client = None;
            let ringing = async {
                loop {
                    heard.notified().await;
                    let pause = match notify(&postgres, &mut client).await {
                        Ok(()) => SPACING,
                        Err(error) => {
                            debug!(%error, "followers are not notified");
                            client = None;
                            heard.notify_one();
                            RETRY
                        }
                    };
                    tokio::time::sleep(pause).await;
                }
            };
            stop.run_until_cancelled(ringing).await;
        }));
        Self { rung }
    }

    /// Rings, after a commit.
    pub fn ring(&self) {
        self.rung.notify_one();
    }
}

async fn notify(postgres: &Postgres, client: &mut Option<Client>) -> Result<(), PostgresError> {
    let client = match client {
        Some(client) => client,
        empty => {
            let fresh = postgres.connect_alone().await?;
            fresh.batch_execute(SETTINGS).await?;
            empty.insert(fresh)
        }
    };
    client.batch_execute(NOTIFY).await?;
    Ok(())
}
