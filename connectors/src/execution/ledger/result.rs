//! What a sale brought: a row of `trade.sale_results`, in the transaction in which the shares leave their
//! position.

use crate::postgres::Transaction;
use rust_decimal::{Decimal, RoundingStrategy};
use turnstile_dataflows::model::Quantity;
use uuid::Uuid;

use super::super::error::StoreError;

/// Without a time they have left by now.
const STORE: &str =
    "INSERT INTO trade.sale_results (sale_id, position_id, account_id, symbol, sold_ts, qty,
        price, avg_price, costs, realized_pnl, order_id)
    SELECT $1, position_id, account_id, symbol,
        coalesce(timestamptz 'epoch' + $3::bigint * interval '1 microsecond', clock_timestamp()),
        $4, $5, $6, $7, $8, $9
    FROM trade.positions WHERE position_id = $2";

/// Decimal places of money as stored.
const MONEY_SCALE: u32 = 4;

/// Shares that have left a position.
pub(super) struct Sold {
    /// The execution that sold them; an identity of its own where there was none.
    pub(super) id: Uuid,
    pub(super) position: Uuid,
    /// The order that sold them, also that of somebody else; none: they were found to be gone.
    pub(super) order: Option<Uuid>,
    /// When, microseconds since the Unix epoch; none: now.
    pub(super) ts_us: Option<i64>,
    pub(super) qty: Quantity,
    pub(super) price: Decimal,
    /// Average cost of the position when they left.
    pub(super) avg_price: Decimal,
    /// Fee and tax, KRW.
    pub(super) costs: Decimal,
}

impl Sold {
    /// Stores what they brought.
    pub(super) async fn store(&self, tx: &Transaction<'_>) -> Result<(), StoreError> {
        let amount = self.price * Decimal::from(self.qty.shares());
        let profit = profit(self.avg_price, self.qty, amount, self.costs);
        let statement = tx.prepare_cached(STORE).await?;
        tx.execute(
            &statement,
            &[
                &self.id,
                &self.position,
                &self.ts_us,
                &self.qty.shares(),
                &self.price,
                &self.avg_price,
                &self.costs,
                &profit,
                &self.order,
            ],
        )
        .await?;
        Ok(())
    }
}

/// Returns the realised profit in KRW of `qty` shares that were sold for `amount`: net of `costs`, against
/// their average cost.
pub(super) fn profit(
    avg_price: Decimal,
    qty: Quantity,
    amount: Decimal,
    costs: Decimal,
) -> Decimal {
    let profit = amount - costs - avg_price * Decimal::from(qty.shares());
    profit.round_dp_with_strategy(MONEY_SCALE, RoundingStrategy::MidpointNearestEven)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shares(qty: i64) -> Quantity {
        Quantity::new(qty).unwrap()
    }

    #[test]
    fn profit_is_net_of_costs_and_of_the_cost_basis() {
        let of = |amount: i64| profit(100.into(), shares(10), amount.into(), 3.into());
        assert_eq!((of(1_100), of(900)), (97.into(), (-103).into()));
    }

    proptest! {
        #[test]
        fn sales_at_one_average_bring_together_what_they_bring_one_by_one(
            average in 1..10_000_000_i64,
            sales in prop::collection::vec((1..1_000_i64, 1..10_000_000_i64, 0..100_000_i64), 1..9),
        ) {
            let average = Decimal::new(average, 4);
            let amount = |qty: i64, price: i64| Decimal::new(price, 4) * Decimal::from(qty);
            let each = sales.iter().map(|(qty, price, costs)| {
                profit(average, shares(*qty), amount(*qty, *price), (*costs).into())
            });
            let whole = profit(
                average,
                shares(sales.iter().map(|(qty, ..)| qty).sum()),
                sales.iter().map(|(qty, price, _)| amount(*qty, *price)).sum(),
                sales.iter().map(|(.., costs)| Decimal::from(*costs)).sum(),
            );
            prop_assert_eq!(each.sum::<Decimal>(), whole);
        }
    }
}
