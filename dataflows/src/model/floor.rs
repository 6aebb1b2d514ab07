//! Stop floors, exact.

use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::ratio::{half_even_div, price};
use super::{Price, Ratio};

/// Decimal places of a floor: four of the price and twelve of the ratio.
const FLOOR_SCALE: u32 = 16;
/// Floor units of one unit of a price.
const PER_PRICE_UNIT: i128 = 1_000_000_000_000;

/// The price that protects what the first take-profit secured: `avg × (1 + floor)` in KRW, exact to
/// sixteen decimals, so that neither the comparison nor the printed level depends on a rounding.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Decimal", into = "Decimal")]
pub struct Floor(i128);

/// Why a number is not a floor.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("floor must be positive with at most 16 decimals, was {0}")]
pub struct FloorError(String);

impl Floor {
    /// Returns `avg × (1 + ratio)`. `ratio` is not below zero.
    pub fn of(avg: Price, ratio: Ratio) -> Self {
        // At most 9.2e18 × 2e12, far below 1.7e38.
        Self(i128::from(avg.units()) * (PER_PRICE_UNIT + i128::from(ratio.units())))
    }

    /// Returns the floor at `price`.
    pub fn at(price: Price) -> Self {
        Self::of(price, Ratio::ZERO)
    }

    /// Returns the highest price at or below the floor: a price is at or below the floor exactly
    /// when it is at or below this one.
    pub fn reach(self) -> Option<Price> {
        price(self.0.div_euclid(PER_PRICE_UNIT))
    }

    /// Returns the floor rounded half to even to four decimals: the level as printed.
    pub fn level(self) -> Option<Price> {
        price(half_even_div(self.0, PER_PRICE_UNIT))
    }

    /// Returns the floor as a decimal without trailing zeros. One beyond 79 trillion won is cut to
    /// what a decimal can hold.
    pub fn to_decimal(self) -> Decimal {
        Decimal::try_from_i128_with_scale(self.0, FLOOR_SCALE)
            .unwrap_or(Decimal::MAX)
            .normalize()
    }
}

impl TryFrom<Decimal> for Floor {
    type Error = FloorError;

    fn try_from(value: Decimal) -> Result<Self, FloorError> {
        let value = value.normalize();
        let missing = FLOOR_SCALE
            .checked_sub(value.scale())
            .filter(|_| value > Decimal::ZERO)
            .ok_or_else(|| FloorError(value.to_string()))?;
        value
            .mantissa()
            .checked_mul(10_i128.pow(missing))
            .map(Self)
            .ok_or_else(|| FloorError(value.to_string()))
    }
}

impl From<Floor> for Decimal {
    fn from(floor: Floor) -> Self {
        floor.to_decimal()
    }
}

impl FromStr for Floor {
    type Err = FloorError;

    fn from_str(text: &str) -> Result<Self, FloorError> {
        let value = Decimal::from_str_exact(text);
        value
            .map_err(|_| FloorError(text.chars().take(40).collect()))?
            .try_into()
    }
}

impl fmt::Display for Floor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_decimal().fmt(f)
    }
}

impl fmt::Debug for Floor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Floor({})", self.to_decimal())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_level_is_rounded_and_the_reach_is_not() {
        let floor = Floor::of(
            "71666.67".parse().unwrap(),
            Decimal::new(6, 3).try_into().unwrap(),
        );
        assert_eq!(floor.to_string(), "72096.67002");
        assert_eq!(floor.reach(), Some("72096.67".parse().unwrap()));
        let floor = Floor::of(
            Price::from_units(1).unwrap(),
            Decimal::new(9, 1).try_into().unwrap(),
        );
        assert_eq!(floor.reach().unwrap().units(), 1);
        assert_eq!(floor.level().unwrap().units(), 2);
    }

    proptest! {
        #[test]
        fn a_floor_survives_decimals(avg in 1i64..1_000_000_000_000, ratio in 0i64..500_000_000_000) {
            let ratio: Ratio = Decimal::new(ratio, 12).try_into().unwrap();
            let floor = Floor::of(Price::from_units(avg).unwrap(), ratio);
            prop_assert_eq!(Floor::try_from(floor.to_decimal()).unwrap(), floor);
        }
    }
}
