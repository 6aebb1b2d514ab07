//! Sessions and days: what happens when the clock enters another.

use jiff::civil::Date;

use super::{Bar, Exchange};
use crate::{
    broker::{Pricing, Status},
    clock::{Moment, Session},
    price::Price,
};

/// Days whose orders stay known, and most orders that stay.
const DAYS_KEPT: i32 = 10;
const ORDERS_KEPT: usize = 20_000;

/// Part of the day whose orders lapse together.
const fn segment(session: Session) -> u8 {
    match session {
        Session::Closed => 0,
        Session::PreOpen | Session::Regular | Session::ClosingAuction => 1,
        Session::PostClose => 2,
        Session::AfterMarket => 3,
    }
}

impl Exchange {
    /// Moves the clock to `moment`. Orders of a part of the day that is over lapse without notice;
    /// a new date settles the accounts and starts new statistics.
    pub(super) fn enter(&mut self, moment: Moment) {
        let before = std::mem::replace(&mut self.moment, moment);
        let is_new_date = before.at.date() != moment.at.date();
        if before.session == moment.session && !is_new_date {
            return;
        }
        if before.session == Session::ClosingAuction || moment.session == Session::ClosingAuction {
            self.join_closing_auction();
        }
        if before.session == Session::ClosingAuction {
            self.fill_auction();
        }
        if is_new_date || segment(before.session) != segment(moment.session) {
            self.lapse();
        }
        if is_new_date {
            self.start_day(before.at.date());
        }
        self.has_opened |= moment.session == Session::Regular;
    }

    fn join_closing_auction(&mut self) {
        for number in self.live.iter().flatten() {
            if let Some(order) = self.orders.get_mut(number) {
                order.is_in_auction = true;
                if order.order_type.pricing == Pricing::ConditionalLimit {
                    order.limit = Price::NONE;
                }
            }
        }
    }

    /// Executes the closing auction at the last price.
    fn fill_auction(&mut self) {
        let now = tokio::time::Instant::now();
        for issue in 0..self.issues.len() {
            self.match_issue(issue, now);
        }
    }

    fn lapse(&mut self) {
        for number in std::mem::take(&mut self.live).iter().flatten() {
            if let Some(order) = self.orders.get_mut(number) {
                order.status = Status::Done;
                self.is_dirty = true;
            }
        }
        self.live = vec![std::collections::BTreeSet::new(); self.issues.len()];
    }

    fn start_day(&mut self, ended: Date) {
        let totals: Vec<_> = (0..self.accounts.len())
            .map(|account| self.shares_value(account) + self.accounts[account].books.settled())
            .collect();
        for (account, assets) in self.accounts.iter_mut().zip(totals) {
            account.books.start_day(assets);
        }
        for (issue, past) in self.issues.iter_mut().zip(&mut self.past) {
            if let Some(bar) = Bar::of(&issue.day, ended) {
                past.close(bar);
            }
            issue.start_day();
        }
        let today = self.moment.at.date();
        self.orders.retain(|_, order| {
            let age = order
                .at
                .date()
                .until(today)
                .map_or(i32::MAX, |span| span.get_days());
            (0..=DAYS_KEPT).contains(&age)
        });
        while self.orders.len() > ORDERS_KEPT {
            self.orders.pop_first();
        }
        self.is_dirty = true;
    }
}
