//! Fields of one row, read by name. Pure.
//!
//! Numbers are texts with commas, `-` for missing; newer answers have a twin `<name>Raw` without
//! commas, a text or a JSON number, which is preferred.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde_json::{Map, Value};
use turnstile_dataflows::model::{Price, Quantity};

use super::quote::FaultReason;

/// Unit of an amount in text form, such as `918,417백만`.
const MILLIONS: &str = "백만";
/// Parts of one won, or of one percent, in the model.
const UNITS: i64 = 10_000;

/// A field that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) field: String,
    pub(super) reason: FaultReason,
}

/// An object of an answer, with the path to it.
#[derive(Clone, Debug)]
pub(super) struct Row<'a> {
    fields: &'a Map<String, Value>,
    path: String,
}

impl<'a> Row<'a> {
    /// Returns a row of `datas`.
    pub(super) const fn new(fields: &'a Map<String, Value>) -> Self {
        Self {
            fields,
            path: String::new(),
        }
    }

    /// Returns what is wrong with the field `name`.
    pub(super) fn wrong(&self, name: &str, reason: FaultReason) -> Wrong {
        Wrong {
            field: format!("{}{name}", self.path),
            reason,
        }
    }

    fn malformed(&self, name: &str, reason: impl Into<String>) -> Wrong {
        self.wrong(name, FaultReason::Malformed(reason.into()))
    }

    /// Returns the object `name`, where there is one.
    pub(super) fn object(&self, name: &str) -> Result<Option<Self>, Wrong> {
        match self.fields.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Object(fields)) => Ok(Some(Self {
                fields,
                path: format!("{}{name}.", self.path),
            })),
            Some(_) => Err(self.malformed(name, "object expected")),
        }
    }

    /// Returns the object `name`.
    pub(super) fn needed_object(&self, name: &str) -> Result<Self, Wrong> {
        self.object(name)?
            .ok_or_else(|| self.wrong(name, FaultReason::Missing))
    }

    /// Returns the text or the number `name` as text, trimmed; `None` where it is missing.
    fn maybe_text(&self, name: &str) -> Result<Option<String>, Wrong> {
        let text = match self.fields.get(name) {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::String(text)) => text.trim().to_owned(),
            Some(Value::Number(number)) => number.to_string(),
            Some(_) => return Err(self.malformed(name, "text or number expected")),
        };
        Ok(Some(text).filter(|text| !matches!(text.as_str(), "" | "-")))
    }

    /// Returns the text `name`.
    pub(super) fn text(&self, name: &str) -> Result<String, Wrong> {
        self.maybe_text(name)?
            .ok_or_else(|| self.wrong(name, FaultReason::Missing))
    }

    /// Returns the number `name`, from its twin where there is one, and whether it counts millions.
    fn number(&self, name: &str) -> Result<(Decimal, bool), Wrong> {
        let twin = format!("{name}Raw");
        if let Some(text) = self.maybe_text(&twin)? {
            let value = decimal(&text).map_err(|reason| self.malformed(&twin, reason))?;
            return Ok((value, false));
        }
        let text = self.text(name)?;
        let (digits, is_millions) = match text.strip_suffix(MILLIONS) {
            Some(digits) => (digits.trim_end(), true),
            None => (text.as_str(), false),
        };
        let value = decimal(digits).map_err(|reason| self.malformed(name, reason))?;
        Ok((value, is_millions))
    }

    fn plain_number(&self, name: &str) -> Result<Decimal, Wrong> {
        match self.number(name)? {
            (value, false) => Ok(value),
            (value, true) => {
                let reason = format!("plain number expected, was {value} million");
                Err(self.malformed(name, reason))
            }
        }
    }

    /// Returns the price `name`, above zero.
    pub(super) fn price(&self, name: &str) -> Result<Price, Wrong> {
        let value = self.plain_number(name)?;
        if value.is_zero() {
            return Err(self.wrong(name, FaultReason::NoPrice));
        }
        Price::try_from(value).map_err(|error| self.malformed(name, error.to_string()))
    }

    /// Returns the size of the number `name` in 1/10000, whatever its sign.
    pub(super) fn size_units(&self, name: &str) -> Result<i64, Wrong> {
        let value = self.plain_number(name)?;
        value
            .abs()
            .checked_mul(Decimal::from(UNITS))
            .filter(Decimal::is_integer)
            .and_then(|units| units.to_i64())
            .ok_or_else(|| {
                let reason = format!("number with at most 4 decimals expected, was {value}");
                self.malformed(name, reason)
            })
    }

    /// Returns the number of shares `name`.
    pub(super) fn quantity(&self, name: &str) -> Result<Quantity, Wrong> {
        let value = self.plain_number(name)?;
        let whole = Some(value).filter(Decimal::is_integer);
        whole
            .and_then(|value| value.to_i64())
            .and_then(|shares| Quantity::new(shares).ok())
            .ok_or_else(|| self.malformed(name, format!("shares expected, was {value}")))
    }

    /// Returns the amount `name` in whole KRW.
    pub(super) fn won(&self, name: &str) -> Result<i64, Wrong> {
        let (value, is_millions) = self.number(name)?;
        let factor = Decimal::from(if is_millions { 1_000_000 } else { 1 });
        value
            .checked_mul(factor)
            .filter(|won| !won.is_sign_negative())
            .and_then(|won| won.to_i64())
            .ok_or_else(|| self.malformed(name, format!("amount expected, was {value}")))
    }

    /// Returns the time `name`, with its offset from UTC, in microseconds since the Unix epoch.
    pub(super) fn time_us(&self, name: &str) -> Result<u64, Wrong> {
        let text = self.text(name)?;
        text.parse::<jiff::Timestamp>()
            .ok()
            .and_then(|at| u64::try_from(at.as_microsecond()).ok())
            .ok_or_else(|| {
                let reason = format!("time with offset expected, was {}", shown(&text));
                self.malformed(name, reason)
            })
    }

    /// Returns an error for a text that is none of the documented.
    pub(super) fn unexpected(&self, name: &str, expected: &str, text: &str) -> Wrong {
        self.malformed(name, format!("{expected} expected, was {}", shown(text)))
    }
}

/// Returns the number in `text`, whose commas mean nothing.
fn decimal(text: &str) -> Result<Decimal, String> {
    let fault = || format!("number expected, was {}", shown(text));
    let is_plain = |byte: u8| byte.is_ascii_digit() || matches!(byte, b',' | b'.' | b'+' | b'-');
    if !text.bytes().all(is_plain) {
        return Err(fault());
    }
    Decimal::from_str_exact(&text.replace(',', "")).map_err(|_| fault())
}

/// Returns the beginning of a bad text for a message.
pub(super) fn shown(text: &str) -> String {
    let head: String = text.chars().take(24).collect();
    format!("{head:?}")
}
