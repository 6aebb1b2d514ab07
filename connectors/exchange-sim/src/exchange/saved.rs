//! What is kept across restarts: books, orders, numbers and last prices.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::{Exchange, Task};
use crate::{
    broker::{Books, Order, Status},
    issue::Day,
    price::Price,
    symbol::Symbol,
};

/// Layout of the file. A file of another layout is refused.
const VERSION: u32 = 1;

/// The state of an exchange as it is written to a file.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SavedState {
    pub(crate) version: u32,
    date: Date,
    next_number: u64,
    accounts: Vec<SavedAccount>,
    orders: Vec<Order>,
    issues: BTreeMap<Symbol, SavedIssue>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SavedAccount {
    cano: String,
    books: Books,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SavedIssue {
    prev_close: Price,
    prev_volume: i64,
    day: Day,
}

impl SavedState {
    /// Returns whether this program wrote a state of this layout.
    pub(crate) const fn is_known(&self) -> bool {
        self.version == VERSION
    }
}

impl Exchange {
    /// Returns what is to be kept.
    pub(crate) fn save(&self) -> SavedState {
        SavedState {
            version: VERSION,
            date: self.moment.at.date(),
            next_number: self.next_number,
            accounts: self
                .accounts
                .iter()
                .map(|account| SavedAccount {
                    cano: account.cano.clone(),
                    books: account.books.clone(),
                })
                .collect(),
            orders: self.orders.values().cloned().collect(),
            issues: self
                .issues
                .iter()
                .map(|issue| {
                    let kept = SavedIssue {
                        prev_close: issue.prev_close,
                        prev_volume: issue.prev_volume,
                        day: issue.day.clone(),
                    };
                    (issue.symbol.clone(), kept)
                })
                .collect(),
        }
    }

    /// Goes on from `state`. Accounts and issues that are no longer configured are left out; what
    /// was accepted but had no effect yet takes effect now. On a later date the day ends first.
    pub(crate) fn load(&mut self, state: SavedState, now: Instant) {
        for (symbol, kept) in state.issues {
            if let Some(index) = self.find(symbol.as_str()) {
                let issue = &mut self.issues[index];
                issue.prev_close = kept.prev_close;
                issue.prev_volume = kept.prev_volume;
                issue.day = kept.day;
                issue.band = issue.grid().band(issue.prev_close);
                self.past[index] = super::Past::new(issue.prev_close);
            }
        }
        let positions: Vec<Option<usize>> = state
            .accounts
            .iter()
            .map(|kept| {
                self.accounts
                    .iter()
                    .position(|account| account.cano == kept.cano)
            })
            .collect();
        for (kept, position) in state.accounts.into_iter().zip(&positions) {
            if let Some(position) = position {
                self.accounts[*position].books = kept.books;
            }
        }
        self.next_number = self.next_number.max(state.next_number);
        for mut order in state.orders {
            let account = positions.get(order.account).copied().flatten();
            let (Some(account), Some(issue)) = (account, self.find(order.symbol.as_str())) else {
                continue;
            };
            (order.account, order.issue) = (account, issue);
            if order.remaining() > 0 {
                self.live[issue].insert(order.number);
            }
            match order.status {
                Status::Pending => self.agenda.add(now, Task::TakeEffect(order.number)),
                Status::Working => {
                    let (number, is_arriving) = (order.number, false);
                    self.agenda.add(
                        now,
                        Task::Retry {
                            number,
                            is_arriving,
                        },
                    );
                }
                Status::Done => {}
            }
            self.orders.insert(order.number, order);
        }
        let moment = self.moment;
        if state.date != moment.at.date() {
            self.moment.at = state.date.at(0, 0, 0, 0);
            self.enter(moment);
        }
    }
}
