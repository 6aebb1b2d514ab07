//! From target weights to orders.
//!
//! Source: `docs/strategy.md`, section 6. Exact: money is a whole number of units of [`Price`]
//! (1e-4 KRW), products are 128 bits wide.

use std::cmp::Reverse;

use turnstile_dataflows::model::{Price, Quantity, Symbol};

use crate::Weight;

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
    /// Why it stays as it is, if it does.
    pub kept: Option<Kept>,
}

/// Why a name stays as it is, whatever its target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kept {
    /// A purchase of it is under way.
    UnderWay,
    /// An exit or a sale of it is under way.
    ActiveExit,
    /// The operator has taken its exits out of the engine's hands.
    ExitMode,
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
    /// It stays as it is.
    Kept(Kept),
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
    if let Some(kept) = name.kept {
        return Err(Skip::Kept(kept));
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
mod tests;
