//! Exact numbers: rates and amounts as whole counts of a unit so small that nothing is rounded.

use rust_decimal::Decimal;
use serde_json::Value;
use turnstile_dataflows::model::Price;

/// Decimal places of a rate: twelve of a rule's ratio, six of the ATR factor.
const RATE_PLACES: u32 = 18;
/// The unit of a rate, in one.
const ONE: i128 = 10_i128.pow(RATE_PLACES);

/// A rate such as −0.03 for −3 %, as a count of 1e-18.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rate(i128);

impl Rate {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// All of it.
    pub const ALL: Self = Self(ONE);

    /// Returns the rate of `count` millionths.
    pub fn millionths(count: i64) -> Self {
        Self(i128::from(count) * ONE / 1_000_000)
    }

    /// Returns the number under `key` of `section`; none where it is absent.
    ///
    /// # Panics
    /// If it is no number, or has more places than a rate.
    pub fn read(section: &Value, key: &str) -> Option<Self> {
        let text = section.get(key)?.to_string();
        let value = Decimal::from_str_exact(&text)
            .or_else(|_| Decimal::from_scientific(&text))
            .unwrap_or_else(|error| panic!("{key}: {text} is no number: {error}"));
        let places = RATE_PLACES
            .checked_sub(value.scale())
            .unwrap_or_else(|| panic!("{key}: {text} has more than {RATE_PLACES} decimals"));
        Some(Self(value.mantissa() * 10_i128.pow(places)))
    }

    /// Returns this rate times `factor`, cut to 18 decimals. Nothing is cut from a ratio of a rule
    /// times a factor of six decimals.
    pub fn times(self, factor: Self) -> Self {
        // The factor is a count of millionths, so both steps are exact.
        Self(self.0 * (factor.0 / 1_000_000_000_000) / 1_000_000)
    }

    /// Returns this rate divided by `by`, rounded half to even to six decimals.
    pub fn divided_by(self, by: Self) -> Self {
        Self(half_even(self.0 * 1_000_000, by.0) * (ONE / 1_000_000))
    }

    /// Returns the size without the sign.
    pub fn size(self) -> Self {
        Self(self.0.abs())
    }

    /// Returns the rate with the opposite sign.
    pub fn negated(self) -> Self {
        Self(-self.0)
    }

    /// Returns `ceil(shares × rate)`.
    pub fn ceil_of(self, shares: i64) -> i64 {
        let product = i128::from(shares) * self.0;
        let whole = product / ONE + i128::from(product % ONE != 0);
        i64::try_from(whole).expect("a share of a quantity is no larger than it")
    }
}

/// An amount of won per share, as a count of 1e-22: the four decimals of a price times a [`Rate`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Won(i128);

impl Won {
    /// Returns the amount of a price.
    pub fn of(price: Price) -> Self {
        Self(i128::from(price.units()) * ONE)
    }

    /// Returns `base × (1 + rate)`.
    pub fn beyond(base: Price, rate: Rate) -> Self {
        Self(i128::from(base.units()) * (ONE + rate.0))
    }

    /// Returns the amount rounded half to even to the four decimals of a price; none where that is
    /// not above zero.
    pub fn rounded(self) -> Option<Price> {
        price(half_even(self.0, ONE))
    }

    /// Returns the highest price that is not above the amount.
    pub fn price_below(self) -> Option<Price> {
        price(self.0.div_euclid(ONE))
    }

    /// Returns the amount as a decimal of at most 16 places.
    ///
    /// # Panics
    /// If it has more: only those of a floor are asked for, `avg × (1 + ratio of 12 places)`.
    pub fn to_decimal(self) -> Decimal {
        let unit = 1_000_000;
        assert_eq!(self.0 % unit, 0, "an amount of at most 16 decimals");
        Decimal::from_i128_with_scale(self.0 / unit, 16).normalize()
    }

    /// Returns the amount of a decimal of at most 22 places.
    pub fn from_decimal(value: Decimal) -> Self {
        Self(value.mantissa() * 10_i128.pow(22 - value.scale()))
    }
}

fn price(units: i128) -> Option<Price> {
    Price::from_units(i64::try_from(units).ok()?).ok()
}

/// Returns `value ÷ by`, rounded half to even. `by` is above zero.
pub(super) fn half_even(value: i128, by: i128) -> i128 {
    let whole = value.div_euclid(by);
    let twice = 2 * value.rem_euclid(by);
    let is_up = twice > by || (twice == by && whole % 2 != 0);
    whole + i128::from(is_up)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn rate(text: &str) -> Rate {
        let section: Value = serde_json::from_str(&format!("{{\"x\": {text}}}")).unwrap();
        Rate::read(&section, "x").unwrap()
    }

    #[test]
    fn a_number_is_read_by_its_text() {
        assert_eq!(rate("0.1"), Rate(ONE / 10));
        assert_eq!(rate("-0.03"), Rate(-3 * ONE / 100));
        assert_eq!(rate("1e-3"), Rate(ONE / 1000));
        assert_eq!(rate("1"), Rate::ALL);
        assert_eq!(Rate::read(&json!({}), "x"), None);
    }

    #[test]
    fn halves_go_to_the_even_neighbour() {
        for (twice, rounded) in [(1, 0), (3, 2), (5, 2), (7, 4), (-1, 0), (-3, -2)] {
            assert_eq!(half_even(twice, 2), rounded, "{twice}/2");
        }
    }

    #[test]
    fn quotients_have_six_decimals() {
        assert_eq!(rate("0.01").divided_by(rate("0.03")), rate("0.333333"));
        assert_eq!(rate("0.0000005").divided_by(rate("1")), rate("0"));
        assert_eq!(rate("0.0000015").divided_by(rate("1")), rate("0.000002"));
    }

    #[test]
    fn half_of_seven_shares_is_four() {
        assert_eq!(rate("0.5").ceil_of(7), 4);
        assert_eq!(rate("0.333333333333").ceil_of(3), 1);
        assert_eq!(Rate::ALL.ceil_of(7), 7);
    }

    #[test]
    fn an_amount_between_two_prices_is_rounded_only_where_it_is_printed() {
        let three = Price::from_units(3).unwrap();
        let level = Won::beyond(three, rate("-0.3"));
        assert_eq!(level.rounded(), Price::from_units(2).ok());
        assert!(Won::of(Price::from_units(2).unwrap()) < level);
        assert!(Won::of(three) > level);
        let decimal = Won::beyond(three, rate("0.006")).to_decimal();
        assert_eq!(decimal.to_string(), "0.0003018");
        assert_eq!(
            Won::from_decimal(decimal),
            Won::beyond(three, rate("0.006"))
        );
    }
}
