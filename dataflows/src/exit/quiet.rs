//! Quiet ranges: within which prices, and until when, judging a position again changes nothing.

use crate::model::{LogicalTime, Price, Threshold};

const DAY_US: u64 = 86_400_000_000;
/// 09:00:00 in Seoul.
const OPEN_US: u64 = 9 * 3_600_000_000;

/// When a position must be judged again: at or below `low`, at or above `high`, from `wake` on, at
/// or below its shared mark less `trail`, or at any tick.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Quiet {
    pub(super) low: Option<Price>,
    pub(super) high: Option<Price>,
    pub(super) wake: Option<LogicalTime>,
    pub(super) trail: Option<Threshold>,
    pub(super) never: bool,
}

impl Quiet {
    /// Judged at no tick.
    pub(super) const NOTHING: Self = Self {
        low: None,
        high: None,
        wake: None,
        trail: None,
        never: false,
    };

    /// Judged at any tick.
    pub(super) const NEVER: Self = Self {
        never: true,
        ..Self::NOTHING
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
    let units = price.units().checked_add(1);
    units
        .and_then(|units| Price::from_units(units).ok())
        .unwrap_or(price)
}

/// Returns the highest price below `price`, or itself where there is none.
pub(super) fn next_below(price: Price) -> Price {
    Price::from_units(price.units() - 1).unwrap_or(price)
}

/// Returns whether `now` lies from 09:00:00 to `window_s` seconds later in Seoul, both inclusive.
pub(super) fn is_in_window(now: LogicalTime, window_s: u32) -> bool {
    (OPEN_US..=OPEN_US.saturating_add(micros(window_s))).contains(&now.seoul_micro_of_day())
}

/// Returns the first time after the window that `now` lies in.
pub(super) fn window_end(now: LogicalTime, window_s: u32) -> LogicalTime {
    let since_open = now.seoul_micro_of_day().saturating_sub(OPEN_US);
    now.plus_micros(micros(window_s).saturating_sub(since_open) + 1)
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

fn micros(seconds: u32) -> u64 {
    u64::from(seconds).saturating_mul(1_000_000)
}
