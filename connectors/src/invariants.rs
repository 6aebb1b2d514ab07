//! Standing invariants: what the desk of `turnstile_dataflows::invariants` is told beside the rows of the
//! change feed, and what becomes of what it says.
//!
//! ```text
//! rows, seconds ─────────────┐
//! decisions, refusals ───────┤        ┌─> gauge, alarm
//! differences of holdings ───┼─> desk ┼─> board ─> system.invariant_violations
//! cache, then PostgreSQL ────┤        └─> orders to be looked up ─┐
//! rows that account for them ┴────────────────────────────────────┘
//! ```
//!
//! Whoever tells the desk something never waits for it.

mod board;
mod config;
mod feed;
mod lookup;
pub mod metrics;
mod sampler;
mod truth;
mod writer;

pub use board::InvariantBoard;
pub use config::InvariantsConfig;
pub use feed::{InvariantFeed, Watched};
pub use lookup::OrderLookup;
pub use sampler::CacheSampler;
pub use writer::InvariantWriter;
