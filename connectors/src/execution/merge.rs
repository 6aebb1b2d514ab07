//! Merges what notices and order lists say about one order, without counting anything twice.
//!
//! A notice carries one fill and no identity, the list carries the sum: what is filled is the
//! larger of the sum of notices and the list's figure. A notice that repeats an earlier one to the
//! letter may be a second fill or the same one again; it counts for nothing and the list decides.
//! The order in which news arrive does not matter.

use std::collections::BTreeSet;

use rust_decimal::{Decimal, RoundingStrategy};
use turnstile_dataflows::model::{OrderFact, OrderFacts, OrderStatus, Price, Quantity};

/// Decimal places of a stored price.
const PRICE_SCALE: u32 = 4;

/// Where a fill was learnt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// An execution notice.
    Notice,
    /// The broker's order list.
    Poll,
}

impl Source {
    /// Returns the name in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Notice => "NOTICE",
            Self::Poll => "POLL",
        }
    }
}

/// Everything stored about one order, as far as news is merged into it.
#[derive(Clone, Debug, Default)]
pub(super) struct Progress {
    /// Shares decided.
    pub qty: Quantity,
    /// What was asked of the broker, if less.
    pub sent_qty: Option<Quantity>,
    /// The facts so far.
    pub facts: OrderFacts,
    /// Sum of the notices counted so far.
    pub by_notice: Quantity,
    /// Highest figure of the order list so far.
    pub by_poll: Quantity,
    /// Money that the stored executions traded for, KRW.
    pub amount: Decimal,
    /// Notices counted so far, to the letter.
    pub seen: BTreeSet<String>,
}

/// Something new about one order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// A notice of a fill.
    Fill {
        /// The notice to the letter.
        key: String,
        /// Shares of this fill alone.
        qty: Quantity,
        /// Price of this fill.
        price: Price,
        /// When the frame was read, microseconds since the Unix epoch.
        received_us: u64,
    },
    /// A line of a complete order list.
    Listed {
        /// Shares filled so far.
        filled: Quantity,
        /// Money they traded for, KRW.
        amount: Decimal,
        /// How the order ended, if it has: CANCELLED or REJECTED.
        end: Option<OrderStatus>,
    },
    /// The order ended: CANCELLED, REJECTED or ERROR.
    End {
        /// How.
        status: OrderStatus,
        /// Shares that were open then, where the broker says so.
        open: Option<Quantity>,
        /// The broker's code, or one of our own.
        code: String,
        /// Why, in words.
        message: String,
    },
}

/// What is to be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Merged {
    /// Nothing new.
    Nothing,
    /// The notice cannot be told from an earlier one: the order list decides.
    AskBroker,
    /// A new fact.
    Step(Step),
}

/// One new fact about an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// Status of the event.
    pub event: OrderStatus,
    /// Shares filled, all fills together.
    pub filled: Quantity,
    /// Sum of notices.
    pub by_notice: Quantity,
    /// Figure of the list.
    pub by_poll: Quantity,
    /// Shares that nobody had counted before, and their price.
    pub execution: Option<(Quantity, Price, Source)>,
    /// State of the order with this fact.
    pub after: OrderStatus,
}

impl Progress {
    /// Returns the shares that the broker was asked for.
    pub(super) fn asked(&self) -> Quantity {
        self.sent_qty.unwrap_or(self.qty)
    }

    /// Returns the present state.
    pub(super) fn status(&self) -> OrderStatus {
        self.facts.status(self.qty)
    }

    /// Returns what `news` adds. `usual` is the price of shares whose amount the list leaves out.
    pub(super) fn merge(&self, news: &News, usual: Price) -> Merged {
        match news {
            News::Fill {
                key, qty, price, ..
            } => {
                let sum = self.by_notice.saturating_add(*qty);
                if self.seen.contains(key) || sum > self.asked() {
                    return Merged::AskBroker;
                }
                self.filled_to(sum, self.by_poll, *price, Source::Notice)
            }
            News::Listed {
                filled,
                amount,
                end,
            } => self.listed(*filled, *amount, *end, usual),
            News::End { status, open, .. } => {
                if self.status().is_terminal() {
                    return Merged::Nothing;
                }
                let accounted = open.map(|open| open.saturating_add(self.facts.filled()));
                if accounted.is_some_and(|shares| shares < self.asked()) {
                    return Merged::AskBroker; // A fill has not been heard of yet.
                }
                self.step(*status, self.by_notice, self.by_poll, None)
            }
        }
    }

    fn listed(
        &self,
        filled: Quantity,
        amount: Decimal,
        end: Option<OrderStatus>,
        usual: Price,
    ) -> Merged {
        let by_poll = self.by_poll.max(filled.min(self.asked()));
        let fresh = by_poll.saturating_sub(self.facts.filled());
        let is_over = self.status().is_terminal();
        let end = end.filter(|_| !is_over);
        // What has ended has nothing to learn from a figure that brings no share.
        if fresh.is_zero() && end.is_none() && (is_over || by_poll == self.by_poll) {
            return Merged::Nothing;
        }
        let price = average(amount - self.amount, fresh)
            .or_else(|| average(amount, filled))
            .unwrap_or(usual);
        match end {
            None => self.filled_to(self.by_notice, by_poll, price, Source::Poll),
            Some(status) => {
                let execution = (!fresh.is_zero()).then_some((fresh, price, Source::Poll));
                self.step(status, self.by_notice, by_poll, execution)
            }
        }
    }

