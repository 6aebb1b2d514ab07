//! Positions as the engine sees them.

use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{Floor, LogicalTime, Phase, PositionId, Price, ProfileId, Quantity, Symbol};

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
    /// Who may sell it.
    pub mode: PositionMode,
    /// The profile that the position names.
    pub profile: Option<ProfileId>,
    /// The strategy that opened it.
    pub strategy: Arc<str>,
    /// Grows with every reset of the phase.
    pub cycle: u32,
    /// Version of quantity and average.
    pub version: u32,
}

/// Who may sell a position (column `exit_mode`, domain 3.1).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub enum PositionMode {
    /// The rules and the operator.
    #[default]
    Enabled,
    /// The operator only; no rule is evaluated.
    ManualOnly,
    /// Nobody.
    Disabled,
}

/// A text that names no position mode.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("exit mode must be ENABLED, MANUAL_ONLY or DISABLED, was {0:?}")]
pub struct UnknownPositionMode(String);

impl FromStr for PositionMode {
    type Err = UnknownPositionMode;

    fn from_str(name: &str) -> Result<Self, UnknownPositionMode> {
        match name {
            "ENABLED" => Ok(Self::Enabled),
            "MANUAL_ONLY" => Ok(Self::ManualOnly),
            "DISABLED" => Ok(Self::Disabled),
            _ => Err(UnknownPositionMode(name.to_owned())),
        }
    }
}

/// What the operator asks to sell of a position (column names of `trade.manual_exits`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ManualSale {
    /// Identity of the request; part of the action key.
    pub request: Arc<str>,
    /// Whose shares.
    pub position: PositionId,
    /// What is sold.
    pub symbol: Symbol,
    /// Shares asked for; held between one and what is available.
    pub qty: Quantity,
}

/// One row of `trade.position_state`: what fills and marks have made of a position.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PositionState {
    /// Exit phase.
    pub phase: Phase,
    /// Floor that the first take-profit set.
    pub floor: Option<Floor>,
    /// High-water mark reached before this process saw the position.
    pub mark: Option<Mark>,
}

/// A high-water mark: the highest evaluation price since entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Mark {
    /// The price.
    pub price: Price,
    /// Logical time of a tick that had it, where that is known.
    pub tick: Option<LogicalTime>,
}

/// A position with its state: what plans are joined from. Shared by reference wherever the
/// dataflow keeps it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PositionRow {
    /// The position.
    pub position: Position,
    /// Its phase, floor and saved mark.
    pub state: PositionState,
}
