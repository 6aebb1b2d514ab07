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

pub(crate) use plan::ReentryInputs;
pub use plan::{CandidateState, ExitEvent, ReentryRule, ReentryTrigger, reason_class};
pub use verdict::{EntryExplanation, ReentryVerdict, Verdict};

use crate::Rows;
use crate::ordered::Beat;

/// Renders the re-entry dataflow: one verdict per change of a candidate's state.
pub(crate) fn render<'s>(
    beats: Rows<'s, Beat>,
    inputs: ReentryInputs<'s>,
) -> Rows<'s, ReentryVerdict> {
    crossing::render(beats, plan::render(inputs))
}
