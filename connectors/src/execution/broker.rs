//! The broker as execution sees it: the seam between the order logic and a wire.
//!
//! There is no client order id on the wire (KIS Open API, order-cash), so the trait speaks of
//! numbers that the broker gives, and every error says whether the order may have arrived.

use std::fmt;

use futures_util::future::BoxFuture;
use jiff::civil::{Date, Time};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use turnstile_dataflows::model::{Price, Quantity, Symbol};

/// Direction of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Side {
    /// Sells shares.
    Sell,
    /// Buys shares.
    Buy,
}

impl Side {
    /// Returns the name in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sell => "SELL",
            Self::Buy => "BUY",
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// An order as it is put to the broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// What is traded.
    pub symbol: Symbol,
    /// Direction.
    pub side: Side,
    /// Shares, at least one.
    pub qty: Quantity,
    /// Limit on the tick grid; none at market.
    pub limit: Option<Price>,
}

/// How the broker names an order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BrokerRef {
    /// Market date; numbers repeat daily.
    pub date: Date,
    /// Order number, zero padded.
    pub number: String,
    /// Branch that numbered it; empty where it is not known.
    pub org: String,
}

/// The broker has received an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Order number, zero padded.
    pub number: String,
    /// Branch that numbered it.
    pub org: String,
}

/// What became of a request that did not succeed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BrokerError {
    /// Proved not executed; asking again later may help.
    #[error("not executed: {0}")]
    NotExecuted(String),
    /// Understood and refused for good.
    #[error("refused with {code}: {message}")]
    Rejected {
        /// The broker's code.
        code: String,
        /// The broker's words.
        message: String,
    },
    /// It may or may not have arrived.
    #[error("outcome unknown: {0}")]
    UnknownOutcome(String),
    /// Keys, rights or the request itself are wrong: not executed, and a human has to act.
    #[error("not executed, configuration is wrong: {0}")]
    Configuration(String),
}

/// One order in the broker's list: cumulative figures, no single fills.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedOrder {
    /// How the broker names it.
    pub order: BrokerRef,
    /// The order that this one replaces or cancels.
    pub original: Option<String>,
    /// What is traded.
    pub symbol: Symbol,
    /// Direction.
    pub side: Side,
    /// Shares ordered.
    pub qty: Quantity,
    /// When it was ordered, Seoul time.
    pub time: Option<Time>,
    /// Shares filled so far.
    pub filled: Quantity,
    /// Money that those shares traded for, KRW.
    pub amount: Decimal,
    /// Shares still open.
    pub remaining: Quantity,
    /// Shares rejected.
    pub rejected: Quantity,
    /// Shares whose cancellation is confirmed.
    pub cancelled: Quantity,
}

/// One issue that the account holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedHolding {
    /// The issue.
    pub symbol: Symbol,
    /// Shares held, at least one.
    pub qty: Quantity,
    /// Average cost in KRW, fees of the purchase included; zero where the broker knows none.
    pub average: Decimal,
}

/// What an execution notice says. It has no identity and no cumulative figure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// When the frame was read, microseconds since the Unix epoch.
    pub received_us: u64,
    /// The order; a cancel or replace has a number of its own.
    pub number: String,
    /// The order that a cancel or replace is about.
    pub original: Option<String>,
    /// What is traded.
    pub symbol: Symbol,
    /// Direction.
    pub side: Side,
    /// Shares of the order.
    pub order_qty: Quantity,
    /// Seoul time of the event, whole seconds.
    pub time: Time,
    /// What happened.
    pub event: NoticeEvent,
}

/// What happened to an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum NoticeEvent {
    /// Shares were traded.
    Fill {
        /// Shares of this fill alone.
        qty: Quantity,
        /// Price of this fill.
        price: Price,
    },
    /// The order was received or confirmed.
    Accepted,
    /// What was left of the order is gone from the book.
    Cancelled {
        /// Shares that were left.
        qty: Quantity,
    },
    /// The order was refused after its receipt.
    Rejected {
        /// Shares refused.
        qty: Quantity,
    },
    /// A request to cancel or replace was refused; the order itself stands.
    ChangeRefused,
}

/// What the connection to the broker tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BrokerEvent {
    /// An execution notice of the account.
    Notice(Notice),
    /// The stream was away: notices may be missing.
    Reconnected,
}

/// What an account holds and is worth.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListedAccount {
    /// All issues held.
    pub holdings: Vec<ListedHolding>,
    /// What it is worth; none where the broker did not say.
    pub worth: Option<Worth>,
}

/// What an account is worth, in whole KRW.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Worth {
    /// Securities and cash.
    pub equity_won: i64,
    /// Deposit when the trades of today have settled (D+2).
    pub cash_won: i64,
}

/// An account at a broker.
pub trait Broker: Send + Sync {
    /// Sends a new order.
    fn submit<'a>(&'a self, ticket: &'a Ticket) -> BoxFuture<'a, Result<Receipt, BrokerError>>;

    /// Asks to cancel what is left of an order. Success is not yet the cancellation.
    fn cancel<'a>(&'a self, order: &'a BrokerRef) -> BoxFuture<'a, Result<(), BrokerError>>;

    /// Returns every order of the days from `first` to `last`: the complete list or an error,
    /// never a part.
    fn orders<'a>(
        &'a self,
        first: Date,
        last: Date,
    ) -> BoxFuture<'a, Result<Vec<ListedOrder>, BrokerError>>;

    /// Returns everything the account holds: the complete list or an error, never a part.
    fn holdings(&self) -> BoxFuture<'_, Result<ListedAccount, BrokerError>>;
}
