//! Prices: the best price of each symbol among several sources, with its age and what is wrong with it.
//!
//! ```text
//! stream ─────────────────┐         ┌─ tick, confirmation ─> decisions
//! queries ─> board ───────┴─ beats ─┴─ watch by symbol ────> best prices: source, staleness, discrepancy
//!              └─ late, behind                └─ fallen to another source ─> board ─> tick
//! ```
//!
//! [`Standing`] holds the rules, for one symbol. The [`Board`] applies them at the door, where it is
//! settled what becomes a tick; the dataflow applies them in logical time, where prices grow old also
//! when nothing arrives. Nothing is joined in front of decisions.
//!
//! Memory: in each of the two, three quotes a symbol; in the dataflow one timer and one row more.

mod board;
mod discrepancy;
mod quote;
mod standing;
mod watch;

pub use board::Board;
pub use discrepancy::Discrepancy;
pub use quote::{Quote, Session, Source, Taken};
pub use standing::{Apart, Best, Stale, Standing};
pub use watch::BestPrice;

use differential_dataflow::input::Input;

use crate::Rows;
use crate::ordered::{self, Beat, Branch};
use watch::{NoFact, Watch};

/// Renders the best prices: one row a symbol that has a price. Source, staleness and discrepancy are
/// exact at every logical time; price and receipt follow with the clock, once a second.
pub(crate) fn render(beats: Rows<'_, Beat>) -> Rows<'_, BestPrice> {
    // There are no facts: closing their input at once says so.
    let (_, facts) = beats.inner.scope().new_collection::<NoFact, isize>();
    let name = "price: best by symbol";
    let told = ordered::render(beats, facts, Branch::Prices, name, Watch::default());
    ordered::by_sign(told)
}
