//! What a session has worked on.

use std::cell::Cell;

/// How often a symbol was evaluated, by what of it. What does not change is not evaluated again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// Its bars: statistics, momentum, technical, risk.
    pub bars: u64,
    /// Its fundamentals: value, quality.
    pub fundamentals: u64,
    /// Its flows.
    pub flows: u64,
    /// Its disclosures.
    pub disclosures: u64,
    /// All of its factors together.
    pub judged: u64,
}

/// Counts [`Work`] where it is done.
#[derive(Debug, Default)]
pub(crate) struct WorkCount {
    done: Cell<Work>,
}

impl WorkCount {
    pub(crate) fn done(&self) -> Work {
        self.done.get()
    }

    pub(crate) fn bars(&self) {
        self.count(|work| &mut work.bars);
    }

    pub(crate) fn fundamentals(&self) {
        self.count(|work| &mut work.fundamentals);
    }

    pub(crate) fn flows(&self) {
        self.count(|work| &mut work.flows);
    }

    pub(crate) fn disclosures(&self) {
        self.count(|work| &mut work.disclosures);
    }

    pub(crate) fn judged(&self) {
        self.count(|work| &mut work.judged);
    }

    fn count(&self, of: impl Fn(&mut Work) -> &mut u64) {
        let mut work = self.done.get();
        *of(&mut work) += 1;
        self.done.set(work);
    }
}
