//! Quiet ranges: prices that touch nobody.

use crate::model::Price;

/// From `low` on, and below `high`, in units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Quiet {
    low: i64,
    high: i64,
}

impl Quiet {
    /// No price.
    pub(super) const NONE: Self = Self { low: 0, high: 0 };

    /// Every price.
    pub(super) const ALL: Self = Self {
        low: 0,
        high: i64::MAX,
    };

    /// Returns `low` and all above it.
    pub(super) fn from(low: Price) -> Self {
        Self {
            low: low.units(),
            ..Self::ALL
        }
    }

    /// Returns all below `high`.
    pub(super) fn below(high: Price) -> Self {
        Self {
            high: high.units(),
            ..Self::ALL
        }
    }

    /// Returns the prices that are in both.
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            low: self.low.max(other.low),
            high: self.high.min(other.high),
        }
    }

    /// Returns whether `price` is one of them.
    #[inline]
    pub(super) fn holds(self, price: Price) -> bool {
        (self.low..self.high).contains(&price.units())
    }
}
