//! Values that the whole system speaks: identifiers, money, time, rules.
//!
//! Everything here is small, totally ordered and free of floating point, so that it can live in a
//! differential collection. Decimal and time-zone types stop at the edge of this module.

mod action_key;
mod atr;
mod floor;
mod id;
mod market;
mod mode;
mod money;
mod order;
mod phase;
mod position;
mod profile;
mod ratio;
mod reason;
mod regime;
mod sale;
mod split;
mod symbol;
mod tick;
mod time;

pub use action_key::ActionKey;
pub use atr::{ATR_DAYS, DayRange, atr_ratio};
pub use floor::{Floor, FloorError};
pub use id::{CandidateId, ExitEventId, IdError, PositionId, ProfileId, SaleId};
pub use market::{Market, UnknownMarket};
pub use mode::{ExitMode, ReentryMode, UnknownMode};
pub use money::{MoneyError, Price, Quantity};
pub use order::{EntryOrder, ExitOrder, OrderFact, OrderFacts, OrderStatus, UnknownOrderStatus};
pub use phase::{Phase, UnknownPhase, floor_after};
pub use position::{
    ManualSale, Mark, Position, PositionMode, PositionRow, PositionState, UnknownPositionMode,
};
pub(crate) use profile::{CustomCondition, Scaled};
pub use profile::{Profile, ProfileFault, ProfileFaults};
pub use ratio::half_even_div as half_even;
pub use ratio::{Ratio, RatioError, Threshold};
pub use reason::{ExitReason, UnknownReason};
pub use regime::{Regime, RegimeOverride, RegimeSnapshot, UnknownRegime};
pub use sale::SaleResult;
pub(crate) use split::split_of;
pub use symbol::{Symbol, SymbolError, SymbolText};
pub use tick::Tick;
pub use time::LogicalTime;
