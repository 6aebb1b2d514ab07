//! Ratios of rules and their comparison with prices, exact.

use std::cmp::Ordering;
use std::fmt;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{Price, Quantity};

/// Decimal places of a ratio in a rule.
const RATIO_SCALE: u32 = 12;
/// One, as a [`Ratio`].
const RATIO_ONE: i64 = 1_000_000_000_000;
/// One, as a [`Threshold`]: a ratio times an ATR factor of six decimals.
const THRESHOLD_ONE: i128 = 1_000_000_000_000_000_000;
/// What turns a ratio into a threshold.
const THRESHOLD_PER_RATIO: i128 = 1_000_000;

/// A ratio such as −0.03 for −3 %, exact to twelve decimals; its absolute value is at most one.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Decimal", into = "Decimal")]
pub struct Ratio(i64);

/// Why a number is not a ratio.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RatioError {
    /// Beyond one or minus one.
    #[error("ratio must lie between -1 and 1, was {0}")]
    OutOfRange(Decimal),
    /// More places than a ratio has.
    #[error("ratio may have at most 12 decimals, was {0}")]
    TooFine(Decimal),
}

impl Ratio {
    /// Nothing: a trigger with this ratio is off.
    pub const ZERO: Self = Self(0);
    /// All of it.
    pub const ONE: Self = Self(RATIO_ONE);

    /// Returns whether the ratio is zero.
    pub fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// Returns the ratio as a decimal without trailing zeros.
    pub fn to_decimal(self) -> Decimal {
        Decimal::new(self.0, RATIO_SCALE).normalize()
    }

    /// Returns the count of 1e-12 parts.
    pub(super) const fn units(self) -> i64 {
        self.0
    }

    /// Returns the threshold of this ratio without scaling.
    pub fn threshold(self) -> Threshold {
        Threshold(i128::from(self.0) * THRESHOLD_PER_RATIO)
    }

    /// Returns this ratio times `factor` millionths.
    pub fn scaled(self, factor_millionths: i64) -> Threshold {
        Threshold(i128::from(self.0) * i128::from(factor_millionths))
    }

    /// Returns `ceil(quantity × self)` (decision contract, section 3).
    #[must_use]
    pub fn share_of(self, quantity: Quantity) -> Quantity {
        let product = i128::from(quantity.shares()) * i128::from(self.0.max(0));
        let one = i128::from(RATIO_ONE);
        let shares = (product + one - 1).div_euclid(one);
        i64::try_from(shares)
            .ok()
            .and_then(|shares| Quantity::new(shares).ok())
            .unwrap_or(quantity)
    }
}

impl Ratio {
    /// Returns `floor(quantity × self)`: the size of a re-entry (domain 5.3).
    #[must_use]
    pub fn floor_of(self, quantity: Quantity) -> Quantity {
        let product = i128::from(quantity.shares()) * i128::from(self.0.max(0));
        let shares = i64::try_from(product / i128::from(RATIO_ONE));
        shares
            .ok()
            .and_then(|shares| Quantity::new(shares).ok())
            .unwrap_or(quantity)
    }
}

impl TryFrom<Decimal> for Ratio {
    type Error = RatioError;

    fn try_from(value: Decimal) -> Result<Self, RatioError> {
        let mut value = value.normalize();
        if value.abs() > Decimal::ONE {
            return Err(RatioError::OutOfRange(value));
        }
        if value.scale() > RATIO_SCALE {
            return Err(RatioError::TooFine(value));
        }
        value.rescale(RATIO_SCALE);
        i64::try_from(value.mantissa())
            .map(Self)
            .map_err(|_| RatioError::OutOfRange(value))
    }
}

impl From<Ratio> for Decimal {
    fn from(ratio: Ratio) -> Self {
        ratio.to_decimal()
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_decimal().fmt(f)
    }
}

impl fmt::Debug for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ratio({})", self.to_decimal())
    }
}

/// A signed return to which a price is compared, exact to eighteen decimals.
///
/// `price ≤ base × (1 + threshold)` over integers holds exactly when
/// `price ≤ floor(base × (1 + threshold))`, and `≥` when `price ≥ ceil(…)`. So one whole price says
/// where a level lies, and no rounding decides (decision contract, 2.3).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Threshold(i128);

impl Threshold {
    /// Returns the threshold with its absolute value held between `min` and `max`, and the sign of
    /// `base`, which scaling by zero loses; a zero bound is no bound (decision contract, 2.5).
    #[must_use]
    pub fn clamped(self, base: Ratio, min: Ratio, max: Ratio) -> Self {
        let (low, high) = (min.threshold().0.abs(), max.threshold().0.abs());
        let mut size = self.0.abs();
        if high > 0 {
            size = size.min(high);
        }
        size = size.max(low);
        Self(size * i128::from(base.0.signum()))
    }

