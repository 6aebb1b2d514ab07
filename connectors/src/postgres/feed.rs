//! The change feed: every committed change of the followed tables, exactly once.
//!
//! Transactions commit out of the order in which their numbers were given, so "everything after
//! the last number" misses commits. The feed compares snapshots instead: it delivers what its
//! present snapshot sees and its previous one did not. A transaction is delivered whole; of two
//! that changed one row, the later comes later, because change numbers are given under the lock of
//! the row.
//!
//! Invariants:
//! 1. The position moves when changes are handed out, at once and never otherwise, so a broken
//!    connection or a dropped call repeats nothing and loses nothing.
//! 2. The first snapshot is that of the load at start: what the load saw, the feed does not repeat.
//! 3. One fetch reads one page of whole transactions. Until the last page the remembered snapshot
//!    stays and the transactions handed out are remembered beside it; no transaction of the database
//!    stays open between pages.
//! 4. The feed says so where it cannot go on without a gap: changes that it had not read were
//!    pruned, or the database is not the one it was: the newest change that it handed out is not there.
//! 5. A promoted standby goes on from what was committed and gives numbers of transactions again that the
//!    lost primary had given to some that did not commit. Numbers of changes it does not give again:
//!    whatever is above the newest one handed out is new, even if the snapshot takes it for seen.

use std::sync::Arc;
use std::time::Duration;

use metrics::counter;
use serde_json::Value;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Row, Statement};
use tracing::{info, warn};

use super::listener::listen;
use super::metrics as names;
use super::{Postgres, PostgresError};

/// Somebody may have written with notifications off, or one may be lost with its connection.
const FALLBACK_POLL: Duration = Duration::from_secs(1);
/// What is written right after a fetch waits for so long: under load one fetch, and one step of the
/// engine, carries many transactions.
const SPACING: Duration = Duration::from_millis(10);
const RECONNECT_MIN: Duration = Duration::from_millis(100);
const RECONNECT_MAX: Duration = Duration::from_secs(5);
/// Longer than any statement may run; a server silent for so long is gone.
const ANSWER_MAX: Duration = Duration::from_secs(60);
/// Rows after which a page ends, with the transaction of its last row.
const PAGE_ROWS: i64 = 5_000;
/// Row of `system.sink_progress` that keeps the highest transaction number ever pruned.
const PRUNED: &str = "change_log.pruned_xid";

/// One page: whole transactions that this statement sees and snapshot `$1` did not, or with a change above
/// `$5`, except those of `$2`. The statement's own snapshot comes with it. One row without content says
/// that there is nothing. The first pruned number that `$1` may not have seen is a gap; so is the absence
/// of change `$5` of transaction `$6` that was not pruned, or, where there was none, a numbering behind that
/// of `$1`.
const FETCH: &str = "
    WITH fresh AS (
        SELECT change_id, xid, table_name, op, content,
            max(change_id) OVER (PARTITION BY xid) AS last_id
        FROM system.change_log
        WHERE (xid >= pg_snapshot_xmin($1::text::pg_snapshot)
                AND NOT pg_visible_in_snapshot(xid, $1::text::pg_snapshot)
                OR change_id > $5)
            AND xid::text::bigint <> ALL ($2::bigint[])
    ), page AS (
        SELECT * FROM fresh ORDER BY last_id FETCH FIRST ($3::bigint) ROWS WITH TIES
    )
    SELECT here.snapshot::text, here.is_replaced, here.is_pruned,
        page.xid::text::bigint, page.table_name, page.op, page.content, page.change_id
    FROM (
        SELECT pg_current_snapshot() AS snapshot,
            CASE WHEN $5::bigint IS NULL
                THEN pg_snapshot_xmax(pg_current_snapshot()) < pg_snapshot_xmax($1::text::pg_snapshot)
                ELSE NOT EXISTS (
                    SELECT FROM system.change_log
                    WHERE change_id = $5 AND xid::text::bigint = $6::bigint
                ) AND NOT EXISTS (
                    SELECT FROM system.sink_progress WHERE sink = $4 AND durable_us >= $6
                )
            END AS is_replaced,
            EXISTS (
                SELECT FROM system.sink_progress WHERE sink = $4
                AND durable_us >= pg_snapshot_xmin($1::text::pg_snapshot)::text::bigint
            ) AS is_pruned
    ) here
    LEFT JOIN page ON true
    ORDER BY page.last_id, page.change_id";
