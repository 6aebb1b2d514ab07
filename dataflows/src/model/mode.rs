//! Control modes: what the operator lets through.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::ExitReason;

/// A text that names no mode.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("unknown mode {0:?}")]
pub struct UnknownMode(String);

/// Control mode of exits (domain 3.6).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ExitMode {
    /// Everything is let through.
    #[default]
    Running,
    /// Stops only.
    PauseProfit,
    /// The hard stop only.
    PauseAll,
    /// Everything is sold.
    EmergencyFlatten,
}

impl ExitMode {
    /// Returns whether a decision for `reason` is let through.
    pub const fn lets_through(self, reason: ExitReason) -> bool {
        match self {
            Self::Running | Self::EmergencyFlatten => true,
            Self::PauseAll => matches!(reason, ExitReason::HardStop | ExitReason::Manual),
            Self::PauseProfit => !matches!(
                reason,
                ExitReason::Tp1
                    | ExitReason::Tp2
                    | ExitReason::Tp3
                    | ExitReason::Trail
                    | ExitReason::TrailPartial
                    | ExitReason::CustomProfit
                    | ExitReason::Time
            ),
        }
    }

    /// Returns the name in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Running => "RUNNING",
            Self::PauseProfit => "PAUSE_PROFIT",
            Self::PauseAll => "PAUSE_ALL",
            Self::EmergencyFlatten => "EMERGENCY_FLATTEN",
        }
    }
}

impl fmt::Display for ExitMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for ExitMode {
    type Err = UnknownMode;

    fn from_str(name: &str) -> Result<Self, UnknownMode> {
        [
            Self::Running,
            Self::PauseProfit,
            Self::PauseAll,
            Self::EmergencyFlatten,
        ]
        .into_iter()
        .find(|mode| mode.name() == name)
        .ok_or_else(|| UnknownMode(name.to_owned()))
    }
}

/// Control mode of re-entries (domain 5.3).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ReentryMode {
    /// Everything is let through.
    #[default]
    Running,
    /// Candidates are followed, nothing is bought.
    PauseEntry,
    /// Exit events make no candidates; nothing is evaluated.
    PauseAll,
}

impl ReentryMode {
    /// Returns the name in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Running => "RUNNING",
            Self::PauseEntry => "PAUSE_ENTRY",
            Self::PauseAll => "PAUSE_ALL",
        }
    }
}

impl fmt::Display for ReentryMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for ReentryMode {
    type Err = UnknownMode;

    fn from_str(name: &str) -> Result<Self, UnknownMode> {
        [Self::Running, Self::PauseEntry, Self::PauseAll]
            .into_iter()
            .find(|mode| mode.name() == name)
            .ok_or_else(|| UnknownMode(name.to_owned()))
    }
}
