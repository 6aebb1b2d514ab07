//! The body of a request, checked.

mod objects;

use std::collections::BTreeMap;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use rust_decimal::Decimal;
use serde_json::{Map, Value};

use super::one_of;
use crate::access;
use crate::error::{ApiError, Code};
use crate::number::{Bounds, Number};

/// The JSON object in the body of a request. Take what is known, then [`Body::finish`].
pub(crate) struct Body {
    given: Map<String, Value>,
    faults: BTreeMap<String, String>,
}

impl<S: Send + Sync> FromRequest<S> for Body {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let bytes = Bytes::from_request(request, state)
            .await
            .map_err(|rejection| {
                let text = rejection.body_text();
                if rejection.into_response().status() == StatusCode::PAYLOAD_TOO_LARGE {
                    ApiError::new(
                        Code::BodyTooLarge,
                        "the body is larger than this server accepts",
                    )
                } else {
                    ApiError::new(Code::InvalidBody, text)
                }
            })?;
        let given = serde_json::from_slice(&bytes).map_err(|error| {
            ApiError::new(
                Code::InvalidBody,
                format!("the body must be a JSON object: {error}"),
            )
        })?;
        Ok(Self {
            given,
            faults: BTreeMap::new(),
        })
    }
}

impl Body {
    /// Takes the name of who acts; where a token is used it may be absent, and is that of the token.
    pub(crate) fn actor(&mut self, name: &str, length_max: usize) -> String {
        if self.given.get(name).is_none_or(Value::is_null)
            && let Some(actor) = access::default_name()
        {
            self.given.remove(name);
            return actor;
        }
        self.required_text(name, length_max)
    }

