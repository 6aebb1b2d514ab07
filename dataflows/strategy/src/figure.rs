//! Figures of the strategy: whole numbers that doubles are rounded to once.
#![expect(
    clippy::float_arithmetic,
    reason = "the one place where doubles become figures"
)]

use serde::{Deserialize, Serialize};
use turnstile_dataflows::model::half_even;

/// A date of the exchange: days since 1970-01-01 at Seoul.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Day(pub u32);

/// A number in units of 1e-10, such as a strength (0–100) or a risk.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Figure(i64);

/// A [`Figure`] in −1…+1: the score of a factor.
pub type Score = Figure;

/// A share of equity in millionths.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Weight(pub i64);

impl Figure {
    /// Units of one.
    pub const ONE: i64 = 10_000_000_000;

    /// From units of 1e-10.
    pub const fn from_units(units: i64) -> Self {
        Self(units)
    }

    /// From a whole number.
    pub const fn whole(number: i64) -> Self {
        Self(number * Self::ONE)
    }

    /// Units of 1e-10.
    pub const fn units(self) -> i64 {
        self.0
    }

    /// Rounds a double to the nearest unit, ties away from zero. None where it is not finite or is
    /// beyond ±900 million.
    pub fn rounded(value: f64) -> Option<Self> {
        if !value.is_finite() || value.abs() > 9e8 {
            return None;
        }
        #[expect(
            clippy::as_conversions,
            clippy::cast_possible_truncation,
            reason = "whole and within ±9e18, so it fits"
        )]
        let units = (value * 1e10).round() as i64;
        Some(Self(units))
    }

    /// A quotient of whole numbers of units, half to even. `by` must not be zero, and the quotient must
    /// fit, which those of points and percents do.
    pub(crate) fn quotient(units: i128, by: i128) -> Self {
        let units = half_even(units, by);
        Self(i64::try_from(units).expect("points and percents are small"))
    }

    /// The nearest double.
    pub(crate) fn to_double(self) -> f64 {
        double(self.0.into()) / 1e10
    }

    /// As a decimal with 10 places, as the database stores it.
    pub fn to_decimal(self) -> rust_decimal::Decimal {
        rust_decimal::Decimal::new(self.0, 10)
    }
}

/// The double that is nearest to a whole number.
#[expect(
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "factors are computed with doubles"
)]
pub(crate) fn double(number: i128) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_are_rounded_to_the_nearest_unit_away_from_zero() {
        let units = |value: f64| Figure::rounded(value).map(Figure::units);
        assert_eq!(units(0.123_456_789_04), Some(1_234_567_890));
        assert_eq!(units(0.000_000_000_15), Some(2));
        assert_eq!(units(-0.000_000_000_15), Some(-2));
        assert_eq!(units(-1.0), Some(-Figure::ONE));
    }

    #[test]
    fn what_is_not_finite_is_no_figure() {
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e9] {
            assert_eq!(Figure::rounded(value), None);
        }
    }

    #[test]
    fn quotients_are_rounded_half_to_even() {
        assert_eq!(Figure::quotient(5, 2), Figure(2));
        assert_eq!(Figure::quotient(7, 2), Figure(4));
        assert_eq!(Figure::quotient(-5, 2), Figure(-2));
    }
}
