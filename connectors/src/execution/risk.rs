//! The risk gate: every entry passes it before its row is written; exits never ask.
//!
//! ```text
//! change feed, prices ─> risk desk ─> view ─┐
//!                                           ├─ judge ─> approved: room is reserved ─> order row
//! sink of verdicts, purchases by hand, … ───┘        └─> refused: violation, alarm
//! ```
//!
//! 1. Whoever places an entry asks [`RiskGate::judge`], stores the ruling with [`record`] in the
//!    transaction of the order, and gives the room back with [`RiskGate::release`] where no order came
//!    of it.
//! 2. Room is reserved from the ruling on until the view has the order, so no two entries take the
//!    same room.
//! 3. What is not known refuses: no view, an old one, no limits, no equity.

mod gate;
mod monitor;
mod record;
mod report_row;

pub use gate::{RiskGate, Ruling};
pub use monitor::{RiskConfig, RiskMonitor};
pub(super) use record::record;
