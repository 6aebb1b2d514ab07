//! What is left of an engine whose database was given up: decisions that are not stored, and prices.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};
use turnstile_connectors::execution::{KeepUnstored, Permit};
use turnstile_connectors::postgres::{Overflow, Postgres, PriceRow};
use turnstile_connectors::spill::{Kept, Spill};

use super::tasks::report;

/// How long an engine that was lost may take to store what it had decided.
const STORE_MAX: Duration = Duration::from_secs(10);
/// How long one may take to end that stores nothing any more; longer than calls to the broker under way
/// are given.
const GIVE_UP_MAX: Duration = Duration::from_secs(15);
/// Decisions that are older are not stored any more: the price has moved on, and they are made anew.
const STALE_AFTER: Duration = Duration::from_secs(60);

/// An engine that has ended, on its way to store what it had decided. Dropped, it gives that up.
pub(super) struct Remains {
    postgres: Postgres,
    downstream: CancellationToken,
    permit: watch::Sender<Permit>,
    finished: JoinHandle<()>,
    /// When it was given up.
    since: Instant,
}

impl Remains {
    pub(super) fn new(
        postgres: Postgres,
        downstream: CancellationToken,
        permit: watch::Sender<Permit>,
        finished: JoinHandle<()>,
    ) -> Self {
        Self {
            postgres,
            downstream,
            permit,
            finished,
            since: Instant::now(),
        }
    }

    /// Lets it store what it has decided, since this process is again the one that trades, and waits for
    /// its end. The next engine sends it.
    pub(super) async fn let_store(mut self) {
        if self.since.elapsed() > STALE_AFTER {
            warn!("what the engine before had decided is too old to be stored; it is decided anew");
            self.give_up().await;
            return;
        }
        self.permit.send_replace(Permit::Store);
        let stored = tokio::time::timeout(STORE_MAX, &mut self.finished).await;
        match stored {
            Ok(ended) => report(ended),
            Err(_) => {
                error!(
                    "the engine before did not end in time; what it had decided is decided anew"
                );
                self.give_up().await;
            }
        }
    }

    /// Gives up what it has decided: somebody else decides, or the process ends.
    pub(super) async fn give_up(mut self) {
        self.permit.send_replace(Permit::Nothing);
        self.downstream.cancel();
        if tokio::time::timeout(GIVE_UP_MAX, &mut self.finished)
            .await
            .is_err()
        {
            self.finished.abort();
        }
    }
}

impl Drop for Remains {
    fn drop(&mut self) {
        self.permit.send_replace(Permit::Nothing);
        self.downstream.cancel();
        // What it has opened since is of no use to anybody.
        self.postgres.cut();
    }
}

/// Returns where decisions go that an engine may not store any more.
pub(super) fn unstored(spill: &Arc<Spill>) -> KeepUnstored {
    let spill = spill.clone();
    Arc::new(move |decisions| {
        let kept: Vec<_> = decisions
            .into_iter()
            .map(Box::new)
            .map(Kept::Decision)
            .collect();
        if let Err(error) = spill.keep(&kept) {
            error!(%error, decisions = kept.len(), "decisions are not kept");
        }
    })
}

/// Returns where prices go that the database does not take any more.
pub(super) fn overflow(spill: &Arc<Spill>, abandon: &CancellationToken) -> Overflow {
    let spill = spill.clone();
    let keep = move |rows: &[PriceRow]| {
        let kept: Vec<_> = rows.iter().cloned().map(Box::new).map(Kept::Tick).collect();
        let done = spill.keep(&kept);
        if let Err(error) = &done {
            error!(%error, rows = rows.len(), "prices are not kept");
        }
        done.is_ok()
    };
    Overflow {
        abandon: abandon.clone(),
        keep: Arc::new(keep),
    }
}
