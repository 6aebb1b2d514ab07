//! What the stream job shows of itself.

use std::time::Duration;

use metrics::gauge;
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};
use turnstile_connectors::monitoring::metrics::BOOTSTRAP;
use turnstile_connectors::task;

const EVERY: Duration = Duration::from_millis(500);

/// Shows how long the start takes, until what is returned is dropped.
pub(super) fn show_start() -> DropGuard {
    let done = CancellationToken::new();
    let guard = done.clone().drop_guard();
    drop(task::spawn("start watch", async move {
        let began = Instant::now();
        let mut step = tokio::time::interval(EVERY);
        while done.run_until_cancelled(step.tick()).await.is_some() {
            gauge!(BOOTSTRAP).set(began.elapsed().as_secs_f64());
        }
        gauge!(BOOTSTRAP).set(0.0);
    }));
    guard
}
