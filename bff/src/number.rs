//! Decimals as JSON numbers, digit for digit.

use std::error::Error;

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
        Decimal::from_str_exact(text)
            .or_else(|_| Decimal::from_scientific(text))
            .map(Self::from)
            .map_err(|error| D::Error::custom(format!("number expected, was {text}: {error}")))
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

    #[rstest]
    #[case("\"NaN\"")]
    #[case("null")]
    #[case("{}")]
    #[case("\"\"")]
    fn what_is_no_number_is_refused(#[case] json: &str) {
        assert!(serde_json::from_str::<Number>(json).is_err());
    }
}
