//! From target weights to orders, as differential collections.
//!
//! ```text
//! targets, stakes, prices, equity ─> wish or skip of each name ─> turnover and cash dealt out ─> orders
//! ```
//!
//! Source: `docs/strategy.md`, section 6. Exact: money is a whole number of units of a price (1e-4 KRW),
//! products are 128 bits wide.
//!
//! 1. A changed target, stake or price reckons its name anew; changed equity reckons all. Changed cash
//!    reckons none: it is only dealt out again.
//! 2. What can be sold and the cash that is there bound the orders; then their sum, which turnover
//!    bounds. The last one that fits is reduced to whole shares, and those after it are skipped, also
//!    where a smaller one would fit still.
//! 3. Each name, of the portfolio or of the stakes, is ordered or skipped, once. Only what differs comes
//!    out of the dataflow.

mod dataflow;
mod purse;
mod session;
mod values;
mod wish;

pub use purse::afford;
pub use session::{Book, with};
pub use values::{Change, Funds, Kept, Order, Quote, Rebalance, Side, Skip, Stake, Target};
pub use wish::room;

#[cfg(test)]
mod tests;
