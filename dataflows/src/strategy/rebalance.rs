//! From target weights to orders.
//!
//! Source: `docs/strategy.md`, section 6. Exact: money is a whole number of units of [`Price`]
//! (1e-4 KRW), products are 128 bits wide.

use std::cmp::Reverse;

use super::Weight;
use crate::model::{Price, Quantity, Symbol};

const MILLION: i128 = 1_000_000;
/// Least order, in units: 100,000 KRW.
const ORDER_MIN: i128 = 100_000 * 10_000;
/// Orders of a smaller part of equity are skipped: one in a hundred.
const WEIGHT_PARTS: i128 = 100;
/// Most that is ordered in one run, as a fraction of equity: a turnover, half of it, of 30 %.
const ORDERED_MAX: (i128, i128) = (6, 10);

/// What the account has, in units of [`Price`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Funds {
    /// Securities and cash.
    pub equity: i128,
    /// Cash that is there.
    pub cash: i128,
}

/// A name of the portfolio, or of the positions of the strategy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Name {
    /// The issue.
    pub symbol: Symbol,
    /// Rank and target weight; none: not in the portfolio, so all of it is sold.
    pub target: Option<(u32, Weight)>,
    /// Shares held.
    pub held: Quantity,
    /// Shares that can be sold: the broker has them and no order takes them.
    pub sellable: Quantity,
    /// The price; none where there is none, or it is stale.
    pub price: Option<Price>,
    /// An exit or a sale of it is under way.
    pub has_exit: bool,
}

/// Which way an order goes. Sales come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// Sell.
    Sell,
    /// Buy.
    Buy,
}

/// An order of the rebalance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// Sell or buy.
    pub side: Side,
    /// The issue.
    pub symbol: Symbol,
    /// Shares, at least one.
    pub quantity: Quantity,
    /// Shares that are missing to the target; more than `quantity` where the order is reduced.
    pub wanted: Quantity,
    /// The price that it was reckoned with.
    pub price: Price,
}

/// Why a name is not ordered; the first that is so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Skip {
    /// An exit or a sale of it is under way.
    ActiveExit,
    /// No price, or a stale one.
    NoPrice,
    /// Less than 1 % of equity; also where nothing is missing.
    SmallWeight,
    /// Less than 100,000 KRW.
    SmallOrder,
    /// Nothing of it can be sold now.
    NothingSellable,
    /// The cash that is there is spent on names of higher rank.
    Cash,
    /// The turnover of the run is spent on names before it.
    Turnover,
}

/// What is ordered, in its order, and what is not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rebalance {
    /// Sells by falling amount that is wanted, then buys by rank; ties to the lower symbol.
    pub orders: Vec<Order>,
    /// By symbol.
    pub skipped: Vec<(Symbol, Skip)>,
}

/// Computes the orders that bring `names`, each symbol once, to their targets.
///
/// What can be sold and the cash that is there bound the orders; then their sum, which turnover
/// bounds. The last one that fits is reduced to whole shares, and those after it are skipped, also
/// where a smaller one would fit still.
pub fn rebalance(funds: Funds, names: &[Name]) -> Rebalance {
    let mut result = Rebalance::default();
    let (mut sells, mut buys) = (Vec::new(), Vec::new());
    for name in names {
        match wanted(funds, name) {
            Ok((rank, order)) if order.side == Side::Buy => buys.push((rank, order)),
            Ok((_rank, order)) => sells.push((order, name.sellable)),
            Err(skip) => result.skipped.push((name.symbol, skip)),
        }
    }
    sells.sort_by_key(|(order, _sellable)| (Reverse(amount(order, order.wanted)), order.symbol));
    buys.sort_by_key(|(rank, order)| (*rank, order.symbol));
    let mut turnover = Purse::new(funds.equity * ORDERED_MAX.0 / ORDERED_MAX.1);
    let mut cash = Purse::new(funds.cash);
    let mut take = |mut order: Order, bound: Result<Quantity, Skip>| {
        let taken = bound.and_then(|most| {
            order.quantity = most;
            turnover.take(&order).ok_or(Skip::Turnover)
        });
        match taken {
            Ok(quantity) => result.orders.push(Order { quantity, ..order }),
            Err(skip) => result.skipped.push((order.symbol, skip)),
        }
    };
    for (order, sellable) in sells {
        let most = order.quantity.min(sellable);
        let is_some = most > Quantity::ZERO;
        take(order, is_some.then_some(most).ok_or(Skip::NothingSellable));
    }
    for (_rank, order) in buys {
        take(order, cash.take(&order).ok_or(Skip::Cash));
    }
    result.skipped.sort();
    result
}

/// Returns what of `buys`, in their order, the cash pays: the last one that fits is reduced to whole
/// shares, and those after it are left out.
pub fn afford(cash: i128, buys: &[Order]) -> Vec<Order> {
    let mut cash = Purse::new(cash);
    let taken = buys.iter().map_while(|order| {
        let quantity = cash.take(order)?;
        Some(Order { quantity, ..*order })
    });
    taken.collect()
}

