//! Re-entries: exit events ⋈ rules ⋈ history ⋈ blacklist, crossed by prices, time and the scene.
//!
//! Everything is judged in one place, whatever the number of workers: what is bought takes from the
//! room of one account (gate G3). The joins before it are spread.
//!
//! ```text
//! exit events, candidates, rules, history, blacklist, ATR, ranking ─> plans ─┐
//! mode, regime, windows, limits, exposure, results ────────────────> scene ──┼─> crossing ─> verdicts
//! ticks, ends of cooldowns and watches ──────────────────────────────────────┘
//! ```

mod book;
mod candidate;
mod crossing;
mod gate;
mod lows;
mod plan;
mod quiet;
mod rule;
mod scene;
mod shelf;
mod tape;
mod verdict;

pub(crate) use plan::ReentryInputs;
pub use plan::{CandidateState, ExitEvent, Purchase, StoredCandidate, Underway};
pub use rule::{ReentryRule, ReentryTrigger, TriggerKind, reason_class};
pub use scene::{EQUITY_AGE_US_MAX, Equity, PauseWindow, REGIME_AGE_US_MAX, ReentryLimits};
pub(crate) use scene::{SceneFact, SceneKey};
pub use tape::TapeFigures;
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
