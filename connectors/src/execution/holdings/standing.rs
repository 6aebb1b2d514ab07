//! What the standing invariants are told: differences that two complete answers in a row have shown.

use tokio::time::Instant;
use turnstile_dataflows::invariants::{Difference, InvariantChange};

use super::{Holdings, State};
use crate::invariants::InvariantFeed;

impl Holdings {
    /// Tells `invariants` of differences that stand.
    #[must_use]
    pub fn telling(mut self, invariants: InvariantFeed) -> Self {
        self.invariants = Some(invariants);
        self
    }

    /// Tells of those that were seen before the answer which was asked for at `asked`.
    pub(super) fn tell_standing(&self, state: &State, asked: Instant) {
        let Some(invariants) = &self.invariants else {
            return;
        };
        let standing = state.differences.iter();
        let standing = standing.filter(|(_, known)| known.since < asked);
        let standing = standing.map(|(symbol, known)| {
            let difference = Difference {
                ours: known.ours,
                theirs: known.theirs,
            };
            (*symbol, difference)
        });
        invariants.tell(InvariantChange::Differences(standing.collect()));
    }
}
