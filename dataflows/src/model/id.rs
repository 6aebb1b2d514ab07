//! Identifiers.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Why a text is not an identifier.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("identifier must have 1 to 128 characters without control characters, was {0:?}")]
pub struct IdError(String);

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// Returns the identifier as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                let fits = (1..=128).contains(&text.len());
                if fits && !text.chars().any(char::is_control) {
                    Ok(Self(text.into()))
                } else {
                    Err(IdError(text.chars().take(32).collect()))
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, IdError> {
                text.parse()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    };
}

text_id! {
    /// A position: one cycle of holding one symbol, from the first buy to quantity zero. Ordered by
    /// bytes, which is the order of evaluation (decision contract, 2.1).
    PositionId
}
text_id! {
    /// A rule profile (column `trade.exit_rules.rule_id`).
    ProfileId
}
text_id! {
    /// An exit event: the fact that a position reached quantity zero.
    ExitEventId
}
text_id! {
    /// A sale of shares of a position: an execution, or shares that are gone without one.
    SaleId
}
text_id! {
    /// A re-entry candidate, one per exit event.
    CandidateId
}

impl ProfileId {
    /// Returns the identifier that stands for no profile.
    pub(crate) fn none() -> Self {
        Self("-".into())
    }
}

impl From<&ExitEventId> for CandidateId {
    /// There is one candidate per exit event, with the same identifier.
    fn from(event: &ExitEventId) -> Self {
        Self(event.0.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_and_control_characters_are_refused() {
        assert!("".parse::<PositionId>().is_err());
        assert!("a\nb".parse::<PositionId>().is_err());
        assert!("p-1".parse::<PositionId>().is_ok());
    }
}
