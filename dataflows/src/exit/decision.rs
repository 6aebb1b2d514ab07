//! What the exit dataflow says: decisions with everything they were made from.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::model::{
    ActionKey, ExitMode, ExitReason, Floor, LogicalTime, Phase, PositionId, Price, ProfileId,
    Quantity, Symbol,
};

/// A decision to sell. At most one per action key ever becomes an order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ExitDecision {
    /// Logical time of the event that caused it.
    pub time: LogicalTime,
    /// Whose shares are sold.
    pub position: PositionId,
    /// What is sold.
    pub symbol: Symbol,
    /// Why.
    pub reason: ExitReason,
    /// Custom rule, for the two custom reasons.
    pub rule_id: Option<Arc<str>>,
    /// Phase before the decision.
    pub phase: Phase,
    /// Cycle of the position.
    pub cycle: u32,
    /// Attempt number, from one.
    pub attempt: u32,
    /// Shares to sell, at least one.
    pub qty: Quantity,
    /// Evaluation price.
    pub price: Price,
    /// Price that had to be reached; the evaluation price where there is none.
    pub level: Price,
    /// What makes the decision unique.
    pub action_key: ActionKey,
    /// Weaker open orders to cancel first (full stops only), in order of their keys.
    pub cancels: Vec<ActionKey>,
    /// Every input of the decision with its version.
    pub explanation: Explanation,
}

impl ExitDecision {
    /// Returns whether nothing of the position is left if this fills whole.
    pub fn is_full(&self) -> bool {
        self.qty == self.explanation.remaining
    }
}

/// Every input of a decision with its version.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Explanation {
    /// Logical time of the tick that was judged.
    pub tick: LogicalTime,
    /// Last price of that tick.
    pub last: Price,
    /// Bid of that tick.
    pub bid: Option<Price>,
    /// Version of the position row.
    pub position_version: u32,
    /// Shares held.
    pub remaining: Quantity,
    /// Shares that the decision could dispose of.
    pub available: Quantity,
    /// Shares at entry.
    pub original_qty: Quantity,
    /// Average cost.
    pub avg_price: Price,
    /// Profile in force.
    pub profile: ProfileId,
    /// Version of the profile.
    pub profile_version: u32,
    /// What chose the profile: POSITION, SYMBOL, STRATEGY or DEFAULT.
    pub profile_level: Arc<str>,
    /// ATR percent of the symbol in millionths.
    pub atr_pct_millionths: Option<i64>,
    /// Close of the day before.
    pub prev_close: Option<Price>,
    /// High-water mark.
    pub high_water_mark: Option<Price>,
    /// Stop floor.
    pub floor: Option<Floor>,
    /// First slot of the run of breaches, for the debounced triggers.
    pub breach_slot: Option<u64>,
    /// Control mode.
    pub mode: ExitMode,
}
