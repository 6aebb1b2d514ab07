//! How the broker bears the calls: measured over a minute.
//!
//! ```text
//! > 20 % throttled ─> throttled ─ <= 10 % ─> well
//! 3 faults of its own ─> faulty ─ none ─> well
//! ```
//!
//! (Domain 2.4.) Few calls say nothing of a share.

use std::collections::VecDeque;

use turnstile_connectors::kis::CallCounts;

const WINDOW_US: u64 = 60_000_000;
const CALLS_MIN: u64 = 5;
const FAULTS: u64 = 3;

/// What is measured, and what follows from it.
#[derive(Default)]
pub(super) struct Strain {
    samples: VecDeque<(u64, CallCounts)>,
    is_throttled: bool,
    is_faulty: bool,
}

impl Strain {
    /// Takes in what became of all calls until now. Returns whether something has changed.
    pub(super) fn take(&mut self, now_us: u64, counts: CallCounts) -> bool {
        while self.samples.len() > 1
            && self
                .samples
                .get(1)
                .is_some_and(|(at_us, _)| at_us + WINDOW_US <= now_us)
        {
            self.samples.pop_front();
        }
        self.samples.push_back((now_us, counts));
        let (_, first) = self.samples[0];
        let calls = counts.calls - first.calls;
        let throttled = counts.throttled - first.throttled;
        let faulty = counts.faulty - first.faulty;
        let before = (self.is_throttled, self.is_faulty);
        self.is_throttled = match self.is_throttled {
            false => calls >= CALLS_MIN && throttled * 5 > calls,
            true => throttled * 10 > calls,
        };
        self.is_faulty = match self.is_faulty {
            false => faulty >= FAULTS,
            true => faulty > 0,
        };
        before != (self.is_throttled, self.is_faulty)
    }

    /// Returns whether the broker refuses many calls for their number.
    pub(super) fn is_throttled(&self) -> bool {
        self.is_throttled
    }

    /// Returns whether the broker has faults of its own.
    pub(super) fn is_faulty(&self) -> bool {
        self.is_faulty
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes in one second after another of `(calls, throttled, faulty)`; returns how it stands.
    fn after(seconds: impl IntoIterator<Item = (u64, u64, u64)>) -> (bool, bool) {
        let mut strain = Strain::default();
        let mut counts = CallCounts::default();
        strain.take(0, counts);
        for (second, (calls, throttled, faulty)) in (1..).zip(seconds) {
            counts.calls += calls;
            counts.throttled += throttled;
            counts.faulty += faulty;
            strain.take(second * 1_000_000, counts);
        }
        (strain.is_throttled(), strain.is_faulty())
    }

    #[test]
    fn a_fifth_is_borne_and_more_is_throttled() {
        assert_eq!(after([(10, 2, 0)]), (false, false));
        assert_eq!(after([(10, 3, 0)]), (true, false));
        assert_eq!(after([(4, 4, 0)]), (false, false), "too few to tell");
    }

    #[test]
    fn three_faults_in_a_minute_are_told_and_a_minute_without_ends_it() {
        assert_eq!(after([(1, 0, 1), (1, 0, 1)]), (false, false));
        assert_eq!(after([(1, 0, 1), (1, 0, 1), (1, 0, 1)]), (false, true));
        let spread = |quiet| {
            let faults = [(1, 0, 1), (1, 0, 1), (1, 0, 1)];
            after(faults.into_iter().chain(vec![(1, 0, 0); quiet]))
        };
        assert_eq!(spread(58), (false, true));
        assert_eq!(spread(61), (false, false));
    }

    #[test]
    fn it_is_over_at_a_tenth() {
        let strained = |then: (u64, u64, u64)| after([(10, 9, 0), then]);
        assert_eq!(strained((70, 0, 0)), (true, false), "11 %");
        assert_eq!(strained((80, 0, 0)), (false, false), "10 %");
    }
}
