//! Orders, cancels and replacements: what is accepted, and what happens when it takes effect.

use tokio::time::Instant;

use super::{Exchange, Task};
use crate::{
    broker::{
        Class, Condition, NoticeKind, Order, OrderType, Pricing, Reject, Side, Status, Ticket,
    },
    clock::{Moment, Session},
    config::Market,
    issue::{Issue, hhmmss},
    price::{Money, Price},
};

/// Largest quantity of one order, so that products fit.
const QUANTITY_MAX: i64 = 1_000_000_000;

/// Orders that are known at most; the oldest that are done go.
const ORDERS_MAX: usize = 100_000;

/// A new order as the broker's gateway understands it.
#[derive(Clone, Debug)]
pub(crate) struct NewOrder {
    pub(crate) account: usize,
    pub(crate) symbol: String,
    pub(crate) side: Side,
    pub(crate) order_type: &'static OrderType,
    pub(crate) quantity: i64,
    pub(crate) price: Price,
    pub(crate) is_routed: bool,
    /// Whether the exchange shall refuse it whatever it says.
    pub(crate) is_doomed: bool,
}

/// A cancel or replacement as the broker's gateway understands it.
#[derive(Clone, Debug)]
pub(crate) struct Amendment {
    pub(crate) account: usize,
    pub(crate) class: Class,
    pub(crate) original: u64,
    /// Absent: all that is left.
    pub(crate) quantity: Option<i64>,
    pub(crate) order_type: &'static OrderType,
    pub(crate) price: Price,
}

/// What the broker answers to an order that it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Accepted {
    pub(crate) number: u64,
    /// Time of acceptance as HHMMSS.
    pub(crate) hhmmss: u32,
}

impl Exchange {
    /// Takes a new order; it reaches the market after the latency of `fills`.
    ///
    /// # Errors
    /// Returns why the broker refuses it. Nothing changed then.
    pub(crate) fn accept(&mut self, order: &NewOrder, now: Instant) -> Result<Accepted, Reject> {
        let index = self.find(&order.symbol).ok_or(Reject::Symbol)?;
        check_form(order.order_type, order.quantity, order.price)?;
        let issue = &self.issues[index];
        order
            .order_type
            .check_session(self.moment.session, issue.market)?;
        let price = if order.order_type.is_priced() {
            order.price
        } else {
            Price::NONE
        };
        let limit = limit_of(order.order_type, order.side, price, issue);
        let reserve = if price.is_some() {
            price
        } else {
            issue.band.1.max(limit)
        };
        let is_doomed = order.is_doomed || !is_on_grid(issue, price);
        match order.side {
            Side::Buy => {
                if self.cost_of(reserve, order.quantity) > self.free_cash(order.account) {
                    return Err(Reject::Cash);
                }
            }
            Side::Sell => {
                let holdings = &self.accounts[order.account].books.holdings;
                if holdings
                    .get(&issue.symbol)
                    .is_none_or(|holding| holding.quantity == 0)
                {
                    return Err(Reject::Holding);
                }
                if order.quantity > self.sellable(order.account, index) {
                    return Err(Reject::Quantity);
                }
            }
        }
        let ticket = Ticket {
            original: None,
            account: order.account,
            issue: index,
            symbol: self.issues[index].symbol.clone(),
            class: Class::New,
            side: order.side,
            order_type: order.order_type,
            quantity: order.quantity,
            price,
            limit,
            reserve,
            is_routed: order.is_routed,
            is_in_auction: is_auction(self.moment),
            is_doomed,
        };
        let number = self.enter_order(ticket, now);
        self.live[index].insert(number);
        if !is_doomed {
            self.notify(number, NoticeKind::Received);
        }
        Ok(self.accepted(number))
    }

    /// Takes a cancel or replacement; it reaches the market after the latency of `fills`.
    ///
    /// # Errors
    /// Returns why the broker refuses it. Nothing changed then.
    pub(crate) fn amend(&mut self, change: &Amendment, now: Instant) -> Result<Accepted, Reject> {
        if !self.moment.session.is_open() {
            return Err(Reject::MarketClosed);
        }
        let original = self
            .orders
            .get(&change.original)
            .filter(|order| order.account == change.account && order.remaining() > 0)
            .ok_or(Reject::Original)?;
        let quantity = change.quantity.unwrap_or_else(|| original.remaining());
        if quantity > original.remaining() {
            return Err(Reject::Quantity);
        }
        let (order_type, price) = match change.class {
            Class::Cancel => (original.order_type, original.price),
            Class::New | Class::Replace => {
                check_form(change.order_type, quantity, change.price)?;
                let is_priced = change.order_type.is_priced();
                (
                    change.order_type,
                    if is_priced { change.price } else { Price::NONE },
                )
            }
        };
        if quantity <= 0 {
            return Err(Reject::Field(format!("주문수량 오류: {quantity}")));
        }
        let issue = &self.issues[original.issue];
        let limit = limit_of(order_type, original.side, price, issue);
        let ticket = Ticket {
            original: Some(change.original),
            account: change.account,
            issue: original.issue,
            symbol: original.symbol.clone(),
            class: change.class,
            side: original.side,
            order_type,
            quantity,
            price,
            limit,
            reserve: if price.is_some() {
                price
            } else {
                issue.band.1.max(limit)
            },
            is_routed: original.is_routed,
            is_in_auction: is_auction(self.moment),
            is_doomed: change.class == Class::Replace && !is_on_grid(issue, price),
        };
        let number = self.enter_order(ticket, now);
        Ok(self.accepted(number))
    }

