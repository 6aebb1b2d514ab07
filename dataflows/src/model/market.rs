//! Markets of the exchange.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A text that names no market.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("KOSPI, KOSDAQ, KONEX or UNKNOWN expected, was {0:?}")]
pub struct UnknownMarket(String);

/// Market of an issue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Market {
    /// KOSPI.
    Kospi,
    /// KOSDAQ, also its segment GLOBAL.
    Kosdaq,
    /// KONEX.
    Konex,
    /// Not told.
    Unknown,
}

impl Market {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Kospi, Self::Kosdaq, Self::Konex, Self::Unknown];

    /// Returns the name, as the database has it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kospi => "KOSPI",
            Self::Kosdaq => "KOSDAQ",
            Self::Konex => "KONEX",
            Self::Unknown => "UNKNOWN",
        }
    }
}

impl FromStr for Market {
    type Err = UnknownMarket;

    fn from_str(name: &str) -> Result<Self, UnknownMarket> {
        let known = Self::ALL.into_iter().find(|market| market.name() == name);
        known.ok_or_else(|| UnknownMarket(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for market in Market::ALL {
            assert_eq!(market.name().parse(), Ok(market));
        }
        let unknown = "kospi".parse::<Market>().unwrap_err().to_string();
        assert_eq!(
            unknown,
            "KOSPI, KOSDAQ, KONEX or UNKNOWN expected, was \"kospi\""
        );
    }
}
