//! The driver: the one task that moves time, asks the path for trades and sends what came of it.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use tokio::time::{Instant, sleep_until};

use crate::{
    path::{Next, Path},
    shared::Shared,
    ws::deliver,
};

/// Longest time between two looks at the clock, so that sessions change on time.
const LOOK_MAX: Duration = Duration::from_millis(50);

/// Drives the exchange until it is stopped.
pub(crate) async fn drive(shared: Arc<Shared>, mut path: Path) {
    let mut awaits_courses = true;
    while !shared.stop.is_cancelled() {
        let now = Instant::now();
        let (outputs, next) = {
            let mut exchange = shared.exchange();
            exchange.turn(now, shared.clock.now());
            if awaits_courses && !exchange.is_paused {
                awaits_courses = false;
                for stock in &shared.config.stocks {
                    if let Some(issue) = exchange.find(stock.symbol.as_str())
                        && !stock.script.is_empty()
                    {
                        exchange.follow(issue, stock.script.clone(), now);
                    }
                }
            }
            let path_next = path.step(&mut exchange, now);
            if exchange.take_dirty() {
                shared.changed.notify_one();
            }
            let due = exchange.next_due();
            (exchange.take_outputs(), earliest(path_next, due, now))
        };
        let deliveries = shared.hub.route(outputs, &mut shared.faults(), now);
        tokio::select! {
            () = deliver(deliveries) => {}
            () = shared.stop.cancelled() => return,
        }
        let (ticks, is_finished) = path.progress();
        shared.progress.ticks.store(ticks, Ordering::Release);
        shared
            .progress
            .is_finished
            .store(is_finished, Ordering::Release);
        match next {
            None => tokio::task::yield_now().await,
            Some(at) => tokio::select! {
                () = shared.wake.notified() => {}
                () = sleep_until(at) => {}
                () = shared.stop.cancelled() => return,
            },
        }
    }
}

/// Returns when to go on; nothing means at once.
fn earliest(path: Next, due: Option<Instant>, now: Instant) -> Option<Instant> {
    let look = now + LOOK_MAX;
    let path = match path {
        Next::AtOnce => return None,
        Next::At(at) => at,
        Next::Never => look,
    };
    Some(due.map_or(path, |due| due.min(path)).min(look))
}