    /// Takes the text `name` of at most `length_max` characters; blank and null count as absent.
    pub(crate) fn text(&mut self, name: &str, length_max: usize) -> Option<String> {
        match self.given.remove(name) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) if text.chars().count() > length_max => {
                self.fault(name, format!("must have at most {length_max} characters"));
                None
            }
            // PostgreSQL cannot store it in a text.
            Some(Value::String(text)) if text.contains('\0') => {
                self.fault(name, "must not contain the character U+0000".to_owned());
                None
            }
            Some(Value::String(text)) => Some(text).filter(|text| !text.trim().is_empty()),
            Some(other) => {
                self.fault(name, format!("must be a string, was {other}"));
                None
            }
        }
    }

    /// Returns whether the text `name` is there and blank.
    pub(crate) fn is_blank(&self, name: &str) -> bool {
        let given = self.given.get(name).and_then(Value::as_str);
        given.is_some_and(|text| text.trim().is_empty())
    }

    /// Takes the text `name`, which must be there and not blank.
    pub(crate) fn required_text(&mut self, name: &str, length_max: usize) -> String {
        let text = self.text(name, length_max);
        self.required(name, text)
    }

    /// Takes the text `name`, one of `choices`.
    pub(crate) fn choice(&mut self, name: &str, choices: &[&'static str]) -> Option<&'static str> {
        let text = self.text(name, usize::MAX)?;
        let choice = choices.iter().find(|choice| **choice == text);
        if choice.is_none() {
            self.fault(name, one_of(choices, &text));
        }
        choice.copied()
    }

    /// Takes the required text `name`, one of `choices`.
    pub(crate) fn required_choice(&mut self, name: &str, choices: &[&'static str]) -> &'static str {
        let text = self.required_text(name, usize::MAX);
        if let Some(choice) = choices.iter().find(|choice| **choice == text) {
            return choice;
        }
        if !self.faults.contains_key(name) {
            self.fault(name, one_of(choices, &text));
        }
        choices[0]
    }

    /// Takes the whole number `name`, from `least` on.
    pub(crate) fn whole(&mut self, name: &str, least: i64) -> Option<i64> {
        self.whole_in(name, least..=i64::MAX)
    }

    /// Takes the required whole number `name`, from `least` on.
    pub(crate) fn required_whole(&mut self, name: &str, least: i64) -> i64 {
        let number = self.whole(name, least);
        self.required(name, number)
    }

    /// Takes the whole number `name` of a column of type integer, from `least` on.
    pub(crate) fn whole_i32(&mut self, name: &str, least: i32) -> Option<i32> {
        self.whole_in(name, least..=i32::MAX)
    }

    /// Takes the required whole number `name` of a column of type integer, from `least` on.
    pub(crate) fn required_whole_i32(&mut self, name: &str, least: i32) -> i32 {
        let number = self.whole_i32(name, least);
        self.required(name, number)
    }

    /// Takes the whole number `name`, one of `range`.
    pub(crate) fn whole_in<T>(&mut self, name: &str, range: RangeInclusive<T>) -> Option<T>
    where
        T: TryFrom<i64> + PartialOrd + Display,
    {
        let value = self.present(name)?;
        let number = value.as_i64().and_then(|number| T::try_from(number).ok());
        let number = number.filter(|number| range.contains(number));
        if number.is_none() {
            let (least, most) = (range.start(), range.end());
            let fault = format!("must be a whole number from {least} to {most}, was {value}");
            self.fault(name, fault);
        }
        number
    }

    /// Takes the number `name`, one that `bounds` allow.
    pub(crate) fn number(&mut self, name: &str, bounds: &Bounds) -> Option<Decimal> {
        let value = self.present(name)?;
        let number = Some(&value).filter(|value| value.is_number());
        let number = number.and_then(|number| number.to_string().parse::<Number>().ok());
        let number = number.map(Decimal::from);
        let number = number.filter(|number| bounds.allow(*number));
        if number.is_none() {
            self.fault(name, format!("must be {bounds}, was {value}"));
        }
        number
    }

    /// Takes the required number `name`, one that `bounds` allow.
    pub(crate) fn required_number(&mut self, name: &str, bounds: &Bounds) -> Decimal {
        let number = self.number(name, bounds);
        self.required(name, number)
    }

    /// Takes the flag `name`.
    pub(crate) fn flag(&mut self, name: &str) -> Option<bool> {
        let value = self.present(name)?;
        let flag = value.as_bool();
        if flag.is_none() {
            self.fault(name, format!("must be true or false, was {value}"));
        }
        flag
    }

    /// Takes the text `name` as a `T`.
    pub(crate) fn parsed<T>(&mut self, name: &str) -> Option<T>
    where
        T: FromStr<Err: Display>,
    {
        let text = self.text(name, usize::MAX)?;
        text.parse()
            .map_err(|error| self.fault(name, format!("cannot be used: {error}")))
            .ok()
    }

    /// Takes the required value `name`, whatever it is.
    pub(crate) fn required_value(&mut self, name: &str) -> Value {
        let value = self.given.remove(name).unwrap_or_default();
        if value.is_null() {
            self.fault(name, "is required".to_owned());
        }
        value
    }

    /// Notes every one of `names` that is not given; null is given.
    pub(crate) fn all_given(&mut self, names: &[&str]) {
        for name in names {
            if !self.given.contains_key(*name) {
                self.fault(name, "is required".to_owned());
            }
        }
    }

    /// Takes the value `name`, which must be given; null is a value.
    pub(crate) fn given_value(&mut self, name: &str) -> Option<Value> {
        self.all_given(&[name]);
        self.given.remove(name)
    }

    /// Takes the required list `name` of 1 to `length_max` texts that parse as `T`.
    pub(crate) fn required_list<T>(&mut self, name: &str, length_max: usize) -> Vec<T>
    where
        T: FromStr<Err: Display>,
    {
        let expected = format!("must be a list of 1 to {length_max} strings");
        let parsed = match self.given.remove(name) {
            Some(Value::Array(items)) if (1..=length_max).contains(&items.len()) => items
                .iter()
                .map(|item| match item {
                    Value::String(text) => text.parse().map_err(|error: T::Err| error.to_string()),
                    other => Err(format!("{expected}, one was {other}")),
                })
                .collect(),
            Some(Value::Array(items)) => Err(format!("{expected}, had {}", items.len())),
            Some(_) => Err(expected),
            None => Err("is required".to_owned()),
        };
        parsed.unwrap_or_else(|fault| {
            self.fault(name, fault);
            Vec::new()
        })
    }

    /// Refuses the request if anything was wrong or is left over.
    ///
    /// # Errors
    /// [`Code::InvalidBody`] with every fault by key.
    pub(crate) fn finish(mut self) -> Result<(), ApiError> {
        for (name, _) in self.given {
            self.faults
                .insert(name, "is not a key of this body".to_owned());
        }
        if self.faults.is_empty() {
            return Ok(());
        }
        Err(ApiError::fields(Code::InvalidBody, self.faults))
    }

    /// Notes what is wrong with `name`, a key or a path of keys.
    pub(crate) fn fault(&mut self, name: &str, fault: String) {
        self.faults.insert(name.to_owned(), fault);
    }

    /// Notes what is wrong with `name`, unless something was noted already.
    pub(crate) fn fault_if_none(&mut self, name: &str, fault: &str) {
        if !self.faults.contains_key(name) {
            self.fault(name, fault.to_owned());
        }
    }

    /// Takes what stands under `name`; null counts as absent.
    fn present(&mut self, name: &str) -> Option<Value> {
        self.given.remove(name).filter(|value| !value.is_null())
    }

    /// Notes that `name` is required, where there is no `value` and nothing else was wrong with it. What
    /// it returns after a fault is never used, since [`Body::finish`] refuses.
    fn required<T: Default>(&mut self, name: &str, value: Option<T>) -> T {
        if value.is_none() {
            self.fault_if_none(name, "is required");
        }
        value.unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;
    use crate::number::{PERCENT, WON};

    /// Returns what is taken out of a body whose key `x` is `value`, or what is wrong with it.
    fn taken<T>(value: Value, take: impl FnOnce(&mut Body) -> T) -> Result<T, String> {
        let mut body = Body {
            given: Map::from_iter([("x".to_owned(), value)]),
            faults: BTreeMap::new(),
        };
        let taken = take(&mut body);
        let fault = body.faults.remove("x");
        fault.map_or(Ok(taken), Err)
    }

    #[rstest]
    #[case(json!(0), 0)]
    #[case(json!(2_147_483_647), i32::MAX)]
    fn what_an_integer_column_holds_is_taken(#[case] value: Value, #[case] number: i32) {
        let required = taken(value.clone(), |body| body.required_whole_i32("x", 0));
        assert_eq!(required, Ok(number));
        assert_eq!(
            taken(value, |body| body.whole_i32("x", 0)),
            Ok(Some(number))
        );
    }

    #[rstest]
    #[case(json!(-1))]
    #[case(json!(2_147_483_648_i64))]
    #[case(json!(9_223_372_036_854_775_807_i64))]
    #[case(json!(9_223_372_036_854_775_808_u64))]
    #[case(json!(1.5))]
    #[case(json!("1"))]
    fn what_an_integer_column_does_not_hold_is_a_fault_of_its_key(#[case] value: Value) {
        let fault = format!("must be a whole number from 0 to 2147483647, was {value}");
        let required = taken(value.clone(), |body| body.required_whole_i32("x", 0));
        assert_eq!(required, Err(fault.clone()));
        assert_eq!(taken(value, |body| body.whole_i32("x", 0)), Err(fault));
    }

    #[test]
    fn null_is_absent_and_only_what_is_required_misses_it() {
        assert_eq!(taken(Value::Null, |body| body.whole_i32("x", 1)), Ok(None));
        assert_eq!(taken(Value::Null, |body| body.number("x", &WON)), Ok(None));
        let is_required = Err("is required".to_owned());
        let required = taken(Value::Null, |body| body.required_whole_i32("x", 1));
        assert_eq!(required.map(|_| ()), is_required);
        let required = taken(Value::Null, |body| body.required_number("x", &WON));
        assert_eq!(required.map(|_| ()), is_required);
        assert_eq!(taken(Value::Null, |body| body.all_given(&["x"])), Ok(()));
        let other = taken(Value::Null, |body| {
            body.given.clear();
            body.all_given(&["x"]);
        });
        assert_eq!(other, is_required);
    }

    #[rstest]
    #[case(json!(0.0001), "0.0001")]
    #[case(json!(100), "100")]
    #[case(json!(12.50), "12.5")]
    fn percentages_are_taken_digit_for_digit(#[case] value: Value, #[case] number: Decimal) {
        let taken = taken(value, |body| body.number("x", &PERCENT));
        assert_eq!(taken, Ok(Some(number)));
    }

    #[rstest]
    #[case(json!(0), &PERCENT)]
    #[case(json!(100.0001), &PERCENT)]
    #[case(json!(0.00001), &PERCENT)]
    #[case(json!(1e300), &PERCENT)]
    #[case(json!("1"), &PERCENT)]
    #[case(json!(-1), &WON)]
    #[case(json!(900_000_000_000_001_i64), &WON)]
    fn numbers_out_of_bounds_are_a_fault_of_their_key(
        #[case] value: Value,
        #[case] bounds: &Bounds,
    ) {
        let fault = format!("must be {bounds}, was {value}");
        let found = taken(value, |body| body.number("x", bounds));
        assert_eq!(found, Err(fault));
    }
}
