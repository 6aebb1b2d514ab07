mod edits;
mod oracle;

use proptest::prelude::*;
use rstest::rstest;
use turnstile_dataflows::model::{Price, Quantity, Symbol};

use super::*;
use crate::Weight;

/// 100 million won, half of it cash.
const FUNDS: Funds = Funds {
    equity: 100_000_000 * WON,
    cash: 50_000_000 * WON,
};
/// In units of [`Price`].
const WON: i128 = 10_000;

/// All that is known of a name.
#[derive(Clone, Copy, Debug)]
struct Name {
    symbol: Symbol,
    target: Option<Target>,
    held: Quantity,
    sellable: Quantity,
    price: Option<Quote>,
    kept: Option<Kept>,
}

/// What a new book says of `names`.
fn rebalance(funds: Funds, names: &[Name]) -> Rebalance {
    with(|book| {
        book.apply(Change::Funds(funds));
        for name in names {
            let stake = Stake {
                held: name.held,
                sellable: name.sellable,
                kept: name.kept,
            };
            book.apply(Change::Target(name.symbol, name.target));
            book.apply(Change::Stake(name.symbol, Some(stake)));
            book.apply(Change::Price(name.symbol, name.price));
        }
        book.settle();
        book.rebalance()
    })
}

fn won(won: i64) -> i128 {
    i128::from(won) * WON
}

fn shares(shares: i64) -> Quantity {
    Quantity::new(shares).unwrap()
}

fn symbol(number: u32) -> Symbol {
    format!("{number:06}").parse().unwrap()
}

fn target(rank: u32, millionths: i64) -> Target {
    let weight = Weight(millionths);
    Target { rank, weight }
}

/// A price at which is bought, too.
fn at(won: i64) -> Quote {
    up_to(won, won)
}

/// A price with the limit of a purchase.
fn up_to(won: i64, limit: i64) -> Quote {
    let [price, limit] = [won, limit].map(|won| Price::from_won(won).unwrap());
    Quote { price, limit }
}

/// A name at 10,000 won of which all can be sold; the weight in percent.
fn name(number: u32, percent: Option<i64>, held: i64) -> Name {
    Name {
        symbol: symbol(number),
        target: percent.map(|percent| target(number, percent * 10_000)),
        held: shares(held),
        sellable: shares(held),
        price: Some(at(10_000)),
        kept: None,
    }
}

fn orders(result: &Rebalance) -> Vec<(Side, Symbol, i64)> {
    let order = |order: &Order| (order.side, order.symbol, order.quantity.shares());
    result.orders.iter().map(order).collect()
}

#[test]
fn targets_are_whole_shares_cut_off() {
    let mut one = name(1, Some(8), 0);
    one.price = Some(at(70_001));
    // 8,000,000 / 70,001 = 114.28…
    let result = rebalance(FUNDS, &[one]);
    assert_eq!(orders(&result), [(Side::Buy, symbol(1), 114)]);
}

/// The gate weighs a purchase at its limit: a name, and a sector of three, at their caps pass it.
#[test]
fn purchases_are_sized_by_their_limit() {
    let quote = up_to(10_000, 10_050);
    let at_cap = |number, percent, held| Name {
        price: Some(quote),
        ..name(number, Some(percent), held)
    };
    let (sector, single) = ([(1, 13), (2, 13), (3, 14)], (4, 15));
    let names = sector.map(|(number, percent)| at_cap(number, percent, 0));
    let result = rebalance(FUNDS, &names);
    let cost =
        |order: &Order| i128::from(order.quantity.shares()) * i128::from(quote.limit.units());
    for (order, (_, percent)) in result.orders.iter().zip(sector) {
        let cap = FUNDS.equity * i128::from(percent) / 100;
        assert!(cost(order) <= cap && cap < cost(order) + i128::from(quote.limit.units()));
    }
    assert_eq!(result.orders.len(), 3);
    let sum: i128 = result.orders.iter().map(cost).sum();
    assert!(sum <= FUNDS.equity * 40 / 100);
    // 1,500 shares at the price are the cap; 1,492 at the limit keep within it, and 497 beside 1,000.
    let (number, percent) = single;
    let bought = |held| orders(&rebalance(FUNDS, &[at_cap(number, percent, held)]));
    assert_eq!(bought(0), [(Side::Buy, symbol(4), 1_492)]);
    assert_eq!(bought(1_000), [(Side::Buy, symbol(4), 497)]);
    // What is sold is so by the price.
    assert_eq!(bought(1_700), [(Side::Sell, symbol(4), 200)]);
}

