//! Exits: positions ⋈ rules ⋈ ATR ⋈ control, crossed by prices.

mod decision;

pub use decision::{ExitDecision, Explanation};
