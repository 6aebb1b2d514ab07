//! The hub: hands every price and every change to each client's mailbox.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::api::prices::Price;
use crate::metrics;

/// Where prices come from at present.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Mode {
    /// The price channel of Redis.
    Redis,
    /// PostgreSQL, once a second.
    Polling,
}

/// The live part of the server: its clients, and how its sources are.
pub(crate) struct Live {
    mailboxes: Mutex<BTreeMap<u64, Arc<Mailbox>>>,
    seats: Arc<Semaphore>,
    /// Longest time a client may take to accept one message.
    pub(crate) send_timeout: Duration,
    /// Where prices come from.
    pub(crate) mode: watch::Sender<Mode>,
    /// Last transaction that the change feed has delivered; absent until the feed is open.
    pub(crate) feed_xid: watch::Sender<Option<u64>>,
    /// Ends the clients.
    pub(crate) stop: CancellationToken,
    /// The tasks of the clients.
    pub(crate) tasks: TaskTracker,
}

/// What a client has not been sent yet.
#[derive(Default)]
pub(crate) struct Mailbox {
    pending: Mutex<Pending>,
}

#[derive(Default)]
struct Pending {
    /// Symbols that the client wants; absent: all.
    wanted: Option<BTreeSet<String>>,
    prices: BTreeMap<String, Arc<Price>>,
    tables: BTreeSet<String>,
}

/// The place of one client in the hub. Dropping it gives the place back.
pub(crate) struct Seat {
    id: u64,
    live: Arc<Live>,
    /// What is to be sent.
    pub(crate) mailbox: Arc<Mailbox>,
    _permit: OwnedSemaphorePermit,
}

impl Live {
    /// Makes a hub for at most `clients_max` clients, which end at `stop`.
    pub(crate) fn new(clients_max: usize, send_timeout: Duration, stop: CancellationToken) -> Self {
        Self {
            mailboxes: Mutex::default(),
            seats: Arc::new(Semaphore::new(clients_max.min(Semaphore::MAX_PERMITS))),
            send_timeout,
            mode: watch::Sender::new(Mode::Polling),
            feed_xid: watch::Sender::new(None),
            stop,
            tasks: TaskTracker::new(),
        }
    }

    /// Returns a place for a new client, unless all are taken.
    pub(crate) fn join(self: &Arc<Self>) -> Option<Seat> {
        let permit = Arc::clone(&self.seats).try_acquire_owned().ok()?;
        let mailbox = Arc::<Mailbox>::default();
        let mut mailboxes = lock(&self.mailboxes);
        let id = mailboxes.last_key_value().map_or(0, |(id, _)| id + 1);
        mailboxes.insert(id, Arc::clone(&mailbox));
        report(&mailboxes);
        Some(Seat {
            id,
            live: Arc::clone(self),
            mailbox,
            _permit: permit,
        })
    }

    /// Returns the number of clients.
    pub(crate) fn clients(&self) -> usize {
        lock(&self.mailboxes).len()
    }

    /// Puts `prices` into every mailbox.
    pub(crate) fn publish_prices(&self, prices: Vec<Price>) {
        let prices: Vec<_> = prices.into_iter().map(Arc::new).collect();
        for mailbox in lock(&self.mailboxes).values() {
            mailbox.add_prices(&prices);
        }
    }

    /// Puts the names of changed tables into every mailbox.
    pub(crate) fn publish_changes(&self, tables: &BTreeSet<String>) {
        for mailbox in lock(&self.mailboxes).values() {
            lock(&mailbox.pending).tables.extend(tables.iter().cloned());
        }
    }
}

impl Mailbox {
    /// Limits the prices to `symbols`; none means all.
    pub(crate) fn subscribe(&self, symbols: BTreeSet<String>) {
        let mut pending = lock(&self.pending);
        pending
            .prices
            .retain(|symbol, _| symbols.is_empty() || symbols.contains(symbol));
        pending.wanted = Some(symbols).filter(|symbols| !symbols.is_empty());
    }

    /// Takes everything that is to be sent: the newest price of each symbol, and tables.
    pub(crate) fn take(&self) -> (Vec<Arc<Price>>, BTreeSet<String>) {
        let mut pending = lock(&self.pending);
        let prices = std::mem::take(&mut pending.prices).into_values().collect();
        (prices, std::mem::take(&mut pending.tables))
    }

