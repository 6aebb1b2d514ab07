//! The decision logic of Turnstile as timely and differential dataflows.
//!
//! This crate decides and does nothing else: it knows no clock, socket, SQL or thread. Time is an
//! input like any other, so that the same events in give the same decisions out, byte for byte,
//! for every batch size and number of workers.
//!
//! - [`model`]: values, identifiers, money, rules.
//! - [`exit`]: which positions are sold, when and why.
//! - [`reentry`]: what is bought back after an exit.
//! - [`picks`]: what other programs would buy.
//! - [`price`]: the best price of several sources.
//! - [`slots`]: which symbols the broker streams.
//! - [`risk`]: what entries may do to the account.
//! - [`regime`]: what the index funds say of the market.
//! - [`invariants`]: what must never be so, as a view.
//! - [`engine`]: the worker loop that feeds events in and hands outputs out.
//! - [`table`]: inputs by key.
//!
//! What to hold, once a day, is decided by a crate of its own, `turnstile-strategy`.

pub mod engine;
pub mod exit;
pub mod invariants;
pub mod model;
mod ordered;
pub mod picks;
pub mod price;
pub mod reentry;
pub mod regime;
pub mod risk;
pub mod slots;
pub mod table;

use differential_dataflow::VecCollection;

/// Timestamp of every dataflow: a [`model::LogicalTime`] in microseconds.
pub type Time = u64;

/// A collection of rows that come and go in logical time.
pub type Rows<'s, D> = VecCollection<'s, Time, D, isize>;
