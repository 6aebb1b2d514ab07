//! Execution notices of the streams H0STCNI0 and H0STCNI9 (KIS Open API): 26 fields.

use super::{Account, Class, Order};
use crate::price::Price;

/// Branch that every notice and order row names.
pub(crate) const BRANCH: &str = "00950";

/// What a notice says about an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoticeKind {
    /// A new order reached the exchange.
    Received,
    /// A part of it traded.
    Filled { quantity: i64, price: Price },
    /// A cancel or replacement took effect on this quantity.
    Confirmed { quantity: i64 },
    /// The exchange refused.
    Rejected,
    /// The remainder of an IOC or FOK order was cancelled.
    Expired { quantity: i64 },
}

/// One notice, in clear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Notice {
    /// Index of the account that it is for.
    pub(crate) account: usize,
    /// The 26 fields.
    pub(crate) text: String,
}

impl Notice {
    /// Writes the notice about `order`. `ordered` is the quantity of the order that it is about: a
    /// cancel names that of its original.
    pub(crate) fn new(
        account: &Account,
        order: &Order,
        ordered: i64,
        issue_name: &str,
        kind: NoticeKind,
        hhmmss: u32,
    ) -> Self {
        let (quantity, price, order_price) = match kind {
            NoticeKind::Received | NoticeKind::Rejected => {
                (order.quantity, order.price, Price::NONE)
            }
            NoticeKind::Filled { quantity, price } => (quantity, price, order.price),
            NoticeKind::Confirmed { quantity } | NoticeKind::Expired { quantity } => {
                (quantity, order.price, Price::NONE)
            }
        };
        let class = match order.class {
            Class::New => "0",
            Class::Replace => "1",
            Class::Cancel => "2",
        };
        let (refused, traded, accepted) = match kind {
            NoticeKind::Received => ("0", "1", "1"),
            NoticeKind::Filled { .. } => ("0", "2", "2"),
            NoticeKind::Confirmed { .. } => ("0", "1", "2"),
            NoticeKind::Rejected => ("1", "1", "1"),
            NoticeKind::Expired { .. } => ("0", "1", "3"),
        };
        let text = format!(
            "{id}^{cano}{product}^{number:010}^{original:010}^{side}^{class}^{type_code}^{condition}\
             ^{symbol}^{quantity:010}^{price:0>9}^{hhmmss:06}^{refused}^{traded}^{accepted}^{BRANCH}\
             ^{ordered:09}^{name}^000000000^{venue}^N^^00^^{issue_name}^{order_price:0>9}",
            id = account.hts_id,
            cano = account.cano,
            product = account.product,
            number = order.number,
            original = order.original.unwrap_or(0),
            side = order.side.code(),
            type_code = order.order_type.code,
            condition = order.order_type.condition_code(),
            symbol = order.symbol,
            name = account.name,
            venue = if order.is_routed { "3" } else { "1" },
        );
        Self {
            account: order.account,
            text,
        }
    }
}