    fn filled_to(
        &self,
        by_notice: Quantity,
        by_poll: Quantity,
        price: Price,
        source: Source,
    ) -> Merged {
        let fresh = by_notice.max(by_poll).saturating_sub(self.facts.filled());
        let execution = (!fresh.is_zero()).then_some((fresh, price, source));
        self.step(OrderStatus::Partial, by_notice, by_poll, execution)
    }

    fn step(
        &self,
        event: OrderStatus,
        by_notice: Quantity,
        by_poll: Quantity,
        execution: Option<(Quantity, Price, Source)>,
    ) -> Merged {
        let filled = self.facts.filled().max(by_notice).max(by_poll);
        let mut facts = self.facts;
        facts.add(OrderFact {
            status: event,
            send_attempt: 0,
            sent_qty: None,
            filled,
        });
        let after = facts.status(self.qty);
        let event = match event {
            OrderStatus::Partial if filled >= self.asked() => OrderStatus::Filled,
            OrderStatus::Cancelled if !filled.is_zero() => OrderStatus::CancelledPartial,
            other => other,
        };
        Merged::Step(Step {
            event,
            filled,
            by_notice,
            by_poll,
            execution,
            after,
        })
    }
}

/// Returns `amount ÷ qty` to four decimals, half to even; none unless both are above zero.
pub(super) fn average(amount: Decimal, qty: Quantity) -> Option<Price> {
    let mean = amount.checked_div(qty.shares().into())?;
    let rounded = mean.round_dp_with_strategy(PRICE_SCALE, RoundingStrategy::MidpointNearestEven);
    rounded.try_into().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shares(shares: i64) -> Quantity {
        Quantity::new(shares).unwrap()
    }

    fn order(qty: i64) -> Progress {
        let mut progress = Progress {
            qty: shares(qty),
            ..Progress::default()
        };
        progress.facts.add(OrderFact {
            status: OrderStatus::Submitted,
            send_attempt: 1,
            sent_qty: None,
            filled: Quantity::ZERO,
        });
        progress
    }

    fn fill(at: usize, qty: i64) -> News {
        News::Fill {
            key: format!("{at}"),
            qty: shares(qty),
            price: Price::from_won(100).unwrap(),
            received_us: 0,
        }
    }

    fn listed(filled: i64, end: Option<OrderStatus>) -> News {
        News::Listed {
            filled: shares(filled),
            amount: Decimal::from(filled * 100),
            end,
        }
    }

    /// Stores a step as the database would; returns the shares executed by it.
    fn store(progress: &mut Progress, news: &News) -> i64 {
        let usual = Price::from_won(1).unwrap();
        let Merged::Step(step) = progress.merge(news, usual) else {
            return 0;
        };
        progress.facts.add(OrderFact {
            status: step.event,
            send_attempt: 0,
            sent_qty: None,
            filled: step.filled,
        });
        assert_eq!(progress.status(), step.after);
        progress.by_notice = progress.by_notice.max(step.by_notice);
        progress.by_poll = progress.by_poll.max(step.by_poll);
        if let News::Fill { key, .. } = news {
            progress.seen.insert(key.clone());
        }
        let Some((qty, price, _)) = step.execution else {
            return 0;
        };
        progress.amount += price.to_decimal() * Decimal::from(qty.shares());
        qty.shares()
    }

    #[test]
    fn a_repeated_notice_counts_for_nothing_until_the_list_says_so() {
        let mut progress = order(10);
        assert_eq!(store(&mut progress, &fill(1, 4)), 4);
        let usual = Price::from_won(1).unwrap();
        assert_eq!(progress.merge(&fill(1, 4), usual), Merged::AskBroker);
        assert_eq!(store(&mut progress, &listed(8, None)), 4);
        assert_eq!(progress.status(), OrderStatus::Partial);
    }

    #[test]
    fn the_list_ends_an_order_and_brings_what_notices_missed() {
        let mut progress = order(10);
        store(&mut progress, &fill(1, 4));
        let news = listed(7, Some(OrderStatus::Cancelled));
        assert_eq!(store(&mut progress, &news), 3);
        assert_eq!(progress.status(), OrderStatus::CancelledPartial);
        assert_eq!(store(&mut progress, &news), 0);
        assert_eq!(progress.amount, Decimal::from(700));
    }

    #[test]
    fn more_than_was_asked_for_is_not_believed() {
        let progress = order(10);
        let usual = Price::from_won(1).unwrap();
        assert_eq!(progress.merge(&fill(1, 11), usual), Merged::AskBroker);
    }

    proptest! {
        /// Fills, each with its notice (some lost, some repeated) and lists in between, in any
        /// order: never more than was filled, and after one last list exactly that.
        #[test]
        fn any_order_and_repetition_gives_the_same_total(
            fills in prop::collection::vec(1i64..50, 1..8),
            script in prop::collection::vec((any::<prop::sample::Index>(), any::<bool>()), 0..30),
            tail in 0i64..3,
        ) {
            let total: i64 = fills.iter().sum();
            let mut progress = order(total + tail);
            let mut executed = 0;
            for (index, is_notice) in script {
                let at = index.index(fills.len());
                let news = if is_notice {
                    fill(at, fills[at])
                } else {
                    listed(fills[..at].iter().sum(), None)
                };
                executed += store(&mut progress, &news);
                prop_assert_eq!(executed, progress.facts.filled().shares());
                prop_assert!(executed <= total);
            }
            let end = (tail > 0).then_some(OrderStatus::Cancelled);
            executed += store(&mut progress, &listed(total, end));
            prop_assert_eq!(executed, total);
            prop_assert!(progress.status().is_terminal());
            prop_assert_eq!(store(&mut progress, &listed(total, end)), 0);
        }
    }
}
