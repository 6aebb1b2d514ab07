//! A lane: items of one kind, stored in the order in which they come, those that wait together.

use std::sync::Arc;
use std::time::Duration;

use crate::postgres::PostgresClient;
use futures_util::future::BoxFuture;
use metrics::{counter, histogram};
use serde_json::json;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use turnstile_dataflows::invariants::InvariantChange;
use turnstile_dataflows::model::{ActionKey, OrderStatus, Symbol};
use turnstile_dataflows::risk::Intent;
use uuid::Uuid;

use super::super::alarm::{Alarm, Alarms, Level};
use super::super::error::StoreError;
use super::super::ledger::PositionCache;
use super::super::metrics as names;
use super::super::order::{ORDERS_BY_KEY, Order};
use super::super::risk::{RiskGate, Ruling};
use super::super::session::NowUs;
use super::super::store::{Chain, GivenUp, Store};
use super::SinkProgress;
use super::policy::Policy;
use super::unstored::{KeepUnstored, Unstored};
use crate::invariants::InvariantFeed;

/// What a lane stores.
pub(super) trait Storable: Send + Sync + Sized + 'static {
    /// Items that share a transaction at most.
    const TOGETHER: usize;

    /// Sorts items into the order in which their transaction may lock rows; that of their arrival, if
    /// they lock none that others do.
    fn sort(_items: &mut [Item<Self>]) {}

    /// Stores items in one transaction. Returns what became of each, in their order.
    fn store(
        client: PostgresClient,
        items: &[Item<Self>],
        policy: Policy,
    ) -> BoxFuture<'_, Result<Vec<Stored>, StoreError>>;

    /// Returns what it wants to enter and under which action key, for the risk gate; none where it
    /// enters nothing.
    fn entry(&self) -> Option<(Intent, String)> {
        None
    }

    /// Returns what it is about, for an alarm: symbol, position, and the key by which it is found.
    fn subject(&self) -> (Symbol, Option<Uuid>, String);

    /// Returns what is kept of it where the database is away; none where it is no order.
    fn unstored(&self) -> Option<Unstored>;
}

/// Something that the engine said and that waits to be stored.
pub(super) struct Item<T> {
    pub(super) output: Box<T>,
    /// When the frame that caused it was read, microseconds since the Unix epoch.
    pub(super) received_us: Option<u64>,
    /// What the risk gate says of its entry.
    pub(super) ruling: Option<Ruling>,
}

/// What the database made of an item.
pub(super) enum Stored {
    /// A new order.
    Order(Box<Order>),
    /// An order that was there already, perhaps from a commit whose answer was lost.
    Repeated(String),
    /// A verdict without an order.
    Noted,
}

/// What is known of an order after its commit.
struct Followed {
    /// The position that it sells.
    position: Option<Uuid>,
    /// Whether something may become of it still.
    is_live: bool,
}

/// What every lane works with.
#[derive(Clone)]
pub(super) struct Desk {
    pub(super) store: Store,
    pub(super) cache: Arc<dyn PositionCache>,
    pub(super) alarms: Alarms,
    pub(super) gate: RiskGate,
    pub(super) orders: mpsc::Sender<Order>,
    pub(super) policy: Policy,
    /// Items that the lanes are done with.
    pub(super) done: SinkProgress,
    pub(super) now_us: NowUs,
    /// Who asks for a reason where a decision has no order.
    pub(super) invariants: Option<InvariantFeed>,
    /// Where decisions are kept that the database does not take.
    pub(super) keep: Option<KeepUnstored>,
}

impl Desk {
    /// Stores what comes, until the lane is closed or `stop`.
    pub(super) async fn work<T: Storable>(
        self,
        mut items: mpsc::Receiver<Item<T>>,
        stop: CancellationToken,
    ) {
        let mut taken = Vec::new();
        loop {
            let received = items.recv_many(&mut taken, T::TOGETHER);
            if stop.run_until_cancelled(received).await.unwrap_or(0) == 0 {
                return;
            }
            T::sort(&mut taken);
            for item in &mut taken {
                let entry = item.output.entry();
                item.ruling = entry.map(|(intent, key)| self.gate.judge(&intent, &key));
            }
            let work = |client, items| T::store(client, items, self.policy);
            let storing = self.store.persist_all("decision", &stop, &taken, work);
            let stored = self.keep_where_forbidden(&taken, storing).await;
            let is_done =
                |stored: &&Result<Stored, GivenUp>| !matches!(stored, Err(GivenUp::Stopped));
            self.done.note(stored.iter().filter(is_done).count());
            let mut changed = Vec::new();
            for (item, stored) in taken.drain(..).zip(stored) {
                let order = match stored {
                    Ok(stored) => self.follow(item.received_us, stored, &stop).await,
                    Err(GivenUp::Stopped) => None,
                    Err(GivenUp::Refused(error)) => {
                        self.set_aside(&*item.output, &error);
                        None
                    }
                };
                // What becomes of an order that lives gives the room back; one that is over has none.
                let is_live = order.as_ref().is_some_and(|followed| followed.is_live);
                if let Some(ruling) = item.ruling
                    && !is_live
                {
                    self.gate.release(&ruling.action_key);
                }
                changed.extend(order.and_then(|followed| followed.position));
            }
            // A slow cache is not to keep an order back.
            self.cache.forget(&changed).await;
        }
    }

    /// Does `storing`; where it may not be done any more, keeps the items first, so that they outlive the
    /// process.
    async fn keep_where_forbidden<T: Storable, R>(
        &self,
        items: &[Item<T>],
        storing: impl Future<Output = R>,
    ) -> R {
        let mut storing = std::pin::pin!(storing);
        tokio::select! {
            biased;
            stored = &mut storing => return stored,
            () = self.store.forbidden() => {}
        }
        if let Some(keep) = &self.keep {
            let unstored = items.iter().filter_map(|item| item.output.unstored());
            keep(unstored.collect());
        }
        storing.await
    }

    /// After the commit: the latency, the executor. Returns what is known of the order, where there is
    /// one.
    async fn follow(
        &self,
        received_us: Option<u64>,
        stored: Stored,
        stop: &CancellationToken,
    ) -> Option<Followed> {
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
        order.received_us = received_us;
        if let Some(received_us) = received_us {
            let micros = (self.now_us)().saturating_sub(received_us);
            histogram!(names::COMMIT_LATENCY).record(Duration::from_micros(micros));
        }
        let followed = Followed {
            position: order.position,
            is_live: !order.status.is_terminal(),
        };
        // The executor hears of an order that waits for the operator once it is approved. Without an
        // executor the order stays NEW in the database, for the next start.
        if order.status != OrderStatus::PendingApproval {
            drop(stop.run_until_cancelled(self.orders.send(order)).await);
        }
        Some(followed)
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

    fn set_aside(&self, item: &impl Storable, error: &StoreError) {
        counter!(names::SINK_SET_ASIDE).increment(1);
        let (symbol, position, key) = item.subject();
        self.alarms.raise(Alarm {
            level: Level::Critical,
            event: "DECISION_REFUSED",
            symbol: Some(symbol.to_string()),
            position,
            message: format!("decision {key} is set aside: {}", Chain(error)),
            context: json!({"action_key": key}),
        });
        if let Some(invariants) = &self.invariants {
            invariants.tell(InvariantChange::Refused(ActionKey::stored(&key)));
        }
    }
}
