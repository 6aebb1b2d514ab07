//! The order sink: makes what the engine decides durable, then hands orders to the executor.
//!
//! ```text
//! engine ─> dispatcher ─┬─> exits ────────┐  one transaction       ┌─> executor
//!                       ├─> re-entries ───┼─ for all that waits ───┴─> cache: forget positions
//!                       └─> re-entries ───┘
//! ```
//!
//! 1. An item is stored whole or not at all; items that wait together share a transaction. Doing one
//!    twice equals doing it once: an order by its action key, a verdict by candidate, time and
//!    status.
//! 2. Items of one position, and of one candidate, stay in the order of their logical times.
//! 3. Exits share no transaction with what is said of re-entries; they wait for it only where a lane of
//!    those is full.
//! 4. Entries pass the risk gate. One that is refused is stored as a refusal that may pass.
//! 5. While the database is away everything waits, back to the engine. What the database refuses
//!    is set aside with an alarm, and nothing else stops. Where the engine has lost its lock, what waits is
//!    kept on disk besides.

mod exit_order;
mod lane;
mod policy;
mod unstored;
mod verdict;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::future::join_all;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use turnstile_dataflows::exit::ExitDecision;
use turnstile_dataflows::reentry::ReentryVerdict;
use uuid::Uuid;

use super::alarm::Alarms;
use super::config::ExecutionConfig;
use super::error::StoreError;
use super::ledger::PositionCache;
use super::order::Order;
use super::risk::RiskGate;
use super::session::NowUs;
use super::store::Store;
use crate::invariants::InvariantFeed;
use crate::task;
pub(super) use exit_order::warm;
use lane::{Desk, Item, Storable};
pub(super) use policy::Policy;
pub use policy::{Approval, TakeProfit};
pub use unstored::{KeepUnstored, Unstored};
pub(crate) use verdict::explained;

/// Something that the engine said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EngineOutput {
    /// A decision to sell.
    Exit(Box<ExitDecision>),
    /// A change of a re-entry candidate; may be a decision to buy.
    Reentry(Box<ReentryVerdict>),
}

/// An output with the moment at which its cause was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SinkItem {
    /// What the engine said.
    pub output: EngineOutput,
    /// When the frame that caused it was read, microseconds since the Unix epoch.
    pub received_us: Option<u64>,
}

/// How far prices are durable, and the wish that they were.
#[derive(Clone)]
pub struct PriceProgress {
    durable: watch::Receiver<u64>,
    /// Last logical time of earlier runs: this one's are later.
    begun_us: u64,
    flush: Arc<dyn Fn(u64) + Send + Sync>,
}

impl PriceProgress {
    /// Returns the progress that `durable` tells, of a run whose logical times are later than
    /// `begun_us`; `flush` asks the price sink to write everything up to a logical time at once.
    pub fn new(
        durable: watch::Receiver<u64>,
        begun_us: u64,
        flush: impl Fn(u64) + Send + Sync + 'static,
    ) -> Self {
        Self {
            durable,
            begun_us,
            flush: Arc::new(flush),
        }
    }

    /// Returns whether no price of this run has this time: what is not stored will not be.
    pub(super) fn is_of_an_earlier_run(&self, logical_us: u64) -> bool {
        logical_us <= self.begun_us
    }

    /// Asks for prices up to `logical_us` to be made durable.
    pub(super) fn ask(&self, logical_us: u64) {
        if *self.durable.borrow() < logical_us {
            (self.flush)(logical_us);
        }
    }

    /// Waits until prices up to `logical_us` are durable. Returns whether they are; without a
    /// price sink they never will be.
    pub(super) async fn reached(&self, logical_us: u64) -> bool {
        self.ask(logical_us);
        let mut durable = self.durable.clone();
        durable
            .wait_for(|durable| *durable >= logical_us)
            .await
            .is_ok()
    }
}

/// How many items the sink is done with: stored, or refused by the database for good. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct SinkProgress(Arc<AtomicU64>);

