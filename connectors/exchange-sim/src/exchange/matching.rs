//! Matching: orders against the price path. The market is as deep as `fills` allows and is not
//! moved by the orders.
//!
//! 1. An order that comes in trades at the quote of the other side, or at the last price where the
//!    path has no quotes.
//! 2. A limit order that waits trades at its limit, as soon as a trade prints at or beyond it.
//! 3. An order that waited for a call auction trades at the auction's price.
//! 4. Nothing trades in a halted issue.

use std::time::Duration;

use rand::RngExt;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::{Exchange, Task};
use crate::{
    broker::{Condition, NoticeKind, Order, Pricing, Side, Status},
    config::Market,
    issue::{Issue, hhmmss},
    price::{Money, Price},
};

/// Shortest pause between two fills of one order.
const PAUSE_MIN: Duration = Duration::from_millis(1);

/// Fills of at most so many shares, one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Pieces {
    /// Shares of one fill at most; 0 sets no bound.
    pub(crate) shares: u32,
    /// Pause between two fills of one order, in milliseconds.
    #[serde(default = "default_pause_ms")]
    pub(crate) every_ms: u32,
}

const fn default_pause_ms() -> u32 {
    20
}

impl Pieces {
    /// Returns pieces of so many shares at the default pause.
    pub(crate) const fn of(shares: u32) -> Self {
        Self {
            shares,
            every_ms: default_pause_ms(),
        }
    }
}

impl Exchange {
    /// Tries every order of an issue after a trade.
    pub(super) fn match_issue(&mut self, issue: usize, now: Instant) {
        if self.live[issue].is_empty() {
            return;
        }
        let numbers: Vec<u64> = self.live[issue].iter().copied().collect();
        for number in numbers {
            self.try_fill(number, false, now);
            if let Some(order) = self.orders.get_mut(&number) {
                order.is_in_auction = false;
            }
        }
    }

    /// Fills what an order can trade now. `is_arriving` tells an order that takes a quote from one
    /// that waits.
    pub(super) fn try_fill(&mut self, number: u64, is_arriving: bool, now: Instant) {
        let Some(order) = self.orders.get(&number) else {
            return;
        };
        if order.status != Status::Working || order.remaining() == 0 {
            return;
        }
        let issue = &self.issues[order.issue];
        if issue.is_stopped() {
            return;
        }
        let Some(price) = fill_price(order, issue, is_arriving, self.fills.slippage_ticks) else {
            return;
        };
        let remaining = order.remaining();
        let is_whole = order.order_type.condition == Condition::FillOrKill
            || order.order_type.pricing == Pricing::AtClose;
        let quantity = if is_whole {
            remaining
        } else {
            self.chunk(remaining)
        };
        self.fill(number, quantity, price);
        if quantity < remaining {
            let pause = self.pieces.map_or(self.fills.latency, |pieces| {
                Duration::from_millis(pieces.every_ms.into())
            });
            self.agenda.add(
                now + pause.max(PAUSE_MIN),
                Task::Retry {
                    number,
                    is_arriving,
                },
            );
        }
    }

    /// Lets a remainder try again, unless the session that it traded in is over.
    pub(super) fn retry(&mut self, number: u64, is_arriving: bool, now: Instant) {
        let is_at_close = |order: &Order| order.order_type.pricing == Pricing::AtClose;
        let session = self.moment.session;
        if session.is_continuous() || self.orders.get(&number).is_some_and(is_at_close) {
            self.try_fill(number, is_arriving, now);
        }
    }

    fn chunk(&mut self, remaining: i64) -> i64 {
        let pieces = self.pieces.map_or(0, |pieces| i64::from(pieces.shares));
        let bounds = [self.fills.chunk_max, pieces];
        let bounds = bounds.into_iter().filter(|bound| *bound > 0);
        let most = bounds.fold(remaining, i64::min);
        let is_partial = most > 1
            && self.fills.partial_chance_pct > 0
            && self.rng.random_ratio(self.fills.partial_chance_pct, 100);
        if is_partial {
            self.rng.random_range(1..most)
        } else {
            most
        }
    }

