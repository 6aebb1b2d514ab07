//! The journal: every input of the engine that is not a tick, with its logical time, in
//! `system.engine_events`. Together with `market.prices` it replays any past day
//! (`turnstile_connectors::stored_day`). Clock seconds decide nothing, so they stand there only with what
//! became stale or fresh in them. Prices that were asked for and lost to a better source are no input and
//! have no row of their own, so they stand there, too.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_postgres::GenericClient;
use tokio_util::sync::CancellationToken;
use tracing::warn;
use turnstile_connectors::exits::metrics::LOST;
use turnstile_connectors::postgres::{Postgres, PostgresError};
use turnstile_connectors::rows::PortionSource;
use turnstile_connectors::task;

const QUEUE: usize = 8_192;
/// Entries written at once; one of a load holds a thousand rows.
const BATCH: usize = 32;
/// How long entries wait for others after a write, like ticks.
const LINGER: Duration = Duration::from_millis(20);
const RETRY: Duration = Duration::from_millis(500);

/// Place of an input among entries of one logical time: what follows from it comes later.
pub(super) const INPUT_SEQ: i32 = 0;

/// One input.
pub(super) struct Entry {
    pub(super) logical_us: u64,
    /// Order among entries of one logical time.
    pub(super) seq: i32,
    pub(super) kind: &'static str,
    pub(super) payload: Payload,
}

/// What an input brought.
pub(super) enum Payload {
    /// Rows as they were told.
    Told(Value),
    /// Rows that were loaded: made into text only when they are written.
    Loaded(PortionSource),
}

impl Payload {
    fn to_json(&self) -> Value {
        match self {
            Self::Told(value) => value.clone(),
            Self::Loaded(source) => source.to_json(),
        }
    }
}

/// The way into the journal. It ends when all of them are dropped.
#[derive(Clone)]
pub(super) struct Journal {
    entries: mpsc::Sender<Entry>,
    /// Cancelled when the database is given up: what finds no room then was never entered.
    abandon: CancellationToken,
    reach: JournalReach,
}

/// How far the journal reaches. Clones share it.
#[derive(Clone, Default)]
pub(super) struct JournalReach {
    announced_us: Arc<AtomicU64>,
    written_us: Arc<AtomicU64>,
}

impl JournalReach {
    /// Returns the logical time of the last input that is noted or about to be; 0 before the first.
    pub(super) fn announced_us(&self) -> u64 {
        self.announced_us.load(Ordering::Acquire)
    }

    /// Returns whether everything up to the input of `announced_us` is stored.
    pub(super) fn has_written(&self, announced_us: u64) -> bool {
        self.written_us.load(Ordering::Acquire) >= announced_us
    }
}

impl Journal {
    /// Returns the way into the journal, and the task that writes it.
    pub(super) fn start(
        postgres: &Postgres,
        abandon: CancellationToken,
        stop: CancellationToken,
    ) -> (Self, JoinHandle<()>) {
        let (entries, receiver) = mpsc::channel(QUEUE);
        let reach = JournalReach::default();
        let written_us = reach.written_us.clone();
        let writing = run(postgres.clone(), receiver, written_us, stop);
        let task = task::spawn("journal", writing);
        let journal = Self {
            entries,
            abandon,
            reach,
        };
        (journal, task)
    }

    /// Returns how far it reaches, as it moves.
    pub(super) fn reach(&self) -> JournalReach {
        self.reach.clone()
    }

    /// Says that an input of this time will be noted, before the engine is told of it.
    pub(super) fn announce(&self, logical_us: u64) {
        self.reach.announced_us.store(logical_us, Ordering::Release);
    }

    /// Notes an input, waiting while the journal is behind.
    pub(super) async fn note(&self, entry: Entry) {
        self.announce(entry.logical_us);
        // The journal ends after those who enter.
        let sending = self.abandon.run_until_cancelled(self.entries.send(entry));
        if sending.await.is_none() {
            metrics::counter!(LOST, "kind" => "journal").increment(1);
        }
    }

    /// Notes what follows from inputs, and so can be had again from them: it never waits, and is
    /// counted as lost where there is no room.
    pub(super) fn note_if_there_is_room(&self, entry: Entry) {
        if self.entries.try_send(entry).is_err() {
            metrics::counter!(LOST, "kind" => "journal").increment(1);
        }
    }
}

async fn run(
    postgres: Postgres,
    mut entries: mpsc::Receiver<Entry>,
    written_us: Arc<AtomicU64>,
    stop: CancellationToken,
) {
    let mut batch = Vec::new();
    while entries.recv_many(&mut batch, BATCH).await > 0 {
        let mut has_failed = false;
        while let Err(error) = write(&postgres, &batch).await {
            if !std::mem::replace(&mut has_failed, true) {
                warn!(%error, events = batch.len(), "engine events not stored, retrying");
            }
            if stop
                .run_until_cancelled(tokio::time::sleep(RETRY))
                .await
                .is_none()
            {
                return;
            }
        }
        let is_input = |entry: &&Entry| entry.seq == INPUT_SEQ;
        if let Some(last) = batch.iter().rev().find(is_input) {
            written_us.store(last.logical_us, Ordering::Release);
        }
        let is_full = batch.len() == BATCH;
        batch.clear();
        if is_full {
            continue;
        }
        stop.run_until_cancelled(tokio::time::sleep(LINGER)).await;
    }
}

async fn write(postgres: &Postgres, batch: &[Entry]) -> Result<(), PostgresError> {
    let times: Vec<i64> = batch
        .iter()
        .map(|entry| i64::try_from(entry.logical_us).unwrap_or(i64::MAX))
        .collect();
    let seqs: Vec<i32> = batch.iter().map(|entry| entry.seq).collect();
    let kinds: Vec<&str> = batch.iter().map(|entry| entry.kind).collect();
    let payloads: Vec<Value> = batch.iter().map(|entry| entry.payload.to_json()).collect();
    postgres
        .client()
        .await?
        .execute(
            "INSERT INTO system.engine_events (logical_us, seq, kind, payload)
             SELECT * FROM unnest($1::bigint[], $2::integer[], $3::text[], $4::jsonb[])
             ON CONFLICT (logical_us, seq) DO NOTHING",
            &[&times, &seqs, &kinds, &payloads],
        )
        .await?;
    Ok(())
}

/// Returns the last logical time of the journal.
pub(super) async fn last_logical_us(client: &impl GenericClient) -> Result<u64, PostgresError> {
    let row = client
        .query_one(
            "SELECT greatest(
                (SELECT max(logical_us) FROM system.engine_events),
                (SELECT max(decided_us) FROM trade.orders), 0)",
            &[],
        )
        .await?;
    Ok(u64::try_from(row.try_get::<_, i64>(0)?).unwrap_or_default())
}
