//! What the strategy says as a whole.

use std::collections::{BTreeMap, BTreeSet};

use turnstile_dataflows::model::Symbol;

use crate::{Evaluation, NoPortfolio, Portfolio, Ranking, Signal, UniverseRow};

/// A stage of the strategy; each follows from the ones before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// Who is looked at.
    Universe,
    /// Their factors.
    Factors,
    /// What to buy and to sell.
    Signals,
    /// What to buy first.
    Rankings,
    /// How much of it.
    Portfolio,
}

impl Stage {
    /// All, in their order.
    pub const ALL: [Self; 5] = [
        Self::Universe,
        Self::Factors,
        Self::Signals,
        Self::Rankings,
        Self::Portfolio,
    ];
}

/// All that the strategy says of its day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// Every listing that is not delisted; nothing before the day is known.
    pub universe: BTreeMap<Symbol, UniverseRow>,
    /// Symbols of the universe that go on to factors. Empty, as are signals and rankings, where the
    /// universe is not published.
    pub evaluations: BTreeMap<Symbol, Evaluation>,
    /// Those that are kept, BUY before SELL, by rank.
    pub signals: BTreeSet<Signal>,
    /// BUY signals by rank.
    pub rankings: BTreeSet<Ranking>,
    /// Target weights, or why there are none.
    pub portfolio: Portfolio,
}

impl Default for Snapshot {
    fn default() -> Self {
        Self {
            universe: BTreeMap::new(),
            evaluations: BTreeMap::new(),
            signals: BTreeSet::new(),
            rankings: BTreeSet::new(),
            portfolio: Err(NoPortfolio::Universe {
                passed: 0,
                with_bar: 0,
                listed: 0,
            }),
        }
    }
}
