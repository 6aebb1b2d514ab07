//! What the re-entry dataflow says about a candidate.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::model::{
    ActionKey, CandidateId, ExitEventId, LogicalTime, Price, Quantity, Regime, Symbol,
};

use super::tape::TapeFigures;

/// A change of the state of one re-entry candidate.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ReentryVerdict {
    /// Logical time of the change.
    pub time: LogicalTime,
    /// The candidate. There is one per exit event, with the same identifier.
    pub candidate: CandidateId,
    /// The exit event that made it.
    pub exit_event: ExitEventId,
    /// What would be bought back.
    pub symbol: Symbol,
    /// Rule in force, if any.
    pub rule_id: Option<Arc<str>>,
    /// Regime in force.
    pub regime: Regime,
    /// Evaluation price, where one was judged.
    pub price: Option<Price>,
    /// Logical time of its tick.
    pub tick: Option<LogicalTime>,
    /// The new state. Of verdicts of one time the earlier one comes first in this order.
    pub verdict: Verdict,
    /// Whether this is the first verdict on the exit event: a store that knows the candidate has
    /// heard it before.
    pub is_first: bool,
}

/// State that a candidate enters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Verdict {
    /// Waits until the cooldown is over.
    Cooldown {
        /// End of the cooldown.
        until: LogicalTime,
    },
    /// Waits for its trigger; no gate refuses it.
    Watch {
        /// When it expires.
        until: LogicalTime,
    },
    /// Buys: state READY, one order.
    Submit {
        /// Shares to buy.
        qty: Quantity,
        /// Price that had to be reached.
        level: Price,
        /// Code of the trigger, such as `REENTRY_REBOUND`.
        reason: Arc<str>,
        /// What makes the order unique.
        action_key: ActionKey,
        /// Everything the verdict was made from.
        explanation: Box<EntryExplanation>,
    },
    /// Refused. A final refusal ends the candidate, another one is written once and may pass.
    Blocked {
        /// The gate that refused, such as `G2`.
        gate: Arc<str>,
        /// Why, in words.
        reason: Arc<str>,
        /// Whether the candidate ends here.
        is_final: bool,
    },
    /// Over without an entry.
    Expired {
        /// Why, where it was not the end of the watch.
        reason: Option<Arc<str>>,
    },
}

/// Every input of an entry with its version.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct EntryExplanation {
    /// Price at which the position was left, on average.
    pub exit_price: Price,
    /// When it was left.
    pub exit: LogicalTime,
    /// Why it was left.
    pub exit_reason: Arc<str>,
    /// Shares that the position had at entry.
    pub original_qty: Quantity,
    /// Highest price of the position, where it is known.
    pub prior_hwm: Option<Price>,
    /// Rule in force, as stored.
    pub rule: Arc<str>,
    /// Regime in force.
    pub regime: Regime,
    /// Whether the regime was known, and not only assumed.
    pub is_regime_known: bool,
    /// Re-entries of the symbol on the day so far.
    pub entries_today: u32,
    /// Re-entries of the symbol on seven days so far.
    pub entries_of_week: u32,
    /// End of the cooldown.
    pub cooldown_until: LogicalTime,
    /// Since when every tick reached the level.
    pub reached_since: LogicalTime,
    /// ATR ÷ close of the day before, millionths.
    pub atr_pct_millionths: Option<i64>,
    /// Close of the day before.
    pub prev_close: Option<Price>,
    /// Day in Seoul, counted from 1970-01-01, of the newest ranking; none where that does not select
    /// the symbol.
    pub ranked_as_of: Option<u64>,
    /// Volume, structure and momentum.
    pub tape: TapeFigures,
}
