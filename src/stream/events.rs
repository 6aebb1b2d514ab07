//! Events on their way into the engine.

use std::sync::mpsc::{SyncSender, TrySendError};
use std::time::Duration;

use turnstile_dataflows::engine::{Event, Timed};
use turnstile_dataflows::model::LogicalTime;

/// Sends an event to the engine, waiting while its channel is full.
pub(super) async fn send_event(events: &SyncSender<Timed>, timed: Timed) -> bool {
    let mut timed = timed;
    loop {
        match events.try_send(timed) {
            Ok(()) => return true,
            Err(TrySendError::Disconnected(_)) => return false,
            Err(TrySendError::Full(back)) => {
                timed = back;
                metrics::counter!("engine_channel_full_total").increment(1);
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
    }
}

/// Returns an event at its time.
pub(super) fn timed(time: LogicalTime, event: Event) -> Timed {
    Timed { time, event }
}
