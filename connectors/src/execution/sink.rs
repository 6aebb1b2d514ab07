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
//! 3. Exits never wait for what is said of re-entries.
//! 4. While the database is away everything waits, back to the engine. What the database refuses
//!    is set aside with an alarm, and nothing else stops.

mod exit_order;
mod policy;
mod verdict;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::{join_all, try_join, try_join_all};
use metrics::{counter, histogram};
use serde_json::json;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use turnstile_dataflows::exit::ExitDecision;
use turnstile_dataflows::model::{OrderStatus, PositionId};
use turnstile_dataflows::reentry::{ReentryVerdict, Verdict};
use uuid::Uuid;

use super::alarm::{Alarm, Alarms, Level};
use super::config::ExecutionConfig;
use super::error::StoreError;
use super::ledger::PositionCache;
use super::metrics as names;
use super::order::{ORDERS_BY_KEY, Order};
use super::session::NowUs;
use super::store::{Chain, GivenUp, Store};
use crate::task;
pub(super) use exit_order::warm;
use policy::Policy;
pub use policy::{Approval, TakeProfit};

/// Exits that share a statement at most.
const EXITS_MAX: usize = 64;
/// Verdicts that share a transaction at most, each with a statement of its own.
const VERDICTS_MAX: usize = 16;

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

/// Stores what the engine decides.
pub struct OrderSink {
    desk: Desk,
    lanes: usize,
    lane_queue: usize,
}

/// What every lane works with.
#[derive(Clone)]
struct Desk {
    store: Store,
    prices: PriceProgress,
    cache: Arc<dyn PositionCache>,
    alarms: Alarms,
    orders: mpsc::Sender<Order>,
    policy: Policy,
    now_us: NowUs,
}

/// What the database made of an item.
enum Stored {
    /// A new order.
    Order(Box<Order>),
    /// An order that was there already, perhaps from a commit whose answer was lost.
    Repeated(String),
    /// A verdict without an order.
    Noted,
}

impl OrderSink {
    /// Returns a sink that hands committed orders to `orders`.
    pub fn new(
        config: &ExecutionConfig,
        store: Store,
        prices: PriceProgress,
        cache: Arc<dyn PositionCache>,
        alarms: Alarms,
        orders: mpsc::Sender<Order>,
        now_us: NowUs,
    ) -> Self {
        let lanes = config.sink_lanes.get();
        Self {
            desk: Desk {
                store,
                prices,
                cache,
                alarms,
                orders,
                policy: Policy {
                    approval: config.approval,
                    take_profit: config.take_profit,
                },
                now_us,
            },
            lanes,
            lane_queue: config.sink_queue.get().div_ceil(lanes),
        }
    }

