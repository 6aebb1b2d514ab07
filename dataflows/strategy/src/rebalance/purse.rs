//! What there is to give to orders.

use turnstile_dataflows::model::Quantity;

use super::values::{Funds, Order, Side, Skip};

/// Most that is ordered in one run, as a fraction of equity: a turnover, half of it, of 30 %.
const ORDERED_MAX: (i128, i128) = (6, 10);

/// What bounds orders together.
pub(super) struct Purses {
    turnover: Purse,
    cash: Purse,
}

impl Purses {
    pub(super) fn new(funds: Funds) -> Self {
        Self {
            turnover: Purse::new(funds.equity * ORDERED_MAX.0 / ORDERED_MAX.1),
            cash: Purse::new(funds.cash),
        }
    }

    /// Returns what is left for `order` of its quantity; only purchases need cash.
    pub(super) fn take(&mut self, order: &Order) -> Result<Order, Skip> {
        let mut order = *order;
        if order.side == Side::Buy {
            order.quantity = self.cash.take(&order).ok_or(Skip::Cash)?;
        }
        order.quantity = self.turnover.take(&order).ok_or(Skip::Turnover)?;
        Ok(order)
    }
}

/// Returns what of `buys`, in their order, the cash pays: the last one that fits is reduced to whole
/// shares, and those after it are left out. `cash` in units of a price.
pub fn afford(cash: i128, buys: &[Order]) -> Vec<Order> {
    let mut cash = Purse::new(cash);
    let taken = buys.iter().map_while(|order| {
        let quantity = cash.take(order)?;
        Some(Order { quantity, ..*order })
    });
    taken.collect()
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
        self.left -= order.amount(quantity);
        (quantity > Quantity::ZERO).then_some(quantity)
    }
}