/// Returns the rank and the whole order of a name, or why there is none.
fn wanted(funds: Funds, name: &Name) -> Result<(u32, Order), Skip> {
    if name.has_exit {
        return Err(Skip::ActiveExit);
    }
    let price = name.price.ok_or(Skip::NoPrice)?;
    let units = i128::from(price.units());
    let (rank, weight) = name.target.unwrap_or((u32::MAX, Weight(0)));
    let held = i128::from(name.held.shares());
    let target = (funds.equity * i128::from(weight.0)).div_euclid(MILLION * units);
    let delta = target.max(0) - held;
    let shares = delta.abs();
    if shares == 0 || shares * units * WEIGHT_PARTS < funds.equity {
        return Err(Skip::SmallWeight);
    }
    if shares * units < ORDER_MIN {
        return Err(Skip::SmallOrder);
    }
    let shares = Quantity::new(i64::try_from(shares).unwrap_or(i64::MAX)).unwrap_or_default();
    let order = Order {
        side: if delta < 0 { Side::Sell } else { Side::Buy },
        symbol: name.symbol,
        quantity: shares,
        wanted: shares,
        price,
    };
    Ok((rank, order))
}

/// What so many shares of an order come to.
fn amount(order: &Order, quantity: Quantity) -> i128 {
    i128::from(quantity.shares()) * i128::from(order.price.units())
}

/// What is left to give to orders. Once one of them does not fit as a whole, nothing is.
struct Purse {
    left: i128,
    is_spent: bool,
}

impl Purse {
    fn new(left: i128) -> Self {
        Self {
            left,
            is_spent: false,
        }
    }

    /// Takes what an order needs, or as many whole shares as there is left for; none for no share.
    fn take(&mut self, order: &Order) -> Option<Quantity> {
        if self.is_spent {
            return None;
        }
        let most = self.left.max(0) / i128::from(order.price.units());
        let most = Quantity::new(i64::try_from(most).unwrap_or(i64::MAX)).unwrap_or_default();
        let quantity = order.quantity.min(most);
        self.is_spent = quantity < order.quantity;
        self.left -= amount(order, quantity);
        (quantity > Quantity::ZERO).then_some(quantity)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    /// 100 million won, half of it cash.
    const FUNDS: Funds = Funds {
        equity: won(100_000_000),
        cash: won(50_000_000),
    };

    const fn won(won: i64) -> i128 {
        won as i128 * 10_000
    }

    fn shares(shares: i64) -> Quantity {
        Quantity::new(shares).unwrap()
    }

    fn symbol(number: u32) -> Symbol {
        format!("{number:06}").parse().unwrap()
    }

    /// A name at 10,000 won of which all can be sold; the weight in percent.
    fn name(number: u32, percent: Option<i64>, held: i64) -> Name {
        Name {
            symbol: symbol(number),
            target: percent.map(|percent| (number, Weight(percent * 10_000))),
            held: shares(held),
            sellable: shares(held),
            price: Some(Price::from_won(10_000).unwrap()),
            has_exit: false,
        }
    }

    fn orders(result: &Rebalance) -> Vec<(Side, Symbol, i64)> {
        let order = |order: &Order| (order.side, order.symbol, order.quantity.shares());
        result.orders.iter().map(order).collect()
    }

    #[test]
    fn targets_are_whole_shares_cut_off() {
        let mut one = name(1, Some(8), 0);
        one.price = Some(Price::from_won(70_001).unwrap());
        // 8,000,000 / 70,001 = 114.28…
        let result = rebalance(FUNDS, &[one]);
        assert_eq!(orders(&result), [(Side::Buy, symbol(1), 114)]);
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
    #[case(Name { has_exit: true, price: None, ..name(1, Some(8), 0) }, Skip::ActiveExit)]
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
            proptest::option::weighted(0.9, 1_i64..500_000),
            proptest::bool::weighted(0.1),
        );
        proptest::collection::vec(name, 0..25).prop_map(|rows| {
            (0..)
                .zip(rows)
                .map(|(number, (weight, held, locked, price, has_exit))| Name {
                    symbol: symbol(number),
                    target: weight.map(|weight| (number % 9, Weight(weight))),
                    held: shares(held),
                    sellable: shares((held - locked).max(0)),
                    price: price.map(|won| Price::from_won(won).unwrap()),
                    has_exit,
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
                orders.map(|order| amount(order, order.quantity)).sum()
            };
            // Half of what is ordered is at most 30 % of equity.
            prop_assert!(sum(None) * 10 <= funds.equity.max(0) * 6);
            prop_assert!(sum(Some(Side::Buy)) <= funds.cash.max(0));
            for order in &result.orders {
                let name = names.iter().find(|name| name.symbol == order.symbol).unwrap();
                prop_assert!(Quantity::ZERO < order.quantity && order.quantity <= order.wanted);
                prop_assert!(!name.has_exit);
                let held = i128::from(name.held.shares());
                let weight = name.target.map_or(0, |(_rank, weight)| i128::from(weight.0));
                let target = funds.equity * weight / MILLION / i128::from(order.price.units());
                match order.side {
                    Side::Sell => {
                        prop_assert!(order.quantity <= name.sellable);
                        prop_assert_eq!(held - target, i128::from(order.wanted.shares()));
                    }
                    Side::Buy => prop_assert_eq!(target - held, i128::from(order.wanted.shares())),
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
}
