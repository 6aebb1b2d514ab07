//! Positions as the engine sees them.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{LogicalTime, Phase, PositionId, Price, ProfileId, Quantity, Symbol};

/// One row of `trade.positions`, as far as it decides.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Position {
    /// Identity.
    pub id: PositionId,
    /// What is held.
    pub symbol: Symbol,
    /// Shares held now: the remaining quantity.
    pub qty: Quantity,
    /// Shares at entry; base of take-profits.
    pub original_qty: Quantity,
    /// Average cost per share, fees included. None where the row has none above zero.
    pub avg_price: Option<Price>,
    /// When it was opened; TIME counts from here.
    pub entry: LogicalTime,
    /// Whether the status is OPEN or CLOSING.
    pub is_live: bool,
    /// Whether the exit mode is ENABLED.
    pub is_enabled: bool,
    /// The profile that the position names.
    pub profile: Option<ProfileId>,
    /// The strategy that opened it.
    pub strategy: Arc<str>,
    /// Grows with every reset of the phase.
    pub cycle: u32,
    /// Version of quantity and average.
    pub version: u32,
}

/// One row of `trade.position_state`: what fills and marks have made of a position.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PositionState {
    /// Exit phase.
    pub phase: Phase,
    /// Floor that the first take-profit set.
    pub floor: Option<Price>,
    /// High-water mark reached before this process saw the position.
    pub mark: Option<Price>,
}
