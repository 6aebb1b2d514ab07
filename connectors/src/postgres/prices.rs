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
//! 2. A batch is in the database whole or not at all, and its progress with it. The progress moves
//!    first, only from where the sink left it: its row lock waits for an older connection that may
//!    still be committing, and afterwards says whether the batch is in.
//! 3. The cache is written after the commit, newest value per symbol, by one task.
//!
//! A row at or before the ones taken is a repeat and left out. A row that the database refuses goes
//! to `system.logs`; the rows around it are written.

mod again;
mod batch;
mod names;
mod publish;
mod writer;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::warn;
use turnstile_dataflows::model::{Price, Symbol};

use super::{Postgres, PostgresError};
use crate::redis::Cache;
pub use again::store_again;
pub(crate) use batch::SINK as PRICE_SINK;
use names::Name;
use publish::Publisher;
use writer::{Session, Writer};

/// One row of `market.prices`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    #[serde(deserialize_with = "names::source")]
    pub source: Name,
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
    #[serde(deserialize_with = "names::session")]
    pub session: Name,
}

/// Section `[prices]` of the configuration.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PriceSinkConfig {
    /// Rows that make a batch. Rows that wait by then go with it, up to sixteen times as many.
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

/// Where rows go that the database does not take any more.
#[derive(Clone)]
pub struct Overflow {
    /// Cancelled when the sink is to wait for the database no longer.
    pub abandon: CancellationToken,
    /// Keeps rows elsewhere. Where it does not, the sink goes on trying.
    pub keep: Keep,
}

/// Keeps rows, all or none, and returns whether it has.
pub type Keep = Arc<dyn Fn(&[PriceRow]) -> bool + Send + Sync>;

/// The way into the sink. Cheap to clone; the sink ends when all are dropped.
#[derive(Clone, Debug)]
pub struct PriceSinkHandle {
    rows: mpsc::Sender<PriceRow>,
    wanted: Arc<Wanted>,
    durable: watch::Receiver<u64>,
    /// Logical time of the last row that was handed over.
    sent_us: Arc<AtomicU64>,
}

/// How far the sink has come with what it was handed. Clones share it.
#[derive(Clone, Debug)]
pub struct PriceReach {
    sent_us: Arc<AtomicU64>,
    durable: watch::Receiver<u64>,
}

impl PriceReach {
    /// Returns the logical time of the last row that was handed over; 0 before the first.
    pub fn sent_us(&self) -> u64 {
        self.sent_us.load(Ordering::Acquire)
    }

    /// Returns whether everything up to this logical time is committed.
    pub fn has_stored(&self, logical_us: u64) -> bool {
        *self.durable.borrow() >= logical_us
    }
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
        self.sent_us.store(row.logical_us, Ordering::Release);
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

    /// Returns how far the sink has come with what it was handed, as it moves. It does not keep the sink
    /// going.
    pub fn reach(&self) -> PriceReach {
        PriceReach {
            sent_us: self.sent_us.clone(),
            durable: self.durable(),
        }
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
    /// Starts the sink. Nothing at or before the durable time it finds is written again. Without an
    /// `overflow` it waits for the database for ever.
    ///
    /// # Errors
    /// If the server cannot be reached.
    pub async fn start(
        config: PriceSinkConfig,
        postgres: &Postgres,
        cache: Cache,
        overflow: Option<Overflow>,
    ) -> Result<(Self, PriceSinkHandle), PostgresError> {
        let session = Session::open(postgres).await?;
        let durable_us = batch::durable_us(&session.client).await?;
        let days = batch::ensure_ahead(&session.client).await?;
        let (rows, receiver) = mpsc::channel(config.channel);
        let (durable_sender, durable) = watch::channel(durable_us);
        let wanted = Arc::new(Wanted::default());
        let writer = Writer {
            config,
            postgres: postgres.clone(),
            session: Some(session),
            durable: durable_sender,
            wanted: wanted.clone(),
            publisher: Publisher::start(cache),
            days,
            symbols: BTreeSet::new(),
            taken_us: durable_us,
            begun: Instant::now(),
            overflow,
        };
        let task = crate::task::spawn("price sink", writer.run(receiver));
        Ok((
            Self { task },
            PriceSinkHandle {
                rows,
                wanted,
                durable,
                sent_us: Arc::default(),
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
