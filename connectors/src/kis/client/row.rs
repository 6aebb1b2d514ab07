//! Fields of an answer: every value is text, may be blank, padded or spelled in another case.

use jiff::civil::{Date, Time};
use rust_decimal::Decimal;
use serde_json::{Map, Value};
use turnstile_dataflows::model::{Price, Quantity, Symbol};

use crate::kis::error::Malformed;
use crate::kis::order::{OrderNumber, Side};
use crate::kis::{number, parse};

/// One object of an answer.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    place: &'static str,
    fields: &'a Map<String, Value>,
}

impl<'a> Row<'a> {
    /// Returns the object `key` of `body`; the first element where it is an array.
    pub(super) fn one(
        place: &'static str,
        body: &'a Map<String, Value>,
        key: &str,
    ) -> Result<Self, Malformed> {
        Self::all(place, body, key)
            .next()
            .ok_or_else(|| Malformed::new(place, format!("object {key} expected, was missing")))
    }

    /// Returns every object of the array `key` of `body`, or the single object. Empty objects,
    /// which the broker sends as padding, are left out.
    pub(super) fn all(
        place: &'static str,
        body: &'a Map<String, Value>,
        key: &str,
    ) -> impl Iterator<Item = Self> {
        let rows = match body.get(key) {
            Some(Value::Array(rows)) => rows.as_slice(),
            Some(row) => std::slice::from_ref(row),
            None => &[],
        };
        rows.iter()
            .filter_map(Value::as_object)
            .filter(|fields| !fields.is_empty())
            .map(move |fields| Self { place, fields })
    }

    /// Returns the text of `key` without padding, empty where it is missing.
    pub(super) fn text(&self, key: &str) -> &'a str {
        let value = self.fields.get(key).or_else(|| {
            let mut fields = self.fields.iter();
            fields
                .find(|(name, _)| name.eq_ignore_ascii_case(key))
                .map(|(_, value)| value)
        });
        value.and_then(Value::as_str).unwrap_or_default().trim()
    }

    /// Returns whether the flag `key` is `Y`.
    pub(super) fn flag(&self, key: &str) -> bool {
        self.text(key) == "Y"
    }

    /// Returns the flag `key`, `None` where it is neither `Y` nor `N`.
    pub(super) fn optional_flag(&self, key: &str) -> Option<bool> {
        match self.text(key) {
            "Y" => Some(true),
            "N" => Some(false),
            _ => None,
        }
    }

    /// Returns the flag `key`, which must be `Y` or `N`.
    pub(super) fn needed_flag(&self, key: &str) -> Result<bool, Malformed> {
        self.optional_flag(key).ok_or_else(|| {
            let shown = number::shown(self.text(key).as_bytes());
            Malformed::new(self.place, format!("{key}: Y or N expected, was {shown}"))
        })
    }

    /// Returns the text of `key` without padding, `None` where it is missing or blank.
    pub(super) fn optional_text(&self, key: &str) -> Option<&'a str> {
        Some(self.text(key)).filter(|text| !text.is_empty())
    }

    /// Returns whether there is a field `key`, blank or not.
    pub(super) fn has(&self, key: &str) -> bool {
        let mut names = self.fields.keys();
        names.any(|name| name.eq_ignore_ascii_case(key))
    }

    /// Returns the date of `key`, `None` where it is missing, blank or zeros.
    pub(super) fn optional_date(&self, key: &str) -> Result<Option<Date>, Malformed> {
        self.read(key, number::date)
    }

    /// Returns the whole number of `key`, `None` where it is missing or blank.
    pub(super) fn optional_integer(&self, key: &str) -> Result<Option<i64>, Malformed> {
        self.read(key, number::integer)
    }

    pub(super) fn symbol(&self, key: &str) -> Result<Symbol, Malformed> {
        self.read(key, parse::symbol)
    }

    /// Returns the price of `key`, `None` where it is blank or zero.
    pub(super) fn price(&self, key: &str) -> Result<Option<Price>, Malformed> {
        self.read(key, number::price)
    }

    /// Returns the price of `key`, which must be positive.
    pub(super) fn needed_price(&self, key: &str) -> Result<Price, Malformed> {
        self.read(key, |text| {
            number::price(text)?.ok_or_else(|| "positive price expected, was blank or 0".to_owned())
        })
    }

    /// Returns the quantity of `key`, which must be there.
    pub(super) fn quantity(&self, key: &str) -> Result<Quantity, Malformed> {
        self.read(key, |text| {
            number::quantity(text)?.ok_or_else(|| "number expected, was blank".to_owned())
        })
    }

    /// Returns the quantity of `key`, zero where it is blank.
    pub(super) fn quantity_or_zero(&self, key: &str) -> Result<Quantity, Malformed> {
        self.read(key, |text| Ok(number::quantity(text)?.unwrap_or_default()))
    }

    /// Returns the whole KRW of `key`, which must be there; fractions are cut off.
    pub(super) fn won(&self, key: &str) -> Result<i64, Malformed> {
        self.read(key, |text| {
            let units = number::fixed(text, 4)?;
            units
                .map(|units| units / 10_000)
                .ok_or_else(|| "amount expected, was blank".to_owned())
        })
    }

    /// Returns the number of `key` in 1/10000, zero where it is blank.
    pub(super) fn units(&self, key: &str) -> Result<i64, Malformed> {
        self.read(key, |text| Ok(number::fixed(text, 4)?.unwrap_or_default()))
    }

    /// Returns the decimal number of `key`, zero where it is blank.
    pub(super) fn decimal(&self, key: &str) -> Result<Decimal, Malformed> {
        self.read(key, |text| match std::str::from_utf8(text) {
            Ok("") => Ok(Decimal::ZERO),
            Ok(text) => text.parse().map_err(|_| {
                format!(
                    "decimal number expected, was {}",
                    number::shown(text.as_bytes())
                )
            }),
            Err(error) => Err(error.to_string()),
        })
    }

    pub(super) fn date(&self, key: &str) -> Result<Date, Malformed> {
        self.read(key, |text| {
            number::date(text)?.ok_or_else(|| "date expected, was blank".to_owned())
        })
    }

    /// Returns the time of `key`, `None` where it is blank.
    pub(super) fn time(&self, key: &str) -> Result<Option<Time>, Malformed> {
        self.read(key, |text| match text {
            [] => Ok(None),
            text => number::time(text).map(Some),
        })
    }

    pub(super) fn order_number(&self, key: &str) -> Result<OrderNumber, Malformed> {
        self.read(key, OrderNumber::needed)
    }

    /// Returns the order number of `key`, `None` where it is blank or zero.
    pub(super) fn optional_order_number(
        &self,
        key: &str,
    ) -> Result<Option<OrderNumber>, Malformed> {
        self.read(key, OrderNumber::optional)
    }

    pub(super) fn side(&self, key: &str) -> Result<Side, Malformed> {
        self.read(key, Side::from_code)
    }

    fn read<T>(
        &self,
        key: &str,
        read: impl FnOnce(&'a [u8]) -> Result<T, String>,
    ) -> Result<T, Malformed> {
        read(self.text(key).as_bytes())
            .map_err(|fault| Malformed::new(self.place, format!("{key}: {fault}")))
    }
}