    fn add_prices(&self, prices: &[Arc<Price>]) {
        let mut pending = lock(&self.pending);
        let Pending {
            wanted,
            prices: newest,
            ..
        } = &mut *pending;
        for price in prices {
            if wanted
                .as_ref()
                .is_some_and(|wanted| !wanted.contains(&price.symbol))
            {
                continue;
            }
            match newest.get_mut(&price.symbol) {
                // The poll after a reconnect repeats what the channel has already brought.
                Some(known) if known.logical_us >= price.logical_us => {}
                Some(known) => *known = Arc::clone(price),
                None => {
                    newest.insert(price.symbol.clone(), Arc::clone(price));
                }
            }
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut mailboxes = lock(&self.live.mailboxes);
        mailboxes.remove(&self.id);
        report(&mailboxes);
    }
}

/// Locks; a panic elsewhere leaves maps that are still good.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn report(mailboxes: &BTreeMap<u64, Arc<Mailbox>>) {
    metrics::ws_clients(u32::try_from(mailboxes.len()).unwrap_or(u32::MAX));
}

#[cfg(test)]
mod tests {
    use rust_decimal::Decimal;

    use super::*;
    use crate::seoul::SeoulTime;

    fn price(symbol: &str, won: i64, logical_us: i64) -> Price {
        Price {
            symbol: symbol.to_owned(),
            price: Decimal::from(won).into(),
            bid: None,
            ask: None,
            change_price: None,
            change_rate: None,
            volume: 1,
            source: "KIS_WS".to_owned(),
            ts: SeoulTime::from_micros(logical_us).unwrap(),
            logical_us,
        }
    }

    fn live(clients_max: usize) -> Arc<Live> {
        let stop = CancellationToken::new();
        Arc::new(Live::new(clients_max, Duration::from_secs(1), stop))
    }

    #[test]
    fn newest_price_of_each_symbol_waits_for_a_slow_client() {
        let live = live(1);
        let seat = live.join().unwrap();
        live.publish_prices(
            (1..=1_000)
                .map(|us| price("005930", 70_000 + us, us))
                .collect(),
        );
        live.publish_prices(vec![price("000660", 1, 2_000), price("005930", 5, 999)]);
        let (prices, _) = seat.mailbox.take();
        let seen: Vec<_> = prices
            .iter()
            .map(|price| (&*price.symbol, price.logical_us))
            .collect();
        assert_eq!(seen, [("000660", 2_000), ("005930", 1_000)]);
        assert!(seat.mailbox.take().0.is_empty());
    }

    #[test]
    fn a_subscription_limits_prices_and_an_empty_one_lifts_the_limit() {
        let live = live(1);
        let seat = live.join().unwrap();
        let symbols = |seat: &Seat| {
            live.publish_prices(vec![price("A", 1, 1), price("B", 1, 1)]);
            seat.mailbox
                .take()
                .0
                .iter()
                .map(|price| price.symbol.clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(symbols(&seat), ["A", "B"]);
        seat.mailbox.subscribe(BTreeSet::from(["B".to_owned()]));
        assert_eq!(symbols(&seat), ["B"]);
        seat.mailbox.subscribe(BTreeSet::new());
        assert_eq!(symbols(&seat), ["A", "B"]);
    }

    #[test]
    fn a_client_too_many_finds_no_seat_until_one_leaves() {
        let live = live(1);
        let seat = live.join().unwrap();
        assert!(live.join().is_none());
        drop(seat);
        assert_eq!(live.clients(), 0);
        assert!(live.join().is_some());
    }

    #[test]
    fn changes_reach_every_client_once() {
        let live = live(2);
        let seats = [live.join().unwrap(), live.join().unwrap()];
        let tables = BTreeSet::from(["trade.orders".to_owned()]);
        live.publish_changes(&tables);
        live.publish_changes(&tables);
        for seat in &seats {
            assert_eq!(seat.mailbox.take().1, tables);
            assert!(seat.mailbox.take().1.is_empty());
        }
    }
}
