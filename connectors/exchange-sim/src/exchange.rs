//! The exchange: issues, accounts and orders, changed by trades of the price path, by orders and
//! by time.
//!
//! ```text
//! price path ──print──┐                        ┌─> trade records ─┐
//! REST ──accept, amend┼─> issues, books, orders┤                  ├─> outputs, in order
//! agenda (latency) ───┘                        └─> notices ───────┘
//! ```
//!
//! It does no I/O and knows the time only as it is told. Whoever changes it wakes the driver, the
//! one task that takes the outputs and sends them, so all sessions see one order of events.

mod agenda;
mod bars;
mod day;
mod intake;
mod matching;
mod saved;
mod script;

use std::collections::{BTreeMap, BTreeSet};

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use tokio::time::Instant;

use agenda::{Agenda, Task};
use bars::Past;
use script::Course;

use crate::{
    broker::{Account, Notice, NoticeKind, Order},
    clock::Moment,
    config::{FillConfig, PathConfig, SimConfig},
    issue::{Issue, Stamp, Trade, hhmmss},
    price::Money,
    symbol::Symbol,
};

pub(crate) use bars::Bar;
pub(crate) use intake::{Accepted, Amendment, NewOrder};
pub(crate) use matching::Pieces;
pub(crate) use saved::SavedState;

/// Something that sessions get to see.
#[derive(Debug)]
pub(crate) enum Output {
    /// One trade record of an issue.
    Trade { issue: usize, record: String },
    /// One execution notice.
    Notice(Notice),
}

/// The state of the market and of the broker's books.
#[derive(Debug)]
pub(crate) struct Exchange {
    pub(crate) issues: Vec<Issue>,
    pub(crate) accounts: Vec<Account>,
    pub(crate) orders: BTreeMap<u64, Order>,
    pub(crate) moment: Moment,
    pub(crate) is_paused: bool,
    /// Whether the session has just opened, until the path has seen it.
    pub(crate) has_opened: bool,
    /// Fills in pieces, whatever the settings say.
    pub(crate) pieces: Option<Pieces>,
    index: BTreeMap<Symbol, usize>,
    past: Vec<Past>,
    /// Registrations per issue: a record is only written where somebody listens.
    watchers: Vec<usize>,
    /// Orders with something left, by issue.
    live: Vec<BTreeSet<u64>>,
    agenda: Agenda,
    courses: BTreeMap<usize, Course>,
    courses_set: u64,
    next_number: u64,
    fills: FillConfig,
    field_width: usize,
    /// Whether the path has quotes: a tick file has none.
    has_quotes: bool,
    rng: ChaCha8Rng,
    outputs: Vec<Output>,
    is_dirty: bool,
}

impl Exchange {
    pub(crate) fn new(config: &SimConfig, issues: Vec<Issue>, moment: Moment) -> Self {
        let seed = match &config.path {
            PathConfig::Generator(generator) => generator.seed,
            PathConfig::Ticks(_) => 0,
        };
        let index = issues
            .iter()
            .enumerate()
            .map(|(at, issue)| (issue.symbol.clone(), at))
            .collect();
        Self {
            accounts: config.accounts.iter().map(Account::new).collect(),
            orders: BTreeMap::new(),
            moment,
            is_paused: config.paused,
            has_opened: false,
            pieces: None,
            index,
            past: issues
                .iter()
                .map(|issue| Past::new(issue.prev_close))
                .collect(),
            watchers: vec![0; issues.len()],
            live: vec![BTreeSet::new(); issues.len()],
            issues,
            agenda: Agenda::default(),
            courses: BTreeMap::new(),
            courses_set: 0,
            next_number: 100_001,
            fills: config.fills.clone(),
            field_width: config.field_width,
            has_quotes: matches!(config.path, PathConfig::Generator(_)),
            rng: ChaCha8Rng::seed_from_u64(seed),
            outputs: Vec::new(),
            is_dirty: false,
        }
    }

    /// Returns the index of the issue with this code.
    pub(crate) fn find(&self, symbol: &str) -> Option<usize> {
        self.index.get(symbol).copied()
    }

    /// Counts one registration more for an issue.
    pub(crate) fn watch(&mut self, issue: usize) {
        self.watchers[issue] += 1;
    }

    /// Counts one registration less for an issue.
    pub(crate) fn unwatch(&mut self, issue: usize) {
        self.watchers[issue] = self.watchers[issue].saturating_sub(1);
    }

