//! Issues as the exchange lists them.

use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use turnstile_dataflows::model::Market;

/// A text that is none of the names that were expected.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{expected} expected, was {name:?}")]
pub struct UnknownName {
    expected: &'static str,
    name: String,
}

/// What an issue is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Instrument {
    /// A share.
    Stock,
    /// A fund that is traded (ETF).
    Etf,
    /// A note that is traded (ETN).
    Etn,
    /// Not told.
    Unknown,
}

impl Instrument {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Stock, Self::Etf, Self::Etn, Self::Unknown];

    /// Returns the name, as the database has it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stock => "STOCK",
            Self::Etf => "ETF",
            Self::Etn => "ETN",
            Self::Unknown => "UNKNOWN",
        }
    }
}

impl FromStr for Instrument {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        find(Self::ALL, Self::name, name, "STOCK, ETF, ETN or UNKNOWN")
    }
}

/// Whether an issue is traded at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ListingStatus {
    /// Listed and traded.
    Active,
    /// Listed, trading suspended.
    Suspended,
    /// Not listed any more.
    Delisted,
}

impl ListingStatus {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Active, Self::Suspended, Self::Delisted];

    /// Returns the name, as the database has it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Suspended => "SUSPENDED",
            Self::Delisted => "DELISTED",
        }
    }
}

impl FromStr for ListingStatus {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        find(Self::ALL, Self::name, name, "ACTIVE, SUSPENDED or DELISTED")
    }
}

/// A row of `market.stocks`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Listing {
    /// Name of the company, in Korean.
    pub name: Arc<str>,
    /// Where it is listed.
    pub market: Market,
    /// What it is.
    pub instrument: Instrument,
    /// Whether it is traded.
    pub status: ListingStatus,
    /// Sector; none: not told.
    pub sector: Option<Arc<str>>,
    /// KRW, used where the newest bar has none.
    pub market_cap: Option<i64>,
    /// Whether orders are taken.
    pub is_tradable: bool,
    /// Under administration (관리종목).
    pub is_managed: bool,
    /// Under an investment caution (투자주의 and above).
    pub is_caution: bool,
}

/// Returns which of `all` has this name.
fn find<T: Copy, const N: usize>(
    all: [T; N],
    name_of: fn(T) -> &'static str,
    name: &str,
    expected: &'static str,
) -> Result<T, UnknownName> {
    let found = all.into_iter().find(|one| name_of(*one) == name);
    found.ok_or_else(|| UnknownName {
        expected,
        name: name.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for instrument in Instrument::ALL {
            assert_eq!(instrument.name().parse(), Ok(instrument));
        }
        for status in ListingStatus::ALL {
            assert_eq!(status.name().parse(), Ok(status));
        }
        let unknown = "stock".parse::<Instrument>().unwrap_err().to_string();
        assert_eq!(
            unknown,
            "STOCK, ETF, ETN or UNKNOWN expected, was \"stock\""
        );
        assert!("".parse::<Instrument>().is_err());
        assert!("LISTED".parse::<ListingStatus>().is_err());
    }
}
