//! Values that the whole system speaks: identifiers, money, time, rules.
//!
//! Everything here is small, totally ordered and free of floating point, so that it can live in a
//! differential collection. Decimal and time-zone types stop at the edge of this module.

mod action_key;
mod id;
mod money;
mod ratio;
mod symbol;
mod time;

pub use action_key::ActionKey;
pub use id::{CandidateId, ExitEventId, IdError, PositionId, ProfileId};
pub use money::{MoneyError, Price, Quantity};
pub use ratio::{Ratio, RatioError, Threshold};
pub use symbol::{Symbol, SymbolError};
pub use time::LogicalTime;