#[test]
fn sells_come_first_by_amount_then_buys_by_rank() {
    let names = [
        name(1, Some(5), 0),
        name(2, Some(6), 0),
        name(3, None, 400),
        name(4, Some(1), 700),
    ];
    let result = rebalance(FUNDS, &names);
    let expected = [
        (Side::Sell, symbol(4), 600),
        (Side::Sell, symbol(3), 400),
        (Side::Buy, symbol(1), 500),
        (Side::Buy, symbol(2), 600),
    ];
    assert_eq!(orders(&result), expected);
    assert!(result.skipped.is_empty());
}

#[rstest]
#[case(Name { kept: Some(Kept::ActiveExit), price: None, ..name(1, Some(8), 0) }, Skip::Kept(Kept::ActiveExit))]
#[case(Name { kept: Some(Kept::UnderWay), ..name(1, Some(8), 0) }, Skip::Kept(Kept::UnderWay))]
#[case(Name { kept: Some(Kept::ExitMode), ..name(1, None, 10) }, Skip::Kept(Kept::ExitMode))]
#[case(Name { price: None, ..name(1, Some(8), 0) }, Skip::NoPrice)]
#[case(name(1, Some(8), 800), Skip::SmallWeight)]
#[case(name(1, Some(8), 701), Skip::SmallWeight)]
#[case(Name { sellable: Quantity::ZERO, ..name(1, None, 800) }, Skip::NothingSellable)]
fn what_is_skipped_has_its_reason(#[case] name: Name, #[case] skip: Skip) {
    let result = rebalance(FUNDS, &[name]);
    assert!(result.orders.is_empty());
    assert_eq!(result.skipped, [(symbol(1), skip)]);
}

#[test]
fn one_percent_is_enough_and_a_small_order_is_not() {
    let result = rebalance(FUNDS, &[name(1, Some(8), 700)]);
    assert_eq!(orders(&result), [(Side::Buy, symbol(1), 100)]);
    let small = Funds {
        equity: won(1_000_000),
        cash: won(1_000_000),
    };
    let result = rebalance(small, &[name(1, Some(9), 0)]);
    assert_eq!(result.skipped, [(symbol(1), Skip::SmallOrder)]);
    let result = rebalance(small, &[name(1, Some(10), 0)]);
    assert_eq!(orders(&result), [(Side::Buy, symbol(1), 10)]);
}

#[test]
fn no_more_is_sold_than_can_be() {
    let locked = Name {
        sellable: shares(250),
        ..name(1, None, 800)
    };
    let result = rebalance(FUNDS, &[locked]);
    assert_eq!(orders(&result), [(Side::Sell, symbol(1), 250)]);
    assert_eq!(result.orders[0].wanted, shares(800));
}

#[test]
fn buys_wait_for_cash_that_is_there() {
    let funds = Funds {
        cash: won(8_015_000),
        ..FUNDS
    };
    let names = [
        name(1, Some(6), 0),
        name(2, Some(6), 0),
        name(3, Some(1), 0),
        name(4, None, 1_000),
    ];
    let result = rebalance(funds, &names);
    // What the sale brings is not there yet; 2,015,000 won are left for the second.
    let expected = [
        (Side::Sell, symbol(4), 1_000),
        (Side::Buy, symbol(1), 600),
        (Side::Buy, symbol(2), 201),
    ];
    assert_eq!(orders(&result), expected);
    assert_eq!(result.skipped, [(symbol(3), Skip::Cash)]);
}

