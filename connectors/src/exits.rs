//! What the exits say beside decisions, in PostgreSQL.
//!
//! ```text
//!          ┌─ levels ──> board (newest per position) ──each second──> trade.exit_levels
//! engine ──┼─ withheld ─> queue ────────────────────────────────────> trade.exit_withheld
//!          └─ previews ─> queue ────────────────────────────────────> trade.rule_preview_hits
//!                         trade.exit_levels ⋈ last prices ──minute──> trade.exit_signals
//! ```
//!
//! Nothing here may hold up a decision: whoever tells something never waits. What does not fit is
//! replaced by something newer (levels), or counted as lost (the rest).

mod config;
mod levels;
pub mod metrics;
mod previews;
mod queue;
mod signals;
mod withheld;

pub use config::ExitsConfig;
pub use levels::{LevelsBoard, LevelsWriter};
pub use previews::{Answer, Answers, prune_previews};
pub use queue::Told;
pub use signals::Signals;
pub use withheld::WithheldHits;
