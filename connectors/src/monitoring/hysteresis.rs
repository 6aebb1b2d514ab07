//! When a value raises an alarm, and when it is well again.
//!
//! It becomes worse at once, or after it has stood for `hold`. It becomes better only after it has been
//! better by a margin, without a break, for a while: a value that goes to and fro about its limit is one
//! alarm.

#![expect(clippy::float_arithmetic, reason = "limits of measurements")]

use std::time::Duration;

use crate::postgres::LogLevel;

/// Limits of one value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Limits {
    /// Steps from mild to severe.
    pub(super) steps: [Option<Step>; 2],
    /// Whether less is worse.
    pub(super) is_below: bool,
    /// By how much of its limit a value has to be better, as a share.
    pub(super) margin: f64,
    /// How long a value stands before it counts.
    pub(super) hold: Duration,
    /// How long it is well before it counts as well.
    pub(super) clear_after: Duration,
}

/// A level, and the value beyond which it is reached. The limit itself is still well.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Step {
    pub(super) level: LogLevel,
    pub(super) limit: f64,
}

/// What stands of one key.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Standing {
    pub(super) step: Option<Step>,
    /// Since when it is worse than it stands.
    worse: Option<(LogLevel, Duration)>,
    /// Since when it is better than it stands, and the worst that it was since.
    better: Option<(Duration, Option<Step>)>,
}

impl Limits {
    /// Returns the step of a level.
    pub(super) fn step(&self, level: LogLevel) -> Option<Step> {
        let steps = self.steps.iter().flatten();
        steps.copied().find(|step| step.level == level)
    }

    /// Returns the severest step that `value` is beyond, its limit eased by `ease` of it. One below zero
    /// is eased towards the same side.
    fn reached(&self, value: f64, ease: f64) -> Option<Step> {
        let is_beyond = |step: &Step| {
            let ease = ease.copysign(step.limit);
            if self.is_below {
                value < step.limit * (1.0 + ease)
            } else {
                value > step.limit * (1.0 - ease)
            }
        };
        self.steps.iter().rev().flatten().copied().find(is_beyond)
    }
}

fn level(step: Option<Step>) -> Option<LogLevel> {
    step.map(|step| step.level)
}

impl Standing {
    /// Returns a key that stands at `step` already.
    pub(super) fn at(step: Option<Step>) -> Self {
        Self {
            step,
            ..Self::default()
        }
    }

    /// Takes in the value at `now`; where nothing is known of it, it counts as well. Returns whether the
    /// step has changed.
    pub(super) fn take(&mut self, now: Duration, value: Option<f64>, limits: &Limits) -> bool {
        let reached = value.and_then(|value| limits.reached(value, 0.0));
        if level(reached) > level(self.step) {
            self.better = None;
            return self.worsen(now, reached, limits.hold);
        }
        self.worse = None;
        // While it stands, less than its limit by the margin is not well yet.
        let kept = value.and_then(|value| limits.reached(value, limits.margin));
        if level(kept) >= level(self.step) {
            self.better = None;
            return false;
        }
        let (since, worst) = self.better.get_or_insert((now, kept));
        if level(kept) > level(*worst) {
            *worst = kept;
        }
        if now.saturating_sub(*since) < limits.clear_after {
            return false;
        }
        self.step = *worst;
        self.better = None;
        true
    }

