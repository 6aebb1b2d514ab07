//! Figures of the strategy: whole numbers that doubles are rounded to once.

use serde::Serialize;

/// A date of the exchange: days since 1970-01-01 at Seoul.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Day(pub u32);

/// A number in units of 1e-10, such as a strength (0–100) or a risk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Figure(i64);

/// A [`Figure`] in −1…+1: the score of a factor.
pub type Score = Figure;

/// A share of equity in millionths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
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
            clippy::float_arithmetic,
            reason = "the one place where a factor is rounded"
        )]
        #[expect(
            clippy::as_conversions,
            clippy::cast_possible_truncation,
            reason = "whole and within ±9e18, so it fits"
        )]
        let units = (value * 1e10).round() as i64;
        Some(Self(units))
    }

    /// As a decimal with 10 places, as the database stores it.
    pub fn to_decimal(self) -> rust_decimal::Decimal {
        rust_decimal::Decimal::new(self.0, 10)
    }
}
