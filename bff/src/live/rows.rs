//! Rows of topics, as the REST API shows them.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use turnstile_connectors::postgres::Postgres;
use uuid::Uuid;

use super::topic::Topic;
use crate::api::alarms::LEVELS;
use crate::cursor::Cursor;
use crate::extract::Page;
use crate::health;
use crate::queries::alarms::State as AlarmState;
use crate::queries::positions::Which;
use crate::queries::{self, QueryError};
use crate::state::AppState;

/// Most rows of a snapshot of what comes to an end, live positions and open alarms: more than there ever
/// are.
const OPEN_MAX: i64 = 1_000;
/// Rows of a snapshot of what never ends: the newest ones.
const NEWEST: i64 = 100;

/// Rows could not be had.
#[derive(Debug, thiserror::Error)]
pub(super) enum RowsError {
    /// PostgreSQL did not answer as expected.
    #[error("rows not read")]
    Query(#[from] QueryError),
    /// It took too long.
    #[error("rows not read in time")]
    Late,
    /// A row cannot be written as JSON.
    #[error("row not written")]
    Text(#[from] serde_json::Error),
}

impl RowsError {
    /// Returns whether it may be otherwise later.
    pub(super) fn is_transient(&self) -> bool {
        match self {
            Self::Query(error) => error.is_unavailable(),
            Self::Late => true,
            Self::Text(_) => false,
        }
    }
}

/// Returns all rows of a snapshot of `topic`, newest first. Prices are on the board, levels are kept by
/// those who look at them, tables have none.
pub(super) async fn all(state: &AppState, topic: Topic) -> Result<Vec<Box<RawValue>>, RowsError> {
    let db = &state.db;
    match topic {
        Topic::Positions => {
            let page = first(OPEN_MAX);
            written(&queries::positions::list(db, Which::Live, page).await?.items)
        }
        Topic::Orders => {
            let all = queries::orders::Filter::default();
            written(&queries::orders::list(db, &all, first(NEWEST)).await?.items)
        }
        Topic::Exits => {
            let page = first(NEWEST);
            written(&queries::exit_events::list(db, None, page).await?.items)
        }
        Topic::Candidates => written(&queries::reentry::candidates(db, first(NEWEST)).await?.items),
        Topic::Alarms => {
            let (state, page) = (AlarmState::Open, first(OPEN_MAX));
            written(&queries::alarms::list(db, state, &LEVELS, page).await?.items)
        }
        Topic::Health => written(&[health::look(state).await]),
        Topic::Levels => Ok(state.live.levels.rows()),
        Topic::Prices | Topic::Tables => Ok(Vec::new()),
    }
}

/// Returns what stands now of the rows `ids` of a topic that follows tables, and the ids of those that
/// are gone.
pub(super) async fn some(
    db: &Postgres,
    topic: Topic,
    ids: &[Uuid],
) -> Result<(Vec<Box<RawValue>>, Vec<String>), RowsError> {
    let (rows, found) = match topic {
        Topic::Positions => {
            let rows = queries::positions::live_of(db, ids).await?;
            let found = rows.iter().map(|row| row.position.position_id).collect();
            (written(&rows)?, found)
        }
        Topic::Orders => {
            let rows = queries::orders::of(db, ids).await?;
            (
                written(&rows)?,
                rows.iter().map(|row| row.order_id).collect(),
            )
        }
        Topic::Exits => {
            let rows = queries::exit_events::of(db, ids).await?;
            let found = rows.iter().map(|row| row.exit_event_id).collect();
            (written(&rows)?, found)
        }
        Topic::Candidates => {
            let rows = queries::reentry::candidates_of(db, ids).await?;
            let found = rows.iter().map(|row| row.candidate_id).collect();
            (written(&rows)?, found)
        }
        Topic::Alarms => {
            let rows = queries::alarms::of(db, ids).await?;
            let found = rows.iter().map(|row| row.id).collect();
            (written(&rows)?, found)
        }
        Topic::Prices | Topic::Levels | Topic::Health | Topic::Tables => {
            (Vec::new(), BTreeSet::from_iter(ids.iter().copied()))
        }
    };
    let is_gone = |id: &&Uuid| !found.contains(*id);
    let gone = ids.iter().filter(is_gone).map(Uuid::to_string).collect();
    Ok((rows, gone))
}

/// Returns each row as JSON.
pub(super) fn written<T: Serialize>(rows: &[T]) -> Result<Vec<Box<RawValue>>, RowsError> {
    Ok(rows.iter().map(to_raw_value).collect::<Result<_, _>>()?)
}

fn first<C: Cursor>(limit: i64) -> Page<C> {
    Page {
        limit,
        below: C::first(),
    }
}
