//! What is to happen later, in order of time; entries of one time keep the order of entry.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
};

use tokio::time::Instant;

use crate::price::Price;

/// Something to do at a time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Task {
    /// An accepted order, cancel or replacement reaches the exchange.
    TakeEffect(u64),
    /// The remainder of an order that traded in part tries again, as it did before.
    Retry { number: u64, is_arriving: bool },
    /// A price course reaches one of its points.
    CoursePoint {
        issue: usize,
        course: u64,
        price: Price,
    },
    /// Trading in an issue resumes.
    EndHalt(usize),
}

#[derive(Debug, Default)]
pub(super) struct Agenda {
    due: BinaryHeap<Reverse<(Instant, u64)>>,
    tasks: BTreeMap<u64, Task>,
    entries: u64,
}

impl Agenda {
    pub(super) fn add(&mut self, at: Instant, task: Task) {
        self.entries += 1;
        self.due.push(Reverse((at, self.entries)));
        self.tasks.insert(self.entries, task);
    }

    pub(super) fn next_due(&self) -> Option<Instant> {
        self.due.peek().map(|Reverse((at, _))| *at)
    }

    pub(super) fn take_due(&mut self, now: Instant) -> Option<Task> {
        if self.next_due()? > now {
            return None;
        }
        let Reverse((_, entry)) = self.due.pop()?;
        self.tasks.remove(&entry)
    }
}
