//! Decisions that the database does not take any more: kept elsewhere, so that there is a record of them.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use turnstile_dataflows::model::{LogicalTime, Symbol};

/// A decision to sell or buy that was not stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unstored {
    /// Key under which it would have been an order.
    pub action_key: String,
    /// Logical time of the event that caused it.
    pub time: LogicalTime,
    /// What was to be traded.
    pub symbol: Symbol,
    /// The decision as the engine made it.
    pub decision: Value,
}

/// Keeps decisions.
pub type KeepUnstored = Arc<dyn Fn(Vec<Unstored>) + Send + Sync>;
