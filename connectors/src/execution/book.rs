//! Orders that the broker has and that have not ended, in memory.
//!
//! PostgreSQL holds the truth; the book says quickly which order a broker's number means, tells
//! whoever waits when an order ends, and remembers notices of numbers that nobody knows yet. It is
//! filled again from the database at each start.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::civil::Date;
use metrics::gauge;
use tokio::sync::watch;
use tokio::time::Instant;
use turnstile_dataflows::model::{Quantity, Symbol};
use uuid::Uuid;

use super::broker::{BrokerRef, ListedOrder, Notice, Side};
use super::metrics as names;
use super::order::Order;

/// Numbers that nobody knows, remembered at most.
const STRANGERS_MAX: usize = 1_024;

/// An order at the broker.
#[derive(Clone, Debug)]
pub struct Live {
    /// Identity.
    pub id: Uuid,
    /// How the broker names it.
    pub broker: BrokerRef,
    /// What is traded.
    pub symbol: Symbol,
    /// Whether it is a market order.
    pub is_market: bool,
    /// Whether it is an order of ours with a limit.
    pub is_limited: bool,
    /// Figure of the broker's list.
    pub by_poll: Quantity,
    /// Since when this process has followed it.
    pub since: Instant,
    /// Complete lists without it, one after the other.
    pub missing: u32,
    /// Whether its age was reported.
    pub is_reported: bool,
}

/// What a notice of an unknown number says about the order.
#[derive(Clone, Debug)]
struct Stranger {
    symbol: Symbol,
    side: Side,
    qty: Quantity,
    seen: Instant,
}

#[derive(Debug, Default)]
struct Pages {
    live: BTreeMap<Uuid, Live>,
    by_number: BTreeMap<String, BTreeMap<Date, Uuid>>,
    strangers: BTreeMap<String, Stranger>,
}

/// The orders that the broker has.
#[derive(Debug)]
pub struct Book {
    pages: Mutex<Pages>,
    changed: watch::Sender<u64>,
}

impl Default for Book {
    fn default() -> Self {
        Self {
            pages: Mutex::default(),
            changed: watch::Sender::new(0),
        }
    }
}

impl Book {
    /// Returns how long the order that is followed longest has been.
    pub fn oldest(&self) -> Option<Duration> {
        let pages = self.pages();
        let ages = pages.live.values().map(|live| live.since.elapsed());
        ages.max()
    }

    /// Enters an order that the broker has. Entering it again changes nothing.
    pub fn enter(&self, order: &Order, broker: &BrokerRef) {
        self.put(Live {
            id: order.id,
            broker: broker.clone(),
            symbol: order.symbol,
            is_market: order.limit.is_none(),
            is_limited: order.limit.is_some(),
            by_poll: order.by_poll,
            since: Instant::now(),
            missing: 0,
            is_reported: false,
        });
    }

    /// Enters an order that somebody else gave, as the broker's list has it.
    pub(super) fn follow(&self, id: Uuid, line: &ListedOrder) {
        self.put(Live {
            id,
            broker: line.order.clone(),
            symbol: line.symbol,
            // How long it may stand is not ours to say.
            is_market: false,
            is_limited: false,
            by_poll: line.filled,
            since: Instant::now(),
            missing: 0,
            is_reported: false,
        });
    }

    fn put(&self, live: Live) {
        let mut pages = self.pages();
        let number = live.broker.number.clone();
        let days = pages.by_number.entry(number.clone()).or_default();
        days.insert(live.broker.date, live.id);
        pages.strangers.remove(&number);
        pages.live.entry(live.id).or_insert(live);
        self.tell(pages);
    }

    /// Strikes out an order that has ended.
    pub fn strike(&self, id: Uuid) {
        let mut pages = self.pages();
        let Some(gone) = pages.live.remove(&id) else {
            return;
        };
        if let Some(days) = pages.by_number.get_mut(&gone.broker.number) {
            days.remove(&gone.broker.date);
            if days.is_empty() {
                pages.by_number.remove(&gone.broker.number);
            }
        }
        self.tell(pages);
    }

    /// Returns the live order of a number, the latest where days share it.
    pub fn find(&self, number: &str) -> Option<Uuid> {
        let pages = self.pages();
        let days = pages.by_number.get(number)?;
        days.last_key_value().map(|(_, id)| *id)
    }

    /// Returns every live order, by identity.
    pub fn live(&self) -> Vec<Live> {
        self.pages().live.values().cloned().collect()
    }

    /// Returns the orders of ours with a limit that have stood for at least `age`.
    pub(super) fn resting(&self, age: Duration) -> Vec<Uuid> {
        let pages = self.pages();
        let old = pages
            .live
            .values()
            .filter(|live| live.is_limited && live.since.elapsed() >= age);
        old.map(|live| live.id).collect()
    }

    /// Returns how many orders are live.
    pub fn len(&self) -> usize {
        self.pages().live.len()
    }

    /// Returns whether no order is live.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Changes the notes about a live order.
    pub fn note(&self, id: Uuid, change: impl FnOnce(&mut Live)) {
        if let Some(live) = self.pages().live.get_mut(&id) {
            change(live);
        }
    }

    /// Returns a signal of every entry and every end.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Waits until an order is no longer live; returns whether it ended in time.
    pub async fn ended(&self, id: Uuid, patience: Duration) -> bool {
        let mut changes = self.changes();
        let gone = changes.wait_for(|_| !self.pages().live.contains_key(&id));
        tokio::time::timeout(patience, gone).await.is_ok()
    }

    /// Remembers that the broker spoke of a number that nobody knows.
    pub fn remember_stranger(&self, notice: &Notice) {
        let mut pages = self.pages();
        if pages.strangers.len() >= STRANGERS_MAX {
            let oldest = pages
                .strangers
                .iter()
                .min_by_key(|(_, stranger)| stranger.seen);
            if let Some(number) = oldest.map(|(number, _)| number.clone()) {
                pages.strangers.remove(&number);
            }
        }
        let stranger = Stranger {
            symbol: notice.symbol,
            side: notice.side,
            qty: notice.order_qty,
            seen: Instant::now(),
        };
        pages
            .strangers
            .entry(notice.number.clone())
            .or_insert(stranger);
    }

    /// Returns whether the broker has spoken of an unknown order like this one since `since`.
    pub fn has_stranger_like(&self, order: &Order, since: Instant) -> bool {
        self.pages().strangers.values().any(|stranger| {
            stranger.symbol == order.symbol
                && stranger.side == order.side
                && stranger.qty == order.asked()
                && stranger.seen >= since
        })
    }

    fn tell(&self, pages: MutexGuard<'_, Pages>) {
        let live = u32::try_from(pages.live.len()).unwrap_or(u32::MAX);
        drop(pages);
        gauge!(names::LIVE).set(live);
        self.changed
            .send_modify(|count| *count = count.wrapping_add(1));
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
