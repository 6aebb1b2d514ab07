//! Input of a request, checked: every fault is found at once and named by its field.

mod body;

pub(crate) use body::Body;

use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;

use axum::extract::{FromRequestParts, Query, RawPathParams};
use axum::http::request::Parts;
use jiff::civil::Date;
use turnstile_dataflows::model::Symbol;

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
    /// Takes `limit`, the most rows of an answer.
    pub(crate) fn limit(&mut self) -> i64 {
        self.limit_within(LIMIT_DEFAULT, LIMIT_MAX)
    }

    /// Takes `limit` of an answer whose rows are small: at most `most`, `default` if it is absent.
    pub(crate) fn limit_within(&mut self, default: i64, most: i64) -> i64 {
        match self.given.remove("limit") {
            None => default,
            Some(text) => match text.parse() {
                Ok(limit) if (1..=most).contains(&limit) => limit,
                Ok(_) | Err(_) => {
                    let fault = format!("must be an integer from 1 to {most}, was \"{text}\"");
                    self.faults.insert("limit".to_owned(), fault);
                    default
                }
            },
        }
    }

    /// Takes `limit` and `cursor`.
    pub(crate) fn page<C: Cursor>(&mut self) -> Page<C> {
        let limit = self.limit();
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

    /// Takes the text `name` of at most `length_max` characters; blank counts as absent.
    pub(crate) fn text(&mut self, name: &str, length_max: usize) -> Option<String> {
        let text = self.given.remove(name)?;
        if text.chars().count() > length_max || text.contains('\0') {
            let fault = format!("must have at most {length_max} characters, none of them U+0000");
            self.fault(name, fault);
            return None;
        }
        Some(text).filter(|text| !text.trim().is_empty())
    }

    /// Takes the text `name`, which must be there and not blank, of at most `length_max` characters. What
    /// it returns after a fault is never used, since [`Params::finish`] refuses.
    pub(crate) fn required_text(&mut self, name: &str, length_max: usize) -> String {
        let text = self.text(name, length_max);
        if text.is_none() {
            self.fault_if_none(name, "is required");
        }
        text.unwrap_or_default()
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

    /// Returns whether `name` is given and was not taken.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.given.contains_key(name)
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

    /// Takes `symbol`, in the form in which it is stored.
    pub(crate) fn symbol(&mut self) -> Option<String> {
        let symbol: Option<Symbol> = self.parsed("symbol");
        symbol.map(|symbol| symbol.to_string())
    }

    /// Takes the date `name`, of a year that PostgreSQL reads.
    pub(crate) fn date(&mut self, name: &str) -> Option<Date> {
        let date: Date = self.parsed(name)?;
        if date.year() < 1 {
            self.fault(name, format!("must be of the year 1 or later, was {date}"));
            return None;
        }
        Some(date)
    }

    /// Takes the parameter `name`, at most `count_max` values with commas between; none if it is absent.
    pub(crate) fn list<T>(&mut self, name: &str, count_max: usize) -> Vec<T>
    where
        T: FromStr<Err: Display>,
    {
        let Some(text) = self.given.remove(name) else {
            return Vec::new();
        };
        let count = text.split(',').count();
        if count > count_max {
            self.fault(name, format!("must be at most {count_max}, were {count}"));
            return Vec::new();
        }
        let values = text.split(',').map(|value| value.trim().parse());
        values.collect::<Result<_, _>>().unwrap_or_else(|error| {
            self.fault(name, format!("cannot be used: {error}"));
            Vec::new()
        })
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

    /// Notes what is wrong with `name`, unless something was noted already.
    pub(crate) fn fault_if_none(&mut self, name: &str, fault: &str) {
        if !self.faults.contains_key(name) {
            self.fault(name, fault.to_owned());
        }
    }

    /// Refuses the request if anything was wrong or is left over.
    ///
    /// # Errors
    /// [`Code::InvalidParameter`] with every fault by name.
    pub(crate) fn finish(self) -> Result<(), ApiError> {
        if self.faults.is_empty() && self.given.is_empty() {
            return Ok(());
        }
        Err(self.refusal())
    }

    /// Returns the refusal, with every fault by name and what is left over.
    pub(crate) fn refusal(mut self) -> ApiError {
        for name in self.given.into_keys() {
            self.faults
                .insert(name, "is not a parameter of this path".to_owned());
        }
        ApiError::fields(Code::InvalidParameter, self.faults)
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
        let params = path_params(parts, state).await?;
        path_part(&params, 0).map(Self)
    }
}

/// The two variable parts of a path.
pub(crate) struct InPaths<T, U>(pub(crate) T, pub(crate) U);

impl<S, T, U> FromRequestParts<S> for InPaths<T, U>
where
    S: Send + Sync,
    T: FromStr<Err: Display>,
    U: FromStr<Err: Display>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let params = path_params(parts, state).await?;
        Ok(Self(path_part(&params, 0)?, path_part(&params, 1)?))
    }
}

async fn path_params<S: Send + Sync>(
    parts: &mut Parts,
    state: &S,
) -> Result<RawPathParams, ApiError> {
    let params = RawPathParams::from_request_parts(parts, state).await;
    params.map_err(|error| path_fault("path", error.body_text()))
}

/// Returns the variable part `place` of a path, from 0 on.
fn path_part<T: FromStr<Err: Display>>(
    params: &RawPathParams,
    place: usize,
) -> Result<T, ApiError> {
    let (name, text) = params.iter().nth(place).unwrap_or_default();
    text.parse()
        .map_err(|error| path_fault(name, format!("cannot be used: {error}")))
}

fn path_fault(name: &str, fault: String) -> ApiError {
    let faults = BTreeMap::from([(name.to_owned(), fault)]);
    ApiError::fields(Code::InvalidParameter, faults)
}

fn one_of(choices: &[&str], text: &str) -> String {
    format!("must be one of {}, was \"{text}\"", choices.join(", "))
}
