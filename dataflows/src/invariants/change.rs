//! What the invariants are told.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::{
    ActionKey, LogicalTime, OrderFact, Position, PositionId, Quantity, SaleId, Symbol,
};

/// What changed at one logical time: all of a transaction together.
#[derive(Clone, Debug)]
pub struct InvariantEvent {
    /// When.
    pub time: LogicalTime,
    /// What; perhaps nothing but the time.
    pub changes: Vec<InvariantChange>,
    /// Whether everything up to `time` has been told, the first state as a whole included.
    pub is_complete: bool,
}

/// A row, or something that somebody said.
#[derive(Clone, Debug)]
pub enum InvariantChange {
    /// A position as it stands.
    Position(Position),
    /// An order.
    Order(InvariantOrder),
    /// A fact about the order of this identity.
    OrderFact(Arc<str>, OrderFact),
    /// Shares have left a position.
    Taken(Taken),
    /// The engine has decided to sell.
    Decided(Decided),
    /// A decision was refused by the store, and that was told.
    Refused(ActionKey),
    /// Whether the row of the order of this key accounts for it.
    Found(ActionKey, bool),
    /// All symbols of which positions and holdings differed in the last two complete answers.
    Differences(BTreeMap<Symbol, Difference>),
    /// Values of the cache, in place of those told before.
    Sample(Vec<Sampled>),
}

/// A row of `trade.orders`, as far as it matters here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvariantOrder {
    /// Identity of the order.
    pub id: Arc<str>,
    /// Key of its decision.
    pub action_key: ActionKey,
    /// Whose shares it sells; none for a purchase.
    pub position: Option<PositionId>,
    /// What it trades.
    pub symbol: Symbol,
    /// Shares decided.
    pub qty: Quantity,
    /// Whether somebody else gave it at the broker.
    pub is_foreign: bool,
    /// When its row was stored, by the clock of the database.
    pub stored: LogicalTime,
}

/// Shares that have left a position: a row of `trade.sale_results`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Taken {
    /// What makes it unique.
    pub id: SaleId,
    /// Whose shares.
    pub position: PositionId,
    /// The order that sold them, also that of somebody else; none: they were found to be gone.
    pub order: Option<Arc<str>>,
    /// When; of those that were gone by the clock of the database.
    pub time: LogicalTime,
    /// How many.
    pub qty: Quantity,
}

/// A decision to sell.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Decided {
    /// What makes it unique.
    pub action_key: ActionKey,
    /// Whose shares.
    pub position: PositionId,
    /// What is sold.
    pub symbol: Symbol,
    /// Shares to sell.
    pub qty: Quantity,
    /// Logical time of the event that caused it.
    pub time: LogicalTime,
}

/// Quantities of a symbol that are not the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Difference {
    /// Shares in positions.
    pub ours: Quantity,
    /// Shares that the broker holds.
    pub theirs: Quantity,
}

/// What a value is of, and what it says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Version {
    /// Rises with every change of the value: a version, or microseconds.
    pub number: i64,
    /// What it says, written in one way.
    pub content: Arc<str>,
}

/// A value of the cache, and what was committed under its key when it was read afterwards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sampled {
    /// Key of the cache.
    pub key: Arc<str>,
    /// What the cache says.
    pub cached: Version,
    /// What is stored; none where nothing is.
    pub stored: Option<Version>,
}

impl Sampled {
    /// Returns whether the cache is newer than the truth, or says something else of the same version.
    pub fn is_broken(&self) -> bool {
        is_newer(&self.cached, self.stored.as_ref())
    }
}

/// Returns whether `cached` cannot come from what was stored by then.
pub(super) fn is_newer(cached: &Version, stored: Option<&Version>) -> bool {
    stored.is_none_or(|stored| {
        cached.number > stored.number
            || cached.number == stored.number && cached.content != stored.content
    })
}

/// How long something may be on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GraceTimes {
    /// From when a decision was told, to its order or to a reason.
    pub breach: Duration,
    /// From the second complete answer that differs from positions, to one that still does.
    pub holdings: Duration,
}
