//! Why a position is sold.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Reason of an exit decision. Its names are those of the database and of action keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum ExitReason {
    /// Everything is sold because the operator flattens the book.
    Flatten,
    /// The last line of defence, in every mode.
    HardStop,
    /// A request of the operator.
    Manual,
    /// A fall against the previous close right after the open.
    GapDown,
    /// Second stop loss.
    Sl2,
    /// The floor that the first take-profit set.
    StopFloor,
    /// First stop loss.
    Sl1,
    /// Return to the cost after a gain.
    BreakEven,
    /// Custom rule `profit_below`.
    CustomLoss,
    /// Trailing stop of the last phase.
    Trail,
    /// Trailing stop after the second take-profit.
    TrailPartial,
    /// Third take-profit.
    Tp3,
    /// Custom rule `profit_above`.
    CustomProfit,
    /// Second take-profit.
    Tp2,
    /// First take-profit.
    Tp1,
    /// Held too long.
    Time,
}

/// A text that names no reason.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("unknown exit reason {0:?}")]
pub struct UnknownReason(String);

impl ExitReason {
    /// Returns the severity: a new decision needs a strictly higher one than every active order of
    /// the position (domain 3.7; MANUAL and CUSTOM `profit_above` by decision contract 2.9).
    pub const fn severity(self) -> u8 {
        match self {
            Self::Flatten | Self::HardStop => 120,
            Self::Manual => 115,
            Self::GapDown => 110,
            Self::Sl2 => 100,
            Self::StopFloor => 95,
            Self::Sl1 => 90,
            Self::BreakEven => 85,
            Self::CustomLoss => 80,
            Self::Trail => 40,
            Self::TrailPartial => 35,
            Self::Tp3 | Self::CustomProfit => 30,
            Self::Tp2 => 20,
            Self::Tp1 => 10,
            Self::Time => 5,
        }
    }

    /// Returns the place of the reason among all of them, from zero.
    pub(crate) fn rank(self) -> usize {
        let place = Self::ALL.iter().position(|reason| *reason == self);
        place.unwrap_or_default() // Every reason is among them.
    }

    /// Returns whether this is a full stop: it also cancels weaker orders, sells what that frees,
    /// and may be attempted without limit (decision contract 2.11 and 4).
    pub const fn is_full_stop(self) -> bool {
        matches!(
            self,
            Self::Flatten | Self::HardStop | Self::GapDown | Self::Sl2 | Self::StopFloor
        )
    }

    /// Returns whether an attempt with any fill uses up the action (decision contract, section 4).
    pub const fn is_spent_by_any_fill(self) -> bool {
        match self {
            Self::Sl1
            | Self::Tp1
            | Self::Tp2
            | Self::Tp3
            | Self::Trail
            | Self::TrailPartial
            | Self::CustomLoss
            | Self::CustomProfit => true,
            Self::Flatten
            | Self::HardStop
            | Self::Manual
            | Self::GapDown
            | Self::Sl2
            | Self::StopFloor
            | Self::BreakEven
            | Self::Time => false,
        }
    }

    /// Returns the name in action keys and outputs. Both custom reasons are `CUSTOM` there.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Flatten => "FLATTEN",
            Self::HardStop => "HARDSTOP",
            Self::Manual => "MANUAL",
            Self::GapDown => "GAP_DOWN",
            Self::Sl2 => "SL2",
            Self::StopFloor => "STOP_FLOOR",
            Self::Sl1 => "SL1",
            Self::BreakEven => "BREAK_EVEN",
            Self::CustomLoss | Self::CustomProfit => "CUSTOM",
            Self::Trail => "TRAIL",
            Self::TrailPartial => "TRAIL_PARTIAL",
            Self::Tp3 => "TP3",
            Self::Tp2 => "TP2",
            Self::Tp1 => "TP1",
            Self::Time => "TIME",
        }
    }

    /// Returns the code that the database stores: the name, with the two custom reasons apart.
    pub const fn code(self) -> &'static str {
        match self {
            Self::CustomLoss => "CUSTOM_LOSS",
            Self::CustomProfit => "CUSTOM_PROFIT",
            other => other.name(),
        }
    }

    const ALL: [Self; 16] = [
        Self::Flatten,
        Self::HardStop,
        Self::Manual,
        Self::GapDown,
        Self::Sl2,
        Self::StopFloor,
        Self::Sl1,
        Self::BreakEven,
        Self::CustomLoss,
        Self::Trail,
        Self::TrailPartial,
        Self::Tp3,
        Self::CustomProfit,
        Self::Tp2,
        Self::Tp1,
        Self::Time,
    ];
}

impl fmt::Display for ExitReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for ExitReason {
    type Err = UnknownReason;

    fn from_str(code: &str) -> Result<Self, UnknownReason> {
        let found = Self::ALL.into_iter().find(|reason| reason.code() == code);
        found.ok_or_else(|| UnknownReason(code.to_owned()))
    }
}

impl TryFrom<String> for ExitReason {
    type Error = UnknownReason;

    fn try_from(code: String) -> Result<Self, UnknownReason> {
        code.parse()
    }
}

impl From<ExitReason> for String {
    fn from(reason: ExitReason) -> Self {
        reason.code().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_names_its_reason() {
        for reason in ExitReason::ALL {
            assert_eq!(reason.code().parse::<ExitReason>().unwrap(), reason);
        }
    }
}
