//! After any edits a book says what it says of the rows that stand, and an edit reckons what depends on
//! it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};
use timely::dataflow::ProbeHandle;
use turnstile_dataflows::Time;
use turnstile_dataflows::table::Table;

use super::oracle::Rows;
use super::*;
use crate::alone::alone;

fn change() -> impl Strategy<Value = Change> {
    let symbols = || (0_u32..10).prop_map(symbol);
    let targets = (0_u32..6, 0_i64..200_000).prop_map(|(rank, weight)| target(rank, weight));
    let kept = select(vec![Kept::UnderWay, Kept::ActiveExit, Kept::ExitMode]);
    let kept = proptest::option::weighted(0.1, kept);
    // Of most something can be sold, of some more than is held.
    let locked = prop_oneof![3 => Just(0), 1 => Just(-10), 3 => 0_i64..3_500];
    let stakes = (0_i64..3_000, locked, kept).prop_map(|(held, locked, kept)| Stake {
        held: shares(held),
        sellable: shares((held - locked).max(0)),
        kept,
    });
    let prices = (prop_oneof![1_i64..60_000, 1_i64..500], 0_i64..300)
        .prop_map(|(won, above)| up_to(won, won + above));
    let equity = prop_oneof![20 => 0_i64..300_000_000, 5 => 0_i64..5_000_000, 1 => -2_i64..2];
    let funds = (equity, -1_i64..100_000_000);
    let funds = funds.prop_map(|(equity, cash)| Funds {
        equity: won(equity),
        cash: won(cash),
    });
    let targets = (symbols(), proptest::option::weighted(0.8, targets));
    let stakes = (symbols(), proptest::option::weighted(0.8, stakes));
    let prices = (symbols(), proptest::option::weighted(0.9, prices));
    prop_oneof![
        2 => funds.prop_map(Change::Funds),
        5 => targets.prop_map(|(symbol, row)| Change::Target(symbol, row)),
        5 => stakes.prop_map(|(symbol, row)| Change::Stake(symbol, row)),
        5 => prices.prop_map(|(symbol, row)| Change::Price(symbol, row)),
    ]
}

/// Counts what a rebalance has.
fn tally(result: &Rebalance, counts: &mut BTreeMap<String, u32>) {
    for order in &result.orders {
        let is_reduced = order.quantity < order.wanted;
        let name = format!("{:?}, reduced: {is_reduced}", order.side);
        *counts.entry(name).or_default() += 1;
    }
    for (_symbol, skip) in &result.skipped {
        *counts.entry(format!("{skip:?}")).or_default() += 1;
    }
}

