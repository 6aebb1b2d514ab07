//! Quiet ranges: within which prices, and until when, judging a position again changes nothing.

use crate::model::{LogicalTime, Price};

const DAY_US: u64 = 86_400_000_000;
/// 09:00:00 in Seoul.
const OPEN_US: u64 = 9 * 3_600_000_000;

/// When a position must be judged again: at or below `low`, at or above `high`, from `wake` on, or
/// at any tick.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Quiet {
    pub(crate) low: Option<Price>,
    pub(crate) high: Option<Price>,
    pub(crate) wake: Option<LogicalTime>,
    pub(crate) never: bool,
}

impl Quiet {
    /// Judged at any tick.
    pub(crate) const NEVER: Self = Self {
        low: None,
        high: None,
        wake: None,
        never: true,
    };

    pub(super) fn below(&mut self, price: Price) {
        self.low = self.low.max(Some(price));
    }

    pub(super) fn above(&mut self, price: Price) {
        self.high = Some(self.high.map_or(price, |high| high.min(price)));
    }

    pub(super) fn from(&mut self, time: LogicalTime) {
        self.wake = Some(self.wake.map_or(time, |wake| wake.min(time)));
    }
}

/// Returns the lowest price above `price`, or itself where there is none.
pub(super) fn next_above(price: Price) -> Price {
    price
        .units()
        .checked_add(1)
        .and_then(|units| Price::from_units(units).ok())
        .unwrap_or(price)
}

/// Returns whether `now` lies from 09:00:00 to `window_s` seconds later in Seoul, both inclusive.
pub(super) fn is_in_window(now: LogicalTime, window_s: u32) -> bool {
    let window_us = u64::from(window_s).saturating_mul(1_000_000);
    (OPEN_US..=OPEN_US.saturating_add(window_us)).contains(&now.seoul_micro_of_day())
}

/// Returns the next 09:00:00 in Seoul after `now`.
pub(super) fn next_open(now: LogicalTime) -> LogicalTime {
    let of_day = now.seoul_micro_of_day();
    let wait = if of_day < OPEN_US {
        OPEN_US - of_day
    } else {
        DAY_US - of_day + OPEN_US
    };
    now.plus_micros(wait)
}
