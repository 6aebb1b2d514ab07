//! What a name wants, whatever the others do.

use std::cmp::Reverse;

use serde::{Deserialize, Serialize};
use turnstile_dataflows::model::{Quantity, Symbol};

use super::values::{Order, Quote, Side, Skip, Stake, Target};
use crate::Weight;

const MILLION: i128 = 1_000_000;
/// Least order, in units: 100,000 KRW.
const ORDER_MIN: i128 = 100_000 * 10_000;
/// Orders of a smaller part of equity are skipped: one in a hundred.
const WEIGHT_PARTS: i128 = 100;

/// Where an order stands; sorts as orders are dealt with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) enum Place {
    /// By falling amount that is wanted.
    Sale(Reverse<i128>, Symbol),
    /// By rank.
    Purchase(u32, Symbol),
}

/// All that is known of a name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Name {
    pub(super) symbol: Symbol,
    /// What the account is worth, in units of a price.
    pub(super) equity: i128,
    pub(super) target: Option<Target>,
    pub(super) stake: Stake,
    pub(super) quote: Option<Quote>,
}

/// Returns how many shares may be bought beside those that are `held`, so that what is held, at its price,
/// and the purchase, at its limit, are at most `weight` of `equity`, which is in units of a price. So the
/// risk gate reckons: a name at its cap passes.
pub fn room(equity: i128, weight: Weight, held: Quantity, quote: Quote) -> Quantity {
    let held = i128::from(held.shares()) * i128::from(quote.price.units());
    let left = equity * i128::from(weight.0) - held * MILLION;
    let most = left.div_euclid(MILLION * i128::from(quote.limit.units()));
    Quantity::new(i64::try_from(most.max(0)).unwrap_or(i64::MAX)).unwrap_or_default()
}

impl Name {
    /// Returns the whole order of the name and its place, or why there is none. It sells no more than
    /// can be sold.
    pub(super) fn wish(&self) -> Result<(Place, Order), Skip> {
        if let Some(kept) = self.stake.kept {
            return Err(Skip::Kept(kept));
        }
        let quote = self.quote.ok_or(Skip::NoPrice)?;
        let units = i128::from(quote.price.units());
        let weight = self.target.map_or(Weight(0), |target| target.weight);
        let held = self.stake.held;
        let target = (self.equity * i128::from(weight.0)).div_euclid(MILLION * units);
        let delta = target.max(0) - i128::from(held.shares());
        let shares = match delta > 0 {
            true => i128::from(room(self.equity, weight, held, quote).shares()),
            false => -delta,
        };
        if shares == 0 || shares * units * WEIGHT_PARTS < self.equity {
            return Err(Skip::SmallWeight);
        }
        if shares * units < ORDER_MIN {
            return Err(Skip::SmallOrder);
        }
        let wanted = Quantity::new(i64::try_from(shares).unwrap_or(i64::MAX)).unwrap_or_default();
        let mut order = Order {
            side: Side::Buy,
            symbol: self.symbol,
            quantity: wanted,
            wanted,
            price: quote.price,
        };
        if delta > 0 {
            let rank = self.target.map_or(u32::MAX, |target| target.rank);
            return Ok((Place::Purchase(rank, self.symbol), order));
        }
        order.side = Side::Sell;
        order.quantity = wanted.min(self.stake.sellable);
        if order.quantity == Quantity::ZERO {
            return Err(Skip::NothingSellable);
        }
        Ok((
            Place::Sale(Reverse(order.amount(wanted)), self.symbol),
            order,
        ))
    }
}
