//! The price sink: every tick into `market.prices`, then into the cache.
//!
//! ```text
//! rows (bounded channel) ─> batch (1,000 rows or 20 ms, or asked for) ─> COPY + progress, one commit
//!                                                    ├─> durable: committed up to this logical time
//!                                                    └─> cache: SET price:{symbol}, publish
//! ```
//!
//! Invariants:
//! 1. Rows are committed in order of their logical time; `durable` only grows.
//! 2. A batch is in the database whole or not at all, and its progress with it: after a commit
//!    without an answer the progress says which.
//! 3. The cache is written after the commit, newest value per symbol, by one task.

mod batch;
mod publish;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use metrics::{counter, histogram};
use rust_decimal::Decimal;
use serde::Deserialize;
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_postgres::Client;
use tracing::{info, warn};
use turnstile_dataflows::model::{Price, Symbol};

use super::metrics as names;
use super::{Postgres, PostgresError};
use crate::redis::Cache;
use publish::Publisher;

const RETRY_MIN: Duration = Duration::from_millis(50);
const RETRY_MAX: Duration = Duration::from_secs(5);

/// One row of `market.prices`.
#[derive(Clone, Debug)]
pub struct PriceRow {
    /// Identity of the tick.
    pub logical_us: u64,
    /// What traded.
    pub symbol: Symbol,
    /// Exchange time, microseconds since the epoch (whole seconds on the wire).
    pub exchange_us: u64,
    /// When the frame was read, microseconds since the epoch.
    pub received_us: u64,
    /// Source, such as `KIS_WS`.
    pub source: &'static str,
    /// Price of the trade.
    pub last: Price,
    /// Best bid, if any.
    pub bid: Option<Price>,
    /// Best ask, if any.
    pub ask: Option<Price>,
    /// Shares of this trade.
    pub volume: i64,
    /// Shares of the day so far.
    pub day_volume: Option<i64>,
    /// Value of the day so far, KRW.
    pub day_value: Option<Decimal>,
    /// Change against the previous close, signed.
    pub change: Option<Decimal>,
    /// The same in percent.
    pub change_rate: Option<Decimal>,
    /// Shares at the best bid.
    pub bid_volume: Option<i64>,
    /// Shares at the best ask.
    pub ask_volume: Option<i64>,
    /// Market class of the tick.
    pub session: &'static str,
}

/// Section `[prices]` of the configuration.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PriceSinkConfig {
    /// Rows of one batch at most.
    pub batch_rows: usize,
    /// How long a row waits for others at most.
    #[serde(with = "humantime_serde")]
    pub linger: Duration,
    /// Rows that may wait; a full channel pushes back on the sources.
    pub channel: usize,
}

impl Default for PriceSinkConfig {
    /// Batches are those of `spec/data-flow.md`, section 5.
    fn default() -> Self {
        Self {
            batch_rows: 1_000,
            linger: Duration::from_millis(20),
            channel: 65_536,
        }
    }
}

impl PriceSinkConfig {
    /// Returns every fault, with the path of its key.
    pub fn validate(&self) -> Vec<String> {
        let keys = [("batch_rows", self.batch_rows), ("channel", self.channel)];
        keys.iter()
            .filter(|(_, value)| *value == 0)
            .map(|(key, _)| format!("prices.{key}: at least 1 expected, was 0"))
            .collect()
    }
}

/// The way into the sink. Cheap to clone; the sink ends when all are dropped.
#[derive(Clone, Debug)]
pub struct PriceSinkHandle {
    rows: mpsc::Sender<PriceRow>,
    wanted: Arc<Wanted>,
    durable: watch::Receiver<u64>,
}

/// How far somebody waits for the sink.
#[derive(Debug, Default)]
struct Wanted {
    through_us: AtomicU64,
    asked: Notify,
}

impl PriceSinkHandle {
    /// Hands over a row, waiting where the sink is behind. Returns whether the sink still runs.
    pub async fn send(&self, row: PriceRow) -> bool {
        self.rows.send(row).await.is_ok()
    }

    /// Asks the sink not to linger with anything up to `logical_us`.
    pub fn want(&self, logical_us: u64) {
        self.wanted
            .through_us
            .fetch_max(logical_us, Ordering::Relaxed);
        self.wanted.asked.notify_one();
    }

    /// Returns the logical time up to which everything is committed, as it moves.
    pub fn durable(&self) -> watch::Receiver<u64> {
        self.durable.clone()
    }

    /// Returns how many rows wait.
    pub fn waiting(&self) -> usize {
        self.rows
            .max_capacity()
            .saturating_sub(self.rows.capacity())
    }
}

/// The one writer of `market.prices`.
#[derive(Debug)]
pub struct PriceSink {
    task: JoinHandle<()>,
}

