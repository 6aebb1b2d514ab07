//! Snapshots: all rows of a topic. Clients that come together share one, so that a thousand that come
//! back after a break cost PostgreSQL as much as one.
//!
//! A topic is read by one at a time, be it a snapshot or changed rows. So a change that is told after a
//! snapshot was read after it, and a row never goes back to what it was before.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::ws::Utf8Bytes;
use tokio::sync;
use tokio::time::Instant;

use super::levels;
use super::messages::ServerMessage;
use super::rows::{self, RowsError};
use super::topic::Topic;
use crate::queries;
use crate::state::AppState;

/// How long a snapshot is shared. A client that takes an old one is told more changes after it.
const SHARED: Duration = Duration::from_secs(1);

/// The last snapshot of each topic.
#[derive(Default)]
pub(super) struct Snapshots {
    topics: Mutex<BTreeMap<Topic, Arc<sync::Mutex<Option<Snapshot>>>>>,
}

impl Snapshots {
    /// Returns the last snapshot of `topic`; whoever holds it is the one who reads the topic.
    pub(super) fn of(&self, topic: Topic) -> Arc<sync::Mutex<Option<Snapshot>>> {
        let mut topics = self.topics.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(topics.entry(topic).or_default())
    }
}

/// All rows of a topic as clients get them.
#[derive(Clone)]
pub(super) struct Snapshot {
    /// It has every change up to this number.
    pub(super) seq: u64,
    /// The message.
    pub(super) text: Utf8Bytes,
    made: Instant,
}

/// Returns a snapshot of `topic` that counts from `least` or later, and from which the ring can go on.
///
/// # Errors
/// If its rows cannot be had.
pub(super) async fn snapshot(
    state: &AppState,
    topic: Topic,
    least: u64,
) -> Result<Snapshot, RowsError> {
    let shared = state.live.snapshots.of(topic);
    // Whoever comes while one is made waits for it.
    let mut last = shared.lock().await;
    let least = least.max(state.live.core().ring.floor());
    if let Some(snapshot) = last.as_ref()
        && snapshot.seq >= least
        && snapshot.made.elapsed() < SHARED
    {
        return Ok(snapshot.clone());
    }
    if topic == Topic::Levels {
        levels::look(state).await?;
    }
    // The number comes first: what changes while rows are read is told after the snapshot as well.
    let seq = state.live.core().ring.head();
    let text = if topic == Topic::Tables {
        let tables = queries::feed::tables(&state.db).await?;
        ServerMessage::Changed {
            seq,
            tables: &tables,
        }
        .text()?
    } else {
        let rows = rows::all(state, topic).await?;
        let rows = &rows;
        ServerMessage::Snapshot { topic, seq, rows }.text()?
    };
    let snapshot = Snapshot {
        seq,
        text: text.into(),
        made: Instant::now(),
    };
    *last = Some(snapshot.clone());
    Ok(snapshot)
}
