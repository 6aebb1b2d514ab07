//! Reference prices of Naver Finance, for when the broker has none.
//!
//! ```text
//! NaverConfig ─> NaverClient ─ GET, spaced, retried on 5xx ─> parse ─> NaverAnswer: quotes, faults
//!                     │ result                                      └> NaverError
//!                     └─> NaverHealth: may it be asked now, and why not
//! ```
//!
//! The source has no contract, and its prices are seconds late. So:
//!
//! 1. A row is a quote only if every field that is read is there and sound; else it is a
//!    [`RowFault`], and its neighbours are still quotes.
//! 2. A quote says of which session its price is. Only [`QuoteSession::Regular`] is a price of the
//!    regular session.
//! 3. A refusal (403, 429) is never repeated. When to ask again is for [`NaverHealth`] to say; the
//!    client itself sends whatever it is told to, also where the configuration is not enabled.
//! 4. Nothing that the source sends panics.
//!
//! Whether a quote is recent enough is for the caller to judge, by [`NaverQuote::received_us`] and
//! [`NaverQuote::traded_us`].

mod client;
mod config;
mod error;
mod health;
pub mod metrics;
mod parse;
mod quote;
mod row;
#[cfg(test)]
mod tests;

pub use client::NaverClient;
pub use config::NaverConfig;
pub use error::{NaverError, UnavailableCause};
pub use health::{CallOutcome, Disabled, DisabledReason, NaverHealth};
pub use quote::{FaultReason, NaverAnswer, NaverQuote, QuoteSession, RowFault};
