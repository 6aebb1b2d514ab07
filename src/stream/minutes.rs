//! Keeps the bars of one minute up to date while the job runs.

use std::time::Duration;

use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use tracing::warn;
use turnstile_connectors::bars::gather_minutes;
use turnstile_connectors::postgres::Postgres;

/// Takes in new prices every `every`, until `stop`. What is missing then, the next start takes in.
pub(super) async fn keep_minutes(postgres: Postgres, every: Duration, stop: CancellationToken) {
    let mut has_failed = false;
    let mut look = tokio::time::interval(every);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while stop.run_until_cancelled(look.tick()).await.is_some() {
        loop {
            match stop.run_until_cancelled(gather_minutes(&postgres)).await {
                None => return,
                Some(Ok(is_more)) => {
                    has_failed = false;
                    if !is_more {
                        break;
                    }
                }
                Some(Err(error)) => {
                    if !std::mem::replace(&mut has_failed, true) {
                        warn!(%error, "bars of one minute not brought up to date");
                    }
                    break;
                }
            }
        }
    }
}
