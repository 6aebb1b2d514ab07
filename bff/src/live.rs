//! Live data over WebSocket and server-sent events.
//!
//! ```text
//! Redis channel ──┐                ┌──────── core ────────┐
//! (away: poll of  ├─► prices ─────►│ board: newest price  │   reader + price reader
//!  PostgreSQL) ───┘   in rounds    │        of each symbol│◄── one pair per client ─► WebSocket
//! change feed ───► changes ───────►│ ring: last changes   │                        └► stream
//! each second ───► seconds ───────►│       of all topics  │◄── snapshots, shared
//! ```
//!
//! 1. Nothing is kept per client but how far it was told, so a client that reads slowly costs no memory:
//!    of prices it gets the newest when it reads on, of rows a snapshot where the ring has moved on.
//! 2. Whatever is sent was written as JSON once, for all clients.
//! 3. Producers never wait for a client. One that does not take a message in time is let go.

mod board;
mod changes;
mod client;
mod hub;
mod levels;
mod listener;
mod messages;
mod prices;
mod reader;
mod ring;
mod rows;
mod seconds;
mod snapshots;
mod stream;
mod topic;

pub(crate) use client::upgrade;
pub(crate) use hub::{Live, Mode};
pub(crate) use stream::{__path_stream, stream};

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use turnstile_connectors::task;

use crate::error::{ApiError, Code};
use crate::state::AppState;

/// First pause after a failure.
const RETRY_MIN: Duration = Duration::from_millis(100);
/// Longest pause between attempts.
const RETRY_MAX: Duration = Duration::from_secs(5);
/// How often it is looked whether a client may still see anything.
const LOOK: Duration = Duration::from_millis(500);

/// Starts the tasks that bring prices and changes to the hub until `stop`.
pub(crate) fn start(state: &AppState, stop: &CancellationToken) -> Vec<JoinHandle<()>> {
    let live = Arc::clone(&state.live);
    vec![
        task::spawn("bff prices", prices::run(state.clone(), stop.clone())),
        task::spawn("bff changes", changes::run(state.clone(), stop.clone())),
        task::spawn("bff seconds", seconds::run(state.clone(), stop.clone())),
        task::spawn("bff rounds", hub::rounds(live, stop.clone())),
    ]
}

/// Returns a place for a client.
///
/// # Errors
/// [`Code::TooManyClients`].
fn seat(state: &AppState) -> Result<hub::Seat, ApiError> {
    state.live.join().ok_or_else(|| {
        let message = "as many clients as allowed are connected";
        ApiError::new(Code::TooManyClients, message)
    })
}

/// Returns the pause after `failures` failures in a row.
fn retry_delay(failures: u32) -> Duration {
    RETRY_MIN
        .saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1)))
        .min(RETRY_MAX)
}
