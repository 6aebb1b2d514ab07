//! Quotes: what a source says of a symbol.

use serde::{Deserialize, Serialize};

use super::Discrepancy;
use crate::model::{LogicalTime, Price, Symbol, Tick};

/// Where a price comes from, the best first (domain 2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Source {
    /// Trades streamed by the broker.
    KisWs,
    /// Prices asked of the broker.
    KisRest,
    /// Prices asked of Naver Finance.
    Naver,
}

impl Source {
    /// All of them, the best first.
    pub const ALL: [Self; 3] = [Self::KisWs, Self::KisRest, Self::Naver];

    /// Returns the name in `market.prices`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::KisWs => "KIS_WS",
            Self::KisRest => "KIS_REST",
            Self::Naver => "NAVER",
        }
    }

    /// Returns its place among [`Self::ALL`].
    pub(super) const fn rank(self) -> usize {
        match self {
            Self::KisWs => 0,
            Self::KisRest => 1,
            Self::Naver => 2,
        }
    }

    /// Returns how long a price of it is fresh, microseconds, inclusive (domain 2.1).
    pub const fn fresh_us(self, session: Session) -> u64 {
        match (self, session) {
            (Self::KisWs, Session::Regular) => 2_000_000,
            (Self::KisWs, Session::Off) | (Self::KisRest, Session::Regular) => 10_000_000,
            (Self::KisRest, Session::Off) | (Self::Naver, Session::Regular) => 30_000_000,
            (Self::Naver, Session::Off) => 60_000_000,
        }
    }
}

/// When a price was received, as far as its age is concerned (domain 2.1).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub enum Session {
    /// From 08:30 to 16:00 of a trading day. Also what is not known: its limits are the shorter ones.
    #[default]
    Regular,
    /// At any other time.
    Off,
}

impl Session {
    /// Returns the name in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Regular => "REGULAR",
            Self::Off => "OFF",
        }
    }
}

/// The price that a source says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Quote {
    /// What is priced.
    pub symbol: Symbol,
    /// Who says so.
    pub source: Source,
    /// Last price.
    pub last: Price,
    /// When it was received. By this it grows old, whenever it is taken in.
    pub received: LogicalTime,
}

impl Quote {
    /// Returns the tick at `time` that it is where the price is another one. It carries no bid.
    pub const fn tick(&self, time: LogicalTime) -> Tick {
        Tick {
            time,
            symbol: self.symbol,
            last: self.last,
            bid: None,
            volume: 0,
        }
    }
}

/// What a quote comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Taken {
    /// It is the best price now, and another one than was judged last: a tick.
    Tick,
    /// It confirms the price that was judged last.
    Confirmed,
    /// A better source is fresh and says otherwise.
    Behind(Discrepancy),
    /// It was received before the price that stands, or is too old: it counts for nothing.
    Late,
}
