//! The input of positions: a row and its state are two rows of the store and one of the dataflow.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use differential_dataflow::input::{Input, InputSession};
use timely::dataflow::Scope;

use crate::model::{Phase, Position, PositionId, PositionRow, PositionState, ProfileId};
use crate::{Rows, Time};

/// Live positions.
pub(super) struct Positions {
    pub(super) session: InputSession<Time, (PositionId, Arc<PositionRow>), isize>,
    rows: BTreeMap<PositionId, Arc<PositionRow>>,
    /// States that came before their positions.
    early: BTreeMap<PositionId, PositionState>,
    /// Names that many rows share.
    strategies: BTreeSet<Arc<str>>,
    profiles: BTreeSet<ProfileId>,
}

impl Positions {
    pub(super) fn new<'s>(
        scope: Scope<'s, Time>,
    ) -> (Self, Rows<'s, (PositionId, Arc<PositionRow>)>) {
        let (session, rows) = scope.new_collection();
        let positions = Self {
            session,
            rows: BTreeMap::new(),
            early: BTreeMap::new(),
            strategies: BTreeSet::new(),
            profiles: BTreeSet::new(),
        };
        (positions, rows)
    }

    /// Puts a live position in place of what was known of it.
    pub(super) fn put(&mut self, mut position: Position) {
        position.strategy = shared(&mut self.strategies, position.strategy);
        position.profile = position.profile.map(|id| shared(&mut self.profiles, id));
        let known = self.rows.get(&position.id).map(|row| row.state.clone());
        let state = known.or_else(|| self.early.remove(&position.id));
        self.replace(PositionRow {
            position,
            state: state.unwrap_or_default(),
        });
    }

    /// Puts the state of a position in place. The mark of a known position is the dataflow's own:
    /// it is newer than what was saved.
    pub(super) fn put_state(&mut self, id: PositionId, mut state: PositionState) {
        let Some(row) = self.rows.get(&id) else {
            if state.phase == Phase::Exited {
                self.early.remove(&id);
            } else {
                self.early.insert(id, state);
            }
            return;
        };
        state.mark = row.state.mark;
        let position = row.position.clone();
        self.replace(PositionRow { position, state });
    }

    /// Forgets a position that is live no more.
    pub(super) fn remove(&mut self, id: &PositionId) {
        self.early.remove(id);
        if let Some(row) = self.rows.remove(id) {
            self.session.update((id.clone(), row), -1);
        }
    }

    fn replace(&mut self, row: PositionRow) {
        let id = row.position.id.clone();
        if self.rows.get(&id).is_some_and(|known| **known == row) {
            return;
        }
        let row = Arc::new(row);
        if let Some(old) = self.rows.insert(id.clone(), row.clone()) {
            self.session.update((id.clone(), old), -1);
        }
        self.session.update((id, row), 1);
    }
}

/// Returns the known value that equals `value`, so that rows share one copy of it.
fn shared<T: Ord + Clone>(known: &mut BTreeSet<T>, value: T) -> T {
    if let Some(known) = known.get(&value) {
        return known.clone();
    }
    known.insert(value.clone());
    value
}
