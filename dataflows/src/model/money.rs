//! Prices and quantities, exact.

use std::fmt;
use std::num::NonZeroI64;
use std::str::FromStr;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Decimal places of a price: `numeric(20,4)` in the database.
const PRICE_SCALE: u32 = 4;

/// Price of one share in KRW, exact to 1/10000. Always positive.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Decimal", into = "Decimal")]
pub struct Price(NonZeroI64);

/// Number of shares, zero or more.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(try_from = "i64", into = "i64")]
pub struct Quantity(i64);

/// Why a number is not a price or a quantity.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum MoneyError {
    /// Not a decimal number.
    #[error("number expected, was {0:?}")]
    NotANumber(String),
    /// Zero or below.
    #[error("price must be positive, was {0}")]
    NotPositive(Decimal),
    /// More places than a price has.
    #[error("price may have at most 4 decimals, was {0}")]
    TooFine(Decimal),
    /// Does not fit 64 bits.
    #[error("number is too large: {0}")]
    TooLarge(Decimal),
    /// A quantity below zero.
    #[error("quantity must not be negative, was {0}")]
    NegativeQuantity(i64),
}

impl Price {
    /// Returns the price of `units` ten-thousandths of a won.
    ///
    /// # Errors
    /// If `units` is zero or below.
    pub fn from_units(units: i64) -> Result<Self, MoneyError> {
        NonZeroI64::new(units)
            .filter(|units| units.get() > 0)
            .map(Self)
            .ok_or_else(|| MoneyError::NotPositive(Decimal::new(units, PRICE_SCALE)))
    }

    /// Returns the price of `won` whole won.
    ///
    /// # Errors
    /// If `won` is zero, below, or does not fit.
    pub fn from_won(won: i64) -> Result<Self, MoneyError> {
        let units = won
            .checked_mul(10_000)
            .ok_or(MoneyError::TooLarge(won.into()))?;
        Self::from_units(units)
    }

    /// Returns the count of ten-thousandths of a won.
    pub const fn units(self) -> i64 {
        self.0.get()
    }

    /// Returns the price as a decimal without trailing zeros.
    pub fn to_decimal(self) -> Decimal {
        Decimal::new(self.units(), PRICE_SCALE).normalize()
    }
}

impl TryFrom<Decimal> for Price {
    type Error = MoneyError;

    fn try_from(value: Decimal) -> Result<Self, MoneyError> {
        let mut value = value.normalize();
        if value.scale() > PRICE_SCALE {
            return Err(MoneyError::TooFine(value));
        }
        value.rescale(PRICE_SCALE);
        let units = i64::try_from(value.mantissa()).map_err(|_| MoneyError::TooLarge(value))?;
        if value.scale() != PRICE_SCALE {
            return Err(MoneyError::TooLarge(value)); // Rescaling stops where the mantissa is full.
        }
        Self::from_units(units)
    }
}

impl From<Price> for Decimal {
    fn from(price: Price) -> Self {
        price.to_decimal()
    }
}

impl FromStr for Price {
    type Err = MoneyError;

    fn from_str(text: &str) -> Result<Self, MoneyError> {
        let value = Decimal::from_str_exact(text)
            .map_err(|_| MoneyError::NotANumber(text.chars().take(32).collect()))?;
        value.try_into()
    }
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_decimal().fmt(f)
    }
}

impl fmt::Debug for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Price({})", self.to_decimal())
    }
}

impl Quantity {
    /// No shares.
    pub const ZERO: Self = Self(0);
    /// One share.
    pub const ONE: Self = Self(1);

    /// Returns the quantity of `shares`.
    ///
    /// # Errors
    /// If `shares` is negative.
    pub fn new(shares: i64) -> Result<Self, MoneyError> {
        if shares >= 0 {
            Ok(Self(shares))
        } else {
            Err(MoneyError::NegativeQuantity(shares))
        }
    }

    /// Returns the number of shares.
    pub fn shares(self) -> i64 {
        self.0
    }

    /// Returns whether there are no shares.
    pub fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// Returns the difference, or zero where `other` is larger.
    #[must_use]
    pub fn saturating_sub(self, other: Self) -> Self {
        Self((self.0 - other.0).max(0)) // Both are zero or more, so nothing overflows.
    }

    /// Returns the sum, or the largest quantity where it does not fit.
    #[must_use]
    pub fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl TryFrom<i64> for Quantity {
    type Error = MoneyError;

    fn try_from(shares: i64) -> Result<Self, MoneyError> {
        Self::new(shares)
    }
}

impl From<Quantity> for i64 {
    fn from(quantity: Quantity) -> Self {
        quantity.0
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_fifth_decimal_is_refused() {
        assert!(matches!(
            "1.00001".parse::<Price>(),
            Err(MoneyError::TooFine(_))
        ));
        assert!("1.0000100".parse::<Price>().is_err());
        assert_eq!("1.0001000".parse::<Price>().unwrap().units(), 10_001);
    }

    #[test]
    fn zero_negative_and_huge_prices_are_refused() {
        for text in [
            "0",
            "-1",
            "922337203685478",
            "79228162514264337593543950335",
            "x",
            "",
        ] {
            assert!(text.parse::<Price>().is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn a_price_survives_text(units in 1..=i64::MAX) {
            let price = Price::from_units(units).unwrap();
            prop_assert_eq!(price.to_string().parse::<Price>().unwrap(), price);
        }

        #[test]
        fn parsing_a_price_never_panics(text in ".*") {
            drop(text.parse::<Price>());
        }
    }
}
