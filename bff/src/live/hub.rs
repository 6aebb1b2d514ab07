//! The hub: what all clients read, and how many there are.

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use serde::Serialize;
use serde_json::value::RawValue;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use super::board::Board;
use super::levels::Levels;
use super::messages::ServerMessage;
use super::ring::{Limits, Ring};
use super::snapshots::Snapshots;
use super::topic::Topic;
use crate::api::prices::Price;
use crate::metrics;

/// Least time between two rounds, in which ticks gather: more often than anybody can read, and a client of
/// ten symbols gets one message and not ten.
const SPACING: Duration = Duration::from_millis(40);

/// Where prices come from at present.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Mode {
    /// The price channel of Redis.
    Redis,
    /// PostgreSQL, once a second.
    Polling,
}

/// The live part of the server: what clients read, its clients, and how its sources are.
pub(crate) struct Live {
    core: RwLock<Core>,
    /// Newest price of each symbol since the last round.
    ticks: Mutex<BTreeMap<String, Price>>,
    /// That there are some.
    has_ticks: Notify,
    /// Rises with every change, after it can be read.
    pub(crate) head: watch::Sender<u64>,
    /// Snapshots that several clients share.
    pub(super) snapshots: Snapshots,
    /// What clients were told of levels.
    pub(super) levels: Levels,
    /// Names this run of the server: numbers of another one mean nothing.
    pub(crate) epoch: String,
    seats: Arc<Semaphore>,
    clients_max: usize,
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

/// What clients read.
pub(crate) struct Core {
    /// Changes of rows.
    pub(crate) ring: Ring,
    /// Prices.
    pub(crate) board: Board,
}

/// The place of one client. Dropping it gives the place back.
pub(crate) struct Seat {
    live: Arc<Live>,
    permit: Option<OwnedSemaphorePermit>,
}

impl Live {
    /// Makes a hub for at most `clients_max` clients, which end at `stop`.
    pub(crate) fn new(clients_max: usize, send_timeout: Duration, stop: CancellationToken) -> Self {
        let clients_max = clients_max.min(Semaphore::MAX_PERMITS);
        let core = Core {
            ring: Ring::new(Limits::default()),
            board: Board::default(),
        };
        Self {
            core: RwLock::new(core),
            ticks: Mutex::default(),
            has_ticks: Notify::new(),
            head: watch::Sender::new(0),
            snapshots: Snapshots::default(),
            levels: Levels::default(),
            epoch: Uuid::new_v4().simple().to_string(),
            seats: Arc::new(Semaphore::new(clients_max)),
            clients_max,
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
        self.report();
        Some(Seat {
            live: Arc::clone(self),
            permit: Some(permit),
        })
    }

    /// Returns the number of clients.
    pub(crate) fn clients(&self) -> usize {
        self.clients_max - self.seats.available_permits()
    }

    fn report(&self) {
        metrics::ws_clients(u32::try_from(self.clients()).unwrap_or(u32::MAX));
    }

    /// Returns what clients read. A panic elsewhere leaves it good.
    pub(crate) fn core(&self) -> RwLockReadGuard<'_, Core> {
        self.core.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn core_mut(&self) -> RwLockWriteGuard<'_, Core> {
        self.core.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes what clients read, and wakes them if there is anything new.
    fn change<T>(&self, change: impl FnOnce(&mut Core) -> T) -> T {
        let (changed, head) = {
            let mut core = self.core_mut();
            let changed = change(&mut core);
            (changed, core.ring.head())
        };
        self.head.send_if_modified(|known| {
            let is_new = head > *known;
            *known = head.max(*known);
            is_new
        });
        changed
    }

    /// Tells a change of `topic`; see [`Ring::push`].
    ///
    /// # Errors
    /// What `write` says.
    fn push<E>(
        &self,
        topic: Topic,
        write: impl FnOnce(u64, u64) -> Result<String, E>,
    ) -> Result<(), E> {
        self.change(|core| core.ring.push(topic, write))
    }

    /// Tells rows of `topic` that are new or other than before, and ids of rows that are gone.
    ///
    /// # Errors
    /// As [`ServerMessage::text`].
    pub(crate) fn tell(
        &self,
        topic: Topic,
        upsert: &[Box<RawValue>],
        removed: &[String],
    ) -> Result<(), serde_json::Error> {
        if upsert.is_empty() && removed.is_empty() {
            return Ok(());
        }
        self.push(topic, |seq, after| {
            ServerMessage::Change {
                topic,
                seq,
                after,
                upsert,
                removed,
            }
            .text()
        })
    }

    /// Tells names of tables of which rows have changed.
    ///
    /// # Errors
    /// As [`ServerMessage::text`].
    pub(crate) fn tell_tables(&self, tables: &BTreeSet<String>) -> Result<(), serde_json::Error> {
        self.push(Topic::Tables, |seq, _| {
            ServerMessage::Changed { seq, tables }.text()
        })
    }

    /// Says that changes were missed: everybody gets a snapshot.
    pub(crate) fn forget(&self) {
        self.change(|core| core.ring.forget());
    }

    /// Takes prices, which clients are told in the next round.
    pub(crate) fn take_ticks(&self, prices: Vec<Price>) {
        let mut ticks = self.ticks.lock().unwrap_or_else(PoisonError::into_inner);
        for price in prices {
            match ticks.entry(price.symbol.clone()) {
                Entry::Vacant(place) => {
                    place.insert(price);
                }
                Entry::Occupied(mut known) if known.get().logical_us < price.logical_us => {
                    known.insert(price);
                }
                Entry::Occupied(_later) => {}
            }
        }
        drop(ticks);
        self.has_ticks.notify_one();
    }

    /// Puts the gathered ticks on the board.
    pub(crate) fn round(&self) {
        let mut ticks = self.ticks.lock().unwrap_or_else(PoisonError::into_inner);
        let gathered = std::mem::take(&mut *ticks);
        drop(ticks);
        if !gathered.is_empty() {
            self.on_board(|seq, board| board.set(seq, gathered.into_values()));
        }
    }

    /// Puts prices on the board at once: known ones that a client asks for.
    pub(crate) fn show(&self, prices: Vec<Price>) {
        self.on_board(|seq, board| board.set(seq, prices));
    }

    /// Takes which best prices are stale.
    pub(crate) fn judge(&self, staleness: BTreeMap<String, bool>) {
        self.on_board(|seq, board| board.judge(seq, staleness));
    }

    /// Changes the board under the next number, which is used up if there is a change.
    fn on_board(&self, change: impl FnOnce(u64, &mut Board) -> bool) {
        self.change(|Core { ring, board }| {
            if change(ring.head() + 1, board) {
                ring.take_number();
            }
        });
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        drop(self.permit.take());
        self.live.report();
    }
}

/// Puts ticks on the board as they come, in rounds, until `stop`.
pub(super) async fn rounds(live: Arc<Live>, stop: CancellationToken) {
    let each = async {
        loop {
            live.has_ticks.notified().await;
            live.round();
            sleep(SPACING).await;
        }
    };
    stop.run_until_cancelled(each).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn live(clients_max: usize) -> Arc<Live> {
        let stop = CancellationToken::new();
        Arc::new(Live::new(clients_max, Duration::from_secs(1), stop))
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
    fn clients_are_woken_by_what_is_new_only() {
        let live = live(1);
        let mut head = live.head.subscribe();
        live.round();
        live.judge(BTreeMap::from([("A".to_owned(), true)]));
        assert!(!head.has_changed().unwrap());
        live.push(Topic::Orders, |_, _| Ok::<_, ()>(String::new()))
            .unwrap();
        assert_eq!(*head.borrow_and_update(), 1);
        assert!(live.push(Topic::Orders, |_, _| Err(())).is_err());
        assert!(!head.has_changed().unwrap());
        live.forget();
        assert_eq!(*head.borrow_and_update(), 2);
    }
}
