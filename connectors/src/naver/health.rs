//! Whether the source may be asked: a state machine of what became of the calls.
//!
//! ```text
//! refused ──────────────────────────────> disabled 60 s, doubling to 30 min
//! over half of 4 or more calls of the
//! last 60 s timed out ──────────────────> disabled 60 s
//! ```
//!
//! 1. The later end counts where both apply.
//! 2. A refusal that comes while an earlier one is in force is of a call that was under way: it
//!    lengthens nothing.
//! 3. The back-off starts anew once an answer comes after a quiet time as long as the last one:
//!    the first answer after a back-off proves little.
//!
//! There is no clock inside. Times are microseconds of any one clock; one that steps back only
//! lets the state last longer.

use std::collections::VecDeque;
use std::time::Duration;

use thiserror::Error;

use super::error::NaverError;
use super::quote::NaverAnswer;

const SECOND_US: u64 = 1_000_000;
/// First back-off after a refusal, and the longest.
const BACK_OFF_MIN_US: u64 = 60 * SECOND_US;
const BACK_OFF_MAX_US: u64 = 30 * 60 * SECOND_US;
/// Over what time the share of timeouts is taken, and how long too many of them disable the source
/// (domain, 2.4).
const WINDOW_US: u64 = 60 * SECOND_US;
const TIMEOUTS_PAUSE_US: u64 = 60 * SECOND_US;
/// Fewer calls than this say nothing of a share.
const CALLS_MIN: usize = 4;
/// Calls that are remembered; more do not fit into the window at the usual spacing.
const CALLS_MAX: usize = 1_024;

/// What became of one call, repetitions included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallOutcome {
    /// An answer, whatever is wrong with its rows.
    Answered,
    /// Turned away with this status.
    Blocked(u16),
    /// Something else than the documented answer, such as a page that says that we are blocked.
    Malformed,
    /// No answer in time.
    TimedOut,
    /// A fault of the source or of the connection.
    Unavailable,
}

/// That the source may not be asked, until when and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("naver is not asked: {reason}")]
pub struct Disabled {
    /// First moment at which it may be asked again, in microseconds.
    pub until_us: u64,
    /// What led to it.
    pub reason: DisabledReason,
}

/// Why the source may not be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum DisabledReason {
    /// It turned us away.
    #[error("it refused with status {0}")]
    Blocked(u16),
    /// It answered with something else.
    #[error("its answer was not as documented")]
    Malformed,
    /// It is too slow.
    #[error("{timed_out} of the last {calls} calls timed out")]
    TimeOuts {
        /// Calls that timed out.
        timed_out: usize,
        /// All calls of the last 60 s.
        calls: usize,
    },
}

/// The health of the source.
#[derive(Clone, Debug, Default)]
pub struct NaverHealth {
    /// Recent calls in order: when, and whether it timed out.
    calls: VecDeque<(u64, bool)>,
    disabled: Option<Disabled>,
    back_off: Option<BackOff>,
}

/// The last back-off.
#[derive(Clone, Copy, Debug)]
struct BackOff {
    length_us: u64,
    until_us: u64,
}

impl CallOutcome {
    /// Returns what became of a call.
    pub fn of(result: &Result<NaverAnswer, NaverError>) -> Self {
        match result {
            Ok(_) => Self::Answered,
            Err(NaverError::Blocked { status }) => Self::Blocked(*status),
            Err(NaverError::Malformed { .. }) => Self::Malformed,
            Err(NaverError::TimedOut { .. }) => Self::TimedOut,
            Err(NaverError::Unavailable(_)) => Self::Unavailable,
        }
    }
}

impl Disabled {
    /// Returns how long it still lasts at `now_us`.
    pub fn left(&self, now_us: u64) -> Duration {
        Duration::from_micros(self.until_us.saturating_sub(now_us))
    }
}

impl NaverHealth {
    /// Returns why the source may not be asked at `now_us`; `None` where it may.
    pub fn disabled(&self, now_us: u64) -> Option<Disabled> {
        self.disabled.filter(|disabled| now_us < disabled.until_us)
    }

    /// Takes in what became of a call that ended at `now_us`.
    pub fn record(&mut self, now_us: u64, outcome: CallOutcome) {
        match outcome {
            CallOutcome::Answered => self.forgive(now_us),
            CallOutcome::Blocked(status) => self.refuse(now_us, DisabledReason::Blocked(status)),
            CallOutcome::Malformed => self.refuse(now_us, DisabledReason::Malformed),
            CallOutcome::TimedOut | CallOutcome::Unavailable => {}
        }
        self.count(now_us, outcome == CallOutcome::TimedOut);
    }

    fn forgive(&mut self, now_us: u64) {
        let is_over = |last: &BackOff| now_us >= last.until_us.saturating_add(last.length_us);
        if self.back_off.as_ref().is_some_and(is_over) {
            self.back_off = None;
        }
    }

    fn refuse(&mut self, now_us: u64, reason: DisabledReason) {
        let length_us = match self.back_off {
            Some(last) if now_us < last.until_us => return,
            Some(last) => last.length_us.saturating_mul(2).min(BACK_OFF_MAX_US),
            None => BACK_OFF_MIN_US,
        };
        let until_us = now_us.saturating_add(length_us);
        self.back_off = Some(BackOff {
            length_us,
            until_us,
        });
        self.disable(Disabled { until_us, reason });
    }

