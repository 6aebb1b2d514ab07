//! What a list is sorted by.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

/// A ratio of whole numbers in lowest terms, compared exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Measure {
    numerator: i64,
    /// Above 0.
    denominator: i64,
}

impl Measure {
    /// A whole number.
    pub(crate) const fn whole(number: i64) -> Self {
        Self {
            numerator: number,
            denominator: 1,
        }
    }

    /// A ratio; none where the divisor is not above 0.
    pub(crate) fn ratio(numerator: i64, divisor: i64) -> Option<Self> {
        if divisor <= 0 {
            return None;
        }
        let common = i64::try_from(gcd(numerator.unsigned_abs(), divisor.unsigned_abs())).ok()?;
        Some(Self {
            numerator: numerator / common,
            denominator: divisor / common,
        })
    }
}

/// Greatest common divisor.
fn gcd(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

impl Ord for Measure {
    fn cmp(&self, other: &Self) -> Ordering {
        let product = |a: i64, b: i64| i128::from(a) * i128::from(b);
        product(self.numerator, other.denominator).cmp(&product(other.numerator, self.denominator))
    }
}

impl PartialOrd for Measure {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_compared_exactly() {
        let ratio = |numerator, divisor| Measure::ratio(numerator, divisor).unwrap();
        assert_eq!(ratio(2, 6), ratio(1, 3));
        assert!(ratio(1, 3) < ratio(333_333_333_334, 1_000_000_000_000));
        assert!(ratio(1, 3) > ratio(333_333_333_333, 1_000_000_000_000));
        assert!(ratio(i64::MAX, 1) > ratio(i64::MAX, 2));
        assert!(Measure::whole(-2) < Measure::whole(-1));
        assert_eq!(ratio(0, 7), Measure::whole(0));
    }

    #[test]
    fn nothing_is_divided_by_zero() {
        assert_eq!(Measure::ratio(1, 0), None);
        assert_eq!(Measure::ratio(1, -1), None);
    }
}