impl PriceSink {
    /// Starts the sink. Nothing at or before the durable time it finds is written again.
    ///
    /// # Errors
    /// If the server cannot be reached.
    pub async fn start(
        config: PriceSinkConfig,
        postgres: &Postgres,
        cache: Cache,
    ) -> Result<(Self, PriceSinkHandle), PostgresError> {
        let client = postgres.connect_alone().await?;
        let durable_us = batch::durable_us(&client).await?;
        let (rows, receiver) = mpsc::channel(config.channel);
        let (durable_sender, durable) = watch::channel(durable_us);
        let wanted = Arc::new(Wanted::default());
        let writer = Writer {
            config,
            postgres: postgres.clone(),
            client: Some(client),
            durable: durable_sender,
            wanted: wanted.clone(),
            publisher: Publisher::start(cache),
            days: BTreeSet::new(),
            symbols: BTreeSet::new(),
        };
        let task = crate::task::spawn("price sink", writer.run(receiver));
        Ok((
            Self { task },
            PriceSinkHandle {
                rows,
                wanted,
                durable,
            },
        ))
    }

    /// Waits until everything handed over is committed. Drop the handles first.
    pub async fn join(self) {
        if let Err(error) = self.task.await {
            warn!(%error, "price sink failed");
        }
    }
}

struct Writer {
    config: PriceSinkConfig,
    postgres: Postgres,
    client: Option<Client>,
    durable: watch::Sender<u64>,
    wanted: Arc<Wanted>,
    publisher: Publisher,
    /// Days whose partition exists.
    days: BTreeSet<u64>,
    /// Symbols with a row in `market.stocks`.
    symbols: BTreeSet<Symbol>,
}

impl Writer {
    async fn run(mut self, mut rows: mpsc::Receiver<PriceRow>) {
        let mut batch = Vec::with_capacity(self.config.batch_rows);
        while rows.recv_many(&mut batch, self.config.batch_rows).await > 0 {
            self.gather(&mut rows, &mut batch).await;
            self.write_until_durable(&batch).await;
            batch.clear();
        }
        self.publisher.stop().await;
    }

    /// Adds rows until the batch is full, the linger is over, or somebody waits.
    async fn gather(&self, rows: &mut mpsc::Receiver<PriceRow>, batch: &mut Vec<PriceRow>) {
        let until = Instant::now() + self.config.linger;
        while batch.len() < self.config.batch_rows {
            let last_us = batch.last().map_or(0, |row| row.logical_us);
            let wanted_us = self.wanted.through_us.load(Ordering::Relaxed);
            if wanted_us > *self.durable.borrow() && wanted_us <= last_us {
                return;
            }
            let room = self.config.batch_rows - batch.len();
            tokio::select! {
                biased;
                received = rows.recv_many(batch, room) => if received == 0 { return },
                () = self.wanted.asked.notified() => {}
                () = tokio::time::sleep_until(until) => return,
            }
        }
    }

    /// Retries without end: a lost tick cannot be had again. The channel fills meanwhile and pushes
    /// back on the sources.
    async fn write_until_durable(&mut self, batch: &[PriceRow]) {
        let Some(last_us) = batch.last().map(|row| row.logical_us) else {
            return;
        };
        let began = Instant::now();
        let mut delay = RETRY_MIN;
        while let Err(error) = self.write(batch).await {
            self.client = None;
            counter!(names::COPY_RETRIES).increment(1);
            if delay == RETRY_MIN {
                warn!(%error, rows = batch.len(), "ticks not written, retrying");
            }
            tokio::time::sleep(delay).await;
            delay = (delay * 2).min(RETRY_MAX);
        }
        if delay > RETRY_MIN {
            info!(rows = batch.len(), "ticks written again");
        }
        self.durable.send_replace(last_us);
        self.publisher.publish(batch);
        histogram!(names::COPY_SECONDS).record(began.elapsed().as_secs_f64());
        counter!(names::COPY_ROWS).increment(u64::try_from(batch.len()).unwrap_or_default());
    }

    async fn write(&mut self, batch: &[PriceRow]) -> Result<(), PostgresError> {
        let is_reconnected = self.client.is_none();
        if is_reconnected {
            self.client = Some(self.postgres.connect_alone().await?);
        }
        let Some(client) = &mut self.client else {
            return Ok(());
        };
        let last_us = batch.last().map_or(0, |row| row.logical_us);
        if is_reconnected && batch::durable_us(client).await? >= last_us {
            return Ok(()); // The commit without an answer had come through.
        }
        batch::ensure_partitions(client, batch, &mut self.days).await?;
        let unknown = batch::ensure_symbols(client, batch, &mut self.symbols).await?;
        for symbol in unknown {
            counter!(names::UNKNOWN_SYMBOLS).increment(1);
            warn!(%symbol, "unknown symbol trades; a placeholder row stands for it");
        }
        batch::write(client, batch).await
    }
}
