//! What an account has earned, in figures (domain section 10). Pure: rows in, figures out.
//!
//! ```text
//! equity days, flows, sessions ─► history: a return a day ─► statistics
//! bars of the benchmark ────────►          its return ─────► comparison
//! results of closed trades ──────────────────────────────► tally ─► outcomes
//! ```
//!
//! 1. Money is exact up to the return of a day; from there on it is statistics, which decide nothing.
//! 2. Ratios are ratios: 0.05 is 5 %. Every figure is finite and at most [`FIGURE_MAX`] in size.
//! 3. Where there is nothing to divide by, the quotient is 0.

#![expect(
    clippy::float_arithmetic,
    reason = "statistics, which decide nothing; what they are made of is exact"
)]

mod history;
mod outcomes;
mod period;
mod returns;
mod statistics;

pub(crate) use history::{HistoryDay, Session, StoredDay, history};
pub(crate) use outcomes::{Outcomes, Tally};
pub(crate) use period::Period;
pub(crate) use returns::DayReturn;
pub(crate) use statistics::{Comparison, Statistics};

/// Largest figure: with twelve decimals a [`rust_decimal::Decimal`] still holds it. What would be more, such
/// as the annual return of one very good day, is held there.
pub(crate) const FIGURE_MAX: f64 = 1e15;

/// What is smaller counts as nothing to divide by: no figure shows it, and equal returns differ as much by
/// rounding.
const DIVISOR_MIN: f64 = 1e-12;

/// Holds `figure` within what can be shown.
fn held(figure: f64) -> f64 {
    figure.clamp(-FIGURE_MAX, FIGURE_MAX)
}

/// Returns the quotient, 0 where there is nothing to divide by.
fn ratio(numerator: f64, divisor: f64) -> f64 {
    if divisor.abs() < DIVISOR_MIN {
        return 0.0;
    }
    held(numerator / divisor)
}

/// Returns a number of things as a divisor.
fn count(things: usize) -> f64 {
    f64::from(u32::try_from(things).unwrap_or(u32::MAX))
}
