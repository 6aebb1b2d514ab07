//! Ticks.

use serde::{Deserialize, Serialize};

use super::{LogicalTime, Price, Symbol};

/// One trade of one symbol, as far as it decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Tick {
    /// Logical time: the identity of the tick.
    pub time: LogicalTime,
    /// What traded.
    pub symbol: Symbol,
    /// Price of the trade.
    pub last: Price,
    /// Best bid, where the tick carries one above zero.
    pub bid: Option<Price>,
    /// Shares of the trade; zero where that is not known, as for a price that was asked for.
    pub volume: u64,
}

impl Tick {
    /// Returns the evaluation price: the bid where there is one, else the last price (decision
    /// contract 2.4).
    pub fn evaluation_price(&self) -> Price {
        self.bid.unwrap_or(self.last)
    }
}