    fn fill(&mut self, number: u64, quantity: i64, price: Price) {
        let at = hhmmss(self.moment.at);
        let Some(order) = self.orders.get_mut(&number) else {
            return;
        };
        order.filled += quantity;
        order.filled_value += price.times(quantity);
        order.filled_at = Some(at);
        let costs = costs(order, self.issues[order.issue].market, &self.fills);
        let more = costs - order.costs;
        order.costs = costs;
        let books = &mut self.accounts[order.account].books;
        books.fill(&order.symbol, order.side, price, quantity, more);
        self.settle(number);
        self.notify(number, NoticeKind::Filled { quantity, price });
    }

    /// Cancels what an IOC or FOK order could not trade at once.
    pub(super) fn expire_remainder(&mut self, number: u64) {
        let Some(order) = self.orders.get_mut(&number) else {
            return;
        };
        let quantity = order.remaining();
        if quantity > 0 {
            order.cancelled += quantity;
            self.settle(number);
            self.notify(number, NoticeKind::Expired { quantity });
        }
    }

    /// Takes an order of which nothing is left out of the market.
    pub(super) fn settle(&mut self, number: u64) {
        if let Some(order) = self.orders.get_mut(&number)
            && order.remaining() == 0
        {
            order.status = Status::Done;
            self.live[order.issue].remove(&number);
        }
    }

    /// Returns the cash that an order holds back.
    pub(super) fn reserved(&self, order: &Order) -> Money {
        match order.side {
            Side::Sell => Money::ZERO,
            Side::Buy => self.cost_of(order.reserve, order.remaining()),
        }
    }

    /// Returns what a purchase costs, commission included.
    pub(crate) fn cost_of(&self, price: Price, quantity: i64) -> Money {
        let value = price.times(quantity);
        value + value.share_in_won(i128::from(self.fills.commission_ppb))
    }

    /// Returns how many shares `cash` buys at `price`.
    pub(crate) fn affordable(&self, cash: Money, price: Price) -> i64 {
        if !price.is_some() || cash <= Money::ZERO {
            return 0;
        }
        let with_costs = 1_000_000_000 + i128::from(self.fills.commission_ppb);
        // One more than without the cut of the costs to whole KRW, so that the last word is theirs.
        let bound = cash.units() * 1_000_000_000 / (i128::from(price.units()) * with_costs) + 1;
        let mut quantity = i64::try_from(bound).unwrap_or(i64::MAX / 2);
        while quantity > 0 && self.cost_of(price, quantity) > cash {
            quantity -= 1;
        }
        quantity
    }
}

/// Returns the price at which an order trades now, if it does.
fn fill_price(order: &Order, issue: &Issue, is_arriving: bool, slippage: u32) -> Option<Price> {
    let (last, limit) = (issue.last(), order.limit);
    let is_within = |price: Price| match order.side {
        _ if !limit.is_some() => true,
        Side::Buy => price <= limit,
        Side::Sell => price >= limit,
    };
    if order.order_type.pricing == Pricing::AtClose {
        return Some(limit);
    }
    if order.is_in_auction {
        return is_within(last).then_some(last);
    }
    let quote = match order.side {
        Side::Buy => issue.ask(),
        Side::Sell => issue.bid(),
    };
    if !limit.is_some() {
        let grid = issue.grid();
        let slipped = (0..slippage).fold(quote, |price, _| match order.side {
            Side::Buy => grid.up(price),
            Side::Sell => grid.down(price),
        });
        let is_banded = issue.market != Market::Foreign;
        return Some(if is_banded {
            slipped.clamp(issue.band.0, issue.band.1)
        } else {
            slipped
        });
    }
    if is_arriving {
        return is_within(quote).then_some(quote);
    }
    (is_within(quote) || is_within(last)).then_some(limit)
}

/// Returns commission and tax on everything that an order traded, each cut to whole KRW.
fn costs(order: &Order, market: Market, fills: &crate::config::FillConfig) -> Money {
    let commission = order
        .filled_value
        .share_in_won(i128::from(fills.commission_ppb));
    let is_taxed = order.side == Side::Sell && matches!(market, Market::Kospi | Market::Kosdaq);
    if is_taxed {
        commission
            + order
                .filled_value
                .share_in_won(i128::from(fills.sales_tax_ppb))
    } else {
        commission
    }
}
