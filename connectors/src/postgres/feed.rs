//! The change feed: every committed change of the followed tables, exactly once.
//!
//! Transactions commit out of the order in which their numbers were given, so "everything after
//! the last number" misses commits. The feed compares snapshots instead: it delivers what its
//! present snapshot sees and its previous one did not. A transaction is delivered whole; of two
//! that changed one row, the later comes later, because change numbers are given under the lock of
//! the row.
//!
//! Invariants:
//! 1. A snapshot is remembered only after its changes were handed out, so a broken connection
//!    repeats nothing and loses nothing.
//! 2. The first snapshot is that of the load at start: what the load saw, the feed does not repeat.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{Stream, StreamExt, poll_fn};
use metrics::counter;
use serde_json::Value;
use tokio::sync::Notify;
use tokio_postgres::{AsyncMessage, Client, GenericClient, IsolationLevel};
use tracing::{info, warn};

use super::metrics as names;
use super::{Postgres, PostgresError};

/// Somebody may have written with notifications off, or one may be lost with its connection.
const FALLBACK_POLL: Duration = Duration::from_secs(1);
const RECONNECT_MIN: Duration = Duration::from_millis(100);
const RECONNECT_MAX: Duration = Duration::from_secs(5);

/// One changed row.
#[derive(Clone, Debug, PartialEq)]
pub struct RowChange {
    /// Table, with its schema.
    pub table: String,
    /// Whether the row is gone; `content` is what it was.
    pub is_deleted: bool,
    /// The whole row, without large columns.
    pub content: Value,
}

/// All changes of one transaction, in the order in which it made them.
#[derive(Clone, Debug, PartialEq)]
pub struct TransactionChanges {
    /// Number of the transaction.
    pub xid: u64,
    /// Its changes.
    pub changes: Vec<RowChange>,
}

/// The state of the database at one moment, with the feed beginning right after it.
pub struct Snapshot {
    client: Client,
}

impl Snapshot {
    /// Returns the connection, inside a read-only transaction on this snapshot.
    pub fn client(&self) -> &Client {
        &self.client
    }
}

/// Follows the changes of all followed tables.
pub struct ChangeFeed {
    postgres: Postgres,
    link: Option<Link>,
    seen: String,
}

struct Link {
    client: Client,
    woken: Arc<Notify>,
}

impl ChangeFeed {
    /// Opens the feed, and a snapshot in which the caller loads what stands now.
    ///
    /// # Errors
    /// If the server cannot be reached.
    pub async fn open(postgres: &Postgres) -> Result<(Self, Snapshot), PostgresError> {
        // Listening begins before the snapshot, so nothing in between stays unnoticed.
        let link = Link::open(postgres).await?;
        let client = postgres.connect_alone().await?;
        client
            .batch_execute(
                "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = 0",
            )
            .await?;
        let seen = current_snapshot(&client).await?;
        let feed = Self {
            postgres: postgres.clone(),
            link: Some(link),
            seen,
        };
        Ok((feed, Snapshot { client }))
    }

    /// Waits for changes and returns them, in order, at least one transaction. Survives the loss
    /// of its connection: it connects again and goes on where it was.
    ///
    /// Cancel-safe: a dropped call delivers nothing and forgets nothing.
    pub async fn next(&mut self) -> Vec<TransactionChanges> {
        let mut delay = RECONNECT_MIN;
        loop {
            match self.try_next().await {
                Ok(changes) => {
                    counter!(names::FEED_TRANSACTIONS)
                        .increment(u64::try_from(changes.len()).unwrap_or_default());
                    return changes;
                }
                Err(error) => {
                    if self.link.take().is_some() {
                        warn!(%error, "change feed lost its connection");
                    }
                    tokio::time::sleep(delay).await;
                    delay = (delay * 2).min(RECONNECT_MAX);
                }
            }
        }
    }