#[test]
fn after_any_edits_it_says_what_it_says_of_the_rows_that_stand() {
    let counts = RefCell::new(BTreeMap::new());
    let config = Config {
        failure_persistence: None,
        ..Config::with_cases(192)
    };
    let first = proptest::collection::vec(change(), 0..80);
    let next = proptest::collection::vec(change(), 0..6);
    let history = (first, proptest::collection::vec(next, 0..8));
    let result = TestRunner::new(config).run(&history, |(first, next)| {
        let mut rows = Rows::default();
        let incremental = with(|book| {
            for changes in std::iter::once(first).chain(next) {
                for change in changes {
                    rows.apply(change);
                    book.apply(change);
                }
                book.settle();
                let expected = rows.rebalance();
                tally(&expected, &mut counts.borrow_mut());
                prop_assert_eq!(book.rebalance(), expected, "{:?}", rows);
            }
            Ok(book.rebalance())
        })?;
        let from_scratch = with(|book| {
            rows.load(book);
            book.settle();
            book.rebalance()
        });
        prop_assert_eq!(incremental, from_scratch);
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
    let counts = counts.into_inner();
    println!("{counts:?}");
    // Both sides, whole and reduced; nine reasons to skip.
    assert_eq!(counts.len(), 4 + 9, "{counts:?}");
    assert!(counts.values().all(|count| *count > 20), "{counts:?}");
}

/// A book of a sale and three purchases that is settled.
fn load(book: &mut Book<'_>) {
    book.apply(Change::Funds(FUNDS));
    for number in 1..=4 {
        let is_bought = number < 4;
        let wanted = is_bought.then(|| target(number, 60_000));
        let held = shares(if is_bought { 0 } else { 900 });
        let stake = Stake {
            held,
            sellable: held,
            kept: None,
        };
        book.apply(Change::Target(symbol(number), wanted));
        book.apply(Change::Stake(symbol(number), Some(stake)));
        book.apply(price(number, 10_000));
    }
    book.settle();
}

fn price(number: u32, won: i64) -> Change {
    Change::Price(symbol(number), Some(at(won)))
}

/// What the account has, with so many won more.
fn more(equity: i128, cash: i128) -> Change {
    Change::Funds(Funds {
        equity: FUNDS.equity + equity * WON,
        cash: FUNDS.cash + cash * WON,
    })
}

#[rstest]
#[case(&[price(2, 12_000)], 1)]
#[case(&[price(2, 12_000), price(2, 13_000)], 1)]
#[case(&[price(2, 12_000), price(2, 10_000)], 0)]
#[case(&[price(2, 10_000)], 0)]
#[case(&[price(9, 10_000)], 0)]
#[case(&[price(2, 12_000), price(3, 12_000)], 2)]
#[case(&[Change::Target(symbol(2), None)], 1)]
#[case(&[Change::Stake(symbol(2), None)], 1)]
#[case(&[Change::Target(symbol(2), None), Change::Stake(symbol(2), None)], 0)]
#[case(&[more(0, -45_000_000)], 0)]
#[case(&[more(1_000_000, 0)], 4)]
fn an_edit_reckons_what_depends_on_it(#[case] changes: &[Change], #[case] names: u64) {
    with(|book| {
        load(book);
        assert_eq!(book.reckoned(), 4);
        for change in changes {
            book.apply(*change);
        }
        book.settle();
        assert_eq!(book.reckoned(), 4 + names);
    });
}

#[test]
fn changed_cash_is_dealt_out_again() {
    with(|book| {
        load(book);
        assert!(book.rebalance().skipped.is_empty());
        book.apply(more(0, -45_000_000));
        book.settle();
        let result = book.rebalance();
        let expected = [(Side::Sell, symbol(4), 900), (Side::Buy, symbol(1), 500)];
        assert_eq!(orders(&result), expected);
        let skipped = [(symbol(2), Skip::Cash), (symbol(3), Skip::Cash)];
        assert_eq!(result.skipped, skipped);
    });
}

#[test]
fn nothing_is_said_before_the_funds_are_told() {
    with(|book| {
        book.apply(Change::Target(symbol(1), Some(target(1, 60_000))));
        book.apply(price(1, 10_000));
        book.settle();
        assert_eq!(book.rebalance(), Rebalance::default());
        book.apply(Change::Funds(FUNDS));
        book.settle();
        assert_eq!(orders(&book.rebalance()), [(Side::Buy, symbol(1), 600)]);
    });
}

#[test]
fn only_what_differs_comes_out() {
    alone(|worker| {
        let (said, probe) = (Rc::new(RefCell::new(Vec::new())), ProbeHandle::new());
        let (mut funds, mut targets, mut prices) = worker.dataflow::<Time, _, _>(|scope| {
            let (funds, fund_rows) = Table::<(), Funds>::new(scope);
            let (targets, target_rows) = Table::new(scope);
            let (_stakes, stake_rows) = Table::new(scope);
            let (prices, price_rows) = Table::new(scope);
            let inputs = dataflow::Inputs {
                funds: fund_rows.map(|((), row)| row),
                targets: target_rows,
                stakes: stake_rows,
                prices: price_rows,
            };
            let gathered = said.clone();
            let orders = dataflow::render(inputs, Rc::default()).orders;
            orders
                .inspect(move |((_place, order), _time, diff)| {
                    let change = (order.symbol, order.quantity.shares(), *diff);
                    gathered.borrow_mut().push(change);
                })
                .probe_with(&probe);
            (funds, targets, prices)
        });
        funds.put((), Some(FUNDS));
        for number in 1..=3 {
            targets.put(symbol(number), Some(target(number, 60_000)));
            prices.put(symbol(number), Some(at(10_000)));
        }
        // From here on, only prices change.
        funds.advance(Time::MAX);
        targets.advance(Time::MAX);
        let mut settle = |prices: &mut Table<Symbol, Quote>, time| {
            prices.advance(time);
            worker.step_while(|| probe.less_than(&time));
            let mut said = said.take();
            said.sort();
            said
        };
        let all = [(1, 600), (2, 600), (3, 600)];
        assert_eq!(
            settle(&mut prices, 1),
            all.map(|(number, shares)| (symbol(number), shares, 1))
        );
        prices.put(symbol(2), Some(at(12_000)));
        assert_eq!(
            settle(&mut prices, 2),
            [(symbol(2), 500, 1), (symbol(2), 600, -1)]
        );
    });
}