    fn worsen(&mut self, now: Duration, reached: Option<Step>, hold: Duration) -> bool {
        let Some(step) = reached else {
            return false;
        };
        let since = match self.worse {
            Some((level, since)) if level <= step.level => since,
            Some(_) | None => now,
        };
        self.worse = Some((step.level, since));
        if now.saturating_sub(since) < hold {
            return false;
        }
        self.worse = None;
        self.step = Some(step);
        true
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    const CLEAR: u64 = 10;

    fn limits(warning: f64, danger: f64, hold: u64) -> Limits {
        let step = |level, limit| Some(Step { level, limit });
        Limits {
            steps: [
                step(LogLevel::Warning, warning),
                step(LogLevel::Critical, danger),
            ],
            is_below: warning > danger,
            margin: 0.1,
            hold: Duration::from_secs(hold),
            clear_after: Duration::from_secs(CLEAR),
        }
    }

    #[test]
    fn a_limit_below_zero_is_eased_to_the_better_side() {
        let limits = Limits {
            steps: [
                Some(Step {
                    level: LogLevel::Warning,
                    limit: -2.0,
                }),
                None,
            ],
            is_below: true,
            margin: 0.1,
            hold: Duration::ZERO,
            clear_after: Duration::ZERO,
        };
        let mut standing = Standing::default();
        let mut after = |value| {
            standing.take(Duration::ZERO, Some(value), &limits);
            level(standing.step)
        };
        let warning = Some(LogLevel::Warning);
        let course = [-2.0, -2.1, -1.9, -1.7, -1.9].map(&mut after);
        assert_eq!(course, [None, warning, warning, None, None]);
    }

    /// Levels after each second of a course.
    fn course(limits: &Limits, values: &[f64]) -> Vec<Option<LogLevel>> {
        let mut standing = Standing::default();
        let mut levels = Vec::new();
        for (second, value) in (0..).zip(values) {
            standing.take(Duration::from_secs(second), Some(*value), limits);
            levels.push(level(standing.step));
        }
        levels
    }

    const W: Option<LogLevel> = Some(LogLevel::Warning);
    const C: Option<LogLevel> = Some(LogLevel::Critical);

    #[rstest]
    #[case::the_limit_itself_is_well(&[100.0, 100.0], &[None, None])]
    #[case::beyond_it_is_told_at_once(&[99.0, 101.0], &[None, W])]
    #[case::it_may_begin_severe(&[501.0], &[C])]
    #[case::it_becomes_worse(&[101.0, 501.0], &[W, C])]
    #[case::within_the_margin_it_stands(&[101.0, 95.0, 95.0, 95.0, 95.0, 95.0, 95.0, 95.0, 95.0, 95.0, 95.0, 95.0, 95.0],
        &[W; 13])]
    #[case::it_clears_after_a_while(&[101.0, 80.0, 80.0, 80.0, 80.0, 80.0, 80.0, 80.0, 80.0, 80.0, 80.0, 80.0],
        &[W, W, W, W, W, W, W, W, W, W, W, None])]
    #[case::a_break_begins_anew(&[101.0, 80.0, 80.0, 80.0, 80.0, 80.0, 101.0, 80.0, 80.0, 80.0, 80.0, 80.0],
        &[W; 12])]
    #[case::severe_becomes_mild(&[501.0, 200.0, 200.0, 200.0, 200.0, 200.0, 200.0, 200.0, 200.0, 200.0, 200.0, 200.0],
        &[C, C, C, C, C, C, C, C, C, C, C, W])]
    #[case::what_was_mild_within_the_while_is_mild_after_it(
        &[501.0, 200.0, 80.0, 80.0, 80.0, 80.0, 80.0, 80.0, 80.0, 80.0, 80.0, 80.0, 80.0],
        &[C, C, C, C, C, C, C, C, C, C, C, W, W])]
    fn higher_is_worse(#[case] values: &[f64], #[case] levels: &[Option<LogLevel>]) {
        assert_eq!(course(&limits(100.0, 500.0, 0), values), levels);
    }

    #[rstest]
    #[case(&[80.0, 79.0, 49.0], &[None, W, C])]
    #[case(&[49.0, 56.0, 56.0], &[C, C, C])]
    fn lower_is_worse(#[case] values: &[f64], #[case] levels: &[Option<LogLevel>]) {
        assert_eq!(course(&limits(80.0, 50.0, 0), values), levels);
    }

    #[test]
    fn what_has_to_stand_for_a_while_does() {
        let limits = limits(100.0, 500.0, 2);
        let levels = course(&limits, &[101.0, 101.0, 80.0, 101.0, 501.0, 501.0, 501.0]);
        assert_eq!(levels, [None, None, None, None, None, C, C]);
    }

    #[test]
    fn nothing_known_counts_as_well() {
        let limits = limits(100.0, 500.0, 0);
        let mut standing = Standing::default();
        assert!(standing.take(Duration::ZERO, Some(101.0), &limits));
        assert!(!standing.take(Duration::from_secs(1), None, &limits));
        assert!(standing.take(Duration::from_secs(1 + CLEAR), None, &limits));
        assert_eq!(standing.step, None);
    }

    proptest! {
        /// Whatever the course, one alarm ends at the soonest `clear_after` after the last value that was
        /// beyond the eased limit, and its level is never below what the value has reached.
        #[test]
        fn it_is_never_milder_than_the_value_and_never_ends_early(
            values in prop::collection::vec(0.0..700.0_f64, 1..200),
        ) {
            let limits = limits(100.0, 500.0, 0);
            let mut standing = Standing::default();
            let mut bad_at = None;
            for (second, value) in (0..).zip(values) {
                let now = Duration::from_secs(second);
                let before = standing.step;
                let has_changed = standing.take(now, Some(value), &limits);
                prop_assert_eq!(has_changed, level(before) != level(standing.step));
                prop_assert!(level(standing.step) >= level(limits.reached(value, 0.0)));
                if has_changed && standing.step.is_none() {
                    let bad_at: u64 = bad_at.unwrap();
                    prop_assert!(second > bad_at + CLEAR);
                }
                if limits.reached(value, limits.margin).is_some() {
                    bad_at = Some(second);
                }
            }
        }
    }
}
