//! Returns of days, and what they come to one after the other.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::{FIGURE_MAX, held};

/// Largest return of a day. More is no return but money that nobody entered as paid in.
const RETURN_MAX: f64 = 1e6;

/// Return of one day, a ratio from −1 (all is lost) to a millionfold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct DayReturn(f64);

impl DayReturn {
    /// Returns `(equity − flows − before) ÷ before`: what was earned of what was there in the evening of the
    /// session before, where `flows` is what has been paid in since (below 0: out). Exact up to the
    /// quotient. None where nothing was there, or where it is no return: more than everything lost, or
    /// above a millionfold.
    pub(crate) fn of(equity: Decimal, flows: Decimal, before: Decimal) -> Option<Self> {
        if before <= Decimal::ZERO {
            return None;
        }
        let earned = equity.checked_sub(flows)?.checked_sub(before)?;
        Self::new(earned.checked_div(before)?.to_f64()?)
    }

    fn new(ratio: f64) -> Option<Self> {
        (-1.0..=RETURN_MAX).contains(&ratio).then_some(Self(ratio))
    }

    /// Returns the ratio.
    pub(crate) fn ratio(self) -> f64 {
        self.0
    }
}

#[cfg(test)]
impl DayReturn {
    /// Returns the return of this ratio, which has to be one.
    pub(crate) fn exactly(ratio: f64) -> Self {
        Self::new(ratio).expect("a return of a day")
    }
}

/// What one won has become, day by day.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Course {
    /// Π(1+r), from 0 on.
    wealth: f64,
    /// The most that it was, the beginning included: at least 1.
    peak: f64,
}

impl Course {
    /// Returns the course before the first day.
    pub(crate) fn new() -> Self {
        Self {
            wealth: 1.0,
            peak: 1.0,
        }
    }

    /// Goes on by a day.
    pub(crate) fn step(&mut self, day: DayReturn) {
        self.wealth = (self.wealth * (1.0 + day.ratio())).min(FIGURE_MAX);
        self.peak = self.peak.max(self.wealth);
    }

    /// Returns Π(1+r)−1, at least −1.
    pub(crate) fn total_return(&self) -> f64 {
        held(self.wealth - 1.0)
    }

    /// Returns how far it is below its peak, from −1 to 0.
    pub(crate) fn drawdown(&self) -> f64 {
        self.wealth / self.peak - 1.0
    }
}

/// Returns Π(1+r)−1 of `days`.
pub(super) fn total_return(days: impl IntoIterator<Item = DayReturn>) -> f64 {
    let mut course = Course::new();
    for day in days {
        course.step(day);
    }
    course.total_return()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::earned("101", "0", "100", Some(0.01))]
    #[case::paid_in("111", "10", "100", Some(0.01))]
    #[case::paid_out("89", "-10", "100", Some(-0.01))]
    #[case::all_paid_out("0", "-100", "100", Some(0.0))]
    #[case::all_lost("0", "0", "100", Some(-1.0))]
    #[case::nothing_was_there("5", "0", "0", None)]
    #[case::debts("5", "0", "-1", None)]
    #[case::more_than_all_is_lost("100", "200", "50", None)]
    #[case::a_deposit_that_nobody_entered("100000000", "0", "1", None)]
    #[case::beyond_decimals("900000000000000", "-900000000000000", "0.0001", None)]
    fn a_return_is_what_was_earned_of_what_was_there(
        #[case] equity: Decimal,
        #[case] flows: Decimal,
        #[case] before: Decimal,
        #[case] expected: Option<f64>,
    ) {
        let found = DayReturn::of(equity, flows, before);
        assert_eq!(found.map(DayReturn::ratio), expected);
    }

    proptest! {
        /// What is paid in, and is there in the evening, changes nothing.
        #[test]
        fn flows_are_no_returns(
            equity in 1..1_000_000_000_i64,
            before in 1..1_000_000_000_i64,
            flows in -1_000_000_000..1_000_000_000_i64,
        ) {
            let won = Decimal::from;
            prop_assert_eq!(
                DayReturn::of(won(equity) + won(flows), won(flows), won(before)),
                DayReturn::of(won(equity), Decimal::ZERO, won(before))
            );
        }
    }
}