    async fn try_next(&mut self) -> Result<Vec<TransactionChanges>, PostgresError> {
        if self.link.is_none() {
            self.link = Some(Link::open(&self.postgres).await?);
            counter!(names::FEED_RECONNECTS).increment(1);
            info!("change feed connected again");
        }
        let Self {
            link: Some(link),
            seen,
            ..
        } = self
        else {
            return Ok(Vec::new());
        };
        loop {
            let (changes, now) = link.fetch(seen).await?;
            *seen = now;
            if !changes.is_empty() {
                return Ok(changes);
            }
            drop(tokio::time::timeout(FALLBACK_POLL, link.woken.notified()).await);
        }
    }
}

type Messages = Pin<Box<dyn Stream<Item = Result<AsyncMessage, tokio_postgres::Error>> + Send>>;

impl Link {
    async fn open(postgres: &Postgres) -> Result<Self, PostgresError> {
        let (client, mut connection) = postgres.connect_raw().await?;
        let woken = Arc::new(Notify::new());
        let wake = woken.clone();
        drop(crate::task::spawn("change feed connection", async move {
            let mut messages: Messages = Box::pin(poll_fn(move |cx| connection.poll_message(cx)));
            while let Some(Ok(message)) = messages.next().await {
                if matches!(message, AsyncMessage::Notification(_)) {
                    wake.notify_one();
                }
            }
            wake.notify_one(); // The next fetch finds the connection closed.
        }));
        client.batch_execute("LISTEN turnstile_changes").await?;
        Ok(Self { client, woken })
    }

    /// Returns what is visible now and was not in `seen`, and the present snapshot.
    async fn fetch(
        &mut self,
        seen: &str,
    ) -> Result<(Vec<TransactionChanges>, String), PostgresError> {
        let transaction = self
            .client
            .build_transaction()
            .isolation_level(IsolationLevel::RepeatableRead)
            .read_only(true)
            .start()
            .await?;
        let now = current_snapshot(&transaction).await?;
        if now == seen {
            return Ok((Vec::new(), now));
        }
        let rows = transaction
            .query(
                "SELECT xid::text::bigint, table_name, op, content FROM system.change_log
                 WHERE xid >= pg_snapshot_xmin($1::text::pg_snapshot)
                   AND NOT pg_visible_in_snapshot(xid, $1::text::pg_snapshot)
                 ORDER BY max(change_id) OVER (PARTITION BY xid), change_id",
                &[&seen],
            )
            .await?;
        transaction.commit().await?;
        let mut transactions: Vec<TransactionChanges> = Vec::new();
        let mut places: BTreeMap<u64, usize> = BTreeMap::new();
        for row in rows {
            let xid = u64::try_from(row.try_get::<_, i64>(0)?).unwrap_or_default();
            let place = *places.entry(xid).or_insert_with(|| {
                transactions.push(TransactionChanges {
                    xid,
                    changes: Vec::new(),
                });
                transactions.len() - 1
            });
            transactions[place].changes.push(RowChange {
                table: row.try_get(1)?,
                is_deleted: row.try_get::<_, &str>(2)? == "DELETE",
                content: row.try_get(3)?,
            });
        }
        Ok((transactions, now))
    }
}

async fn current_snapshot(client: &impl GenericClient) -> Result<String, PostgresError> {
    let row = client
        .query_one("SELECT pg_current_snapshot()::text", &[])
        .await?;
    Ok(row.try_get(0)?)
}

/// Deletes changes older than `age`, which every reader has long had. Returns how many.
///
/// # Errors
/// If the statement fails.
pub async fn prune_change_log(postgres: &Postgres, age: Duration) -> Result<u64, PostgresError> {
    let seconds = i64::try_from(age.as_secs()).unwrap_or(i64::MAX);
    let client = postgres.client().await?;
    let deleted = client
        .execute(
            "DELETE FROM system.change_log
             WHERE created_ts < now() - make_interval(secs => $1::bigint::double precision)",
            &[&seconds],
        )
        .await?;
    Ok(deleted)
}
