//! Where the desk is told what happens.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use metrics::gauge;
use tokio::sync::mpsc;
use turnstile_dataflows::invariants::{InvariantChange, InvariantEvent};
use turnstile_dataflows::model::LogicalTime;

use super::metrics as names;

/// Events that wait for the desk. A load of a million positions is a thousand of them.
const EVENTS_MAX: usize = 16_384;

/// Tells the desk what changes. It never waits: a desk that falls this far behind would see what is
/// not so, and is given up until the next start. Cheap to clone.
#[derive(Clone, Debug)]
pub struct InvariantFeed {
    events: mpsc::Sender<InvariantEvent>,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    /// The last logical time told, for those who know none.
    told_us: AtomicU64,
    is_lost: AtomicBool,
}

impl InvariantFeed {
    /// Returns a feed, and what the desk takes from it. It ends with the last clone.
    pub fn new() -> (Self, mpsc::Receiver<InvariantEvent>) {
        let (events, waiting) = mpsc::channel(EVENTS_MAX);
        let shared = Arc::default();
        (Self { events, shared }, waiting)
    }

    /// Tells of what changed at `time`, all together.
    pub fn tell_at(&self, time: LogicalTime, changes: Vec<InvariantChange>) {
        self.shared
            .told_us
            .fetch_max(time.micros(), Ordering::Relaxed);
        self.send(time, changes, false);
    }

    /// Tells of something that has no logical time of its own.
    pub fn tell(&self, change: InvariantChange) {
        let time = LogicalTime::from_micros(self.shared.told_us.load(Ordering::Relaxed));
        self.send(time, vec![change], false);
    }

    /// Tells of a second. `is_complete`: everything up to it has been told, also what changed while the
    /// start settled the past.
    pub fn second(&self, time: LogicalTime, is_complete: bool) {
        self.shared
            .told_us
            .fetch_max(time.micros(), Ordering::Relaxed);
        self.send(time, Vec::new(), is_complete);
    }

    /// Shows that the desk watches, until it is given up or what is returned is dropped.
    #[must_use]
    pub fn watched(&self) -> Watched {
        gauge!(names::WATCHED).set(if self.is_lost() { 0.0 } else { 1.0 });
        Watched(())
    }

    /// Returns whether the desk was given up.
    pub fn is_lost(&self) -> bool {
        self.shared.is_lost.load(Ordering::Relaxed)
    }

    fn send(&self, time: LogicalTime, changes: Vec<InvariantChange>, is_complete: bool) {
        if self.is_lost() {
            return;
        }
        let event = InvariantEvent {
            time,
            changes,
            is_complete,
        };
        if self.events.try_send(event).is_err() {
            self.shared.is_lost.store(true, Ordering::Relaxed);
            gauge!(names::WATCHED).set(0.0);
        }
    }
}

/// While it is there, a desk watches. Without an engine nobody does.
#[derive(Debug)]
pub struct Watched(());

impl Drop for Watched {
    fn drop(&mut self) {
        gauge!(names::WATCHED).set(0.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_desk_that_falls_behind_is_given_up_and_holds_nobody_up() {
        let (feed, mut waiting) = InvariantFeed::new();
        let at = LogicalTime::from_micros;
        for second in 0..=u64::try_from(EVENTS_MAX).unwrap() {
            assert!(!feed.is_lost());
            feed.second(at(second), true);
        }
        assert!(feed.is_lost());
        assert!(waiting.try_recv().is_ok());
        feed.second(at(0), true);
        let mut left = 0;
        while waiting.try_recv().is_ok() {
            left += 1;
        }
        assert_eq!(left, EVENTS_MAX - 1, "nothing is told with a gap before it");
    }

    #[test]
    fn what_has_no_time_of_its_own_has_the_last_one() {
        let (feed, mut waiting) = InvariantFeed::new();
        feed.second(LogicalTime::from_micros(7), true);
        feed.tell(InvariantChange::Sample(Vec::new()));
        let times = std::iter::from_fn(|| waiting.try_recv().ok()).map(|event| event.time.micros());
        assert_eq!(times.collect::<Vec<_>>(), [7, 7]);
    }
}
