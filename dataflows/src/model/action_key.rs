//! Action keys: what makes a decision unique, in the database and across restarts.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{CandidateId, PositionId};

/// What keys of orders begin with that somebody else gave.
const FOREIGN: &str = "BROKER:";

/// Key under which an action may happen at most once (decision contract, section 4).
///
/// The functions here are its only constructors.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ActionKey(Arc<str>);

impl ActionKey {
    /// Returns `{position_id}:{cycle}:{phase}:{reason}[:{rule_id}]:{attempt}`.
    pub fn exit(
        position: &PositionId,
        cycle: u32,
        phase: impl fmt::Display,
        reason: impl fmt::Display,
        rule_id: Option<&str>,
        attempt: u32,
    ) -> Self {
        let rule = rule_id.map(|id| format!(":{id}")).unwrap_or_default();
        Self(format!("{position}:{cycle}:{phase}:{reason}{rule}:{attempt}").into())
    }

    /// Returns `{candidate_id}:ENTRY:{n}`.
    pub fn entry(candidate: &CandidateId, n: u32) -> Self {
        Self(format!("{candidate}:ENTRY:{n}").into())
    }

    /// Returns `BROKER:{day}:{number}`: an order of the account that the engine did not decide,
    /// by the broker's number, which repeats daily.
    pub fn foreign(day: impl fmt::Display, number: &str) -> Self {
        Self(format!("{FOREIGN}{day}:{number}").into())
    }

    /// Returns whether it is the key of an order that the engine did not decide.
    pub fn is_foreign(&self) -> bool {
        self.0.starts_with(FOREIGN)
    }

    /// Returns `MANUAL:{request_id}`: a purchase that the operator asked for.
    pub fn purchase(request: impl fmt::Display) -> Self {
        Self(format!("MANUAL:{request}").into())
    }

    /// Returns `REBAL:{portfolio_id}:{symbol}:{side}`: a trade that brings a position to its target.
    pub fn rebalance(
        portfolio: impl fmt::Display,
        symbol: impl fmt::Display,
        side: impl fmt::Display,
    ) -> Self {
        Self(format!("REBAL:{portfolio}:{symbol}:{side}").into())
    }

    /// Returns `ENTRY:{yyyymmdd}:{symbol}:{producer}:{run_id}`: a purchase that other programs proposed,
    /// on a day in Seoul, by the producer that leads. A run id has no colon.
    pub fn pick(
        day: impl fmt::Display,
        symbol: impl fmt::Display,
        producer: impl fmt::Display,
        run_id: &str,
    ) -> Self {
        Self(format!("ENTRY:{day}:{symbol}:{producer}:{run_id}").into())
    }

    /// Returns the key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the key that the database holds. Only text that a constructor made is stored there.
    pub fn stored(text: &str) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for ActionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_the_form_of_the_contract() {
        let position: PositionId = "p1".parse().unwrap();
        assert_eq!(
            ActionKey::exit(&position, 1, "OPEN", "SL1", None, 2).as_str(),
            "p1:1:OPEN:SL1:2"
        );
        assert_eq!(
            ActionKey::exit(&position, 1, "OPEN", "CUSTOM", Some("lock-in"), 1).as_str(),
            "p1:1:OPEN:CUSTOM:lock-in:1"
        );
        assert_eq!(
            ActionKey::entry(&"c1".parse().unwrap(), 1).as_str(),
            "c1:ENTRY:1"
        );
        assert_eq!(
            ActionKey::foreign("2026-11-24", "0000117057").as_str(),
            "BROKER:2026-11-24:0000117057"
        );
        assert_eq!(ActionKey::purchase("r1").as_str(), "MANUAL:r1");
        assert_eq!(
            ActionKey::rebalance("p1", "005930", "BUY").as_str(),
            "REBAL:p1:005930:BUY"
        );
        assert_eq!(
            ActionKey::pick("20261127", "005930", 3002, "r1").as_str(),
            "ENTRY:20261127:005930:3002:r1"
        );
    }
}
