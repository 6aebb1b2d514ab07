//! Exits: positions ⋈ rules ⋈ ATR ⋈ control, crossed by prices.
//!
//! ```text
//! rules, positions, contexts, control, previews ─> plans ─┐
//! orders (fills and results), requests ───────────────────┼─> crossing by symbol ─> what is said
//! ticks, clock and confirmations ─────────────────────────┘
//! ```
//!
//! Memory: the arrangements of [`plan`], and in the crossing one book per symbol with positions.

mod book;
mod choice;
mod crossing;
mod decision;
mod held;
mod levels;
mod marks;
mod orders;
mod output;
mod permit;
mod plan;
mod quiet;
mod rule;
mod silence;
mod trigger;

use std::sync::Arc;

pub(crate) use book::PRICE_AGE_MAX_US;
pub use choice::rules_serving;
pub use crossing::{Work, WorkCount};
pub use decision::{ExitDecision, Explanation, Run, Runs};
pub use orders::Orders;
pub use output::{
    Alert, ExitOutput, Freshness, Level, NearnessChange, PositionLevels, PreviewHit, Side,
    Withheld, Withholding,
};
pub(crate) use plan::PlanInputs;
pub use rule::{ExitControl, ExitRule, RuleLevel, RuleScope, ScopeError, SymbolContext};

use differential_dataflow::AsCollection;
use timely::dataflow::operators::vec::Map;

use crate::Rows;
use crate::model::{ExitOrder, ManualSale, PositionId, Symbol};
use crate::ordered::Beat;
use crate::slots::Nearness;
use crossing::Fact;

/// Where the fills of exit orders come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fills {
    /// From outside, as rows of positions and orders.
    #[default]
    Reported,
    /// Each decision is filled whole at its own logical time and moves the phase at once (replay).
    Immediate,
    /// Nothing fills; what a full stop cancels is gone at once (replay).
    None,
}

/// What the exit dataflow takes in.
pub(crate) struct ExitInputs<'s> {
    /// Ticks and signals; never arranged.
    pub(crate) beats: Rows<'s, Beat>,
    /// Facts about exit orders: an insertion replaces what was known under its action key.
    pub(crate) orders: Rows<'s, ExitOrder>,
    /// What the operator asks to sell.
    pub(crate) manual: Rows<'s, ManualSale>,
    /// Positions that ended.
    pub(crate) closed: Rows<'s, (Symbol, PositionId)>,
    /// Everything that makes plans.
    pub(crate) plans: PlanInputs<'s>,
    /// Where fills come from.
    pub(crate) fills: Fills,
    /// Where work is counted.
    pub(crate) count: Arc<WorkCount>,
    /// Whether it is told how near symbols are to a level.
    pub(crate) are_views_kept: bool,
}

/// What the exit dataflow says.
pub(crate) struct ExitOutputs<'s> {
    /// Decisions and the rest, each at the logical time of its cause.
    pub(crate) said: Rows<'s, ExitOutput>,
    /// Live positions without any rule: held, unwatched.
    pub(crate) unruled: Rows<'s, PositionId>,
    /// How near each held symbol is to a level, where views are kept.
    pub(crate) nearness: Rows<'s, (Symbol, Nearness)>,
}

/// Renders the exit dataflow.
pub(crate) fn render(inputs: ExitInputs<'_>) -> ExitOutputs<'_> {
    let (plans, unruled) = plan::render(inputs.plans);
    let facts = plans.map(Fact::Plan).concatenate([
        inputs.orders.map(|order| Fact::Order(Box::new(order))),
        inputs.manual.map(Fact::Manual),
        inputs.closed.map(|(symbol, id)| Fact::Closed(symbol, id)),
    ]);
    let said = crossing::render(
        inputs.beats,
        facts,
        inputs.fills,
        inputs.count,
        inputs.are_views_kept,
    );
    ExitOutputs {
        said: said
            .clone()
            .filter(|said| !matches!(said, ExitOutput::Nearness(_))),
        unruled,
        nearness: nearness(said),
    }
}

/// Returns how near each held symbol is to a level, as rows that come and go.
fn nearness(said: Rows<'_, ExitOutput>) -> Rows<'_, (Symbol, Nearness)> {
    let rows = said.inner.flat_map(|(said, time, diff)| {
        let change = match said {
            ExitOutput::Nearness(change) => Some(change),
            _ => None,
        };
        change.into_iter().flat_map(move |change| {
            let row = move |near: Nearness| (change.symbol, near);
            let old = change.old.map(|old| (row(old), time, -diff));
            let new = change.new.map(|new| (row(new), time, diff));
            old.into_iter().chain(new)
        })
    });
    rows.as_collection()
}
