//! The sequencer: the only door into the engine. It gives each event its logical time.
//!
//! Invariants:
//! 1. Logical times strictly increase, also across restarts: they begin after the last stored one.
//! 2. A tick has the time of its receipt, or the next free time where that has passed.
//! 3. Every tick goes to the price sink and to the engine under the same time; a price that is no
//!    trade is stored and not judged.

mod desks;
mod pricing;
mod stamp;
mod streamed;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, TrySendError};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use tracing::info;
use turnstile_connectors::execution::{Alarms, BrokerEvent, Notice, OrderPoll, SessionSource};
use turnstile_connectors::invariants::InvariantFeed;
use turnstile_connectors::kis::{Stamped, Standing};
use turnstile_connectors::postgres::{ChangeFeed, PriceSinkHandle, TransactionChanges};
use turnstile_connectors::rows::{Loaded, ReadRows, RowReader};
use turnstile_connectors::seoul::seoul_date;
use turnstile_connectors::task;
use turnstile_dataflows::engine::{Change, Event, Timed};
use turnstile_dataflows::model::{LogicalTime, Symbol};
use turnstile_dataflows::price::Board;

use super::alarms;
use super::clock::ClockWatch;
use super::events::{send_event, timed};
use super::follow::{Followed, follow};
use super::journal::{Entry, INPUT_SEQ, Journal, Payload};
use super::quotes::{Quote, Seen};
use super::risk::RiskFeed;
use super::unprotected::Gap;
pub(super) use stamp::Stamp;

/// Tables that decide what is streamed.
const SUBSCRIBING_TABLES: [&str; 5] = [
    "trade.positions",
    "trade.orders",
    "trade.reentry_candidates",
    "strategy.watchlist",
    "trade.pick_runs",
];
const RULES: &str = "trade.exit_rules";
/// Transactions of the change feed that may wait.
const CHANGES_MAX: usize = 1_024;
const CLOCK_EVERY: Duration = Duration::from_secs(1);

/// Why a sequencer has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// It was asked to.
    Stopped,
    /// The change feed cannot go on: everything has to be loaded again.
    FeedLost,
    /// Something behind it has ended.
    Broken,
}

/// What a sequencer hands over at its end.
pub(super) struct Handed {
    pub(super) end: End,
    pub(super) stamp: Stamp,
    /// The stream; nothing comes of it any more unless the database was given up.
    pub(super) broker: mpsc::Receiver<Stamped>,
    /// A notice that was read and nobody took.
    pub(super) notice: Option<Notice>,
}

pub(super) struct Sequencer {
    pub(super) stamp: Stamp,
    /// Cancelled when the database is given up: what comes of the stream is somebody else's.
    pub(super) abandon: CancellationToken,
    /// A notice that nobody took before that.
    pub(super) left: Option<Notice>,
    /// Whether the clock of the system was set back.
    pub(super) clock_watch: ClockWatch,
    /// For how long nobody has judged the positions.
    pub(super) gap: Gap,
    pub(super) events: SyncSender<Timed>,
    pub(super) prices: PriceSinkHandle,
    pub(super) journal: Journal,
    /// What the risk desk is told.
    pub(super) risk: RiskFeed,
    /// What the standing invariants are told.
    pub(super) invariants: InvariantFeed,
    pub(super) reader: RowReader,
    /// The date in Seoul by which rows are read.
    pub(super) day: String,
    pub(super) alarms: Alarms,
    pub(super) notices: mpsc::Sender<BrokerEvent>,
    pub(super) poll: Arc<OrderPoll>,
    pub(super) subscriptions: Arc<Notify>,
    /// How often the engine is asked for changed levels, and how many of them.
    pub(super) levels_slice: Duration,
    pub(super) levels_quota: usize,
    /// Symbols wanted at start and not confirmed yet.
    pub(super) awaited: BTreeSet<Symbol>,
    pub(super) subscribed: watch::Sender<bool>,
    /// The broker's streams.
    pub(super) standing: watch::Receiver<Standing>,
    /// Sessions that are open.
    pub(super) open: usize,
    /// Whether everything has been entered that had changed between the load and the first seconds.
    pub(super) is_current: bool,
    /// Registrations that a session is asked to take.
    pub(super) registrations_max: usize,
    /// When each symbol was last seen.
    pub(super) seen: Seen,
    /// What becomes a tick.
    pub(super) board: Board,
    /// Whose limits the age of prices has.
    pub(super) session: Arc<dyn SessionSource>,
    /// Symbols whose price fell to another source.
    pub(super) fallen: mpsc::Receiver<Symbol>,
    /// What is wanted of the stream, as it changes.
    pub(super) wishes: mpsc::Receiver<Vec<Change>>,
    /// Who has a slot, as the engine gives them.
    pub(super) given: watch::Receiver<BTreeSet<Symbol>>,
    /// Symbols that the broker may stream in all.
    pub(super) slots_max: usize,
    /// Symbols that it does.
    pub(super) slots: usize,
}

