//! Exact prices and amounts of money, and the price grid of the exchange.
//!
//! Everything is an integer count of 1/10000 KRW; no floating point decides anything.

mod grid;

use std::{
    fmt,
    ops::{Add, AddAssign, Sub, SubAssign},
    str::FromStr,
};

use rust_decimal::{Decimal, prelude::ToPrimitive};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use thiserror::Error;

pub(crate) use grid::Grid;

/// Parts of one KRW in a [`Price`] or [`Money`].
const SCALE: i64 = 10_000;

/// Price of one share in KRW, exact to 1/10000. Zero stands for "no price".
///
/// Its text is a whole number where it is one (`191200`), else it ends at the last digit that is
/// not zero (`167.41`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Price(i64);

/// A text or number that is no price.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("price must be between 0 and 100000000000 with at most 4 decimals, was {0}")]
pub struct PriceError(String);

impl Price {
    /// No price: an order without a limit, or a side of the book that is not known.
    pub const NONE: Self = Self(0);

    /// Highest price that is understood, far above any share, so that products fit.
    const MAX: i64 = 100_000_000_000 * SCALE;

    /// Returns the price of `won` whole KRW; a value that is negative or too large counts as none.
    #[must_use]
    pub const fn from_won(won: i64) -> Self {
        if won < 0 || won > Self::MAX / SCALE {
            Self::NONE
        } else {
            Self(won * SCALE)
        }
    }

    /// Returns the price of `units` ten-thousandths of a KRW, clamped to what is understood.
    pub(crate) fn from_units(units: i64) -> Self {
        Self(units.clamp(0, Self::MAX))
    }

    /// Returns the count of 1/10000 KRW.
    pub(crate) const fn units(self) -> i64 {
        self.0
    }

    /// Returns whether there is a price.
    #[must_use]
    pub const fn is_some(self) -> bool {
        self.0 > 0
    }

    /// Returns the amount that `quantity` shares cost at this price.
    pub(crate) fn times(self, quantity: i64) -> Money {
        Money(i128::from(self.0) * i128::from(quantity))
    }
}

impl TryFrom<Decimal> for Price {
    type Error = PriceError;

    fn try_from(value: Decimal) -> Result<Self, PriceError> {
        let refuse = || PriceError(value.to_string());
        let units = value
            .checked_mul(Decimal::from(SCALE))
            .filter(Decimal::is_integer)
            .and_then(|units| units.to_i64())
            .ok_or_else(refuse)?;
        if (0..=Self::MAX).contains(&units) {
            Ok(Self(units))
        } else {
            Err(refuse())
        }
    }
}

impl From<Price> for Decimal {
    fn from(price: Price) -> Self {
        Self::new(price.units(), 4).normalize()
    }
}

impl FromStr for Price {
    type Err = PriceError;

    fn from_str(text: &str) -> Result<Self, PriceError> {
        let value = Decimal::from_str(text).map_err(|_| PriceError(text.to_owned()))?;
        Self::try_from(value)
    }
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&text(i128::from(self.0)))
    }
}

impl Serialize for Price {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize_units(i128::from(self.0), serializer)
    }
}

impl<'de> Deserialize<'de> for Price {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::try_from(<Decimal as Deserialize>::deserialize(deserializer)?)
            .map_err(D::Error::custom)
    }
}

/// An amount of KRW, exact to 1/10000. May be negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Money(i128);

impl Money {
    /// Nothing.
    pub(crate) const ZERO: Self = Self(0);

    /// Returns the count of 1/10000 KRW.
    pub(crate) const fn units(self) -> i128 {
        self.0
    }

    /// Returns `units` ten-thousandths of a KRW.
    pub(crate) const fn from_units(units: i128) -> Self {
        Self(units)
    }

    /// Returns `rate` parts per thousand million of this amount, cut to whole KRW.
    pub(crate) const fn share_in_won(self, rate_per_billion: i128) -> Self {
        let units = self.0 * rate_per_billion / 1_000_000_000;
        Self(units - units % 10_000)
    }
}

impl TryFrom<Decimal> for Money {
    type Error = PriceError;

    fn try_from(value: Decimal) -> Result<Self, PriceError> {
        value
            .checked_mul(Decimal::from(SCALE))
            .filter(Decimal::is_integer)
            .and_then(|units| units.to_i128())
            .map(Self)
            .ok_or_else(|| PriceError(value.to_string()))
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&text(self.0))
    }
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize_units(self.0, serializer)
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::try_from(<Decimal as Deserialize>::deserialize(deserializer)?)
            .map_err(D::Error::custom)
    }
}

impl Add for Money {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Sub for Money {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl AddAssign for Money {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}

impl SubAssign for Money {
    fn sub_assign(&mut self, other: Self) {
        self.0 -= other.0;
    }
}

impl std::iter::Sum for Money {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

/// Returns `units` ten-thousandths as the shortest exact decimal text.
fn text(units: i128) -> String {
    let scale = i128::from(SCALE);
    if units % scale == 0 {
        return (units / scale).to_string();
    }
    let sign = if units < 0 { "-" } else { "" };
    let magnitude = units.unsigned_abs();
    let scale = scale.unsigned_abs();
    let full = format!("{sign}{}.{:04}", magnitude / scale, magnitude % scale);
    full.trim_end_matches('0').to_owned()
}

/// Returns `numerator / denominator` with `decimals` digits, halves away from zero; zero where the
/// denominator is zero.
pub(crate) fn ratio(numerator: i128, denominator: i128, decimals: u32) -> String {
    let scale = 10_i128.pow(decimals);
    let scaled = if denominator == 0 {
        0
    } else {
        let twice = numerator * scale * 2 / denominator;
        (twice + twice.signum()) / 2
    };
    let sign = if scaled < 0 { "-" } else { "" };
    let magnitude = scaled.unsigned_abs();
    let scale = scale.unsigned_abs();
    let width = usize::try_from(decimals).unwrap_or(0);
    format!("{sign}{}.{:0width$}", magnitude / scale, magnitude % scale)
}

/// Whole amounts become JSON integers, others JSON numbers with a fraction.
fn serialize_units<S: Serializer>(units: i128, serializer: S) -> Result<S::Ok, S::Error> {
    let scale = i128::from(SCALE);
    if units % scale == 0
        && let Ok(won) = i64::try_from(units / scale)
    {
        return serializer.serialize_i64(won);
    }
    let value = Decimal::from_i128_with_scale(units, 4);
    serializer.serialize_f64(value.to_f64().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ratios_round_halves_away_from_zero() {
        assert_eq!(ratio(1100 * 100, 190_100, 2), "0.58");
        assert_eq!(ratio(-200 * 100, 190_100, 2), "-0.11");
        assert_eq!(ratio(1, 8, 2), "0.13");
        assert_eq!(ratio(-1, 8, 2), "-0.13");
        assert_eq!(ratio(5, 0, 2), "0.00");
    }

    #[test]
    fn prices_refuse_what_they_cannot_hold() {
        for bad in ["-1", "0.00001", "x", "", "100000000001"] {
            assert!(Price::from_str(bad).is_err(), "{bad}");
        }
        assert_eq!(Price::from_str("191200").unwrap(), Price::from_won(191_200));
    }

    proptest! {
        #[test]
        fn text_and_json_give_the_price_back(units in 0_i64..=1_000_000_000_000) {
            let price = Price::from_units(units);
            prop_assert_eq!(Price::from_str(&price.to_string()).unwrap(), price);
            let json = serde_json::to_string(&price).unwrap();
            prop_assert_eq!(serde_json::from_str::<Price>(&json).unwrap(), price);
        }
    }
}
