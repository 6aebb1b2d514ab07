//! When ticks arrive: at a fixed rate, whatever becomes of those before.

use std::time::Duration;

use turnstile_dataflows::model::LogicalTime;

use crate::input::OPEN_US;

/// Logical time of the first tick: an hour after the opening.
const BASE_US: u64 = OPEN_US + 3_600_000_000;

/// A fixed rate of arrivals.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Schedule {
    per_second: u64,
}

impl Schedule {
    /// Most ticks a second: each has a logical microsecond of its own.
    pub(crate) const RATE_MAX: u64 = 1_000_000;

    /// Returns the schedule of a rate from one to [`Self::RATE_MAX`].
    pub(crate) const fn new(per_second: u64) -> Self {
        Self { per_second }
    }

    /// Returns when the tick of `index` arrives, counted from the first one.
    pub(crate) fn arrival(self, index: u64) -> Duration {
        let nanos = u128::from(index) * 1_000_000_000 / u128::from(self.per_second);
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// Returns the logical time of the tick of `index`.
    pub(crate) fn time(self, index: u64) -> LogicalTime {
        LogicalTime::from_micros(BASE_US + index * 1_000_000 / self.per_second)
    }

    /// Returns the tick of a logical time.
    pub(crate) fn index(self, time: LogicalTime) -> u64 {
        let micros = time.micros().saturating_sub(BASE_US);
        (micros * self.per_second).div_ceil(1_000_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_logical_time_names_its_tick() {
        for rate in [1, 3, 7_000, 99_999, 333_333, Schedule::RATE_MAX] {
            let schedule = Schedule::new(rate);
            for index in (0..200_000).step_by(7).chain([0, 1, 2]) {
                let time = schedule.time(index);
                assert_eq!(schedule.index(time), index, "rate {rate}");
                assert!(time < schedule.time(index + 1), "rate {rate}");
            }
        }
    }
}
