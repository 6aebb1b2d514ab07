//! Input of a request, checked: every fault is found at once and named by its field.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Query, RawPathParams, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::IntoResponse;
use serde_json::{Map, Value};

use crate::cursor::Cursor;
use crate::error::{ApiError, Code};

/// Rows of a page unless the client asks for fewer or more.
const LIMIT_DEFAULT: i64 = 20;
/// Most rows of a page.
const LIMIT_MAX: i64 = 100;

/// The query parameters of a request. Take what is known, then [`Params::finish`].
pub(crate) struct Params {
    given: BTreeMap<String, String>,
    faults: BTreeMap<String, String>,
}

impl<S: Sync> FromRequestParts<S> for Params {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        let pairs: Query<Vec<(String, String)>> = Query::try_from_uri(&parts.uri)
            .map_err(|error| ApiError::new(Code::InvalidParameter, error.body_text()))?;
        let mut params = Self {
            given: BTreeMap::new(),
            faults: BTreeMap::new(),
        };
        for (name, value) in pairs.0 {
            if params.given.insert(name.clone(), value).is_some() {
                params.faults.insert(name, "is given twice".to_owned());
            }
        }
        Ok(params)
    }
}

/// Which rows of a list are wanted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Page<C> {
    /// Most rows to return, 1 to 100.
    pub(crate) limit: i64,
    /// Only rows below this key.
    pub(crate) below: C,
}

impl Params {
    /// Takes `limit` and `cursor`.
    pub(crate) fn page<C: Cursor>(&mut self) -> Page<C> {
        let limit = match self.given.remove("limit") {
            None => LIMIT_DEFAULT,
            Some(text) => match text.parse() {
                Ok(limit) if (1..=LIMIT_MAX).contains(&limit) => limit,
                Ok(_) | Err(_) => {
                    let fault = format!("must be an integer from 1 to {LIMIT_MAX}, was \"{text}\"");
                    self.faults.insert("limit".to_owned(), fault);
                    LIMIT_DEFAULT
                }
            },
        };
        let below = match self.given.remove("cursor").map(|text| text.parse::<C>()) {
            None => C::first(),
            Some(Ok(cursor)) => cursor,
            Some(Err(_)) => {
                let fault = "must be a next_cursor of this list".to_owned();
                self.faults.insert("cursor".to_owned(), fault);
                C::first()
            }
        };
        Page { limit, below }
    }

    /// Takes the parameter `name`, one of `choices`; the first of them if it is absent.
    pub(crate) fn choice(&mut self, name: &str, choices: &[&'static str]) -> &'static str {
        let Some(text) = self.given.remove(name) else {
            return choices[0];
        };
        if let Some(choice) = choices.iter().find(|choice| **choice == text) {
            return choice;
        }
        self.faults.insert(name.to_owned(), one_of(choices, &text));
        choices[0]
    }

    /// Takes the parameter `name` as a `T`.
    pub(crate) fn parsed<T>(&mut self, name: &str) -> Option<T>
    where
        T: FromStr<Err: Display>,
    {
        let text = self.given.remove(name)?;
        text.parse()
            .map_err(|error| self.fault(name, format!("cannot be used: {error}")))
            .ok()
    }

    /// Takes the parameter `name`, which must be there, as a `T`. What it returns after a fault is never
    /// used, since [`Params::finish`] refuses.
    pub(crate) fn required<T>(&mut self, name: &str) -> T
    where
        T: FromStr<Err: Display> + Default,
    {
        if !self.given.contains_key(name) {
            self.fault(name, "is required".to_owned());
        }
        self.parsed(name).unwrap_or_default()
    }

    /// Notes what is wrong with `name`.
    pub(crate) fn fault(&mut self, name: &str, fault: String) {
        self.faults.insert(name.to_owned(), fault);
    }

    /// Refuses the request if anything was wrong or is left over.
    ///
    /// # Errors
    /// [`Code::InvalidParameter`] with every fault by name.
    pub(crate) fn finish(mut self) -> Result<(), ApiError> {
        for name in self.given.into_keys() {
            self.faults
                .insert(name, "is not a parameter of this path".to_owned());
        }
        if self.faults.is_empty() {
            return Ok(());
        }
        Err(ApiError::fields(Code::InvalidParameter, self.faults))
    }
}

/// A path that takes no query parameters.
pub(crate) struct NoParams;

impl<S: Sync> FromRequestParts<S> for NoParams {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        Params::from_request_parts(parts, state).await?.finish()?;
        Ok(Self)
    }
}

/// The one variable part of a path.
pub(crate) struct InPath<T>(pub(crate) T);

impl<S, T> FromRequestParts<S> for InPath<T>
where
    S: Send + Sync,
    T: FromStr<Err: Display>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let refuse = |name: &str, fault: String| {
            ApiError::fields(
                Code::InvalidParameter,
                BTreeMap::from([(name.to_owned(), fault)]),
            )
        };
        let params = RawPathParams::from_request_parts(parts, state)
            .await
            .map_err(|error| refuse("path", error.body_text()))?;
        let (name, text) = params.iter().next().unwrap_or_default();
        text.parse()
            .map(Self)
            .map_err(|error| refuse(name, format!("cannot be used: {error}")))
    }
}

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

fn one_of(choices: &[&str], text: &str) -> String {
    format!("must be one of {}, was \"{text}\"", choices.join(", "))
}
