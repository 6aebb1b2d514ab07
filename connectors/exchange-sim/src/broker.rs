//! The broker's books: accounts, orders, what the broker refuses and what it notifies.

mod account;
mod notice;
mod order;
mod order_type;
mod reject;

pub(crate) use account::{Account, Books, Holding};
pub(crate) use notice::{BRANCH, Notice, NoticeKind};
pub(crate) use order::{Class, Order, Side, Status, Ticket, average};
pub(crate) use order_type::{Condition, OrderType, Pricing};
pub(crate) use reject::Reject;
