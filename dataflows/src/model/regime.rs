//! The market regime (국면): how much risk the market as a whole allows.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::LogicalTime;

/// A text that names no regime.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("unknown regime {0:?}, expected RISK_ON, NEUTRAL, RISK_OFF or PANIC")]
pub struct UnknownRegime(String);

/// Regime of the market, from the most to the least willing to take risk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Regime {
    /// Rising and calm.
    RiskOn,
    /// Neither.
    Neutral,
    /// Falling or nervous.
    RiskOff,
    /// Falling fast.
    Panic,
}

impl Regime {
    /// Every regime, in order.
    pub const ALL: [Self; 4] = [Self::RiskOn, Self::Neutral, Self::RiskOff, Self::Panic];

    /// Returns the name in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::RiskOn => "RISK_ON",
            Self::Neutral => "NEUTRAL",
            Self::RiskOff => "RISK_OFF",
            Self::Panic => "PANIC",
        }
    }
}

impl fmt::Display for Regime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Regime {
    type Err = UnknownRegime;

    fn from_str(name: &str) -> Result<Self, UnknownRegime> {
        let mut all = Self::ALL.into_iter();
        all.find(|regime| regime.name() == name)
            .ok_or_else(|| UnknownRegime(name.to_owned()))
    }
}

/// What a producer found: one row of `market.regime_snapshots`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RegimeSnapshot {
    /// As of when.
    pub asof: LogicalTime,
    /// The regime.
    pub regime: Regime,
}

/// What the operator says instead: the row of `market.regime_override`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RegimeOverride {
    /// The regime.
    pub regime: Regime,
    /// Until when, exclusive; [`LogicalTime::MAX`] until it is lifted.
    pub until: LogicalTime,
}
