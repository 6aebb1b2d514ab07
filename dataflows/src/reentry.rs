//! Re-entries: exit events ⋈ rules ⋈ history ⋈ control, crossed by prices.

mod verdict;

pub use verdict::{EntryExplanation, ReentryVerdict, Verdict};
