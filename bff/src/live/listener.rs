//! A listener: what one client follows, whichever way its messages go.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use axum::extract::ws::Utf8Bytes;
use futures_util::future::join_all;
use tokio::time::{Instant, timeout};
use tracing::warn;

use super::board::PriceReader;
use super::levels::Follower;
use super::messages::{ServerMessage, Subscription, Wish};
use super::reader::{Next, Reader};
use super::ring::Change;
use super::snapshots::{Snapshot, snapshot};
use super::topic::Topic;
use crate::error::chain;
use crate::queries;
use crate::seoul::SeoulTime;
use crate::state::AppState;

/// Pause after a snapshot could not be loaded.
const RETRY: Duration = Duration::from_secs(1);
/// Longest wait for PostgreSQL in one go: nothing else is told meanwhile.
const PATIENCE: Duration = Duration::from_secs(3);

/// Why a client is let go.
#[derive(Debug)]
pub(super) enum End {
    /// The client has gone or broken the protocol.
    Client,
    /// The server stops.
    Stop,
    /// The client did not take a message in time.
    Slow,
    /// The token was revoked or is over.
    Over,
}

/// Something to send.
#[derive(Debug)]
pub(super) enum Item {
    /// A message that is written already.
    Message {
        /// Its type.
        kind: &'static str,
        text: Utf8Bytes,
        /// Number with which the client can go on once it has this; none if it cannot.
        resume: Option<u64>,
    },
    /// Prices, each row written already.
    Prices {
        rows: Vec<Utf8Bytes>,
        /// Whether these are all there are.
        is_snapshot: bool,
        seq: u64,
        /// As above.
        resume: Option<u64>,
    },
}

/// The way to a client.
pub(super) trait Outlet {
    /// Returns once the client has accepted `item`.
    fn put(&mut self, item: Item) -> impl Future<Output = Result<(), End>> + Send;
}

/// What one client follows.
pub(super) struct Listener {
    state: AppState,
    reader: Reader,
    prices: Option<PriceReader>,
    /// That it follows levels, if it does.
    levels: Option<Follower>,
    /// Whether the next prices are the first.
    is_price_snapshot: bool,
    /// When a snapshot that could not be loaded is tried again.
    retry: Option<Instant>,
}

impl Listener {
    /// Returns the listener of a client that has not named topics: it hears prices and names of tables,
    /// from now on.
    pub(super) fn new(state: &AppState) -> Self {
        let core = state.live.core();
        Self {
            state: state.clone(),
            reader: Reader::from_now([Topic::Tables].into(), &core.ring),
            prices: Some(PriceReader::new(BTreeSet::new(), core.ring.head())),
            levels: None,
            is_price_snapshot: false,
            retry: None,
        }
    }

    /// Greets the client.
    pub(super) async fn greet(&self, out: &mut impl Outlet) -> Result<(), End> {
        let live = &self.state.live;
        let hello = ServerMessage::Hello {
            server_time: SeoulTime::now(),
            mode: *live.mode.borrow(),
            epoch: &live.epoch,
        };
        say(out, "hello", &hello).await
    }

    /// Does what the client wishes.
    pub(super) async fn take(&mut self, wish: Wish, out: &mut impl Outlet) -> Result<(), End> {
        match wish {
            Wish::Symbols(symbols) => {
                if let Some(prices) = &mut self.prices {
                    prices.choose(symbols);
                }
                Ok(())
            }
            Wish::Topics(subscription) => self.subscribe(subscription, out).await,
        }
    }

    async fn subscribe(&mut self, wanted: Subscription, out: &mut impl Outlet) -> Result<(), End> {
        let Subscription {
            topics,
            symbols,
            since,
        } = wanted;
        let is_this_run = |(epoch, known): (String, BTreeMap<Topic, u64>)| {
            (epoch == self.state.live.epoch).then_some(known)
        };
        let since = since.and_then(is_this_run).unwrap_or_default();
        let has_prices = topics.contains(&Topic::Prices);
        if has_prices {
            self.find_prices(&symbols).await;
        }
        let live = std::sync::Arc::clone(&self.state.live);
        let has_levels = topics.contains(&Topic::Levels);
        self.levels = has_levels.then(|| live.levels.follow());
        let (missed, resumed) = {
            let core = live.core();
            let head = core.ring.head();
            let mut rows = topics.clone();
            rows.remove(&Topic::Prices);
            let (reader, missed) = Reader::resumed(rows, &since, &core.ring);
            self.reader = reader;
            let known = since.get(&Topic::Prices).filter(|seq| **seq <= head);
            self.is_price_snapshot = has_prices && known.is_none();
            self.prices = has_prices.then(|| {
                let at = known.copied().unwrap_or(0);
                PriceReader::new(symbols, at)
            });
            let mut resumed = self.reader.settled();
            resumed.extend(known.filter(|_| has_prices).map(|_| Topic::Prices));
            (missed, resumed)
        };
        self.retry = None;
        let answer = ServerMessage::Subscribed {
            epoch: &live.epoch,
            topics: &topics,
            resumed: &resumed,
        };
        say(out, "subscribed", &answer).await?;
        self.deliver(missed, out).await
    }

