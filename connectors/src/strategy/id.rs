//! Name of a strategy.

use std::fmt;
use std::str::FromStr;

/// Most letters of a name; it is part of a key of the cache.
const LEN_MAX: usize = 64;

/// Name of a strategy, of its runs, portfolios and positions: 1 to 64 letters of ASCII, digits, - or _.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StrategyId(String);

/// A text is no name of a strategy.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("1 to {LEN_MAX} letters, digits, - or _ expected, was {0:?}")]
pub struct StrategyIdError(String);

impl StrategyId {
    /// Returns the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for StrategyId {
    /// The strategy where the configuration names none.
    fn default() -> Self {
        Self("daily".to_owned())
    }
}

impl From<StrategyId> for String {
    fn from(id: StrategyId) -> Self {
        id.0
    }
}

impl fmt::Display for StrategyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for StrategyId {
    type Err = StrategyIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_letter = |letter: char| letter.is_ascii_alphanumeric() || "-_".contains(letter);
        if text.is_empty() || text.len() > LEN_MAX || !text.chars().all(is_letter) {
            return Err(StrategyIdError(text.to_owned()));
        }
        Ok(Self(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("daily", true)]
    #[case("a-B_9", true)]
    #[case(&"x".repeat(64), true)]
    #[case(&"x".repeat(65), false)]
    #[case("", false)]
    #[case("a b", false)]
    #[case("a:b", false)]
    #[case("매일", false)]
    #[case("\0", false)]
    fn a_name_has_letters_that_a_key_may_have(#[case] text: &str, #[case] is_name: bool) {
        let id = text.parse::<StrategyId>();
        assert_eq!(
            id.as_ref().map(StrategyId::as_str).ok(),
            is_name.then_some(text)
        );
    }

    #[test]
    fn the_default_is_a_name() {
        let default = StrategyId::default();
        assert_eq!(default.as_str().parse(), Ok(default));
    }
}