    fn count(&mut self, now_us: u64, is_timeout: bool) {
        if self.calls.len() == CALLS_MAX {
            self.calls.pop_front();
        }
        self.calls.push_back((now_us, is_timeout));
        let is_old = |(at, _): &(u64, bool)| now_us.saturating_sub(*at) >= WINDOW_US;
        while self.calls.front().is_some_and(is_old) {
            self.calls.pop_front();
        }
        let calls = self.calls.len();
        let timed_out = self
            .calls
            .iter()
            .filter(|(_, timed_out)| *timed_out)
            .count();
        if calls >= CALLS_MIN && timed_out * 2 > calls {
            self.disable(Disabled {
                until_us: now_us.saturating_add(TIMEOUTS_PAUSE_US),
                reason: DisabledReason::TimeOuts { timed_out, calls },
            });
            self.calls.clear(); // The next judgement takes only what comes after the pause.
        }
    }

    fn disable(&mut self, new: Disabled) {
        let is_later = |old: &Disabled| old.until_us < new.until_us;
        if self.disabled.as_ref().is_none_or(is_later) {
            self.disabled = Some(new);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use CallOutcome::{Answered, Blocked, TimedOut, Unavailable};

    const START: u64 = 1_794_789_240 * SECOND_US;

    fn at(seconds: u64) -> u64 {
        START + seconds * SECOND_US
    }

    /// Records a refusal at `seconds` and returns how long it disables.
    fn refusal(health: &mut NaverHealth, seconds: u64) -> u64 {
        health.record(at(seconds), Blocked(403));
        let disabled = health.disabled(at(seconds)).unwrap();
        assert_eq!(disabled.reason, DisabledReason::Blocked(403));
        disabled.left(at(seconds)).as_secs()
    }

    #[test]
    fn refusals_double_the_back_off_to_half_an_hour() {
        let mut health = NaverHealth::default();
        let mut now = 0;
        let mut lengths = Vec::new();
        for _ in 0..7 {
            let length = refusal(&mut health, now);
            lengths.push(length);
            now += length;
            assert!(health.disabled(at(now) - 1).is_some());
            assert_eq!(health.disabled(at(now)), None);
        }
        assert_eq!(lengths, [60, 120, 240, 480, 960, 1_800, 1_800]);
    }

    #[test]
    fn a_refusal_under_way_lengthens_nothing() {
        let mut health = NaverHealth::default();
        assert_eq!(refusal(&mut health, 0), 60);
        health.record(at(1), Blocked(429));
        assert_eq!(health.disabled(at(1)).unwrap().left(at(0)).as_secs(), 60);
    }

    #[test]
    fn only_a_healthy_time_starts_the_back_off_anew() {
        let mut health = NaverHealth::default();
        assert_eq!(refusal(&mut health, 0), 60);
        health.record(at(61), Answered);
        assert_eq!(refusal(&mut health, 70), 120);
        health.record(at(191), Answered);
        health.record(at(310), Answered);
        assert_eq!(refusal(&mut health, 311), 60);
    }

    #[test]
    fn a_page_that_is_no_answer_counts_as_a_refusal() {
        let mut health = NaverHealth::default();
        health.record(at(0), CallOutcome::Malformed);
        let disabled = health.disabled(at(59)).unwrap();
        assert_eq!(disabled.reason, DisabledReason::Malformed);
        assert_eq!(health.disabled(at(60)), None);
    }

    #[test]
    fn more_than_half_of_four_calls_must_time_out() {
        let mut health = NaverHealth::default();
        for (second, outcome) in [(0, TimedOut), (1, TimedOut), (2, TimedOut)] {
            health.record(at(second), outcome);
            assert_eq!(health.disabled(at(second)), None, "three say nothing");
        }
        health.record(at(3), Unavailable);
        let disabled = health.disabled(at(3)).unwrap();
        let (timed_out, calls) = (3, 4);
        assert_eq!(
            disabled.reason,
            DisabledReason::TimeOuts { timed_out, calls }
        );
        assert_eq!(disabled.left(at(3)).as_secs(), 60);
        assert_eq!(
            disabled.to_string(),
            "naver is not asked: 3 of the last 4 calls timed out"
        );
        assert_eq!(health.disabled(at(63)), None);
    }

    #[test]
    fn half_of_the_calls_may_time_out() {
        let mut health = NaverHealth::default();
        for second in 0..20 {
            let outcome = if second % 2 == 0 { Answered } else { TimedOut };
            health.record(at(second), outcome);
            assert_eq!(health.disabled(at(second)), None);
        }
    }

    #[test]
    fn timeouts_older_than_a_minute_and_those_before_the_pause_are_forgotten() {
        let mut health = NaverHealth::default();
        for second in [0, 1, 2, 62] {
            health.record(at(second), TimedOut);
        }
        assert_eq!(health.disabled(at(62)), None);
        for second in [63, 64, 65] {
            health.record(at(second), TimedOut);
        }
        assert!(health.disabled(at(65)).is_some());
        health.record(at(125), TimedOut);
        assert_eq!(health.disabled(at(125)), None);
    }

    #[test]
    fn the_later_end_counts() {
        let mut health = NaverHealth::default();
        assert_eq!(refusal(&mut health, 0), 60);
        assert_eq!(refusal(&mut health, 60), 120);
        for second in 61..65 {
            health.record(at(second), TimedOut);
        }
        let disabled = health.disabled(at(65)).unwrap();
        assert_eq!(disabled.reason, DisabledReason::Blocked(403));
        assert_eq!(disabled.left(at(60)).as_secs(), 120);
    }
}
