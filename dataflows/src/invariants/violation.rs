//! What is broken.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::model::{ActionKey, PositionId, Symbol};

/// Which invariant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum InvariantKind {
    /// No position sells more than it held.
    Oversell,
    /// Every decision to sell has its order, or a reason why not.
    Breach,
    /// Every order has its decision.
    Order,
    /// Positions are what the broker holds.
    Holdings,
    /// The cache is no newer than the truth.
    Cache,
}

impl InvariantKind {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Oversell,
        Self::Breach,
        Self::Order,
        Self::Holdings,
        Self::Cache,
    ];

    /// Returns the name in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Oversell => "OVERSELL",
            Self::Breach => "BREACH",
            Self::Order => "ORDER",
            Self::Holdings => "HOLDINGS",
            Self::Cache => "CACHE",
        }
    }
}

impl fmt::Display for InvariantKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// An invariant that does not hold. There is one of a kind and key at any time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Violation {
    /// Which one.
    pub kind: InvariantKind,
    /// Of what: a position, an action key, a symbol, a key of the cache.
    pub key: Arc<str>,
    /// Issue concerned.
    pub symbol: Option<Symbol>,
    /// Position concerned.
    pub position: Option<PositionId>,
    /// What is wrong, in words.
    pub detail: Arc<str>,
}

/// What has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InvariantNews {
    /// Is so no more, or not in these words.
    Over(Violation),
    /// Does not hold.
    Broken(Violation),
    /// Whether the row of this order accounts for it is asked (true), or no longer.
    Asked(ActionKey, bool),
}
