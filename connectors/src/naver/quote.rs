//! What an answer is read into: quotes and faults of rows.

use std::fmt;
use std::time::Duration;

use thiserror::Error;
use turnstile_dataflows::model::{Price, Quantity, Symbol};

/// An answer: every symbol that was asked for is in exactly one quote or in at least one fault.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NaverAnswer {
    /// Sound rows, in the order of the answer.
    pub quotes: Vec<NaverQuote>,
    /// Rows that are no quotes, and symbols without a row.
    pub faults: Vec<RowFault>,
    /// Time until the next round that the source asks for, where it does.
    pub polling_interval: Option<Duration>,
    /// Microseconds since the Unix epoch at which the answer was read.
    pub received_us: u64,
}

/// The price of one issue as the source shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NaverQuote {
    /// The issue.
    pub symbol: Symbol,
    /// Last price of `session`.
    pub price: Price,
    /// Change against the previous close in 1/10000 KRW, signed.
    pub change_units: i64,
    /// Change against the previous close in 1/10000 percent, signed.
    pub change_rate_units: i64,
    /// Shares traded today, at the market that the price is of.
    pub volume_of_day: Quantity,
    /// Value traded today in whole KRW, at that market; to the million where the answer has no
    /// plain number.
    pub value_of_day_won: i64,
    /// Microseconds since the Unix epoch of the last trade, to the second.
    pub traded_us: u64,
    /// Microseconds since the Unix epoch at which the answer was read.
    pub received_us: u64,
    /// What kind of price this is.
    pub session: QuoteSession,
}

/// The session of a price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum QuoteSession {
    /// The Korea Exchange in its regular session.
    Regular,
    /// The alternative market before the regular session.
    PreMarket,
    /// The alternative market after the regular session.
    AfterMarket,
    /// Nobody trades: the last price of the Korea Exchange.
    Close,
}

impl QuoteSession {
    /// Returns the session as it is stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Regular => "REGULAR",
            Self::PreMarket => "PRE_MARKET",
            Self::AfterMarket => "AFTER_MARKET",
            Self::Close => "CLOSE",
        }
    }
}

impl fmt::Display for QuoteSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Why a row is no quote, or why a symbol has none.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{field}: {reason}")]
pub struct RowFault {
    /// The issue; `None` where the row does not say it.
    pub symbol: Option<Symbol>,
    /// The field, such as `overMarketPriceInfo.overPrice`.
    pub field: String,
    /// What is wrong with it.
    pub reason: FaultReason,
}

/// What is wrong with a field of a row.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FaultReason {
    /// Not there, empty, or `-`.
    #[error("missing")]
    Missing,
    /// Not what is documented; the text says what was expected and what was there.
    #[error("{0}")]
    Malformed(String),
    /// A price of zero.
    #[error("price is zero")]
    NoPrice,
    /// Trading in the issue is halted.
    #[error("trading is halted: {0}")]
    Halted(String),
    /// A symbol that was not asked for.
    #[error("was not asked for")]
    NotAsked,
    /// A second row of the same symbol.
    #[error("second row of this symbol")]
    Repeated,
    /// The answer has no row of a symbol that was asked for.
    #[error("no row of this symbol")]
    NotAnswered,
    /// More symbols than one call asks for; this one was left out.
    #[error("left out, more symbols than a call asks for")]
    LeftOut,
}

impl FaultReason {
    /// Returns the variant as a bounded metric label.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Malformed(_) => "malformed",
            Self::NoPrice => "no_price",
            Self::Halted(_) => "halted",
            Self::NotAsked => "not_asked",
            Self::Repeated => "repeated",
            Self::NotAnswered => "not_answered",
            Self::LeftOut => "left_out",
        }
    }
}