    /// Returns the product of two numbers given in millionths.
    pub(crate) fn product(a_millionths: i64, b_millionths: i64) -> Self {
        Self(i128::from(a_millionths) * i128::from(b_millionths) * THRESHOLD_PER_RATIO)
    }

    /// Returns the threshold with the opposite sign.
    #[must_use]
    pub fn negated(self) -> Self {
        Self(-self.0)
    }

    /// Returns the highest price at or below `base × (1 + self)`, if there is one.
    pub fn at_or_below(self, base: Price) -> Option<Price> {
        price(self.scaled(base)?.div_euclid(THRESHOLD_ONE))
    }

    /// Returns the lowest price at or above `base × (1 + self)`.
    pub fn at_or_above(self, base: Price) -> Option<Price> {
        let scaled = self.scaled(base)?;
        price(ceil_div(scaled, THRESHOLD_ONE).max(1))
    }

    /// Returns `base × (1 + self)` rounded half to even to four decimals: the level as printed.
    pub fn rounded(self, base: Price) -> Option<Price> {
        price(half_even_div(self.scaled(base)?, THRESHOLD_ONE))
    }

    /// Returns `base × (1 + self)` in units of a price times eighteen decimals; none where that
    /// does not fit, which no price of a market reaches: ATR scales a threshold at most to 500, and
    /// 3e13 won times that still fit.
    fn scaled(self, base: Price) -> Option<i128> {
        i128::from(base.units()).checked_mul(THRESHOLD_ONE + self.0)
    }
}

/// Returns `value ÷ by`, rounded up. `by` is positive.
fn ceil_div(value: i128, by: i128) -> i128 {
    value.div_euclid(by) + i128::from(value.rem_euclid(by) != 0)
}

/// Returns `value ÷ by`, rounded half to even. `by` is positive.
pub fn half_even_div(value: i128, by: i128) -> i128 {
    let (whole, rest) = (value.div_euclid(by), value.rem_euclid(by));
    let up = match (rest * 2).cmp(&by) {
        Ordering::Less => false,
        Ordering::Equal => whole % 2 != 0,
        Ordering::Greater => true,
    };
    whole + i128::from(up)
}

pub(super) fn price(units: i128) -> Option<Price> {
    i64::try_from(units)
        .ok()
        .and_then(|units| Price::from_units(units).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ratio(text: &str) -> Ratio {
        Decimal::from_str_exact(text).unwrap().try_into().unwrap()
    }

    #[test]
    fn half_of_seven_is_four() {
        assert_eq!(ratio("0.5").share_of(Quantity::new(7).unwrap()).shares(), 4);
    }

    #[test]
    fn a_level_between_two_prices_needs_the_next_one() {
        let base = Price::from_units(3).unwrap();
        let third = ratio("-0.333333333333").threshold();
        assert_eq!(third.at_or_below(base).unwrap().units(), 2);
        assert_eq!(
            ratio("0.1").threshold().at_or_above(base).unwrap().units(),
            4
        );
    }

    #[test]
    fn bounds_clamp_the_size_and_keep_the_sign() {
        let base = ratio("-0.03");
        let scaled = |factor, min, max| base.scaled(factor).clamped(base, ratio(min), ratio(max));
        assert_eq!(
            scaled(3_000_000, "0.02", "0.06"),
            ratio("-0.06").threshold()
        );
        assert_eq!(scaled(3_000_000, "0", "0"), ratio("-0.09").threshold());
        assert_eq!(scaled(0, "0.015", "0"), ratio("-0.015").threshold());
    }

    proptest! {
        #[test]
        fn levels_agree_with_decimal_arithmetic(
            base in 1i64..10_000_000_000, mantissa in -499_999i64..500_000, price in 1i64..10_000_000_000,
        ) {
            let ratio: Ratio = Decimal::new(mantissa, 6).try_into().unwrap();
            let (base, price) = (Price::from_units(base).unwrap(), Price::from_units(price).unwrap());
            let exact = base.to_decimal() * (Decimal::ONE + ratio.to_decimal());
            let threshold = ratio.threshold();
            prop_assert_eq!(
                threshold.at_or_below(base).is_some_and(|level| price <= level),
                price.to_decimal() <= exact
            );
            prop_assert_eq!(
                threshold.at_or_above(base).is_some_and(|level| price >= level),
                price.to_decimal() >= exact
            );
        }
    }
}
