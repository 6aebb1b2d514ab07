//! The broker's WebSocket: one connection for each app key, kept up for good, with a desired set of
//! symbols for all.
//!
//! ```text
//! set_symbols ─> pool ─ watch ─> task: session after session ─ mpsc ─> Stamped<KisEvent>
//!     standing <──┘     for each   │  approval key, connect, register, read
//!                                  └─ lost: pause (exponential, jitter), again
//! ```
//!
//! 1. A connection's task is the only one that writes to it. Notices are with the first app key, that
//!    of the account.
//! 2. Every session starts from the stored set: notices first, then the symbols in order.
//! 3. The channel is bounded. At the limit the reader waits and the broker's bytes wait in the
//!    socket; nothing that was read is dropped. A wait longer than the broker's patience costs the
//!    session, and [`KisEvent::Disconnected`] says so.
//! 4. Trades are delivered in the order of the wire, never reordered against other events.
//! 5. Notices are not repeated after a loss: on [`KisEvent::NoticesSubscribed`] ask the daily
//!    orders.

mod assignment;
pub(super) mod control;
mod outbox;
mod pool;
pub(super) mod registrations;
mod session;
mod task;

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use turnstile_dataflows::model::Symbol;

use self::assignment::Assignment;
use self::outbox::Outbox;
pub use self::pool::Standing;
use self::pool::{Member, Pool};
use self::task::{Report, Status, Task};
use super::Clock;
use super::client::KisClient;
use super::notices::Notice;
use super::parse::Trade;
use crate::task::spawn;

/// An event with the time at which its cause was read from the socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamped {
    /// Microseconds since the Unix epoch, from the injected clock. Of the first trade of several.
    pub received_us: u64,
    /// What happened.
    pub event: KisEvent,
}

/// What the WebSocket says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KisEvent {
    /// A session is open; its registrations follow. After a loss this is the reconnect. How many there
    /// are tells [`Standing`].
    Connected,
    /// The session is lost, or the first attempt after one failed. Quotes and notices are missing
    /// from here to the next `Connected`.
    Disconnected {
        /// Why.
        reason: String,
    },
    /// Execution notices are on. Those of the time before are lost: ask the daily orders.
    NoticesSubscribed,
    /// Trades of this symbol are on.
    Subscribed(Symbol),
    /// Trades of this symbol are off, as wished.
    Unsubscribed(Symbol),
    /// Trades of this symbol are not to be had now; it is tried again by itself.
    SubscriptionRefused {
        /// The symbol.
        symbol: Symbol,
        /// Code of the broker; `OPSP0008` where the session is full.
        code: String,
        /// What the broker says.
        message: String,
    },
    /// The broker takes only this many registrations in a session, notices included. What is configured
    /// is said again once the lower limit has lapsed.
    LimitLearned {
        /// Registrations, at least 1.
        registrations: usize,
    },
    /// Trades in the order of the wire, never empty.
    Trades(Vec<Trade>),
    /// A notice about one of the account's orders.
    Notice(Notice),
    /// Something that does not read as documented; reported at most every 10 s and place.
    Malformed {
        /// What was being read.
        place: &'static str,
        /// What was expected and what was there.
        reason: String,
        /// Beginning of the text, where that is market data.
        excerpt: String,
        /// Reports of this place that were left out since the last.
        suppressed: u64,
    },
}

/// Handle of the connections. Dropping it stops their tasks.
#[derive(Debug)]
pub struct KisStream {
    wanted: watch::Sender<BTreeSet<Symbol>>,
}

/// What starting the stream gives.
#[derive(Debug)]
pub struct KisStreamParts {
    /// The handle: sets the symbols.
    pub stream: KisStream,
    /// The events, bounded; ends when the tasks end.
    pub events: mpsc::Receiver<Stamped>,
    /// What the sessions are good for, as it changes.
    pub standing: watch::Receiver<Standing>,
    /// All tasks. They end only by the stop token, by dropping the handle, or by dropping `events`.
    pub task: JoinHandle<()>,
}

impl KisStream {
    /// Starts a connection for each of the clients, with the symbols `wanted`. The first one's app key
    /// is that of the account.
    pub fn start(
        clients: &[KisClient],
        clock: Clock,
        wanted: BTreeSet<Symbol>,
        stop: CancellationToken,
    ) -> KisStreamParts {
        let events_max = clients
            .first()
            .map_or(1, |first| first.settings().stream.events_max);
        let (events_tx, events) = mpsc::channel(events_max);
        let closed = clients
            .iter()
            .map(|client| Status::closed(client.settings()));
        let (statuses, statuses_rx) = watch::channel(closed.collect::<Vec<_>>());
        let (standing_tx, standing) = watch::channel(Standing::default());
        let (wanted_tx, wanted_rx) = watch::channel(wanted);
        let (members, wishes): (Vec<_>, Vec<_>) = (0..clients.len())
            .map(|session| Member::new(session == 0))
            .unzip();
        let mut pool = Pool {
            members,
            wanted: wanted_rx,
            statuses: statuses_rx,
            standing: standing_tx,
            assignment: Assignment::default(),
        };
        pool.settle(Instant::now()); // The first sessions find their symbols.
        let sessions = clients.iter().zip(wishes).enumerate();
        let tasks = sessions.map(|(session, (client, wanted))| {
            let task = Task::new(
                client.clone(),
                Arc::clone(&clock),
                wanted,
                Outbox::new(events_tx.clone(), stop.clone()),
                Report::new(statuses.clone(), session),
            );
            spawn("kis session", task.run())
        });
        let tasks = tasks.collect();
        KisStreamParts {
            stream: Self { wanted: wanted_tx },
            events,
            standing,
            task: spawn("kis stream", pool.run(tasks)),
        }
    }

    /// Replaces the set of symbols; the difference is applied to the session. Returns at once.
    ///
    /// More symbols than the session takes are refused in the order of the set.
    pub fn set_symbols(&self, symbols: BTreeSet<Symbol>) {
        self.wanted.send_if_modified(|wanted| {
            let is_new = *wanted != symbols;
            *wanted = symbols;
            is_new
        });
    }
}
