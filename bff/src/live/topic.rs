//! Topics: what a client may follow.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What a client may follow. Snapshots are sent in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Topic {
    /// The newest price of each symbol.
    Prices,
    /// How every part of the system is: one row. It is there also while PostgreSQL is away, so it goes
    /// before what then has to wait.
    Health,
    /// Live positions; one that closes is removed.
    Positions,
    /// Where each rule of a live position fires; looked at once a second while somebody follows.
    Levels,
    /// Orders as they are now.
    Orders,
    /// Positions that were closed.
    Exits,
    /// Candidates for a re-entry.
    Candidates,
    /// Alarms that stand; one that is over is told once more, with the time.
    Alarms,
    /// Names of the tables of which rows have changed, for whoever reads them over HTTP.
    Tables,
}

impl Topic {
    /// Every topic.
    pub(crate) const ALL: [Self; 9] = [
        Self::Prices,
        Self::Health,
        Self::Positions,
        Self::Levels,
        Self::Orders,
        Self::Exits,
        Self::Candidates,
        Self::Alarms,
        Self::Tables,
    ];

    /// Returns the name as clients write it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Prices => "prices",
            Self::Health => "health",
            Self::Positions => "positions",
            Self::Levels => "levels",
            Self::Orders => "orders",
            Self::Exits => "exits",
            Self::Candidates => "candidates",
            Self::Alarms => "alarms",
            Self::Tables => "tables",
        }
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The text names no topic.
#[derive(Debug, thiserror::Error)]
#[error("must be one of {}, was \"{given}\"", Topic::ALL.map(Topic::name).join(", "))]
pub(crate) struct TopicError {
    given: String,
}

impl FromStr for Topic {
    type Err = TopicError;

    fn from_str(text: &str) -> Result<Self, TopicError> {
        let found = Self::ALL.into_iter().find(|topic| topic.name() == text);
        found.ok_or_else(|| TopicError {
            given: text.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_has_one_name_everywhere() {
        for topic in Topic::ALL {
            assert_eq!(serde_json::to_value(topic).unwrap(), topic.name());
            assert_eq!(topic.name().parse::<Topic>().unwrap(), topic);
        }
        let error = "price".parse::<Topic>().unwrap_err().to_string();
        assert!(error.ends_with("tables, was \"price\""), "{error}");
    }
}
