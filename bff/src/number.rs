//! Decimals as JSON numbers, digit for digit, and which of them a client may give.

use std::error::Error;
use std::fmt;
use std::ops::{Bound, RangeBounds};
use std::str::FromStr;

use rust_decimal::Decimal;
use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use tokio_postgres::types::{FromSql, Type};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type as SchemaType};
use utoipa::{PartialSchema, ToSchema};

/// A decimal that is written as a JSON number with all of its digits and no others: neither a
/// string nor a float in between, so `0.1` stays `0.1` and not-a-number does not exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Number(Decimal);

impl From<Decimal> for Number {
    fn from(value: Decimal) -> Self {
        Self(value.normalize())
    }
}

impl Number {
    /// Shows a statistic to [`FIGURE_SCALE`] decimals. It is finite and below 10^15; what is not becomes 0.
    pub(crate) fn of_figure(figure: f64) -> Self {
        let exact = Decimal::from_f64_retain(figure).unwrap_or_default();
        let shown = exact.round_dp(FIGURE_SCALE);
        // There is a decimal minus zero, which nobody wants to see.
        Self::from(if shown.is_zero() {
            Decimal::ZERO
        } else {
            shown
        })
    }
}

impl From<Number> for Decimal {
    fn from(number: Number) -> Self {
        number.0
    }
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        RawValue::from_string(self.0.to_string())
            .map_err(S::Error::custom)?
            .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Number {
    /// Reads a JSON number, or a string that holds one (how `Decimal` writes itself by default).
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let text = raw.get().trim_matches('"');
        text.parse()
            .map_err(|error| D::Error::custom(format!("number expected, was {text}: {error}")))
    }
}

impl FromStr for Number {
    type Err = rust_decimal::Error;

    /// Reads a number as JSON writes it, with an exponent or without.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Decimal::from_str_exact(text)
            .or_else(|_| Decimal::from_scientific(text))
            .map(Self::from)
    }
}

impl<'a> FromSql<'a> for Number {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Decimal::from_sql(ty, raw).map(Self::from)
    }

    fn accepts(ty: &Type) -> bool {
        <Decimal as FromSql>::accepts(ty)
    }
}

impl PartialSchema for Number {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(SchemaType::Number).into()
    }
}

impl ToSchema for Number {}

/// Decimals that are shown of a statistic.
const FIGURE_SCALE: u32 = 12;
/// Most decimals that are stored of an amount or a percentage.
const SCALE: u32 = 4;
/// Most KRW that are taken: what fits into ten-thousandths of a won, rounded down.
pub(crate) const WON_MAX: i64 = 900_000_000_000_000;

/// Numbers that a client may give: within bounds, and with no more decimals than are stored.
#[derive(Debug)]
pub(crate) struct Bounds {
    unit: &'static str,
    least: Bound<i64>,
    /// Inclusive.
    most: i64,
}

/// An amount that limits something.
pub(crate) const WON: Bounds = Bounds {
    unit: "KRW",
    least: Bound::Included(0),
    most: WON_MAX,
};
/// A price of one share.
pub(crate) const PRICE: Bounds = Bounds {
    unit: "KRW",
    least: Bound::Excluded(0),
    most: WON_MAX,
};
/// An amount that came or went: below 0, it went.
pub(crate) const SIGNED_WON: Bounds = Bounds {
    unit: "KRW",
    least: Bound::Included(-WON_MAX),
    most: WON_MAX,
};
/// A part of the whole that limits something.
pub(crate) const PERCENT: Bounds = Bounds {
    unit: "a percentage",
    least: Bound::Excluded(0),
    most: 100,
};

impl Bounds {
    /// Returns whether `number` is one of them.
    pub(crate) fn allow(&self, number: Decimal) -> bool {
        let range = (
            self.least.map(Decimal::from),
            Bound::Included(Decimal::from(self.most)),
        );
        range.contains(&number) && number.normalize().scale() <= SCALE
    }
}

impl fmt::Display for Bounds {
    /// Says what is expected, as in "must be …".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.unit)?;
        match self.least {
            Bound::Included(least) => write!(f, " from {least}")?,
            Bound::Excluded(least) => write!(f, " above {least}")?,
            Bound::Unbounded => {}
        }
        write!(f, " to {} with at most {SCALE} decimals", self.most)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("70100.0000", "70100")]
    #[case("-0.1000", "-0.1")]
    #[case("0.0000", "0")]
    #[case("1234567890123456.7891", "1234567890123456.7891")]
    fn decimals_are_written_digit_for_digit(#[case] value: &str, #[case] json: &str) {
        let number = Number::from(value.parse::<Decimal>().unwrap());
        assert_eq!(serde_json::to_string(&number).unwrap(), json);
        assert_eq!(serde_json::from_str::<Number>(json).unwrap(), number);
        assert_eq!(
            serde_json::from_str::<Number>(&format!("\"{value}\"")).unwrap(),
            number
        );
    }

    #[test]
    fn bounds_say_what_is_expected() {
        let won = "KRW from 0 to 900000000000000 with at most 4 decimals";
        assert_eq!(WON.to_string(), won);
        let percent = "a percentage above 0 to 100 with at most 4 decimals";
        assert_eq!(PERCENT.to_string(), percent);
    }

    #[rstest]
    #[case(0.1, "0.1")]
    #[case(-0.333_333_333_333_333_3, "-0.333333333333")]
    #[case(-1e-13, "0")]
    #[case(-0.0, "0")]
    #[case(1e15, "1000000000000000")]
    #[case(-999_999_999_999_999.9, "-999999999999999.875")]
    #[case(f64::NAN, "0")]
    fn statistics_are_shown_to_twelve_decimals(#[case] figure: f64, #[case] json: &str) {
        let number = Number::of_figure(figure);
        assert_eq!(serde_json::to_string(&number).unwrap(), json);
    }

    #[rstest]
    #[case("\"NaN\"")]
    #[case("null")]
    #[case("{}")]
    #[case("\"\"")]
    fn what_is_no_number_is_refused(#[case] json: &str) {
        assert!(serde_json::from_str::<Number>(json).is_err());
    }
}
