//! The body of a request, checked.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde_json::{Map, Value};

use super::one_of;
use crate::error::{ApiError, Code};

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

    /// Takes the text `name`, which must be there and not blank. What it returns after a fault is
    /// never used, since [`Body::finish`] refuses.
    pub(crate) fn required_text(&mut self, name: &str, length_max: usize) -> String {
        let text = self.text(name, length_max);
        if text.is_none() {
            self.fault_if_none(name, "is required");
        }
        text.unwrap_or_default()
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
        match self.given.remove(name) {
            None | Some(Value::Null) => None,
            Some(value) => {
                let number = value.as_i64().filter(|number| *number >= least);
                if number.is_none() {
                    let fault = format!("must be a whole number of at least {least}, was {value}");
                    self.fault(name, fault);
                }
                number
            }
        }
    }

    /// Takes the required whole number `name`, from `least` on.
    pub(crate) fn required_whole(&mut self, name: &str, least: i64) -> i64 {
        let number = self.whole(name, least);
        if number.is_none() {
            self.fault_if_none(name, "is required");
        }
        number.unwrap_or_default()
    }

    /// Takes the flag `name`.
    pub(crate) fn flag(&mut self, name: &str) -> Option<bool> {
        match self.given.remove(name) {
            None | Some(Value::Null) => None,
            Some(Value::Bool(flag)) => Some(flag),
            Some(other) => {
                self.fault(name, format!("must be true or false, was {other}"));
                None
            }
        }
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

    /// Takes the value `name`, which must be given; null is a value.
    pub(crate) fn given_value(&mut self, name: &str) -> Option<Value> {
        let value = self.given.remove(name);
        if value.is_none() {
            self.fault(name, "is required".to_owned());
        }
        value
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
}
