//! Inputs that hold the row that now stands under each key.

use std::collections::BTreeMap;

use differential_dataflow::Data;
use differential_dataflow::input::{Input, InputSession};
use timely::dataflow::Scope;

use crate::{Rows, Time};

/// A collection with at most one row per key.
pub struct Table<K: Data, V: Data> {
    pub(crate) session: InputSession<Time, (K, V), isize>,
    pub(crate) rows: BTreeMap<K, V>,
}

impl<K: Data, V: Data> Table<K, V> {
    /// Returns an empty table, and its rows as a collection of `scope`.
    pub fn new<'s>(scope: Scope<'s, Time>) -> (Self, Rows<'s, (K, V)>) {
        let (session, rows) = scope.new_collection();
        (
            Self {
                session,
                rows: BTreeMap::new(),
            },
            rows,
        )
    }

    /// Returns the row under `key`.
    pub fn row(&self, key: &K) -> Option<&V> {
        self.rows.get(key)
    }

    /// Goes on to `time`: what was put is complete before it.
    pub fn advance(&mut self, time: Time) {
        self.advance_to(time);
        self.flush();
    }

    /// Puts `row` under `key`, or nothing.
    pub fn put(&mut self, key: K, row: Option<V>) {
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

/// A [`Table`] whatever its rows: what goes on with time.
pub(crate) trait Clocked {
    /// Lets what is put from now on have `time`.
    fn advance_to(&mut self, time: Time);

    /// Hands over what was put, and how far the table is.
    fn flush(&mut self);
}

impl<K: Data, V: Data> Clocked for Table<K, V> {
    fn advance_to(&mut self, time: Time) {
        self.session.advance_to(time);
    }

    fn flush(&mut self) {
        self.session.flush();
    }
}
