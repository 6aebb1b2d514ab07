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
}
