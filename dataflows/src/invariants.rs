//! Standing invariants: what must never be so, as a view that is maintained. It is always empty; what
//! stands in it is an alarm.
//!
//! ```text
//! positions ─┐
//! sales ─────┼─> by position ───> sold more than was held
//! taken ─────┘
//! decisions, due ─┐           ┌─> breach without order or reason
//! refusals ───────┼─> by key ─┼─> order without decision
//! orders, found ──┘           └─> which orders are to be looked up
//! differences ──────> by symbol ─> position different from the broker
//! cached, stored ───> by key ────> cache newer than the truth
//! ```
//!
//! 1. **Oversell.** The fills of a sale of ours exceed the shares that it has taken off its position; or
//!    those of all of them, with what the broker is still asked to sell, exceed what the position ever
//!    held: what is left, and what was taken by whomever. What somebody else has sold is not taken by an
//!    order of ours. Shares that were found to be gone after an order was stored may be fills of it that
//!    were told late. All count shares as they were at the sale, so splits and further purchases change
//!    nothing.
//! 2. **Breach.** The engine has decided to sell, and for longer than a grace time after it said so there
//!    is neither an order of that action key nor a refusal that was told. What the engine never decides is not seen here:
//!    the replay of the day and the levels are.
//! 3. **Order.** There is an order that no decision of this run states (its action key, position, symbol
//!    and quantity), and whose row was looked at and does not account for it: a sale by the inputs that are stored with it, which must make the
//!    same decision again; a purchase by its verdict or its request. So it holds across restarts.
//!    Orders that somebody else gave at the broker do not count.
//! 4. **Holdings.** Positions and holdings of a symbol differ in two complete answers of the broker in a
//!    row, and still do in one that comes a grace time later: while the broker does not answer, nothing is
//!    known.
//! 5. **Cache.** A cached value is of a later version than what was committed, read after it, or of the
//!    same version and different.
//!
//! Time is an input: grace times are counted by the events. What can no longer come true is forgotten a
//! day after it is over, and a breach with it.
//!
//! Memory: a few words a live position, and each order, sale and decision of it or of the last day.

mod books;
mod change;
mod desk;
mod orders;
mod rules;
mod violation;

pub use change::{
    Decided, Difference, GraceTimes, InvariantChange, InvariantEvent, InvariantOrder, Sampled,
    Taken, Version,
};
pub use desk::run;
pub use violation::{InvariantKind, InvariantNews, Violation};
