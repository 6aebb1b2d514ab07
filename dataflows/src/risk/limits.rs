//! Limits of the account by profile and time, and the emergency stop.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::model::LogicalTime;

/// A set of limits that the operator chooses.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub enum RiskProfile {
    /// The defaults of domain section 7.
    #[default]
    Default,
    /// Stricter ones.
    Conservative,
    /// Wider ones.
    Aggressive,
}

/// A text that names no profile.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("risk profile must be DEFAULT, CONSERVATIVE or AGGRESSIVE, was {0:?}")]
pub struct UnknownProfile(String);

impl RiskProfile {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Default, Self::Conservative, Self::Aggressive];

    /// Returns the name, as the database has it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Default => "DEFAULT",
            Self::Conservative => "CONSERVATIVE",
            Self::Aggressive => "AGGRESSIVE",
        }
    }
}

impl fmt::Display for RiskProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for RiskProfile {
    type Err = UnknownProfile;

    fn from_str(name: &str) -> Result<Self, UnknownProfile> {
        let found = Self::ALL.into_iter().find(|profile| profile.name() == name);
        found.ok_or_else(|| UnknownProfile(name.to_owned()))
    }
}

/// Limits of one profile for one period: a row of `system.risk_limits`. Parts of the equity are in
/// millionths (150,000 is 15 %); all limits are inclusive.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RiskLimits {
    /// Identity of the row.
    pub id: i64,
    /// Whose limits.
    pub profile: RiskProfile,
    /// Names held or being bought.
    pub positions_max: u32,
    /// Weight of one name.
    pub single_max: u32,
    /// Weight of one sector.
    pub sector_max: u32,
    /// Weight of one market.
    pub market_max: u32,
    /// Realised loss of the day in Seoul.
    pub daily_loss_max: u32,
    /// Loss of the month in Seoul: realised, and unrealised of all that is held.
    pub total_loss_max: u32,
    /// From when on they are valid.
    pub from: LogicalTime,
    /// Until when, exclusive.
    pub until: LogicalTime,
}

impl RiskLimits {
    /// Returns which of `rows` limits `profile` at `now`: those of a profile do not overlap.
    pub fn in_force<'l>(
        rows: impl IntoIterator<Item = &'l Self>,
        profile: RiskProfile,
        now: LogicalTime,
    ) -> Option<&'l Self> {
        let mut rows = rows.into_iter();
        rows.find(|row| row.profile == profile && row.is_valid(now))
    }

    /// Returns whether they are valid at `now`.
    pub fn is_valid(&self, now: LogicalTime) -> bool {
        self.from <= now && now < self.until
    }
}

/// The emergency stop: the row of `system.emergency_stop`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmergencyStop {
    /// Whether nothing may be entered.
    pub is_enabled: bool,
    /// Who said so last.
    pub by: Arc<str>,
    /// Why.
    pub reason: Arc<str>,
}