/// The snapshot of a load, and the newest change that it sees.
const BEGIN: &str = "
    SELECT pg_current_snapshot()::text, newest.change_id, newest.xid::text::bigint
    FROM (VALUES (1)) AS here
    LEFT JOIN (
        SELECT change_id, xid FROM system.change_log ORDER BY change_id DESC LIMIT 1
    ) newest ON true";

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
    position: Position,
    /// When changes were last handed out.
    told: Option<Instant>,
}

/// What was handed out: all that `seen` sees, and `also`.
#[derive(Debug, Default)]
struct Position {
    seen: String,
    /// Transactions beyond `seen`, while pages of one fetch are left.
    also: Vec<i64>,
    /// The newest change.
    newest: Newest,
}

/// Number and transaction of a change, if there is one.
#[derive(Clone, Copy, Debug, Default)]
struct Newest {
    change_id: Option<i64>,
    xid: Option<i64>,
}

/// One page of changes.
struct Page {
    transactions: Vec<TransactionChanges>,
    xids: Vec<i64>,
    newest: Newest,
    now: String,
    is_last: bool,
}

struct Link {
    client: Client,
    fetch: Statement,
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
        let row = client.query_one(BEGIN, &[]).await?;
        let position = Position {
            seen: row.try_get(0)?,
            also: Vec::new(),
            newest: Newest {
                change_id: row.try_get(1)?,
                xid: row.try_get(2)?,
            },
        };
        let feed = Self {
            postgres: postgres.clone(),
            link: Some(link),
            position,
            told: None,
        };
        Ok((feed, Snapshot { client }))
    }

    /// Waits for changes and returns them, in order, at least one transaction. Survives the loss
    /// of its connection: it connects again and goes on where it was.
    ///
    /// Cancel-safe: a dropped call delivers nothing and forgets nothing.
    ///
    /// # Errors
    /// If it can never go on: [`PostgresError::ChangesLost`], or a statement that the server
    /// refuses for good.
    pub async fn next(&mut self) -> Result<Vec<TransactionChanges>, PostgresError> {
        let (changes, _is_all) = self.fetch(true).await?;
        Ok(changes)
    }

    /// Returns changes that were there when it asked, perhaps none, and whether these are all. Survives
    /// the loss of its connection, and is cancel-safe, as [`Self::next`].
    ///
    /// # Errors
    /// As [`Self::next`].
    pub async fn so_far(&mut self) -> Result<(Vec<TransactionChanges>, bool), PostgresError> {
        self.fetch(false).await
    }

    async fn fetch(
        &mut self,
        waits: bool,
    ) -> Result<(Vec<TransactionChanges>, bool), PostgresError> {
        let mut delay = RECONNECT_MIN;
        loop {
            match self.try_fetch(waits).await {
                Ok((changes, is_all)) => {
                    counter!(names::FEED_TRANSACTIONS)
                        .increment(u64::try_from(changes.len()).unwrap_or_default());
                    return Ok((changes, is_all));
                }
                Err(error) if !error.is_transient() => return Err(error),
                Err(error) => {
                    if self.link.take().is_some() {
                        warn!(%error, "change feed lost its connection");
                        delay = RECONNECT_MIN;
                    }
                    tokio::time::sleep(delay).await;
                    delay = (delay * 2).min(RECONNECT_MAX);
                }
            }
        }
    }

    async fn try_fetch(
        &mut self,
        waits: bool,
    ) -> Result<(Vec<TransactionChanges>, bool), PostgresError> {
        let link = match &mut self.link {
            Some(link) => link,
            empty => {
                let link = empty.insert(Link::open(&self.postgres).await?);
                counter!(names::FEED_RECONNECTS).increment(1);
                info!("change feed connected again");
                link
            }
        };
        if let Some(told) = self.told {
            sleep_until(told + SPACING).await;
        }
        loop {
            let page = link.fetch(&self.position).await?;
            let is_last = page.is_last;
            let changes = self.position.advance(page);
            if !changes.is_empty() {
                self.told = is_last.then(Instant::now);
            }
            if !changes.is_empty() || !waits {
                return Ok((changes, is_last));
            }
            drop(timeout(FALLBACK_POLL, link.woken.notified()).await);
        }
    }
}

