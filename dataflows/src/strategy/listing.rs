//! Issues as the exchange lists them.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

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