impl Sequencer {
    /// Enters what was loaded, then everything that comes, until `stop`. Hands over what others go on with.
    pub(super) async fn run(
        mut self,
        loaded: Loaded,
        feed: ChangeFeed,
        mut broker: mpsc::Receiver<Stamped>,
        mut quotes: mpsc::Receiver<Quote>,
        stop: CancellationToken,
    ) -> Handed {
        for portion in loaded.portions(&mut self.reader, &self.day) {
            self.enter(portion.read, "load", Payload::Loaded(portion.source))
                .await;
        }
        if let Some(told) = self.gap.close(self.stamp.look().micros()) {
            self.alarms.raise(told);
        }
        // The first wishes stand before any price: the slots are those that were asked for at start.
        if let Ok(wishes) = self.wishes.try_recv() {
            self.take_wishes(wishes).await;
        }

        let (sender, mut changes) = mpsc::channel(CHANGES_MAX);
        let following = task::spawn("change feed", follow(feed, sender, stop.clone()));
        let mut clock = tokio::time::interval(CLOCK_EVERY);
        clock.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut levels = tokio::time::interval(self.levels_slice);
        levels.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let end = loop {
            let is_running = tokio::select! {
                biased;
                () = stop.cancelled() => break End::Stopped,
                _ = clock.tick() => self.take_second().await,
                _ = levels.tick() => self.ask_for_levels(),
                Ok(()) = self.standing.changed() => self.take_standing().await,
                // Few of either: they do not hold up trades.
                Some(wishes) = self.wishes.recv() => self.take_wishes(wishes).await,
                Some(symbol) = self.fallen.recv() => self.settle(symbol).await,
                changed = changes.recv() => match changed {
                    Some(Followed::Changes(transaction)) => self.take_changes(transaction).await,
                    Some(Followed::Current) => {
                        self.is_current = true;
                        true
                    }
                    None if stop.is_cancelled() => break End::Stopped,
                    None => break End::FeedLost,
                },
                stamped = broker.recv() => match stamped {
                    Some(stamped) => self.take_broker(stamped).await,
                    None => false,
                },
                Some(quote) = quotes.recv() => self.take_quote(&quote).await,
            };
            if !is_running {
                break match self.abandon.is_cancelled() {
                    true => End::Stopped,
                    false => End::Broken,
                };
            }
        };
        // What had been read from the wire by now is still stored.
        if end == End::Stopped && !self.abandon.is_cancelled() {
            broker.close();
            while let Some(stamped) = broker.recv().await {
                self.take_broker(stamped).await;
            }
        }
        drop(changes);
        if let Err(error) = following.await {
            tracing::error!(%error, "change feed failed");
        }
        Handed {
            end,
            stamp: self.stamp,
            broker,
            notice: self.left,
        }
    }

