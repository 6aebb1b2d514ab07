//! The executor: puts committed orders to the broker.
//!
//! ```text
//! sink ──┐              session open?           commit     POST      commit
//! scan ──┼─> waiting ── position free? ── task: SENDING ── broker ── SUBMITTED, REJECTED,
//! start ─┘              room?                                        UNKNOWN or NEW again
//! ```
//!
//! 1. No order is put to the broker before its row, its SENDING event and the price it was judged
//!    on are durable.
//! 2. Orders of one position go one after the other; those of different positions side by side.
//! 3. An order whose outcome is unknown is looked up in the broker's complete list: adopted where
//!    it is there, sent again only where it is proved absent.
//! 4. At start, orders of unknown outcome come first, then the whole order list of the day and what
//!    the broker holds; new ones go out when all are settled.

mod cancel;
mod lost_tick;
mod marks;
mod purchases;
mod queue;
mod requests;
mod resolve;
mod scan;
mod send;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use metrics::{counter, gauge};
use serde_json::json;
use tokio::sync::{Mutex, Notify, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, debug, info};
use turnstile_dataflows::model::OrderStatus;
use uuid::Uuid;

use self::marks::Marks;
pub(super) use self::marks::warm;
use self::queue::Queue;
use self::scan::Scanned;
use super::alarm::{Alarm, Alarms, Level};
use super::book::Book;
use super::broker::Broker;
use super::config::ExecutionConfig;
use super::error::StoreError;
use super::foreign::Differences;
use super::holdings::Holdings;
use super::ledger::Ledger;
use super::metrics as names;
use super::order::{OPEN_ORDERS, Order};
use super::poll::OrderPoll;
use super::risk::RiskGate;
use super::session::{NowUs, SessionSource};
use super::sink::PriceProgress;
use super::store::{GivenUp, Store};

/// What the executor works with.
#[derive(Clone)]
pub struct ExecutorParts {
    /// Settings.
    pub config: ExecutionConfig,
    /// The one account that this process trades; orders of others are held.
    pub account: String,
    /// PostgreSQL.
    pub store: Store,
    /// The broker.
    pub broker: Arc<dyn Broker>,
    /// Whether the exchange takes orders.
    pub session: Arc<dyn SessionSource>,
    /// Whether the broker is away: orders are kept back until it is back and reconciled.
    pub is_broker_down: watch::Receiver<bool>,
    /// How far prices are durable.
    pub prices: PriceProgress,
    /// Stores what becomes of orders.
    pub ledger: Ledger,
    /// Orders at the broker.
    pub book: Arc<Book>,
    /// Compares positions with holdings.
    pub holdings: Arc<Holdings>,
    /// Reads the broker's list.
    pub poll: Arc<OrderPoll>,
    /// What purchases by hand have to pass.
    pub gate: RiskGate,
    /// Where alarms are raised.
    pub alarms: Alarms,
    /// Wall clock.
    pub now_us: NowUs,
}

/// Puts committed orders to the broker.
pub struct Executor {
    parts: ExecutorParts,
    ready: watch::Sender<bool>,
    wake: Arc<Notify>,
}

impl ExecutorParts {
    /// Returns why no order may leave now; none while orders may.
    fn why_closed(&self) -> Option<String> {
        if !self.store.may_send() {
            return Some("another engine may be the active one".to_owned());
        }
        if *self.is_broker_down.borrow() {
            return Some("the broker does not answer".to_owned());
        }
        self.session.market().closed
    }
}

/// What became of one turn of an order.
#[derive(Debug)]
enum Turn {
    /// Nothing more to do here.
    Over,
    /// To be taken up again after a pause.
    Again(Box<Order>, Duration),
    /// The database refuses; an alarm was raised, and this run does not take it up again.
    SetAside,
    /// The process stops.
    Stopped,
}

