//! What the exit dataflow says beside decisions.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::decision::ExitDecision;
use crate::model::{ExitReason, LogicalTime, PositionId, Price, ProfileId, Symbol};

use super::RuleLevel;
use crate::slots::Nearness;

/// Something that the exits say.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ExitOutput {
    /// Sell.
    Decision(Box<ExitDecision>),
    /// A position cannot be judged.
    Alert(Alert),
    /// A rule was hit and may not be decided; told once per crossing and reason.
    Withheld(Box<Withheld>),
    /// The price of a held symbol has become stale, or fresh again.
    Freshness(Freshness),
    /// The levels of a position as they stand now.
    Levels(Box<PositionLevels>),
    /// What a previewed rule would sell now.
    Preview(Box<PreviewHit>),
    /// How near a held symbol is to a level has changed, by the clock.
    Nearness(NearnessChange),
}

/// A position that is held but cannot be judged.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Alert {
    /// Logical time of the event that showed it.
    pub time: LogicalTime,
    /// The position.
    pub position: PositionId,
    /// What is wrong, and what follows.
    pub message: String,
}

/// Why a hit may not be decided (decision contract, 2.9).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Withholding {
    /// An active order is at least as severe.
    Severity,
    /// Active orders hold every share.
    Quantity,
    /// The control mode does not let it through.
    Mode,
    /// Its attempts are used up, or the next one is not due yet.
    Attempts,
}

impl Withholding {
    /// Returns the name in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Severity => "SEVERITY",
            Self::Quantity => "QUANTITY",
            Self::Mode => "MODE",
            Self::Attempts => "ATTEMPTS",
        }
    }
}

impl fmt::Display for Withholding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A hit that is not decided.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Withheld {
    /// Logical time of the event.
    pub time: LogicalTime,
    /// Whose rule was hit.
    pub position: PositionId,
    /// What it holds.
    pub symbol: Symbol,
    /// The rule.
    pub reason: ExitReason,
    /// Custom rule, for the two custom reasons.
    pub rule_id: Option<Arc<str>>,
    /// What keeps it from being decided.
    pub why: Withholding,
    /// Evaluation price.
    pub price: Price,
    /// Price that had to be reached.
    pub level: Price,
}

/// Whether the price of a held symbol can be judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Freshness {
    /// Logical time of the event that showed it.
    pub time: LogicalTime,
    /// The symbol.
    pub symbol: Symbol,
    /// When the price was last seen or confirmed; none if it never was.
    pub seen: Option<LogicalTime>,
    /// Whether it is older than the contract allows.
    pub is_stale: bool,
}

/// How near a held symbol is to a level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NearnessChange {
    /// The symbol.
    pub symbol: Symbol,
    /// What was told before; none if nothing was.
    pub old: Option<Nearness>,
    /// What stands now; none without a price or without a position.
    pub new: Option<Nearness>,
}

/// From which side a level is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Side {
    /// At or below.
    Below,
    /// At or above.
    Above,
}

/// One level of a position.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Level {
    /// Which rule fires there.
    pub reason: ExitReason,
    /// Custom rule, for the two custom reasons.
    pub rule_id: Option<Arc<str>>,
    /// From which side.
    pub side: Side,
    /// The price that has to be reached, half to even to four decimals.
    pub level: Price,
}

/// All levels of a position, and the profile they come from. No levels: the position is gone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PositionLevels {
    /// Whose.
    pub position: PositionId,
    /// What it holds.
    pub symbol: Symbol,
    /// Profile in force.
    pub profile: ProfileId,
    /// Its version.
    pub profile_version: u32,
    /// What chose it.
    pub chosen_by: RuleLevel,
    /// High-water mark.
    pub high_water_mark: Option<Price>,
    /// Levels in the priority of the phase.
    pub levels: Vec<Level>,
}

/// A decision that would follow at once if a rule stood.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PreviewHit {
    /// The question.
    pub request: Arc<str>,
    /// The decision; nothing is sold by it.
    pub decision: ExitDecision,
}