impl SinkProgress {
    /// Returns how many they are.
    pub fn done(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    fn note(&self, items: usize) {
        let items = u64::try_from(items).unwrap_or_default();
        self.0.fetch_add(items, Ordering::Release);
    }
}

/// Stores what the engine decides.
pub struct OrderSink {
    desk: Desk,
    prices: PriceProgress,
    lanes: usize,
    lane_queue: usize,
}

impl OrderSink {
    /// Returns a sink that asks `gate` for entries and hands committed orders to `orders`.
    #[expect(clippy::too_many_arguments, reason = "each is a part of its own")]
    pub fn new(
        config: &ExecutionConfig,
        store: Store,
        prices: PriceProgress,
        cache: Arc<dyn PositionCache>,
        alarms: Alarms,
        gate: RiskGate,
        orders: mpsc::Sender<Order>,
        now_us: NowUs,
    ) -> Self {
        let lanes = config.sink_lanes.get();
        Self {
            desk: Desk {
                store,
                cache,
                alarms,
                gate,
                orders,
                policy: Policy::of(config),
                done: SinkProgress::default(),
                now_us,
                invariants: None,
                keep: None,
            },
            prices,
            lanes,
            lane_queue: config.sink_queue.get().div_ceil(lanes + 1),
        }
    }

    /// Tells `invariants` of decisions that are set aside.
    #[must_use]
    pub fn telling(mut self, invariants: InvariantFeed) -> Self {
        self.desk.invariants = Some(invariants);
        self
    }

    /// Lets `keep` have decisions that may not be stored any more.
    #[must_use]
    pub fn keeping(mut self, keep: KeepUnstored) -> Self {
        self.desk.keep = Some(keep);
        self
    }

    /// Returns how far the sink is, as it moves.
    pub fn progress(&self) -> SinkProgress {
        self.desk.done.clone()
    }

    /// Stores items until their channel closes or `stop`. Items that were not stored by then are
    /// decided again from the same events at the next start.
    pub async fn run(self, mut items: mpsc::Receiver<SinkItem>, stop: CancellationToken) {
        let mut workers = Vec::with_capacity(self.lanes + 1);
        let exits = self.open::<ExitDecision>(&mut workers, &stop);
        let lanes = (0..self.lanes).map(|_| self.open::<ReentryVerdict>(&mut workers, &stop));
        let lanes: Vec<_> = lanes.collect();
        while let Some(Some(item)) = stop.run_until_cancelled(items.recv()).await {
            let SinkItem {
                output,
                received_us,
            } = item;
            let sending = async {
                // A closed lane means that its worker has ended, which it only does when stopping.
                match output {
                    EngineOutput::Exit(output) => {
                        self.prices.ask(output.explanation.tick.micros());
                        let item = Item {
                            output,
                            received_us,
                            ruling: None,
                        };
                        drop(exits.send(item).await);
                    }
                    EngineOutput::Reentry(output) => {
                        let lane = &lanes[lane_of(&output, self.lanes)];
                        let item = Item {
                            output,
                            received_us,
                            ruling: None,
                        };
                        drop(lane.send(item).await);
                    }
                }
            };
            if stop.run_until_cancelled(sending).await.is_none() {
                break;
            }
        }
        drop(exits);
        drop(lanes);
        for ended in join_all(workers).await {
            if let Err(error) = ended {
                std::panic::resume_unwind(error.into_panic());
            }
        }
    }
}

impl OrderSink {
    /// Starts a lane.
    fn open<T: Storable>(
        &self,
        workers: &mut Vec<JoinHandle<()>>,
        stop: &CancellationToken,
    ) -> mpsc::Sender<Item<T>> {
        let (lane, waiting) = mpsc::channel(self.lane_queue);
        let work = self.desk.clone().work(waiting, stop.clone());
        workers.push(task::spawn("order sink lane", work));
        lane
    }
}

/// Returns the lane of a verdict: always the same for one candidate.
fn lane_of(verdict: &ReentryVerdict, lanes: usize) -> usize {
    let mut hasher = DefaultHasher::new();
    verdict.candidate.hash(&mut hasher);
    let lanes = u64::try_from(lanes).unwrap_or(1);
    usize::try_from(hasher.finish() % lanes).unwrap_or_default()
}

/// Returns the identity of the order of an action key: always the same.
pub(super) fn order_id(action_key: &str) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, action_key.as_bytes())
}

/// Reads an identifier that the database knows as a UUID.
fn uuid(text: &str) -> Result<Uuid, StoreError> {
    Uuid::parse_str(text)
        .map_err(|_| StoreError::Inconsistent(format!("identifier must be a UUID, was {text:?}")))
}

/// Returns a logical time as the database has it.
fn micros(us: u64) -> i64 {
    i64::try_from(us).unwrap_or(i64::MAX)
}
