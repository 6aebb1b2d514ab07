//! Levels: where each rule of a live position fires, looked at once a second while somebody follows.
//!
//! The change feed does not carry them, since a mark that trails writes them over and over. What clients
//! were told is kept here, and each look tells how that differs from what is stored. A snapshot is one more
//! look, and then all that was told: so a client that goes on after a break misses nothing, however long
//! nobody has looked.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::value::{RawValue, to_raw_value};
use uuid::Uuid;

use super::rows::RowsError;
use super::topic::Topic;
use crate::queries;
use crate::state::AppState;

/// Most rows of one message, about 200 kB.
const ROWS_MAX: usize = 200;

/// What clients were told of levels, and whether anybody follows.
#[derive(Default)]
pub(crate) struct Levels {
    followed: Arc<()>,
    told: Mutex<BTreeMap<Uuid, Box<RawValue>>>,
}

/// One that follows the levels. They are looked at while there is one.
pub(super) struct Follower(
    #[expect(dead_code, reason = "it counts as long as it is held")] Arc<()>,
);

impl Levels {
    /// Returns what a client holds while it follows.
    pub(super) fn follow(&self) -> Follower {
        Follower(Arc::clone(&self.followed))
    }

    fn is_followed(&self) -> bool {
        Arc::strong_count(&self.followed) > 1
    }

    /// Returns the rows that clients were told, by position.
    pub(super) fn rows(&self) -> Vec<Box<RawValue>> {
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.values().cloned().collect()
    }

    /// Takes the rows that stand now; returns those that are new or other than told, and the positions that
    /// have none any more.
    fn take(&self, now: BTreeMap<Uuid, Box<RawValue>>) -> (Vec<Box<RawValue>>, Vec<String>) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new =
            |id: &Uuid, row: &RawValue| told.get(id).is_none_or(|old| old.get() != row.get());
        let upsert = now.iter().filter(|(id, row)| is_new(id, row));
        let upsert = upsert.map(|(_, row)| row.clone()).collect();
        let gone = told.keys().filter(|id| !now.contains_key(*id));
        let removed = gone.map(Uuid::to_string).collect();
        *told = now;
        (upsert, removed)
    }
}

/// Looks at the levels if anybody follows, and tells what is other than before.
pub(super) async fn watch(state: &AppState) -> Result<(), RowsError> {
    if !state.live.levels.is_followed() {
        return Ok(());
    }
    let snapshot = state.live.snapshots.of(Topic::Levels);
    let _turn = snapshot.lock().await;
    look(state).await
}

/// Looks at the levels, and tells what is other than before. It is for whoever reads the topic.
pub(super) async fn look(state: &AppState) -> Result<(), RowsError> {
    let rows = queries::levels::live(&state.db).await?;
    let rows = rows
        .iter()
        .map(|row| Ok((row.position_id, to_raw_value(row)?)));
    let rows = rows.collect::<Result<_, serde_json::Error>>()?;
    let (upsert, removed) = state.live.levels.take(rows);
    // Numbers and texts alone are always written; else a snapshot tells what was not.
    for rows in upsert.chunks(ROWS_MAX) {
        state.live.tell(Topic::Levels, rows, &[])?;
    }
    Ok(state.live.tell(Topic::Levels, &[], &removed)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(rows: &[(u128, &str)]) -> BTreeMap<Uuid, Box<RawValue>> {
        let row = |(id, text): &(u128, &str)| {
            let row = RawValue::from_string((*text).to_owned()).unwrap();
            (Uuid::from_u128(*id), row)
        };
        rows.iter().map(row).collect()
    }

    #[test]
    fn only_what_is_other_than_told_is_told() {
        let levels = Levels::default();
        let take = |now: &[(u128, &str)]| {
            let (upsert, removed) = levels.take(rows(now));
            let upsert: Vec<String> = upsert.iter().map(|row| row.get().to_owned()).collect();
            (upsert, removed)
        };
        let (upsert, removed) = take(&[(1, "1"), (2, "2")]);
        assert_eq!((upsert.len(), removed.len()), (2, 0));
        assert_eq!(take(&[(1, "1"), (2, "2")]), (vec![], vec![]));
        let gone = Uuid::from_u128(1).to_string();
        assert_eq!(
            take(&[(2, "3"), (4, "4")]),
            (vec!["3".to_owned(), "4".to_owned()], vec![gone])
        );
        let told: Vec<String> = levels
            .rows()
            .iter()
            .map(|row| row.get().to_owned())
            .collect();
        assert_eq!(told, ["3", "4"]);
    }

    #[test]
    fn levels_are_followed_while_somebody_holds_on() {
        let levels = Levels::default();
        assert!(!levels.is_followed());
        let (one, other) = (levels.follow(), levels.follow());
        drop(one);
        assert!(levels.is_followed());
        drop(other);
        assert!(!levels.is_followed());
    }
}
