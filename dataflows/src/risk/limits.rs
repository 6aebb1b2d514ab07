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

#[cfg(test)]
impl RiskLimits {
    /// The defaults of domain section 7, valid at any time.
    pub(crate) fn of_domain() -> Self {
        Self {
            id: 1,
            profile: RiskProfile::Default,
            positions_max: 15,
            single_max: 150_000,
            sector_max: 400_000,
            market_max: 1_000_000,
            daily_loss_max: 30_000,
            total_loss_max: 100_000,
            from: LogicalTime::default(),
            until: LogicalTime::MAX,
        }
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

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const FROM: u64 = 1_795_480_000_000_000;
    const UNTIL: u64 = FROM + 60_000_000;

    fn limits(id: i64, profile: RiskProfile, from: u64, until: u64) -> RiskLimits {
        RiskLimits {
            id,
            profile,
            from: LogicalTime::from_micros(from),
            until: LogicalTime::from_micros(until),
            ..RiskLimits::of_domain()
        }
    }

    #[rstest]
    #[case::long_before(0, false)]
    #[case::one_before_from(FROM - 1, false)]
    #[case::from(FROM, true)]
    #[case::one_before_until(UNTIL - 1, true)]
    #[case::until(UNTIL, false)]
    #[case::long_after(u64::MAX, false)]
    fn limits_are_valid_from_their_beginning_until_before_their_end(
        #[case] now: u64,
        #[case] is_valid: bool,
    ) {
        let row = limits(1, RiskProfile::Default, FROM, UNTIL);
        assert_eq!(row.is_valid(LogicalTime::from_micros(now)), is_valid);
    }

    #[test]
    fn limits_that_end_as_they_begin_are_never_valid() {
        let row = limits(1, RiskProfile::Default, FROM, FROM);
        assert!(!row.is_valid(LogicalTime::from_micros(FROM)));
    }

    #[rstest]
    #[case::before(FROM - 1, RiskProfile::Default, None)]
    #[case::first(FROM, RiskProfile::Default, Some(1))]
    #[case::end_of_the_first(UNTIL - 1, RiskProfile::Default, Some(1))]
    #[case::second(UNTIL, RiskProfile::Default, Some(2))]
    #[case::another_profile(UNTIL, RiskProfile::Aggressive, Some(3))]
    #[case::ended(UNTIL, RiskProfile::Conservative, None)]
    fn one_row_of_the_profile_is_in_force(
        #[case] now: u64,
        #[case] profile: RiskProfile,
        #[case] id: Option<i64>,
    ) {
        let rows = [
            limits(1, RiskProfile::Default, FROM, UNTIL),
            limits(2, RiskProfile::Default, UNTIL, u64::MAX),
            limits(3, RiskProfile::Aggressive, FROM, u64::MAX),
            limits(4, RiskProfile::Conservative, FROM, UNTIL),
        ];
        let row = RiskLimits::in_force(&rows, profile, LogicalTime::from_micros(now));
        assert_eq!(row.map(|row| row.id), id);
    }
}
