//! What is looked at once a second: the age of prices, the levels of positions, and how every part is.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::levels;
use super::rows::{RowsError, written};
use super::topic::Topic;
use crate::error::chain;
use crate::health;
use crate::queries;
use crate::state::AppState;

/// How often.
const EVERY: Duration = Duration::from_secs(1);
/// How long PostgreSQL may take; the next second has its health.
const PATIENCE: Duration = Duration::from_secs(1);

/// Tells clients what has changed, second by second, until `stop`.
pub(super) async fn run(state: AppState, stop: CancellationToken) {
    let mut every = interval(EVERY);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut is_failing = false;
    while stop.run_until_cancelled(every.tick()).await.is_some() {
        match stop.run_until_cancelled(look(&state)).await {
            None => return,
            Some(Ok(())) => is_failing = false,
            Some(Err(error)) => {
                if !std::mem::replace(&mut is_failing, true) {
                    warn!(error = %chain(&error), "not looked at prices and levels, trying again");
                }
            }
        }
    }
}

async fn look(state: &AppState) -> Result<(), RowsError> {
    let live = &state.live;
    if live.clients() > 0 {
        // First, because it answers also while PostgreSQL does not.
        let health = written(&[health::look(state).await])?;
        live.tell(Topic::Health, &health, &[])?;
    }
    let judging = timeout(PATIENCE, judge(state));
    let watching = timeout(PATIENCE, levels::watch(state));
    let (judged, watched) = tokio::join!(judging, watching);
    judged.unwrap_or(Err(RowsError::Late))?;
    watched.unwrap_or(Err(RowsError::Late))
}

/// Looks which prices are stale, and for prices of those that are not on the board yet.
async fn judge(state: &AppState) -> Result<(), RowsError> {
    let live = &state.live;
    let staleness = queries::best_prices::staleness(&state.db).await?;
    let staleness: BTreeMap<String, bool> = staleness.into_iter().collect();
    // Whoever follows all symbols begins with all that the engine has a price of.
    let missing = live.core().board.without(staleness.keys());
    live.judge(staleness);
    if !missing.is_empty() {
        live.show(queries::prices::newest_of(&state.db, &missing).await?);
    }
    Ok(())
}
