//! Section 6 of `docs/strategy.md` once more: loops over maps, from scratch.

use std::collections::{BTreeMap, BTreeSet};

use super::*;

/// The rows that stand.
#[derive(Clone, Debug, Default)]
pub(super) struct Rows {
    pub(super) funds: Option<Funds>,
    pub(super) targets: BTreeMap<Symbol, Target>,
    pub(super) stakes: BTreeMap<Symbol, Stake>,
    pub(super) prices: BTreeMap<Symbol, Quote>,
}

/// What is missing of a name, in shares: below zero where it is to be sold.
struct Missing {
    symbol: Symbol,
    rank: u32,
    price: i128,
    delta: i128,
    /// Shares that are asked for, whatever the money.
    asked: i128,
}

impl Rows {
    pub(super) fn apply(&mut self, change: Change) {
        fn put<V>(rows: &mut BTreeMap<Symbol, V>, symbol: Symbol, row: Option<V>) {
            rows.remove(&symbol);
            rows.extend(row.map(|row| (symbol, row)));
        }
        match change {
            Change::Funds(funds) => self.funds = Some(funds),
            Change::Target(symbol, row) => put(&mut self.targets, symbol, row),
            Change::Stake(symbol, row) => put(&mut self.stakes, symbol, row),
            Change::Price(symbol, row) => put(&mut self.prices, symbol, row),
        }
    }

    /// Tells `book` of all rows.
    pub(super) fn load(&self, book: &mut Book<'_>) {
        let targets = self.targets.iter();
        let targets = targets.map(|(symbol, row)| Change::Target(*symbol, Some(*row)));
        let stakes = self.stakes.iter();
        let stakes = stakes.map(|(symbol, row)| Change::Stake(*symbol, Some(*row)));
        let prices = self.prices.iter();
        let prices = prices.map(|(symbol, row)| Change::Price(*symbol, Some(*row)));
        let funds = self.funds.into_iter().map(Change::Funds);
        for change in prices.chain(stakes).chain(targets).chain(funds) {
            book.apply(change);
        }
    }

    /// What the rows come to.
    pub(super) fn rebalance(&self) -> Rebalance {
        let Some(funds) = self.funds else {
            return Rebalance::default();
        };
        let mut names: BTreeSet<Symbol> = self.targets.keys().copied().collect();
        names.extend(self.stakes.keys());
        let mut skipped = BTreeMap::new();
        let (mut sells, mut buys) = (Vec::new(), Vec::new());
        for symbol in names {
            match self.missing(symbol, funds.equity) {
                Ok(missing) if missing.delta < 0 => sells.push(missing),
                Ok(missing) => buys.push(missing),
                Err(skip) => drop(skipped.insert(symbol, skip)),
            }
        }
        sells.sort_by_key(|one| (one.delta * one.price, one.symbol));
        buys.sort_by_key(|one| (one.rank, one.symbol));
        for beyond in cut(&mut buys, funds.cash, 1) {
            skipped.insert(beyond, Skip::Cash);
        }
        sells.append(&mut buys);
        let mut all = sells;
        // Half of the sum is at most 30 % of equity.
        for beyond in cut(&mut all, funds.equity * 30 * 2, 100) {
            skipped.insert(beyond, Skip::Turnover);
        }
        let quantity = |shares: i128| Quantity::new(shares.try_into().unwrap()).unwrap();
        let order = |one: &Missing| Order {
            side: if one.delta < 0 { Side::Sell } else { Side::Buy },
            symbol: one.symbol,
            quantity: quantity(one.asked),
            wanted: quantity(one.delta.abs()),
            price: self.prices[&one.symbol].price,
        };
        Rebalance {
            orders: all.iter().map(order).collect(),
            skipped: skipped.into_iter().collect(),
        }
    }

    fn missing(&self, symbol: Symbol, equity: i128) -> Result<Missing, Skip> {
        let target = self.targets.get(&symbol);
        let stake = self.stakes.get(&symbol).copied().unwrap_or_default();
        if let Some(kept) = stake.kept {
            return Err(Skip::Kept(kept));
        }
        let Some(quote) = self.prices.get(&symbol) else {
            return Err(Skip::NoPrice);
        };
        let (price, limit) = (
            i128::from(quote.price.units()),
            i128::from(quote.limit.units()),
        );
        let wanted = match target {
            // An account that is worth nothing wants nothing.
            Some(target) if equity > 0 => equity * i128::from(target.weight.0) / 1_000_000 / price,
            _ => 0,
        };
        let held = i128::from(stake.held.shares());
        let mut delta = wanted - held;
        if delta > 0 {
            // At its limit, a purchase takes more of the weight than its price says.
            let weight = target.map_or(0, |target| i128::from(target.weight.0));
            delta = (equity * weight - held * price * 1_000_000) / (limit * 1_000_000);
        }
        let amount = delta.abs() * price;
        if delta == 0 || amount * 100 < equity {
            return Err(Skip::SmallWeight);
        }
        if amount < won(100_000) {
            return Err(Skip::SmallOrder);
        }
        let asked = match delta < 0 {
            true => delta.abs().min(i128::from(stake.sellable.shares())),
            false => delta,
        };
        if asked == 0 {
            return Err(Skip::NothingSellable);
        }
        Ok(Missing {
            symbol,
            rank: target.map_or(0, |target| target.rank),
            price,
            delta,
            asked,
        })
    }
}

/// Reduces the first of `orders` with which `scale` times their sum is above `money`, and returns what
/// comes after; that one too, where not one share of it is left.
fn cut(orders: &mut Vec<Missing>, money: i128, scale: i128) -> Vec<Symbol> {
    let sum = |orders: &[Missing]| -> i128 {
        let amounts = orders.iter().map(|one| one.asked * one.price * scale);
        amounts.sum()
    };
    let whole = (0..orders.len()).take_while(|&last| sum(&orders[..=last]) <= money);
    let whole = whole.count();
    let before = sum(&orders[..whole]);
    let mut kept = whole;
    if let Some(last) = orders.get_mut(whole) {
        let shares = (money - before) / (last.price * scale);
        if shares > 0 {
            last.asked = shares;
            kept += 1;
        }
    }
    orders.drain(kept..).map(|one| one.symbol).collect()
}
