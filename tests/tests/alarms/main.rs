//! Every limit in the running system: crossing it raises an alarm that a real webhook receives, falling
//! back clears it, and going to and fro is told once.
//!
//! Windows are seconds here instead of minutes, and so are limits that are times. Nothing else differs.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod account;
mod broker;
mod engine;
mod outage;
mod picks;
mod records;
mod rig;
mod risk;
mod stores;
mod watchlist;