/// What each order's task works with.
#[derive(Clone)]
struct Desk {
    parts: ExecutorParts,
    marks: Marks,
    /// Held while an order of the broker's list is given to one of ours, so that no two take it.
    adopting: Arc<Mutex<()>>,
    stop: CancellationToken,
}

/// Settled by the task of one order: which one, and its position.
type Settled = (Uuid, Option<Uuid>, Turn);

impl Executor {
    /// Returns an executor over these parts.
    pub fn new(parts: ExecutorParts) -> Self {
        Self {
            parts,
            ready: watch::Sender::new(false),
            wake: Arc::default(),
        }
    }

    /// Returns whether orders left open by an earlier run are settled.
    pub fn ready(&self) -> watch::Receiver<bool> {
        self.ready.subscribe()
    }

    /// Returns the bell that makes the executor search the database for new orders at once.
    pub fn wake(&self) -> Arc<Notify> {
        Arc::clone(&self.wake)
    }

    /// Settles what an earlier run left open, then sends orders until `stop`. Calls under way are
    /// given a moment to end; what they leave open is settled at the next start.
    pub async fn run(self, mut orders: mpsc::Receiver<Order>, stop: CancellationToken) {
        let desk = Desk {
            parts: self.parts.clone(),
            marks: Marks::start(&self.parts.store, &stop),
            adopting: Arc::default(),
            stop: stop.clone(),
        };
        let mut queue = Queue::default();
        let mut scanned = Scanned::now();
        if !self.settle_the_past(&desk, &mut queue).await {
            return;
        }
        self.ready.send_replace(true);
        info!(waiting = queue.waiting.len(), "executor ready");
        let mut tasks = JoinSet::new();
        let mut asked = requests::Asked::default();
        // Between the beats of what else is done once in an interval, not with them.
        let every = self.parts.config.scan_interval;
        let mut scan = tokio::time::interval_at(Instant::now() + every / 2, every);
        scan.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            self.dispatch(&desk, &mut queue, &mut tasks);
            let has_room = queue.waiting.len() < self.parts.config.waiting_max.get();
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                Some(settled) = tasks.join_next() => queue.settle(unwrap_task(settled)),
                // Without room the order stays NEW in the database, for a later search.
                Some(order) = orders.recv() => {
                    if has_room { queue.add(order) } else { queue.has_left_out = true }
                }
                _ = scan.tick() => {
                    desk.place_purchases().await;
                    self.scan(&desk, &mut queue, &mut scanned).await;
                    self.attend(&desk, &mut queue, &mut tasks, &mut asked).await;
                }
                () = self.wake.notified() => self.scan(&desk, &mut queue, &mut scanned).await,
                () = sleep_until(queue.next_start()) => {}
            }
        }
        let ended = async { while tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(self.parts.config.stop_grace, ended)
            .await
            .is_err()
        {
            debug!(
                "calls to the broker did not end in time, their orders are settled at next start"
            );
        }
    }

    /// Looks up orders of unknown outcome, reads the list of the day, and makes positions what the
    /// broker holds. Returns false if the process stops first.
    async fn settle_the_past(&self, desk: &Desk, queue: &mut Queue) -> bool {
        let Ok(open) = desk.load_open().await else {
            return false;
        };
        let mut unsettled = Vec::new();
        for order in open {
            match (order.status, &order.broker) {
                (OrderStatus::New, _) => queue.add(order),
                (OrderStatus::Sending | OrderStatus::Unknown, _) => unsettled.push(order),
                (_, Some(broker)) => self.parts.book.enter(&order, broker),
                (_, None) => {} // Waits for the operator.
            }
        }
        for turn in join_all(
            unsettled
                .into_iter()
                .map(|order| desk.settle_unknown(order)),
        )
        .await
        {
            match turn {
                Turn::Over | Turn::SetAside => {}
                Turn::Again(order, _) => queue.add(*order),
                Turn::Stopped => return false,
            }
        }
        let nothing = Differences::default();
        self.parts
            .poll
            .read_until_complete(&nothing, &desk.stop)
            .await
            && self.parts.holdings.settle(&desk.stop).await
    }

    /// Starts every order that may go, the most severe first.
    fn dispatch(&self, desk: &Desk, queue: &mut Queue, tasks: &mut JoinSet<Settled>) {
        if !queue.waiting.is_empty() {
            let closed = self.parts.why_closed();
            let now = Instant::now();
            let mut starting = Vec::new();
            let room = self
                .parts
                .config
                .parallel_orders
                .get()
                .saturating_sub(tasks.len());
            for (key, waiting) in &queue.waiting {
                if starting.len() >= room && closed.is_none() {
                    break;
                }
                let order = &waiting.order;
                if let Some((cause, why)) = self.why_held(order, closed.as_deref()) {
                    if queue.held.insert(order.id) {
                        self.report_held(order, cause, why);
                    }
                } else if waiting.not_before <= now
                    && order
                        .position
                        .is_none_or(|position| queue.busy.insert(position))
                {
                    starting.push(*key);
                }
            }
            for key in starting {
                if let Some(waiting) = queue.waiting.remove(&key) {
                    tasks.spawn(desk.clone().take_turn(waiting.order));
                }
            }
        }
        let waiting = u32::try_from(queue.waiting.len()).unwrap_or(u32::MAX);
        gauge!(names::WAITING).set(waiting);
    }

    fn why_held<'a>(
        &self,
        order: &Order,
        closed: Option<&'a str>,
    ) -> Option<(&'static str, &'a str)> {
        if order.account != self.parts.account {
            return Some((
                "account",
                "it belongs to another account than the one traded here",
            ));
        }
        closed.map(|why| ("closed", why))
    }

    fn report_held(&self, order: &Order, cause: &'static str, why: &str) {
        counter!(names::HELD, "cause" => cause).increment(1);
        self.parts.alarms.raise(Alarm {
            level: Level::Info,
            event: "ORDER_HELD",
            symbol: Some(order.symbol.to_string()),
            position: order.position,
            message: format!("order {} is held: {why}", order.action_key),
            context: json!({"order_id": order.id, "cause": cause}),
        });
    }
}

