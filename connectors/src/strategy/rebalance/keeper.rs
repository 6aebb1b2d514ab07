//! The book of a rebalance on a thread of its own: its dataflow stays on the thread that made it.

use std::collections::BTreeSet;

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use turnstile_dataflows::model::Symbol;
use turnstile_strategy::rebalance::{self, Book, Change, Funds, Rebalance};

use super::plan::Held;
use crate::jobs::JobError;

/// One look after the other.
const LOOKS_MAX: usize = 1;

/// What a look has found.
struct Look {
    funds: Funds,
    names: Vec<Held>,
    answer: oneshot::Sender<(Vec<Held>, Rebalance)>,
}

/// Keeps the book from one look to the next, until it is ended or dropped.
pub(super) struct Keeper {
    looks: mpsc::Sender<Look>,
    thread: JoinHandle<()>,
}

impl Keeper {
    pub(super) fn start() -> Self {
        let (looks, waiting) = mpsc::channel(LOOKS_MAX);
        let thread = tokio::task::spawn_blocking(|| keep(waiting));
        Self { looks, thread }
    }

    /// Returns what `funds` and `names`, which are all, come to, and the names with the prices that it is
    /// reckoned with: where one is not fresh, the last that was.
    pub(super) async fn look(
        &self,
        funds: Funds,
        names: Vec<Held>,
    ) -> Result<(Vec<Held>, Rebalance), JobError> {
        let (answer, answered) = oneshot::channel();
        let look = Look {
            funds,
            names,
            answer,
        };
        // A thread that has died drops both, so nobody waits for it.
        let is_taken = self.looks.send(look).await.is_ok();
        let answered = if is_taken { answered.await.ok() } else { None };
        answered.ok_or_else(|| {
            JobError::Answer("the dataflow of the rebalance failed; the log has where".to_owned())
        })
    }

    /// Ends the thread. If it has died, a look has told.
    pub(super) async fn end(self) {
        drop(self.looks);
        drop(self.thread.await);
    }
}

/// Answers looks until there are no more.
fn keep(mut looks: mpsc::Receiver<Look>) {
    rebalance::with(|book| {
        let mut known = BTreeSet::new();
        while let Some(mut look) = looks.blocking_recv() {
            known = tell(book, &known, look.funds, &look.names);
            book.settle();
            for held in &mut look.names {
                held.quote = book.quote(held.symbol);
            }
            // It may have stopped waiting.
            drop(look.answer.send((look.names, book.rebalance())));
        }
    });
}

/// Tells `book` of a look, and that what was `known` before and is no name any more is gone. A price
/// that is not fresh any more stays. Returns the names.
fn tell(
    book: &mut Book<'_>,
    known: &BTreeSet<Symbol>,
    funds: Funds,
    names: &[Held],
) -> BTreeSet<Symbol> {
    book.apply(Change::Funds(funds));
    for held in names {
        book.apply(Change::Target(held.symbol, held.target));
        book.apply(Change::Stake(held.symbol, Some(held.stake)));
        if held.quote.is_some() {
            book.apply(Change::Price(held.symbol, held.quote));
        }
    }
    let named = names.iter().map(|held| held.symbol).collect();
    for gone in known.difference(&named) {
        book.apply(Change::Target(*gone, None));
        book.apply(Change::Stake(*gone, None));
    }
    named
}

#[cfg(test)]
mod tests {
    use turnstile_dataflows::model::{Price, Quantity};
    use turnstile_strategy::Weight;
    use turnstile_strategy::rebalance::{Quote, Skip, Stake, Target};

    use super::*;

    const FUNDS: Funds = Funds {
        equity: 1_000_000_000_000,
        cash: 1_000_000_000_000,
    };

    fn symbol(number: u32) -> Symbol {
        format!("{number:06}").parse().unwrap()
    }

    fn quote(won: i64) -> Quote {
        let price = Price::from_won(won).unwrap();
        let limit = price;
        Quote { price, limit }
    }

    /// A name that is wanted and not held.
    fn held(number: u32, won: Option<i64>) -> Held {
        Held {
            symbol: symbol(number),
            target: Some(Target {
                rank: number,
                weight: Weight(50_000),
            }),
            stake: Stake::default(),
            quote: won.map(quote),
            position: None,
        }
    }

    fn ordered(result: &Rebalance) -> Vec<(Symbol, i64)> {
        let order = |order: &rebalance::Order| (order.symbol, order.quantity.shares());
        result.orders.iter().map(order).collect()
    }

    #[tokio::test]
    async fn a_price_that_is_not_fresh_any_more_is_remembered() {
        let keeper = Keeper::start();
        let names = vec![held(1, Some(10_000)), held(2, None)];
        let (_names, result) = keeper.look(FUNDS, names).await.unwrap();
        assert_eq!(ordered(&result), [(symbol(1), 500)]);
        assert_eq!(result.skipped, [(symbol(2), Skip::NoPrice)]);
        // It comes back even where its name was gone in between.
        let (_names, _result) = keeper.look(FUNDS, Vec::new()).await.unwrap();
        let names = vec![held(1, None), held(2, Some(20_000))];
        let (names, result) = keeper.look(FUNDS, names).await.unwrap();
        assert_eq!(ordered(&result), [(symbol(1), 500), (symbol(2), 250)]);
        assert_eq!(names[0].quote, Some(quote(10_000)));
        keeper.end().await;
    }

    #[tokio::test]
    async fn what_is_no_name_any_more_is_neither_ordered_nor_skipped() {
        let keeper = Keeper::start();
        let sold = Held {
            target: None,
            stake: Stake {
                held: Quantity::new(500).unwrap(),
                sellable: Quantity::new(500).unwrap(),
                kept: None,
            },
            ..held(3, Some(10_000))
        };
        let names = vec![held(1, Some(10_000)), held(2, None), sold];
        let (_names, result) = keeper.look(FUNDS, names).await.unwrap();
        assert_eq!(ordered(&result), [(symbol(3), 500), (symbol(1), 500)]);
        let names = vec![held(1, Some(10_000))];
        let (names, result) = keeper.look(FUNDS, names).await.unwrap();
        assert_eq!(ordered(&result), [(symbol(1), 500)]);
        assert_eq!((names.len(), result.skipped.len()), (1, 0));
        keeper.end().await;
    }
}
