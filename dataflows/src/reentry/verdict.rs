//! What the re-entry dataflow says about a candidate.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::model::{ActionKey, CandidateId, ExitEventId, LogicalTime, Price, Quantity, Symbol};

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
    /// Evaluation price, where a tick was judged.
    pub price: Option<Price>,
    /// Logical time of that tick.
    pub tick: Option<LogicalTime>,
    /// The new state.
    pub verdict: Verdict,
}

/// State that a candidate enters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Verdict {
    /// Waits until the cooldown is over.
    Cooldown {
        /// End of the cooldown.
        until: LogicalTime,
    },
    /// Waits for its trigger.
    Watch,
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
        explanation: EntryExplanation,
    },
    /// Refused. A final refusal ends the candidate, another one is written once and may pass.
    Blocked {
        /// The gate that refused, such as `G2`.
        gate: Arc<str>,
        /// Why, in words with figures.
        reason: Arc<str>,
        /// Whether the candidate ends here.
        is_final: bool,
    },
    /// The watch ended without a trigger.
    Expired,
}

/// Every input of an entry with its version.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct EntryExplanation {
    /// Price at which the position was left, on average.
    pub exit_price: Price,
    /// When it was left.
    pub exit: LogicalTime,
    /// Shares that the position had at entry.
    pub original_qty: Quantity,
    /// Rule in force, as stored.
    pub rule: Arc<str>,
    /// Re-entries of the symbol on the day so far.
    pub entries_today: u32,
    /// End of the cooldown.
    pub cooldown_until: LogicalTime,
}
