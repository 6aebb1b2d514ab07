//! Orders that wait to be sent, and the positions whose turn is taken.

use std::collections::{BTreeMap, BTreeSet};

use tokio::time::Instant;
use uuid::Uuid;

use super::super::order::{Order, Rank};
use super::{Settled, Turn};

/// Orders that wait, and those under way.
#[derive(Default)]
pub(super) struct Queue {
    pub(super) waiting: BTreeMap<Rank, Waiting>,
    /// Every order that waits or is under way.
    known: BTreeSet<Uuid>,
    pub(super) busy: BTreeSet<Uuid>,
    pub(super) held: BTreeSet<Uuid>,
    /// Whether orders had to stay in the database for want of room.
    pub(super) has_left_out: bool,
}

/// An order that waits.
pub(super) struct Waiting {
    pub(super) order: Order,
    pub(super) not_before: Instant,
}

impl Queue {
    pub(super) fn add(&mut self, order: Order) {
        self.add_at(order, Instant::now());
    }

    fn add_at(&mut self, order: Order, not_before: Instant) {
        if self.known.insert(order.id) {
            self.waiting
                .insert(order.rank(), Waiting { order, not_before });
        }
    }

    /// Takes an order out of those that wait, to do something else about it. Returns whether nobody
    /// sends it now.
    pub(super) fn claim(&mut self, id: Uuid) -> bool {
        if self.known.insert(id) {
            return true;
        }
        let waits = |(.., waiting): &&Rank| *waiting == id;
        let key = self.waiting.keys().find(waits).copied();
        key.is_some_and(|key| self.waiting.remove(&key).is_some())
    }

    pub(super) fn settle(&mut self, (id, position, turn): Settled) {
        if let Some(position) = position {
            self.busy.remove(&position);
        }
        if matches!(turn, Turn::SetAside) {
            return;
        }
        self.known.remove(&id);
        match turn {
            Turn::Again(order, pause) => self.add_at(*order, Instant::now() + pause),
            Turn::Over | Turn::SetAside | Turn::Stopped => {
                self.held.remove(&id);
            }
        }
    }

    /// Returns when the next order that pauses may start; none where all wait for something else.
    pub(super) fn next_start(&self) -> Option<Instant> {
        let now = Instant::now();
        let pauses = self.waiting.values().map(|waiting| waiting.not_before);
        pauses.filter(|not_before| *not_before > now).min()
    }
}