    /// Puts prices of `symbols` on the board that are not there yet.
    async fn find_prices(&self, symbols: &BTreeSet<String>) {
        let missing = self.state.live.core().board.without(symbols);
        if missing.is_empty() {
            return;
        }
        let finding = queries::prices::newest_of(&self.state.db, &missing);
        match timeout(PATIENCE, finding).await {
            Ok(Ok(prices)) => self.state.live.show(prices),
            // The next tick brings them.
            Ok(Err(error)) => warn!(error = %chain(&error), "known prices not found"),
            Err(_elapsed) => warn!("known prices not found in time"),
        }
    }

    /// Sends what is new, and snapshots that are due.
    pub(super) async fn step(&mut self, out: &mut impl Outlet) -> Result<(), End> {
        let head = self.state.live.core().ring.head();
        self.advance(head, out).await?;
        if self.retry.is_some_and(|retry| Instant::now() < retry) {
            return Ok(());
        }
        let is_retry = self.retry.take().is_some();
        let loads = self.reader.due().into_iter().map(|topic| self.load(topic));
        let stop = self.state.live.stop.clone();
        // Side by side, so that one topic that hangs takes nothing of the time of the others.
        let loads = stop.run_until_cancelled(join_all(loads)).await;
        let (mut loaded, mut faults) = (Vec::new(), Vec::new());
        for (topic, load) in loads.ok_or(End::Stop)? {
            match load {
                Ok(snapshot) => loaded.push((topic, snapshot)),
                Err(fault) => faults.push((topic, fault)),
            }
        }
        // What counts from an earlier number is told before what comes after that is.
        loaded.sort_by_key(|(_topic, snapshot)| snapshot.seq);
        for (topic, Snapshot { seq, text, .. }) in loaded {
            self.advance(seq, out).await?;
            if self.reader.accept(topic, seq) {
                let kind = if topic == Topic::Tables {
                    "changed"
                } else {
                    "snapshot"
                };
                let resume = self.resume(seq);
                out.put(Item::Message { kind, text, resume }).await?;
            }
        }
        if !faults.is_empty() {
            self.retry = Some(Instant::now() + RETRY);
        }
        for (topic, fault) in faults.iter().filter(|_| !is_retry) {
            late(*topic, fault, out).await?;
        }
        Ok(())
    }

    /// Loads a snapshot of `topic`, or says why it cannot be had in time.
    async fn load(&self, topic: Topic) -> (Topic, Result<Snapshot, String>) {
        let loading = snapshot(&self.state, topic, self.reader.at());
        let loaded = match timeout(PATIENCE, loading).await {
            Ok(loaded) => loaded.map_err(|error| chain(&error).to_string()),
            Err(_elapsed) => Err("not in time".to_owned()),
        };
        (topic, loaded)
    }

    /// Sends what is new up to `upto`.
    async fn advance(&mut self, upto: u64, out: &mut impl Outlet) -> Result<(), End> {
        let live = std::sync::Arc::clone(&self.state.live);
        let Next { missed, changes } = self.reader.advance(&live.core().ring, upto);
        if !missed.is_empty() {
            say(out, "gap", &ServerMessage::Gap { topics: &missed }).await?;
        }
        self.deliver(changes, out).await
    }

    /// Sends prices and then `changes`. Prices come first, under the number before the first change, or up
    /// to which the client was told: whoever goes on from any of these messages misses neither, and a
    /// snapshot that was made for another does not count from an earlier number than its prices.
    async fn deliver(&mut self, changes: Vec<Change>, out: &mut impl Outlet) -> Result<(), End> {
        let rows = match &mut self.prices {
            Some(prices) => {
                let core = self.state.live.core();
                prices.advance(&core.board, core.ring.head())
            }
            None => Vec::new(),
        };
        let is_snapshot = std::mem::take(&mut self.is_price_snapshot);
        if is_snapshot || !rows.is_empty() {
            let told = self.reader.at();
            let seq = changes.first().map_or(told, |change| change.seq - 1);
            let prices = Item::Prices {
                rows,
                is_snapshot,
                seq,
                resume: self.resume(seq),
            };
            out.put(prices).await?;
        }
        for Change { seq, topic, text } in changes {
            let kind = if topic == Topic::Tables {
                "changed"
            } else {
                "change"
            };
            let resume = self.resume(seq);
            out.put(Item::Message { kind, text, resume }).await?;
        }
        Ok(())
    }

    /// Returns the number with which the client can go on, if it has every snapshot.
    fn resume(&self, seq: u64) -> Option<u64> {
        self.reader.first_due().is_none().then_some(seq)
    }
}

/// Tells one client that a snapshot of `topic` is late.
async fn late(topic: Topic, fault: &str, out: &mut impl Outlet) -> Result<(), End> {
    warn!(%topic, error = %fault, "snapshot not loaded, trying again");
    let message = format!("{topic} cannot be read now, a snapshot follows");
    let (code, message) = ("SNAPSHOT_LATE", message.as_str());
    say(out, "error", &ServerMessage::Error { code, message }).await
}

/// Sends `message` to one client.
pub(super) async fn say(
    out: &mut impl Outlet,
    kind: &'static str,
    message: &ServerMessage<'_>,
) -> Result<(), End> {
    // What the server says is always written.
    let text = message.text().map_err(|_| End::Client)?.into();
    let resume = None;
    out.put(Item::Message { kind, text, resume }).await
}
