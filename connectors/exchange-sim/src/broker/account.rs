//! One account: cash, holdings and the day's turnover.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Side;
use crate::{
    config::AccountConfig,
    price::{Money, Price},
    symbol::Symbol,
};

/// One account. The deposit stays as it was at the start of the day; trades of the day settle at
/// the next one.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    pub(crate) hts_id: String,
    pub(crate) cano: String,
    pub(crate) product: String,
    pub(crate) name: String,
    pub(crate) books: Books,
}

/// What changes in an account, and is kept across restarts.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Books {
    pub(crate) deposit: Money,
    /// Total assets at the start of the day.
    pub(crate) opening_assets: Money,
    pub(crate) bought: Money,
    pub(crate) sold: Money,
    pub(crate) costs: Money,
    pub(crate) holdings: BTreeMap<Symbol, Holding>,
}

/// Shares of one issue. Stays with quantity 0 until the day ends.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Holding {
    pub(crate) quantity: i64,
    /// What the shares that are held cost.
    pub(crate) cost: Money,
    pub(crate) bought_today: i64,
    pub(crate) sold_today: i64,
}

impl Account {
    pub(crate) fn new(config: &AccountConfig) -> Self {
        let deposit = Money::try_from(config.cash).unwrap_or(Money::ZERO);
        let mut holdings = BTreeMap::<Symbol, Holding>::new();
        for held in &config.holdings {
            let holding = holdings.entry(held.symbol.clone()).or_default();
            holding.quantity += held.qty;
            holding.cost += held.avg_price.times(held.qty);
        }
        let cost = holdings.values().map(|holding| holding.cost).sum();
        Self {
            hts_id: config.hts_id.clone(),
            cano: config.cano.clone(),
            product: config.acnt_prdt_cd.clone(),
            name: config.account_name.clone(),
            books: Books {
                deposit,
                opening_assets: deposit + cost,
                bought: Money::ZERO,
                sold: Money::ZERO,
                costs: Money::ZERO,
                holdings,
            },
        }
    }
}

impl Books {
    /// Returns the cash after settlement of all trades so far.
    pub(crate) fn settled(&self) -> Money {
        self.deposit + self.sold - self.bought - self.costs
    }

    /// Books `quantity` shares of `symbol` traded at `price`, at additional `costs`.
    pub(crate) fn fill(
        &mut self,
        symbol: &Symbol,
        side: Side,
        price: Price,
        quantity: i64,
        costs: Money,
    ) {
        let value = price.times(quantity);
        self.costs += costs;
        let holding = self.holdings.entry(symbol.clone()).or_default();
        match side {
            Side::Buy => {
                self.bought += value;
                holding.quantity += quantity;
                holding.cost += value;
                holding.bought_today += quantity;
            }
            Side::Sell => {
                self.sold += value;
                let held = i128::from(holding.quantity.max(1));
                let mut share = holding.cost.units() * i128::from(quantity) / held;
                if holding.cost.units() % 10_000 == 0 {
                    share -= share % 10_000;
                }
                holding.cost -= Money::from_units(share);
                holding.quantity -= quantity;
                holding.sold_today += quantity;
            }
        }
    }

    /// Sets what is held of `symbol` without a trade, and returns what was held before. Shares that
    /// go take their part of the cost with them, shares that come cost `price` each.
    pub(crate) fn set_holding(&mut self, symbol: &Symbol, quantity: i64, price: Price) -> i64 {
        let holding = self.holdings.entry(symbol.clone()).or_default();
        let before = std::mem::replace(&mut holding.quantity, quantity);
        if quantity >= before {
            holding.cost += price.times(quantity - before);
        } else {
            let left = holding.cost.units() * i128::from(quantity) / i128::from(before.max(1));
            holding.cost = Money::from_units(left);
        }
        before
    }

    /// Settles the day. `assets` is the total at its end.
    pub(crate) fn start_day(&mut self, assets: Money) {
        self.deposit = self.settled();
        self.opening_assets = assets;
        (self.bought, self.sold, self.costs) = (Money::ZERO, Money::ZERO, Money::ZERO);
        self.holdings.retain(|_, holding| {
            (holding.bought_today, holding.sold_today) = (0, 0);
            holding.quantity > 0
        });
    }
}
