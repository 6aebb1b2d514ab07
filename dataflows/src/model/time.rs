//! Logical time.

use std::fmt;

use serde::{Deserialize, Serialize};

const MICROS_PER_SECOND: u64 = 1_000_000;
const SECONDS_PER_DAY: u64 = 86_400;
/// Seoul is nine hours ahead of UTC and has had no daylight saving time since 1988.
const SEOUL_OFFSET_S: u64 = 9 * 3_600;

/// Logical time of an event: microseconds since the Unix epoch, strictly increasing.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct LogicalTime(u64);

impl LogicalTime {
    /// The last time there is.
    pub const MAX: Self = Self(u64::MAX);

    /// Returns the time of `micros` microseconds since the Unix epoch.
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// Returns the microseconds since the Unix epoch.
    pub const fn micros(self) -> u64 {
        self.0
    }

    /// Returns the 3-second slot in which breaches are counted (decision contract, 2.8).
    pub const fn breach_slot(self) -> u64 {
        self.0 / (3 * MICROS_PER_SECOND)
    }

    /// Returns the first time of a 3-second slot.
    pub const fn from_breach_slot(slot: u64) -> Self {
        Self(slot.saturating_mul(3 * MICROS_PER_SECOND))
    }

    /// Returns the second of the day in Seoul, with the microseconds cut off.
    pub const fn seoul_second_of_day(self) -> u64 {
        (self.0 / MICROS_PER_SECOND + SEOUL_OFFSET_S) % SECONDS_PER_DAY
    }

    /// Returns the microsecond of the day in Seoul.
    pub const fn seoul_micro_of_day(self) -> u64 {
        (self.0 + SEOUL_OFFSET_S * MICROS_PER_SECOND) % (SECONDS_PER_DAY * MICROS_PER_SECOND)
    }

    /// Returns the day in Seoul, counted from 1970-01-01.
    pub const fn seoul_day(self) -> u64 {
        (self.0 / MICROS_PER_SECOND + SEOUL_OFFSET_S) / SECONDS_PER_DAY
    }

    /// Returns the beginning of the next day in Seoul.
    pub const fn next_seoul_day(self) -> Self {
        self.plus_micros(SECONDS_PER_DAY * MICROS_PER_SECOND - self.seoul_micro_of_day())
    }

    /// Returns the month in Seoul, counted from January 1970.
    pub const fn seoul_month(self) -> u64 {
        // Years begin in March, so that the leap day is the last of its year; 719,468 days lie between
        // 0000-03-01 and 1970-01-01, and 146,097 days are 400 years.
        let days = self.seoul_day() + 719_468;
        let (era, day) = (days / 146_097, days % 146_097);
        let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
        let day_of_year = day - (365 * year + year / 4 - year / 100);
        let month = (5 * day_of_year + 2) / 153;
        (era * 400 + year) * 12 + month + 2 - 1_970 * 12
    }

    /// Returns the time `micros` later, or the last time there is.
    #[must_use]
    pub const fn plus_micros(self, micros: u64) -> Self {
        Self(self.0.saturating_add(micros))
    }

    /// Returns the microseconds since `earlier`, zero if that is later.
    pub const fn micros_since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl fmt::Display for LogicalTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_day_turns_at_midnight_in_seoul() {
        // 2026-11-23T15:00:00Z is 2026-11-24 00:00 in Seoul.
        let midnight = LogicalTime::from_micros(1_795_446_000_000_000);
        assert_eq!(midnight.seoul_second_of_day(), 0);
        assert_eq!(
            LogicalTime::from_micros(midnight.micros() - 1).seoul_day() + 1,
            midnight.seoul_day()
        );
    }

    #[test]
    fn months_turn_on_their_first_day_in_seoul() {
        let day_us = SECONDS_PER_DAY * MICROS_PER_SECOND;
        let first = |day: u64| LogicalTime(day * day_us - SEOUL_OFFSET_S * MICROS_PER_SECOND);
        // Days since 1970-01-01 of 1970-02-01, 2000-03-01, 2024-03-01, 2026-12-01 and 2027-01-01.
        let firsts = [31, 11_017, 19_783, 20_788, 20_819];
        let months = [1, 362, 650, 683, 684];
        for (day, month) in firsts.into_iter().zip(months) {
            assert_eq!(first(day).seoul_month(), month, "{day}");
            assert_eq!(LogicalTime(first(day).0 - 1).seoul_month(), month - 1);
        }
    }
}
