//! Inputs that hold the row that now stands under each key.

use std::collections::BTreeMap;

use differential_dataflow::Data;
use differential_dataflow::input::{Input, InputSession};
use timely::dataflow::Scope;

use crate::{Rows, Time};

/// A collection with at most one row per key.
pub(super) struct Table<K: Data, V: Data> {
    pub(super) session: InputSession<Time, (K, V), isize>,
    pub(super) rows: BTreeMap<K, V>,
}

impl<K: Data, V: Data> Table<K, V> {
    pub(super) fn new<'s>(scope: Scope<'s, Time>) -> (Self, Rows<'s, (K, V)>) {
        let (session, rows) = scope.new_collection();
        (
            Self {
                session,
                rows: BTreeMap::new(),
            },
            rows,
        )
    }

    /// Puts `row` under `key`, or nothing.
    pub(super) fn put(&mut self, key: K, row: Option<V>) {
        let old = match row.clone() {
            Some(row) => self.rows.insert(key.clone(), row),
            None => self.rows.remove(&key),
        };
        if old == row {
            return;
        }
        if let Some(old) = old {
            self.session.update((key.clone(), old), -1);
        }
        if let Some(row) = row {
            self.session.update((key, row), 1);
        }
    }
}
