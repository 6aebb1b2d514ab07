//! Exits: positions ⋈ rules ⋈ ATR ⋈ control, crossed by prices.
//!
//! ```text
//! rules, positions, states, contexts, control ─> plans ─┐
//! orders (fills and results) ───────────────────────────┼─> crossing by symbol ─> decisions
//! ticks ────────────────────────────────────────────────┘
//! ```
//!
//! Memory: the arrangements of [`plan`], and in the crossing one book per symbol with positions.

mod book;
mod crossing;
mod decision;
mod held;
mod marks;
mod output;
mod plan;
mod quiet;
mod trigger;

pub use decision::{ExitDecision, Explanation};
pub use output::{
    Alert, ExitOutput, Freshness, Level, PositionLevels, PreviewHit, Side, Withheld, Withholding,
};
pub use plan::{ExitRule, PlanInputs, RuleLevel, RuleScope, SymbolContext};

use crate::Rows;
use crate::model::{ExitOrder, PositionId, Tick};

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
pub struct ExitInputs<'s> {
    /// Ticks; never arranged.
    pub ticks: Rows<'s, Tick>,
    /// Facts about exit orders: an insertion replaces what was known under its action key.
    pub orders: Rows<'s, ExitOrder>,
    /// Everything that makes plans.
    pub plans: PlanInputs<'s>,
}

/// What the exit dataflow says.
pub struct ExitOutputs<'s> {
    /// Decisions and alerts, each at the logical time of its cause.
    pub said: Rows<'s, ExitOutput>,
    /// Live positions without any rule: held, unwatched.
    pub unruled: Rows<'s, PositionId>,
}

/// Renders the exit dataflow.
pub fn render(inputs: ExitInputs<'_>) -> ExitOutputs<'_> {
    let closed = inputs
        .plans
        .positions
        .clone()
        .filter(|(_id, position)| !position.is_live)
        .map(|(id, position)| (position.symbol, id));
    let (plans, unruled) = plan::render(inputs.plans);
    let said = crossing::render(inputs.ticks, plans, inputs.orders, closed);
    ExitOutputs { said, unruled }
}
