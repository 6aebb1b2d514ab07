//! What is left of an engine whose database was given up: decisions that are not stored, and prices.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::error;
use turnstile_connectors::postgres::{Overflow, PriceRow};
use turnstile_connectors::spill::{Kept, Spill};

use super::report;

/// How long an engine that was lost may take to store what it had decided.
const STORE_MAX: Duration = Duration::from_secs(10);
/// How long one may take to end that stores nothing any more.
const GIVE_UP_MAX: Duration = Duration::from_secs(5);

/// An engine that has ended, on its way to store what it had decided.
pub(super) struct Remains {
    downstream: CancellationToken,
    permit: watch::Sender<bool>,
    finished: JoinHandle<()>,
}

impl Remains {
    pub(super) fn new(
        downstream: CancellationToken,
        permit: watch::Sender<bool>,
        finished: JoinHandle<()>,
    ) -> Self {
        Self {
            downstream,
            permit,
            finished,
        }
    }

    /// Lets it store what it has decided, since this process is again the one that trades, and waits for
    /// its end.
    pub(super) async fn let_store(mut self) {
        self.permit.send_replace(true);
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
        self.downstream.cancel();
        if tokio::time::timeout(GIVE_UP_MAX, &mut self.finished)
            .await
            .is_err()
        {
            self.finished.abort();
        }
    }
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
