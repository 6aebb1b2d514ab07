//! Phases of a position, moved by fills.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{ExitReason, Floor, Price, Profile};

/// Exit phase of a position (decision contract, section 3).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Phase {
    /// Nothing taken yet.
    #[default]
    Open,
    /// First take-profit filled; the floor is set.
    Tp1Done,
    /// Second take-profit filled.
    Tp2Done,
    /// Third take-profit filled, without trailing.
    Tp3Done,
    /// The rest follows the high-water mark.
    TrailingActive,
    /// Nothing held any more.
    Exited,
}

/// A text that names no phase.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("unknown phase {0:?}")]
pub struct UnknownPhase(String);

impl Phase {
    /// Returns the name in the database and in action keys.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "OPEN",
            Self::Tp1Done => "TP1_DONE",
            Self::Tp2Done => "TP2_DONE",
            Self::Tp3Done => "TP3_DONE",
            Self::TrailingActive => "TRAILING_ACTIVE",
            Self::Exited => "EXITED",
        }
    }

    /// Returns the phase after an order for `reason` has taken effect by its fills.
    ///
    /// A stop, a trailing stop or a custom rule keeps the phase. Third take-profit off: the second
    /// one leads to trailing, whatever `start_trailing` says.
    #[must_use]
    pub fn after(self, reason: ExitReason, profile: &Profile) -> Self {
        match (self, reason) {
            (Self::Open, ExitReason::Tp1) => Self::Tp1Done,
            (Self::Tp1Done, ExitReason::Tp2) => {
                if profile.tp3_is_on() {
                    Self::Tp2Done
                } else {
                    Self::TrailingActive
                }
            }
            (Self::Tp2Done, ExitReason::Tp3) => {
                if profile.start_trailing() {
                    Self::TrailingActive
                } else {
                    Self::Tp3Done
                }
            }
            (phase, _) => phase,
        }
    }
}

/// Returns the stop floor after an order for `reason` has taken effect: the first take-profit sets
/// `avg × (1 + floor)`; a floor only rises.
pub fn floor_after(
    floor: Option<Floor>,
    reason: ExitReason,
    avg: Price,
    profile: &Profile,
) -> Option<Floor> {
    if reason != ExitReason::Tp1 {
        return floor;
    }
    floor.max(profile.floor_of(avg))
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Phase {
    type Err = UnknownPhase;

    fn from_str(name: &str) -> Result<Self, UnknownPhase> {
        [
            Self::Open,
            Self::Tp1Done,
            Self::Tp2Done,
            Self::Tp3Done,
            Self::TrailingActive,
            Self::Exited,
        ]
        .into_iter()
        .find(|phase| phase.name() == name)
        .ok_or_else(|| UnknownPhase(name.to_owned()))
    }
}
