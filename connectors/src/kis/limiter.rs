//! The one limiter of all REST calls: a token bucket, served strictly by lane, then by arrival.
//!
//! The broker counts calls per app key, so every attempt, successful or not, takes a turn here.
//! A lane that is full turns calls away at once. A caller that gives up leaves the line.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use metrics::{counter, gauge, histogram};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use super::metrics::{LIMITER_SHED, LIMITER_TURNS, LIMITER_WAIT, LIMITER_WAITING};

/// Urgency of a call. The order of declaration is the order of service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    /// Orders, cancels and the access token they need.
    Order,
    /// Account queries that orders depend on.
    Query,
    /// Prices of held symbols.
    Tier0,
    /// Prices of watched symbols.
    Tier1,
    /// Everything else.
    Tier2,
}

impl Lane {
    /// Returns the lane as a metric label.
    pub fn label(self) -> &'static str {
        match self {
            Self::Order => "order",
            Self::Query => "query",
            Self::Tier0 => "tier0",
            Self::Tier1 => "tier1",
            Self::Tier2 => "tier2",
        }
    }
}

/// How fast calls may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Time between calls in the long run; zero lifts the limit.
    pub interval: Duration,
    /// Calls that may go at once after a quiet time, at least 1.
    pub burst: u32,
    /// Calls that may wait in one lane.
    pub queue_max: usize,
}

/// Lets calls through at the configured rate.
#[derive(Debug)]
pub(super) struct Limiter {
    rate: Rate,
    line: Mutex<Line>,
    moved: Notify,
}

#[derive(Debug)]
struct Line {
    /// Who waits: the first is the next to go.
    waiting: BTreeSet<(Lane, u64)>,
    /// Ticket of the next arrival.
    next_ticket: u64,
    /// Time at which the bucket is full again (theoretical arrival time of GCRA).
    full_at: Instant,
    /// Calls let through, by lane.
    turns: BTreeMap<Lane, u64>,
}

/// A lane had no room for one more call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LaneFull {
    /// The lane.
    pub lane: Lane,
    /// Calls waiting in it.
    pub waiting: usize,
}

impl Limiter {
    /// Returns a limiter with a full bucket.
    pub(super) fn new(rate: Rate) -> Self {
        Self {
            rate,
            line: Mutex::new(Line {
                waiting: BTreeSet::new(),
                next_ticket: 0,
                full_at: Instant::now(),
                turns: BTreeMap::new(),
            }),
            moved: Notify::new(),
        }
    }

    /// Returns when it is this call's turn. Dropping the future leaves the line.
    ///
    /// # Errors
    /// At once, if `lane` is full.
    pub(super) async fn acquire(&self, lane: Lane) -> Result<(), LaneFull> {
        if self.rate.interval.is_zero() {
            return Ok(());
        }
        let since = Instant::now();
        let place = self.enter(lane)?;
        loop {
            let moved = self.moved.notified();
            tokio::pin!(moved);
            moved.as_mut().enable(); // From here on no move is missed.
            match self.turn(place.key) {
                Turn::Now => break,
                Turn::At(instant) => {
                    tokio::select! {
                        biased;
                        () = &mut moved => {}
                        () = sleep_until(instant) => {}
                    }
                }
                Turn::Behind => moved.await,
            }
        }
        drop(place);
        counter!(LIMITER_TURNS, "lane" => lane.label()).increment(1);
        histogram!(LIMITER_WAIT, "lane" => lane.label()).record(since.elapsed());
        Ok(())
    }

    /// Returns how long a call in `lane` would wait now, unless more urgent ones come.
    pub(super) fn backlog(&self, lane: Lane) -> Duration {
        let line = self.lock();
        let ahead = line.waiting.range(..=(lane, u64::MAX)).count();
        let ahead = self.rate.interval * u32::try_from(ahead).unwrap_or(u32::MAX);
        let slack = self.rate.interval * (self.rate.burst.saturating_sub(1));
        let full_in = line.full_at.saturating_duration_since(Instant::now());
        (full_in + ahead).saturating_sub(slack)
    }

    /// Returns how many calls of `lane` were let through so far.
    pub(super) fn turns(&self, lane: Lane) -> u64 {
        self.lock().turns.get(&lane).copied().unwrap_or_default()
    }

    /// Returns the number of calls waiting in `lane`.
    #[cfg(test)]
    pub(super) fn waiting(&self, lane: Lane) -> usize {
        self.lock().waiting_in(lane)
    }

    fn enter(&self, lane: Lane) -> Result<Place<'_>, LaneFull> {
        let mut line = self.lock();
        let waiting = line.waiting_in(lane);
        if waiting >= self.rate.queue_max {
            counter!(LIMITER_SHED, "lane" => lane.label()).increment(1);
            return Err(LaneFull { lane, waiting });
        }
        let key = (lane, line.next_ticket);
        line.next_ticket += 1;
        line.waiting.insert(key);
        gauge!(LIMITER_WAITING, "lane" => lane.label()).increment(1.0);
        Ok(Place { limiter: self, key })
    }

    /// Takes a token for the call `key` if it is the first in line and there is one.
    fn turn(&self, key: (Lane, u64)) -> Turn {
        let mut line = self.lock();
        if line.waiting.first() != Some(&key) {
            return Turn::Behind;
        }
        let now = Instant::now();
        let slack = self.rate.interval * (self.rate.burst.saturating_sub(1));
        let full_at = line.full_at.max(now);
        if full_at - now > slack {
            return Turn::At(full_at - slack);
        }
        line.full_at = full_at + self.rate.interval;
        *line.turns.entry(key.0).or_default() += 1;
        Turn::Now
    }

    fn lock(&self) -> MutexGuard<'_, Line> {
        // A panic cannot leave the line half changed: nothing between two writes can panic.
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Line {
    fn waiting_in(&self, lane: Lane) -> usize {
        self.waiting.range((lane, 0)..=(lane, u64::MAX)).count()
    }
}

/// Whether a waiting call may go.
enum Turn {
    Now,
    At(Instant),
    Behind,
}

/// A place in the line, left when dropped.
struct Place<'a> {
    limiter: &'a Limiter,
    key: (Lane, u64),
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.limiter.lock().waiting.remove(&self.key);
        gauge!(LIMITER_WAITING, "lane" => self.key.0.label()).decrement(1.0);
        self.limiter.moved.notify_waiters();
    }
}
