//! What of a bar the strategy looks at.

use serde::{Deserialize, Serialize};

use crate::Bar;

/// The bar of a day without the prices that decide nothing: less to keep, and nothing follows from
/// their changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct DayBar {
    /// Units of [`turnstile_dataflows::model::Price`].
    pub(crate) close: i64,
    /// Shares.
    pub(crate) volume: i64,
    /// KRW.
    pub(crate) value: i64,
    /// KRW.
    pub(crate) market_cap: Option<i64>,
    /// Open, high and low are 0.
    pub(crate) is_halted: bool,
}

impl From<Bar> for DayBar {
    fn from(bar: Bar) -> Self {
        Self {
            close: bar.close,
            volume: bar.volume,
            value: bar.value,
            market_cap: bar.market_cap,
            is_halted: bar.open == 0 && bar.high == 0 && bar.low == 0,
        }
    }
}

#[cfg(test)]
impl DayBar {
    /// A bar of 100 shares at `won`, on day `day`.
    pub(crate) fn at(day: u32, won: i64) -> (crate::Day, Self) {
        let bar = Self {
            close: won * 10_000,
            volume: 100,
            value: won * 100,
            market_cap: None,
            is_halted: false,
        };
        (crate::Day(day), bar)
    }
}
