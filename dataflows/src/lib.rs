//! The decision logic of Turnstile as timely and differential dataflows.
//!
//! This crate decides and does nothing else: it knows no clock, socket, SQL or thread. Time is an
//! input like any other, so that the same events in give the same decisions out, byte for byte,
//! for every batch size and number of workers.
//!
//! - [`model`]: values, identifiers, money, rules.
//! - [`exit`]: which positions are sold, when and why.
//! - [`reentry`]: what is bought back after an exit.

pub mod exit;
pub mod model;
pub mod reentry;