    async fn take_second(&mut self) -> bool {
        let now = self.stamp.look();
        let today = seoul_date(now).to_string();
        if self.day != today {
            self.day = today;
            // Every reading of rows depends on it.
            let (time, day) = (self.stamp.now(), json!({ "day": self.day }));
            self.note(time, "day", day).await;
            // Rules of this day come into force with it.
            let due = self.reader.due_rules(&self.day);
            let rows = due.iter().map(|row| (RULES, false, row));
            let read = self.reader.read(rows, &self.day);
            if !due.is_empty() {
                let payload = due.into_iter();
                let payload =
                    payload.map(|row| json!({"table": RULES, "deleted": false, "row": row}));
                let payload = Payload::Told(payload.collect());
                self.enter(read, "changes", payload).await;
            }
        }
        self.tell_subscribed();
        if !self.begin_session().await {
            return false;
        }
        if let Some(told) = self.clock_watch.look((self.stamp.clock)()) {
            self.alarms.raise(told);
        }
        let time = self.stamp.now();
        self.tell_second(time);
        send_event(&self.events, timed(time, Event::Clock)).await
    }

    /// Says when nothing is awaited any more: what has lost its slot or was refused is not.
    fn tell_subscribed(&mut self) {
        if *self.subscribed.borrow() {
            return;
        }
        let given = self.given.borrow();
        if !given.is_empty() {
            self.awaited.retain(|symbol| given.contains(symbol));
        }
        drop(given);
        if self.awaited.is_empty() {
            info!("every symbol is subscribed or refused");
            self.subscribed.send_replace(true);
        }
    }

    /// Takes in what is wanted of the stream.
    async fn take_wishes(&mut self, changes: Vec<Change>) -> bool {
        let payload = Payload::Told(changes.iter().map(wish_entry).collect());
        let read = ReadRows {
            changes,
            ..ReadRows::default()
        };
        self.enter(read, "wishes", payload).await
    }

    async fn note(&self, time: LogicalTime, kind: &'static str, payload: Value) {
        let entry = Entry {
            logical_us: time.micros(),
            seq: INPUT_SEQ,
            kind,
            payload: Payload::Told(payload),
        };
        self.journal.note(entry).await;
    }

    /// Asks for a small portion of the levels that have changed, unless the engine is busy.
    fn ask_for_levels(&mut self) -> bool {
        let asked = timed(self.stamp.now(), Event::Levels(self.levels_quota));
        !matches!(
            self.events.try_send(asked),
            Err(TrySendError::Disconnected(_))
        )
    }

    async fn take_changes(&mut self, transaction: TransactionChanges) -> bool {
        let rows = transaction.changes.iter();
        let rows = rows.map(|change| (change.table.as_str(), change.is_deleted, &change.content));
        let mut read = self.reader.read(rows, &self.day);
        let tables = transaction
            .changes
            .iter()
            .map(|change| change.table.as_str());
        if tables
            .clone()
            .any(|table| SUBSCRIBING_TABLES.contains(&table))
        {
            self.subscriptions.notify_one();
        }
        if read.changes.is_empty() && read.faults.is_empty() {
            // What concerns the desks alone is no input of the engine.
            self.tell_desks(self.stamp.look(), &mut read);
            return true;
        }
        let payload = transaction
            .changes
            .into_iter()
            .map(|change| json!({"table": change.table, "deleted": change.is_deleted, "row": change.content}))
            .collect();
        self.enter(read, "changes", Payload::Told(payload)).await
    }

    async fn enter(&mut self, mut read: ReadRows, kind: &'static str, payload: Payload) -> bool {
        for fault in &read.faults {
            metrics::counter!("rows_not_readable_total").increment(1);
            self.alarms.raise(alarms::row_fault(fault));
        }
        for moved in &read.averages {
            self.alarms.raise(alarms::average_changed(moved));
        }
        let time = self.stamp.now();
        self.tell_desks(time, &mut read);
        self.journal.announce(time.micros());
        let is_running = send_event(&self.events, timed(time, Event::Changes(read.changes))).await;
        self.journal
            .note(Entry {
                logical_us: time.micros(),
                seq: INPUT_SEQ,
                kind,
                payload,
            })
            .await;
        is_running
    }
}

fn wish_entry(change: &Change) -> Value {
    match change {
        Change::Wish(symbol, wish) => json!({"symbol": symbol, "wish": wish}),
        Change::Slots(slots) => json!({"slots": slots}),
        other => json!(format!("{other:?}")),
    }
}