    /// Stores items until their channel closes or `stop`. Items that were not stored by then are
    /// decided again from the same events at the next start.
    pub async fn run(self, mut items: mpsc::Receiver<SinkItem>, stop: CancellationToken) {
        let mut workers = Vec::with_capacity(self.lanes + 1);
        let mut open = |together| {
            let (lane, waiting) = mpsc::channel(self.lane_queue);
            let work = self.desk.clone().work(waiting, together, stop.clone());
            workers.push(task::spawn("order sink lane", work));
            lane
        };
        let exits = open(EXITS_MAX);
        let lanes: Vec<_> = (0..self.lanes).map(|_| open(VERDICTS_MAX)).collect();
        while let Some(Some(item)) = stop.run_until_cancelled(items.recv()).await {
            let lane = match &item.output {
                EngineOutput::Exit(decision) => {
                    self.desk.prices.ask(decision.explanation.tick.micros());
                    &exits
                }
                EngineOutput::Reentry(verdict) => &lanes[lane_of(verdict, self.lanes)],
            };
            // A closed lane means that a worker has ended, which it only does when stopping.
            if stop.run_until_cancelled(lane.send(item)).await.is_none() {
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

/// Returns the position of an exit.
fn position(output: &EngineOutput) -> Option<&PositionId> {
    match output {
        EngineOutput::Exit(decision) => Some(&decision.position),
        EngineOutput::Reentry(_) => None,
    }
}

/// Returns the lane of a verdict: always the same for one candidate.
fn lane_of(verdict: &ReentryVerdict, lanes: usize) -> usize {
    let mut hasher = DefaultHasher::new();
    verdict.candidate.hash(&mut hasher);
    let lanes = u64::try_from(lanes).unwrap_or(1);
    usize::try_from(hasher.finish() % lanes).unwrap_or_default()
}

impl Desk {
    /// Stores what comes, so many items `together` at most.
    async fn work(
        self,
        mut items: mpsc::Receiver<SinkItem>,
        together: usize,
        stop: CancellationToken,
    ) {
        let mut taken = Vec::new();
        loop {
            let received = items.recv_many(&mut taken, together);
            if stop.run_until_cancelled(received).await.unwrap_or(0) == 0 {
                return;
            }
            // Positions are locked in the order that all transactions keep.
            taken.sort_by(|one, other| position(&one.output).cmp(&position(&other.output)));
            let desk = &self;
            let work = |client, items| desk.store_items(client, items).boxed();
            let stored = self
                .store
                .persist_all("decision", &stop, &taken, work)
                .await;
            let mut changed = Vec::new();
            for (item, stored) in taken.drain(..).zip(stored) {
                match stored {
                    Ok(stored) => changed.extend(self.follow(&item, stored, &stop).await),
                    Err(GivenUp::Stopped) => {}
                    Err(GivenUp::Refused(error)) => self.set_aside(&item, &error),
                }
            }
            // A slow cache is not to keep an order back.
            self.cache.forget(&changed).await;
        }
    }

    /// Stores items in one transaction: exits with one statement, verdicts each with its own, all under
    /// way together.
    async fn store_items(
        &self,
        mut client: deadpool_postgres::Object,
        items: &[SinkItem],
    ) -> Result<Vec<Stored>, StoreError> {
        let (mut exits, mut verdicts) = (Vec::new(), Vec::new());
        for item in items {
            match &item.output {
                EngineOutput::Exit(decision) => exits.push(&**decision),
                EngineOutput::Reentry(verdict) => verdicts.push(verdict),
            }
        }
        let policy = self.policy;
        match (&exits[..], &verdicts[..]) {
            // One statement is a transaction by itself.
            (exits, []) => return exit_order::store(&client, exits, policy).await,
            ([], [verdict]) => return Ok(vec![verdict::store(&client, verdict, policy).await?]),
            _ => {}
        }
        let tx = client.transaction().await?;
        // Known to the server by now, each is sent as soon as its turn comes.
        exit_order::prepare(&tx).await?;
        verdict::prepare(&tx).await?;
        let verdicts = verdicts
            .into_iter()
            .map(|verdict| verdict::store(&tx, verdict, policy));
        let exits = exit_order::store(&tx, &exits, policy);
        let (verdicts, exits) = try_join(try_join_all(verdicts), exits).await?;
        tx.commit().await?;
        let (mut exits, mut verdicts) = (exits.into_iter(), verdicts.into_iter());
        let stored = items.iter().filter_map(|item| match item.output {
            EngineOutput::Exit(_) => exits.next(),
            EngineOutput::Reentry(_) => verdicts.next(),
        });
        Ok(stored.collect())
    }

    /// After the commit: the latency, the executor. Returns the position that changed.
    async fn follow(
        &self,
        item: &SinkItem,
        stored: Stored,
        stop: &CancellationToken,
    ) -> Option<Uuid> {
        let (kind, order) = match stored {
            Stored::Noted => ("verdict", None),
            Stored::Repeated(action_key) => ("repeated", self.reload(action_key, stop).await),
            Stored::Order(order) => {
                let kind = if order.position.is_some() {
                    "exit"
                } else {
                    "entry"
                };
                (kind, Some(*order))
            }
        };
        counter!(names::SINK_STORED, "kind" => kind).increment(1);
        let mut order = order?;
        order.received_us = item.received_us;
        if let Some(received_us) = item.received_us {
            let micros = (self.now_us)().saturating_sub(received_us);
            let latency = std::time::Duration::from_micros(micros);
            histogram!(names::COMMIT_LATENCY).record(latency);
        }
        let position = order.position;
        // The executor hears of an order that waits for the operator once it is approved. Without an
        // executor the order stays NEW in the database, for the next start.
        if order.status != OrderStatus::PendingApproval {
            drop(stop.run_until_cancelled(self.orders.send(order)).await);
        }
        position
    }

    async fn reload(&self, action_key: String, stop: &CancellationToken) -> Option<Order> {
        let keys = [action_key];
        let keys = &keys;
        let loaded = self
            .store
            .persist("reload of an order", stop, |client| async move {
                let statement = client.prepare_cached(ORDERS_BY_KEY).await?;
                let row = client.query_opt(&statement, &[&keys.as_slice()]).await?;
                row.as_ref().map(Order::read).transpose()
            });
        loaded.await.ok().flatten()
    }

    fn set_aside(&self, item: &SinkItem, error: &StoreError) {
        counter!(names::SINK_SET_ASIDE).increment(1);
        let (symbol, position, key) = match &item.output {
            EngineOutput::Exit(decision) => (
                decision.symbol,
                Uuid::parse_str(decision.position.as_str()).ok(),
                decision.action_key.to_string(),
            ),
            EngineOutput::Reentry(verdict) => {
                let key = match &verdict.verdict {
                    Verdict::Submit { action_key, .. } => action_key.to_string(),
                    Verdict::Cooldown { .. }
                    | Verdict::Watch { .. }
                    | Verdict::Blocked { .. }
                    | Verdict::Expired { .. } => verdict.candidate.to_string(),
                };
                (verdict.symbol, None, key)
            }
        };
        self.alarms.raise(Alarm {
            level: Level::Critical,
            event: "DECISION_REFUSED",
            symbol: Some(symbol.to_string()),
            position,
            message: format!("decision {key} is set aside: {}", Chain(error)),
            context: json!({"action_key": key}),
        });
    }
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
