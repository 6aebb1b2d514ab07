//! Re-entries: exit events ⋈ rules ⋈ history ⋈ control, crossed by prices and time.
//!
//! ```text
//! exit events, candidates, rules, entries, control ─> plans ─┬─> crossing by symbol ─> verdicts
//! ticks, ends of cooldowns and watches ──────────────────────┘
//! ```

mod candidate;
mod crossing;
mod plan;
mod verdict;

pub use plan::{
    CandidateState, ExitEvent, ReentryInputs, ReentryRule, ReentryTrigger, reason_class,
};
pub use verdict::{EntryExplanation, ReentryVerdict, Verdict};

use crate::Rows;
use crate::model::Tick;

/// Renders the re-entry dataflow: one verdict per change of a candidate's state.
pub fn render<'s>(ticks: Rows<'s, Tick>, inputs: ReentryInputs<'s>) -> Rows<'s, ReentryVerdict> {
    crossing::render(ticks, plan::render(inputs))
}
