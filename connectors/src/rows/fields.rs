//! Fields of a row, with faults that name table, key and column.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::{Date, date};
use rust_decimal::Decimal;
use serde_json::Value;
use thiserror::Error;
use turnstile_dataflows::model::{LogicalTime, Price, Quantity};

/// A row that could not be read. What stood before stays in force.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{table}: row {key}: {column}: {reason}")]
pub struct RowFault {
    /// Table, with its schema.
    pub table: String,
    /// Primary key of the row, as text.
    pub key: String,
    /// Column, with the path inside of it where it is an object.
    pub column: String,
    /// What is wrong.
    pub reason: String,
}

impl RowFault {
    pub(super) fn in_table(mut self, table: &str) -> Self {
        table.clone_into(&mut self.table);
        self
    }
}

/// A row whose columns are taken by name.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'r> {
    row: &'r Value,
    key: &'static str,
}

impl<'r> Fields<'r> {
    /// Returns the fields of `row`, which is known by its column `key`.
    pub(crate) fn new(row: &'r Value, key: &'static str) -> Self {
        Self { row, key }
    }

    pub(crate) fn fault(&self, column: &str, reason: impl fmt::Display) -> RowFault {
        let key = self.row.get(self.key).map_or_else(String::new, |key| {
            key.as_str().map_or_else(|| key.to_string(), str::to_owned)
        });
        RowFault {
            table: String::new(),
            key,
            column: column.to_owned(),
            reason: reason.to_string(),
        }
    }

    /// Returns the value of `column`, none where it is null or missing.
    pub(crate) fn value(&self, column: &str) -> Option<&'r Value> {
        self.row.get(column).filter(|value| !value.is_null())
    }

    fn needed(&self, column: &str) -> Result<&'r Value, RowFault> {
        self.value(column)
            .ok_or_else(|| self.fault(column, "value expected, was null"))
    }

    pub(crate) fn text(&self, column: &str) -> Result<&'r str, RowFault> {
        let value = self.needed(column)?;
        value
            .as_str()
            .ok_or_else(|| self.fault(column, format!("text expected, was {value}")))
    }

    pub(crate) fn parsed<T>(&self, column: &str) -> Result<T, RowFault>
    where
        T: FromStr,
        T::Err: fmt::Display,
    {
        self.text(column)?
            .parse()
            .map_err(|error| self.fault(column, error))
    }

    pub(super) fn parsed_if<T>(&self, column: &str) -> Result<Option<T>, RowFault>
    where
        T: FromStr,
        T::Err: fmt::Display,
    {
        self.value(column).map(|_| self.parsed(column)).transpose()
    }

    pub(crate) fn whole<T: TryFrom<i64>>(&self, column: &str) -> Result<T, RowFault> {
        let value = self.needed(column)?;
        let whole = value.as_i64().and_then(|whole| T::try_from(whole).ok());
        whole.ok_or_else(|| self.fault(column, format!("whole number expected, was {value}")))
    }

    pub(crate) fn flag(&self, column: &str) -> Result<bool, RowFault> {
        let value = self.needed(column)?;
        value
            .as_bool()
            .ok_or_else(|| self.fault(column, format!("flag expected, was {value}")))
    }

    pub(super) fn quantity(&self, column: &str) -> Result<Quantity, RowFault> {
        Quantity::new(self.whole(column)?).map_err(|error| self.fault(column, error))
    }

    pub(super) fn decimal(&self, column: &str) -> Result<Decimal, RowFault> {
        let value = self.needed(column)?;
        let text = value.to_string();
        // A small one is written with an exponent.
        Decimal::from_str_exact(&text)
            .or_else(|_| Decimal::from_scientific(&text))
            .map_err(|_| self.fault(column, format!("number expected, was {value}")))
    }

    /// Returns the price in `column`, none where it is null, zero or below.
    pub(super) fn price_if(&self, column: &str) -> Result<Option<Price>, RowFault> {
        if self.value(column).is_none() {
            return Ok(None);
        }
        let value = self.decimal(column)?;
        if value <= Decimal::ZERO {
            return Ok(None);
        }
        Price::try_from(value)
            .map(Some)
            .map_err(|error| self.fault(column, error))
    }

    pub(super) fn price(&self, column: &str) -> Result<Price, RowFault> {
        let price = self.price_if(column)?;
        price.ok_or_else(|| self.fault(column, "price above zero expected"))
    }

    pub(super) fn time(&self, column: &str) -> Result<LogicalTime, RowFault> {
        let time: Timestamp = self.parsed(column)?;
        u64::try_from(time.as_microsecond())
            .map(LogicalTime::from_micros)
            .map_err(|_| self.fault(column, "time after 1970 expected"))
    }

    /// Returns the days from 1970-01-01 to the date in `column`.
    pub(super) fn day(&self, column: &str) -> Result<u64, RowFault> {
        let day: Date = self.parsed(column)?;
        let days = date(1970, 1, 1).until(day).ok();
        days.and_then(|days| u64::try_from(days.get_days()).ok())
            .ok_or_else(|| self.fault(column, "date from 1970 on expected"))
    }

    /// Returns the minutes in `column` as microseconds.
    pub(super) fn minutes_us(&self, column: &str) -> Result<u64, RowFault> {
        let micros = self.decimal(column)?.checked_mul(Decimal::from(60_000_000));
        micros
            .and_then(|micros| u64::try_from(micros.trunc()).ok())
            .ok_or_else(|| self.fault(column, "minutes of zero or more expected"))
    }
}