#[test]
fn turnover_ends_the_run() {
    // 60 million won may be ordered: 45 to sell, and 15 of the 24 to buy.
    let names = [
        name(1, Some(8), 0),
        name(2, Some(8), 0),
        name(3, Some(8), 0),
        name(4, None, 4_500),
    ];
    let result = rebalance(FUNDS, &names);
    let expected = [
        (Side::Sell, symbol(4), 4_500),
        (Side::Buy, symbol(1), 800),
        (Side::Buy, symbol(2), 700),
    ];
    assert_eq!(orders(&result), expected);
    assert_eq!(result.skipped, [(symbol(3), Skip::Turnover)]);
}

#[test]
fn without_equity_nothing_is_ordered() {
    for equity in [0, -1] {
        let funds = Funds { equity, ..FUNDS };
        let result = rebalance(funds, &[name(1, Some(8), 0), name(2, None, 500)]);
        assert!(result.orders.is_empty());
    }
}

fn names() -> impl Strategy<Value = Vec<Name>> {
    let name = (
        proptest::option::of(0_i64..150_000),
        0_i64..5_000,
        0_i64..5_000,
        proptest::option::weighted(0.9, (1_i64..500_000, 0_i64..1_000)),
        proptest::option::weighted(0.1, Just(Kept::ActiveExit)),
    );
    proptest::collection::vec(name, 0..25).prop_map(|rows| {
        (0..)
            .zip(rows)
            .map(|(number, (weight, held, locked, price, kept))| Name {
                symbol: symbol(number),
                target: weight.map(|weight| target(number % 9, weight)),
                held: shares(held),
                sellable: shares((held - locked).max(0)),
                price: price.map(|(won, above)| up_to(won, won + above)),
                kept,
            })
            .collect()
    })
}

proptest! {
    #[test]
    fn bounds_hold(
        names in names(),
        equity in -1_i64..5_000_000_000,
        cash in -1_i64..2_000_000_000,
    ) {
        let funds = Funds { equity: won(equity), cash: won(cash) };
        let result = rebalance(funds, &names);
        let sum = |side: Option<Side>| -> i128 {
            let orders = result.orders.iter().filter(|order| side.is_none_or(|side| order.side == side));
            orders.map(|order| order.amount(order.quantity)).sum()
        };
        // Half of what is ordered is at most 30 % of equity.
        prop_assert!(sum(None) * 10 <= funds.equity.max(0) * 6);
        prop_assert!(sum(Some(Side::Buy)) <= funds.cash.max(0));
        for order in &result.orders {
            let name = names.iter().find(|name| name.symbol == order.symbol).unwrap();
            prop_assert!(Quantity::ZERO < order.quantity && order.quantity <= order.wanted);
            prop_assert_eq!(name.kept, None);
            let held = i128::from(name.held.shares());
            let weight = name.target.map_or(0, |target| i128::from(target.weight.0));
            let quote = name.price.unwrap();
            prop_assert_eq!(quote.price, order.price);
            let units = |price: Price| i128::from(price.units());
            let target = funds.equity * weight / 1_000_000 / units(quote.price);
            match order.side {
                Side::Sell => {
                    prop_assert!(order.quantity <= name.sellable);
                    prop_assert_eq!(held - target, i128::from(order.wanted.shares()));
                }
                // No share more than weighs what it may.
                Side::Buy => {
                    let cost = |shares: i128| held * units(quote.price) + shares * units(quote.limit);
                    let wanted = i128::from(order.wanted.shares());
                    prop_assert!(cost(wanted) * 1_000_000 <= funds.equity * weight);
                    prop_assert!(cost(wanted + 1) * 1_000_000 > funds.equity * weight);
                }
            }
        }
        prop_assert!(result.orders.is_sorted_by_key(|order| order.side));
        // Each name is ordered or skipped, once.
        let mut told: Vec<_> = result.orders.iter().map(|order| order.symbol).collect();
        told.extend(result.skipped.iter().map(|(symbol, _skip)| *symbol));
        told.sort();
        prop_assert_eq!(told, names.iter().map(|name| name.symbol).collect::<Vec<_>>());
    }
}