/// Sleeps until `moment`; for ever without one.
async fn sleep_until(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

/// Returns what a task returned; its panic goes on here.
fn unwrap_task<T>(ended: Result<T, tokio::task::JoinError>) -> T {
    match ended {
        Ok(value) => value,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

impl Desk {
    async fn take_turn(self, order: Order) -> Settled {
        let (id, position, span) = (order.id, order.position, order.span());
        let turn = async {
            if matches!(order.status, OrderStatus::Sending | OrderStatus::Unknown) {
                self.settle_unknown(order).await
            } else {
                self.send(order).await
            }
        };
        (id, position, turn.instrument(span).await)
    }

    async fn load_open(&self) -> Result<Vec<Order>, GivenUp> {
        let work = |client: crate::postgres::PostgresClient| async move {
            let statement = client.prepare_cached(OPEN_ORDERS).await?;
            let rows = client.query(&statement, &[]).await?;
            rows.iter().map(Order::read).collect()
        };
        let store = &self.parts.store;
        self.report(store.persist("open orders", &self.stop, work).await)
    }

    fn report<T>(&self, loaded: Result<T, GivenUp>) -> Result<T, GivenUp> {
        if let Err(GivenUp::Refused(error)) = &loaded {
            self.refused("orders cannot be read", None, error);
        }
        loaded
    }

    /// Raises the alarm of work that the database refuses.
    fn refused(&self, what: &str, order: Option<&Order>, error: &StoreError) {
        self.parts.alarms.raise(Alarm {
            level: Level::Critical,
            event: "ORDER_STORE_REFUSED",
            symbol: order.map(|order| order.symbol.to_string()),
            position: order.and_then(|order| order.position),
            message: format!("{what}: {error}"),
            context: json!({"order_id": order.map(|order| order.id)}),
        });
    }
}
