//! Live data over WebSocket.
//!
//! ```text
//! Redis channel ──┐                                   ┌─► mailbox ─► client
//! (away: poll of  ├─► prices ─┐                       │   newest price per symbol,
//!  PostgreSQL) ───┘           ├─► hub: one copy each ─┤   tables that changed
//! change feed ───► changes ───┘                       └─► mailbox ─► client
//! ```
//!
//! 1. Producers never wait for a client: a mailbox merges, so its size is bounded by the number of
//!    symbols and tables.
//! 2. A client has one message under way at a time; one that does not take it in time is
//!    disconnected.

mod changes;
mod client;
mod hub;
mod messages;
mod prices;

pub(crate) use client::upgrade;
pub(crate) use hub::{Live, Mode};

use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use turnstile_connectors::task;

use crate::state::AppState;

/// First pause after a failure.
const RETRY_MIN: Duration = Duration::from_millis(100);
/// Longest pause between attempts.
const RETRY_MAX: Duration = Duration::from_secs(5);

/// Starts the tasks that bring prices and changes to the hub until `stop`.
pub(crate) fn start(state: &AppState, stop: &CancellationToken) -> Vec<JoinHandle<()>> {
    vec![
        task::spawn("bff prices", prices::run(state.clone(), stop.clone())),
        task::spawn("bff changes", changes::run(state.clone(), stop.clone())),
    ]
}

/// Returns the pause after `failures` failures in a row.
fn retry_delay(failures: u32) -> Duration {
    RETRY_MIN
        .saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1)))
        .min(RETRY_MAX)
}