    /// Moves to `moment` and does what is due at `now`.
    pub(crate) fn turn(&mut self, now: Instant, moment: Moment) {
        self.enter(moment);
        while let Some(task) = self.agenda.take_due(now) {
            match task {
                Task::TakeEffect(number) => self.take_effect(number, now),
                Task::Retry {
                    number,
                    is_arriving,
                } => self.retry(number, is_arriving, now),
                Task::CoursePoint {
                    issue,
                    course,
                    price,
                } => {
                    self.print_course_point(issue, course, price, now);
                }
                Task::EndHalt(issue) => self.issues[issue].is_halted = false,
            }
        }
    }

    /// Returns when the next thing is due.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        self.agenda.next_due()
    }

    /// Returns what happened since the last call, in order.
    pub(crate) fn take_outputs(&mut self) -> Vec<Output> {
        std::mem::take(&mut self.outputs)
    }

    /// Returns whether accounts or orders changed since the last call.
    pub(crate) fn take_dirty(&mut self) -> bool {
        std::mem::take(&mut self.is_dirty)
    }

    /// Prints one trade: statistics, a record for whoever listens, and the fills that follow.
    pub(crate) fn print(&mut self, issue: usize, trade: &Trade, now: Instant) {
        let Moment { at, session, .. } = self.moment;
        let entry = &mut self.issues[issue];
        let aggressor = entry.trade(trade, at);
        if self.watchers[issue] > 0 {
            let mut record = String::with_capacity(320);
            let stamp = Stamp { at, session };
            entry.write_record(&mut record, trade, aggressor, stamp, self.field_width);
            self.outputs.push(Output::Trade { issue, record });
        }
        if session.is_continuous() {
            self.match_issue(issue, now);
        }
    }

    /// Stops trading in an issue until `until`.
    pub(crate) fn halt(&mut self, issue: usize, until: Instant) {
        self.issues[issue].is_halted = true;
        self.agenda.add(until, Task::EndHalt(issue));
    }

    fn notify(&mut self, number: u64, kind: NoticeKind) {
        let order = &self.orders[&number];
        let about = order
            .original
            .and_then(|original| self.orders.get(&original));
        let ordered = about.map_or(order.quantity, |original| original.quantity);
        let notice = Notice::new(
            &self.accounts[order.account],
            order,
            ordered,
            &self.issues[order.issue].name,
            kind,
            hhmmss(self.moment.at),
        );
        self.outputs.push(Output::Notice(notice));
        self.is_dirty = true;
    }

    /// Returns the orders of an account that have something left.
    pub(crate) fn live_orders(&self, account: usize) -> impl Iterator<Item = &Order> {
        self.live
            .iter()
            .flatten()
            .filter_map(|number| self.orders.get(number))
            .filter(move |order| order.account == account)
    }

    /// Returns the cash that is free for a new purchase.
    pub(crate) fn free_cash(&self, account: usize) -> Money {
        let reserved: Money = self
            .live_orders(account)
            .map(|order| self.reserved(order))
            .sum();
        self.accounts[account].books.settled() - reserved
    }

    /// Returns the shares of a holding that can be sold.
    pub(crate) fn sellable(&self, account: usize, issue: usize) -> i64 {
        let symbol = &self.issues[issue].symbol;
        let held = self.accounts[account].books.holdings.get(symbol);
        let in_sale: i64 = self.live[issue]
            .iter()
            .filter_map(|number| self.orders.get(number))
            .filter(|order| order.account == account && order.side == crate::broker::Side::Sell)
            .map(Order::remaining)
            .sum();
        held.map_or(0, |holding| holding.quantity) - in_sale
    }

    /// Sets what an account holds of an issue, without an order, and returns what it held before.
    ///
    /// # Errors
    /// The shares that are in open sales, if they are more. Nothing changed then.
    pub(crate) fn set_holding(
        &mut self,
        account: usize,
        issue: usize,
        quantity: i64,
    ) -> Result<i64, i64> {
        let entry = &self.issues[issue];
        let books = &self.accounts[account].books;
        let held = books.holdings.get(&entry.symbol);
        let in_sale = held.map_or(0, |holding| holding.quantity) - self.sellable(account, issue);
        if quantity < in_sale {
            return Err(in_sale);
        }
        let (symbol, price) = (entry.symbol.clone(), entry.last());
        self.is_dirty = true;
        let books = &mut self.accounts[account].books;
        Ok(books.set_holding(&symbol, quantity, price))
    }

    /// Returns the value of an account's shares at their last prices.
    pub(crate) fn shares_value(&self, account: usize) -> Money {
        self.accounts[account]
            .books
            .holdings
            .iter()
            .map(|(symbol, holding)| {
                self.find(symbol.as_str()).map_or(holding.cost, |issue| {
                    self.issues[issue].last().times(holding.quantity)
                })
            })
            .sum()
    }
}

#[cfg(test)]
mod tests;
