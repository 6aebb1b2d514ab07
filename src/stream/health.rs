//! What the stream job shows of itself.

use std::sync::Arc;
use std::time::Duration;

use metrics::gauge;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};
use turnstile_connectors::execution::metrics::{
    FILLS_LAG, HOLDINGS_LAG, MISMATCH_AGE, UNFILLED_LAG,
};
use turnstile_connectors::execution::{Book, Holdings, OrderPoll, wall_clock_us};
use turnstile_connectors::monitoring::metrics::{BOOTSTRAP, OLDEST_OPEN_ORDER};
use turnstile_connectors::monitoring::{
    EngineProgress, Monitor, beat_engine, show_facts, watch_prices,
};
use turnstile_connectors::postgres::Postgres;
use turnstile_connectors::task;

use super::desk::Desk;

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

/// Shows what a limit is set to, beats for the engine, and returns the tasks.
pub(super) fn start(
    postgres: &Postgres,
    desk: &Desk,
    account: String,
    evaluated: EngineProgress,
    monitor: Option<&Monitor>,
    stop: &CancellationToken,
) -> Vec<JoinHandle<()>> {
    let shown = Account {
        poll: desk.poll.clone(),
        holdings: desk.holdings.clone(),
        book: desk.book.clone(),
    };
    let facts = show_facts(postgres.clone(), account.clone(), stop.clone());
    let mut tasks = vec![
        task::spawn("account watch", shown.show(stop.clone())),
        task::spawn("facts", facts),
    ];
    tasks.extend(monitor.map(|monitor| {
        let watching = watch_prices(postgres.clone(), monitor.alerts(), stop.clone());
        task::spawn("watched prices", watching)
    }));
    tasks.extend(monitor.map(|monitor| {
        let place = (postgres.clone(), account, monitor.instance().to_owned());
        let beating = beat_engine(evaluated, wall_clock_us, place, stop.clone());
        task::spawn("engine beats", beating)
    }));
    tasks
}

/// What is known of the account at the broker.
struct Account {
    poll: Arc<OrderPoll>,
    holdings: Arc<Holdings>,
    book: Arc<Book>,
}

impl Account {
    /// Shows how late it is, until `stop`.
    async fn show(self, stop: CancellationToken) {
        let mut step = tokio::time::interval(EVERY);
        while stop.run_until_cancelled(step.tick()).await.is_some() {
            let (unfilled, fills) = self.poll.lateness();
            let (holdings, mismatch) = self.holdings.lateness();
            let open = self.book.oldest().unwrap_or_default();
            for (name, value) in [
                (UNFILLED_LAG, unfilled),
                (FILLS_LAG, fills),
                (HOLDINGS_LAG, holdings),
                (MISMATCH_AGE, mismatch),
                (OLDEST_OPEN_ORDER, open),
            ] {
                gauge!(name).set(value.as_secs_f64());
            }
        }
    }
}