impl Position {
    /// Moves past `page` and returns its changes.
    fn advance(&mut self, page: Page) -> Vec<TransactionChanges> {
        if page.is_last {
            self.seen = page.now;
            self.also.clear();
        } else {
            self.also.extend(page.xids);
        }
        if page.newest.change_id > self.newest.change_id {
            self.newest = page.newest;
        }
        page.transactions
    }
}

impl Link {
    async fn open(postgres: &Postgres) -> Result<Self, PostgresError> {
        let listening = listen(postgres, "turnstile_changes", "change feed connection");
        let (client, woken) = listening.await?;
        let fetch = client.prepare(FETCH).await?;
        Ok(Self {
            client,
            fetch,
            woken,
        })
    }

    /// Returns what is visible now beyond `position`, as much as a page holds.
    async fn fetch(&self, position: &Position) -> Result<Page, PostgresError> {
        let Position { seen, also, newest } = position;
        let Newest { change_id, xid } = newest;
        let query = async {
            let parameters: [&(dyn ToSql + Sync); 6] =
                [seen, also, &PAGE_ROWS, &PRUNED, change_id, xid];
            self.client.query(&self.fetch, &parameters).await
        };
        let silent = || PostgresError::Unreachable {
            place: "the connection of the change feed".to_owned(),
            reason: format!("no answer within {} s", ANSWER_MAX.as_secs()),
        };
        let rows = timeout(ANSWER_MAX, query).await.map_err(|_| silent())??;
        Page::read(&rows)
    }
}

impl Page {
    fn read(rows: &[Row]) -> Result<Self, PostgresError> {
        let [first, ..] = rows else {
            return Err(PostgresError::ChangesLost("the fetch gave no snapshot"));
        };
        if first.try_get(1)? {
            return Err(PostgresError::ChangesLost("the database was replaced"));
        }
        if first.try_get(2)? {
            return Err(PostgresError::ChangesLost("unread changes were pruned"));
        }
        let mut page = Self {
            transactions: Vec::new(),
            xids: Vec::new(),
            newest: Newest::default(),
            now: first.try_get(0)?,
            is_last: i64::try_from(rows.len()).is_ok_and(|rows| rows < PAGE_ROWS),
        };
        for row in rows {
            let Some(xid) = row.try_get::<_, Option<i64>>(3)? else {
                continue; // Nothing new.
            };
            let change_id = row.try_get(7)?;
            if change_id > page.newest.change_id {
                page.newest = Newest {
                    change_id,
                    xid: Some(xid),
                };
            }
            let change = RowChange {
                table: row.try_get(4)?,
                is_deleted: row.try_get::<_, &str>(5)? == "DELETE",
                content: row.try_get(6)?,
            };
            match page.transactions.last_mut() {
                Some(last) if page.xids.last() == Some(&xid) => last.changes.push(change),
                _ => {
                    page.xids.push(xid);
                    page.transactions.push(TransactionChanges {
                        xid: u64::try_from(xid).unwrap_or_default(),
                        changes: vec![change],
                    });
                }
            }
        }
        Ok(page)
    }
}

/// Deletes changes older than `age`, and notes how far, so that a reader who had not got there
/// learns it. Changes of transactions that may not have been seen by all stay. Returns how many
/// were deleted.
///
/// # Errors
/// If the statement fails.
pub async fn prune_change_log(postgres: &Postgres, age: Duration) -> Result<u64, PostgresError> {
    let seconds = i64::try_from(age.as_secs()).unwrap_or(i64::MAX);
    let client = postgres.client().await?;
    let row = client
        .query_one(
            "WITH gone AS (
                DELETE FROM system.change_log
                WHERE created_ts < now() - make_interval(secs => $1::bigint::double precision)
                    AND xid < pg_snapshot_xmin(pg_current_snapshot())
                RETURNING xid::text::bigint AS xid
            ), noted AS (
                INSERT INTO system.sink_progress (sink, durable_us)
                SELECT $2, max(xid) FROM gone HAVING count(*) > 0
                ON CONFLICT (sink) DO UPDATE SET updated_ts = now(),
                    durable_us = greatest(sink_progress.durable_us, excluded.durable_us)
            )
            SELECT count(*) FROM gone",
            &[&seconds, &PRUNED],
        )
        .await?;
    Ok(u64::try_from(row.try_get::<_, i64>(0)?).unwrap_or_default())
}
