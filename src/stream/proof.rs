//! How far a run of the engine is stored without a gap: what a replay of it can be held to.
//!
//! ```text
//! sequencer ─ last price, last entry ──┐
//! engine ─ evaluated through, handed ──┼─ all of it stored? ──1 s──> system.engine_runs.through_us
//! sinks ─ durable, written, done ──────┘
//! ```
//!
//! Once a second it is noted what the engine has evaluated, and what had been handed to the sinks by then.
//! When all of that is stored, the time is proven: up to it every input is in the database, and every
//! decision that followed. A process that dies leaves its last proof; what it did after that is not held
//! against anybody. One that ends in order proves everything.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};
use turnstile_connectors::execution::SinkProgress;
use turnstile_connectors::postgres::{PostgresError, PriceReach};
use turnstile_connectors::stored_day::EngineRun;
use turnstile_dataflows::model::LogicalTime;

use super::journal::JournalReach;

const EVERY: Duration = Duration::from_secs(1);
/// How often it is looked whether everything is stored by now.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// A row that takes longer to write is left out.
const PATIENCE: Duration = Duration::from_secs(2);

/// What the engine has handed out. Clones share it.
#[derive(Clone, Default)]
pub(super) struct Evaluated {
    through_us: Arc<AtomicU64>,
    handed: Arc<AtomicU64>,
}

impl Evaluated {
    /// Counts an output that goes to the order sink, before it is sent.
    pub(super) fn hand_out(&self) {
        self.handed.fetch_add(1, Ordering::Release);
    }

    /// Notes that everything through this time is handed out.
    pub(super) fn note(&self, through: LogicalTime) {
        self.through_us.store(through.micros(), Ordering::Release);
    }
}

/// What was true of the sinks at one moment.
#[derive(Clone, Copy)]
struct Mark {
    through_us: u64,
    handed: u64,
    sent_us: u64,
    announced_us: u64,
}

/// What the proofs are made from.
pub(super) struct Proof {
    pub(super) run: EngineRun,
    pub(super) evaluated: Evaluated,
    pub(super) orders: SinkProgress,
    pub(super) journal: JournalReach,
    pub(super) prices: PriceReach,
}

impl Proof {
    /// Proves once a second, until `stop`. Gives itself back for the proof of the end.
    pub(super) async fn run(self, stop: CancellationToken) -> Self {
        let mut step = interval(EVERY);
        step.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while stop.run_until_cancelled(step.tick()).await.is_some() {
            let mark = self.mark();
            let stored = async {
                while !self.is_stored(mark) {
                    tokio::time::sleep(LOOK_EVERY).await;
                }
            };
            if stop.run_until_cancelled(stored).await.is_some() {
                note(self.run.prove(mark.through_us)).await;
            }
        }
        self
    }

    /// Notes that the run has ended in order, once everything downstream of the engine has. Where some of
    /// it was not stored, the last proof stands.
    pub(super) async fn end(self) {
        let mark = self.mark();
        if self.is_stored(mark) {
            note(self.run.end(mark.through_us)).await;
        } else {
            warn!("not everything that was decided is stored: the end of this run does not replay");
        }
    }

    /// Looks at what was evaluated first: all that led to it had been handed to the sinks before.
    fn mark(&self) -> Mark {
        Mark {
            through_us: self.evaluated.through_us.load(Ordering::Acquire),
            handed: self.evaluated.handed.load(Ordering::Acquire),
            sent_us: self.prices.sent_us(),
            announced_us: self.journal.announced_us(),
        }
    }

    /// Items overtake each other in the lanes of the order sink, so it is waited for a moment at which every
    /// one is done.
    fn is_stored(&self, mark: Mark) -> bool {
        let done = self.orders.done();
        let handed = self.evaluated.handed.load(Ordering::Acquire);
        done >= handed.max(mark.handed)
            && self.prices.has_stored(mark.sent_us)
            && self.journal.has_written(mark.announced_us)
    }
}

/// Waits for a row; the next one says more than one that is not written in time.
async fn note(row: impl Future<Output = Result<(), PostgresError>>) {
    match timeout(PATIENCE, row).await {
        Ok(Ok(())) => {}
        // The probe tells of PostgreSQL.
        Ok(Err(error)) => debug!(%error, "how far the engine is stored is not noted"),
        Err(_) => debug!("how far the engine is stored is not noted in time"),
    }
}
