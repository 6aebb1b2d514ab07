//! How far sources are from each other.

use serde::{Deserialize, Serialize};

use crate::model::Price;

/// How far a worse source is from the best price (domain 2.2, rule 7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Discrepancy {
    /// Below 0.1 %: none to speak of.
    None,
    /// From 0.1 %.
    Low,
    /// From 0.5 %.
    Medium,
    /// Above 1 %.
    High,
}

impl Discrepancy {
    /// Returns how far `other` is from `best`.
    pub fn between(best: Price, other: Price) -> Self {
        let (best, other) = (i128::from(best.units()), i128::from(other.units()));
        let (apart, whole) = ((best - other).abs() * 1_000, best);
        match () {
            () if apart > 10 * whole => Self::High,
            () if apart >= 5 * whole => Self::Medium,
            () if apart >= whole => Self::Low,
            () => Self::None,
        }
    }

    /// Returns the level as a label.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::Low => "LOW",
            Self::Medium => "MEDIUM",
            Self::High => "HIGH",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_of_discrepancy_begin_where_the_domain_says() {
        let won = |won| Price::from_won(won).unwrap();
        let level = |other| Discrepancy::between(won(100_000), won(other));
        assert_eq!(level(100_099), Discrepancy::None);
        assert_eq!(level(99_900), Discrepancy::Low);
        assert_eq!(level(100_500), Discrepancy::Medium);
        assert_eq!(level(101_000), Discrepancy::Medium);
        assert_eq!(level(98_999), Discrepancy::High);
    }
}
