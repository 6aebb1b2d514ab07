//! One order of the broker's book. Cancels and replacements are orders with numbers of their own.

use jiff::civil::DateTime;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use super::OrderType;
use crate::{
    price::{Money, Price},
    symbol::Symbol,
};

/// Buy or sell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Side {
    Sell,
    Buy,
}

impl Side {
    /// Code on the wire, SLL_BUY_DVSN_CD and SELN_BYOV_CLS.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Sell => "01",
            Self::Buy => "02",
        }
    }
}

/// What an order does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Class {
    New,
    Replace,
    Cancel,
}

/// Where an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    /// Accepted, without effect yet.
    Pending,
    /// In the market.
    Working,
    /// Nothing is left of it.
    Done,
}

/// One order. Invariant: what is filled, cancelled, moved, rejected and lapsed never exceeds what
/// was ordered.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Order {
    pub(crate) number: u64,
    /// Order that a cancel or replacement is about.
    pub(crate) original: Option<u64>,
    /// Index of the account.
    pub(crate) account: usize,
    /// Index of the issue; found again by the symbol after a restart.
    #[serde(skip)]
    pub(crate) issue: usize,
    pub(crate) symbol: Symbol,
    pub(crate) class: Class,
    pub(crate) side: Side,
    #[serde(serialize_with = "write_type", deserialize_with = "read_type")]
    pub(crate) order_type: &'static OrderType,
    pub(crate) quantity: i64,
    /// Price as ordered; none for unpriced types.
    pub(crate) price: Price,
    /// Price up to which it trades; none means any.
    pub(crate) limit: Price,
    /// Price at which a buy reserves cash.
    pub(crate) reserve: Price,
    /// Seoul time of acceptance.
    pub(crate) at: DateTime,
    pub(crate) status: Status,
    pub(crate) filled: i64,
    pub(crate) filled_value: Money,
    pub(crate) costs: Money,
    pub(crate) cancelled: i64,
    /// Quantity that a replacement took over.
    pub(crate) moved: i64,
    pub(crate) rejected: i64,
    /// HHMMSS of the last fill.
    pub(crate) filled_at: Option<u32>,
    /// Sent through the broker's order router (SOR).
    pub(crate) is_routed: bool,
    /// Waits for a call auction: trades at the auction's price.
    pub(crate) is_in_auction: bool,
    /// Refused by the exchange when it gets there.
    pub(crate) is_doomed: bool,
    /// Given at another terminal of the account, by the control port.
    #[serde(default)]
    pub(crate) is_manual: bool,
}

/// What an order asks for, before it has a number.
#[derive(Clone, Debug)]
pub(crate) struct Ticket {
    pub(crate) original: Option<u64>,
    pub(crate) account: usize,
    pub(crate) issue: usize,
    pub(crate) symbol: Symbol,
    pub(crate) class: Class,
    pub(crate) side: Side,
    pub(crate) order_type: &'static OrderType,
    pub(crate) quantity: i64,
    pub(crate) price: Price,
    pub(crate) limit: Price,
    pub(crate) reserve: Price,
    pub(crate) is_routed: bool,
    pub(crate) is_in_auction: bool,
    pub(crate) is_doomed: bool,
}

impl Order {
    /// Returns the order that `ticket` asks for, accepted at `at` and without effect yet.
    pub(crate) fn new(number: u64, ticket: Ticket, at: DateTime) -> Self {
        Self {
            number,
            original: ticket.original,
            account: ticket.account,
            issue: ticket.issue,
            symbol: ticket.symbol,
            class: ticket.class,
            side: ticket.side,
            order_type: ticket.order_type,
            quantity: ticket.quantity,
            price: ticket.price,
            limit: ticket.limit,
            reserve: ticket.reserve,
            at,
            status: Status::Pending,
            filled: 0,
            filled_value: Money::ZERO,
            costs: Money::ZERO,
            cancelled: 0,
            moved: 0,
            rejected: 0,
            filled_at: None,
            is_routed: ticket.is_routed,
            is_in_auction: ticket.is_in_auction,
            is_doomed: ticket.is_doomed,
            is_manual: false,
        }
    }

    /// Returns the quantity that can still trade.
    pub(crate) fn remaining(&self) -> i64 {
        match (self.status, self.class) {
            (Status::Done, _) | (_, Class::Cancel) => 0,
            (Status::Pending, Class::Replace) => 0,
            _ => self.quantity - self.filled - self.cancelled - self.moved - self.rejected,
        }
    }

    /// Returns the average fill price with four decimals, `0` without a fill.
    pub(crate) fn average(&self) -> String {
        average(self.filled_value, self.filled)
    }
}

/// Returns `value / quantity` with four decimals, `0` where there is no quantity.
pub(crate) fn average(value: Money, quantity: i64) -> String {
    if quantity == 0 {
        return "0".to_owned();
    }
    crate::price::ratio(value.units(), i128::from(quantity) * 10_000, 4)
}

fn write_type<S: Serializer>(entry: &&'static OrderType, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(entry.code)
}

fn read_type<'de, D: Deserializer<'de>>(deserializer: D) -> Result<&'static OrderType, D::Error> {
    let code = String::deserialize(deserializer)?;
    OrderType::by_code(&code)
        .ok_or_else(|| D::Error::custom(format!("order type must be a known code, was {code:?}")))
}