    fn enter_order(&mut self, ticket: Ticket, now: Instant) -> u64 {
        let number = self.next_number;
        self.next_number += 1;
        self.orders
            .insert(number, Order::new(number, ticket, self.moment.at));
        if self.orders.len() > ORDERS_MAX
            && let Some(oldest) = self
                .orders
                .values()
                .find(|order| order.status == Status::Done)
        {
            let oldest = oldest.number;
            self.orders.remove(&oldest);
        }
        self.agenda
            .add(now + self.fills.latency, Task::TakeEffect(number));
        self.is_dirty = true;
        number
    }

    fn accepted(&self, number: u64) -> Accepted {
        Accepted {
            number,
            hhmmss: hhmmss(self.moment.at),
        }
    }

    /// Lets an accepted order, cancel or replacement reach the market.
    pub(super) fn take_effect(&mut self, number: u64, now: Instant) {
        let Some(order) = self.orders.get_mut(&number) else {
            return;
        };
        if order.status != Status::Pending {
            return;
        }
        if order.is_doomed {
            self.refuse(number);
            return;
        }
        match order.class {
            Class::New => {
                order.status = Status::Working;
                self.try_at_arrival(number, now);
            }
            Class::Replace => self.replace(number, now),
            Class::Cancel => self.cancel(number),
        }
        self.is_dirty = true;
    }

    fn try_at_arrival(&mut self, number: u64, now: Instant) {
        let order = &self.orders[&number];
        let condition = order.order_type.condition;
        let is_timeless = order.order_type.pricing == Pricing::AtClose;
        let waits = order.is_in_auction && !self.moment.session.is_continuous();
        if is_timeless || (self.moment.session.is_continuous() && !waits) {
            self.try_fill(number, true, now);
        }
        if condition != Condition::None {
            self.expire_remainder(number);
        }
    }

    fn cancel(&mut self, number: u64) {
        let Some((original, wanted)) = self.target(number) else {
            return;
        };
        let Some(target) = self.orders.get_mut(&original) else {
            return;
        };
        let quantity = wanted.min(target.remaining());
        if quantity == 0 {
            self.refuse(number);
            return;
        }
        target.cancelled += quantity;
        self.settle(original);
        if let Some(order) = self.orders.get_mut(&number) {
            order.quantity = quantity;
            order.cancelled = quantity;
            order.status = Status::Done;
        }
        self.notify(number, NoticeKind::Confirmed { quantity });
    }

    /// Moves what is left of an order, or a part of it, to another price.
    fn replace(&mut self, number: u64, now: Instant) {
        let Some((original, wanted)) = self.target(number) else {
            return;
        };
        let target = &self.orders[&original];
        let quantity = wanted.min(target.remaining());
        let (account, issue) = (target.account, target.issue);
        let released = self.reserved(target);
        let order = &self.orders[&number];
        let needed = match order.side {
            Side::Buy => self.cost_of(order.reserve, quantity),
            Side::Sell => Money::ZERO,
        };
        if quantity == 0 || needed > self.free_cash(account) + released {
            self.refuse(number);
            return;
        }
        if let Some(target) = self.orders.get_mut(&original) {
            target.moved += quantity;
        }
        self.settle(original);
        if let Some(order) = self.orders.get_mut(&number) {
            order.quantity = quantity;
            order.status = Status::Working;
        }
        self.live[issue].insert(number);
        self.notify(number, NoticeKind::Confirmed { quantity });
        self.try_at_arrival(number, now);
    }

    fn target(&self, number: u64) -> Option<(u64, i64)> {
        let order = self.orders.get(&number)?;
        Some((order.original?, order.quantity))
    }

    /// Has the exchange refuse an order that the broker had taken.
    fn refuse(&mut self, number: u64) {
        if let Some(order) = self.orders.get_mut(&number) {
            order.rejected = order.quantity;
            order.status = Status::Done;
            self.live[order.issue].remove(&number);
        }
        self.notify(number, NoticeKind::Rejected);
    }
}

fn is_auction(moment: Moment) -> bool {
    matches!(moment.session, Session::PreOpen | Session::ClosingAuction)
}

fn check_form(order_type: &OrderType, quantity: i64, price: Price) -> Result<(), Reject> {
    if !(1..=QUANTITY_MAX).contains(&quantity) {
        return Err(Reject::Field(format!("주문수량 오류: {quantity}")));
    }
    if order_type.is_priced() && !price.is_some() {
        return Err(Reject::Field(
            "주문단가 오류: 지정가 주문에는 단가가 필요합니다.".to_owned(),
        ));
    }
    Ok(())
}

/// Returns the price up to which an order trades; none means any.
fn limit_of(order_type: &OrderType, side: Side, price: Price, issue: &Issue) -> Price {
    match (order_type.pricing, side) {
        (Pricing::Limit | Pricing::ConditionalLimit, _) => price,
        (Pricing::Market, _) => Price::NONE,
        (Pricing::BestOther, Side::Buy) | (Pricing::BestOwn, Side::Sell) => issue.ask(),
        (Pricing::BestOther, Side::Sell) | (Pricing::BestOwn, Side::Buy) => issue.bid(),
        (Pricing::AtClose, _) => issue.last(),
    }
}

/// Returns whether the exchange takes an order price: on the tick grid and inside the day's band.
fn is_on_grid(issue: &Issue, price: Price) -> bool {
    !price.is_some()
        || issue.market == Market::Foreign
        || (issue.grid().holds(price) && (issue.band.0..=issue.band.1).contains(&price))
}
