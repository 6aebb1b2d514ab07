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

pub use crossing::{Work, WorkCount};
pub use decision::{ExitDecision, Explanation, Run, Runs};
pub use orders::Orders;
pub use output::{
    Alert, ExitOutput, Freshness, Level, PositionLevels, PreviewHit, Side, Withheld, Withholding,
};
pub(crate) use plan::PlanInputs;
pub use rule::{ExitControl, ExitRule, RuleLevel, RuleScope, SymbolContext};

use crate::Rows;
use crate::model::{ExitOrder, ManualSale, PositionId, Symbol};
use crate::ordered::Beat;
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
}

/// What the exit dataflow says.
pub(crate) struct ExitOutputs<'s> {
    /// Decisions and the rest, each at the logical time of its cause.
    pub(crate) said: Rows<'s, ExitOutput>,
    /// Live positions without any rule: held, unwatched.
    pub(crate) unruled: Rows<'s, PositionId>,
}

/// Renders the exit dataflow.
pub(crate) fn render(inputs: ExitInputs<'_>) -> ExitOutputs<'_> {
    let (plans, unruled) = plan::render(inputs.plans);
    let facts = plans.map(Fact::Plan).concatenate([
        inputs.orders.map(|order| Fact::Order(Box::new(order))),
        inputs.manual.map(Fact::Manual),
        inputs.closed.map(|(symbol, id)| Fact::Closed(symbol, id)),
    ]);
    let said = crossing::render(inputs.beats, facts, inputs.fills, inputs.count);
    ExitOutputs { said, unruled }
}
