//! The exit event: a position has reached quantity zero.

use deadpool_postgres::Transaction;
use rust_decimal::{Decimal, RoundingStrategy};
use uuid::Uuid;

use super::super::error::StoreError;
use super::super::merge::average;
use super::super::order::quantity;
use super::sale::Held;
use super::{Ledger, Subject};

/// All sales of a position, and the order behind the last of them, the larger where two tie.
const SALES: &str = "SELECT coalesce(sum(x.qty), 0)::bigint AS qty,
        coalesce(sum(x.qty * x.price), 0) AS amount,
        coalesce(sum(x.fee + x.tax), 0) AS costs,
        (array_agg(o.order_id ORDER BY x.ts DESC, x.qty DESC, x.fill_id))[1] AS order_id,
        (array_agg(o.reason_code ORDER BY x.ts DESC, x.qty DESC, x.fill_id))[1] AS reason,
        (array_agg(o.explanation->>'profile' ORDER BY x.ts DESC, x.qty DESC, x.fill_id))[1] AS profile
    FROM trade.executions x JOIN trade.orders o USING (order_id)
    WHERE o.position_id = $1 AND o.side = 'SELL'";

const STORE_EXIT: &str = "INSERT INTO trade.exit_events
        (exit_event_id, position_id, account_id, symbol, exit_ts, exit_qty, original_qty,
         exit_avg_price, exit_reason_code, source, order_id, exit_profile_id, prior_hwm,
         realized_pnl, realized_pnl_pct)
    SELECT $1, $2, $3, $4,
        (SELECT max(x.ts) FROM trade.executions x JOIN trade.orders o USING (order_id)
          WHERE o.position_id = $2 AND o.side = 'SELL'),
        $5, $6, $7, $8, $9, $10, $11,
        greatest(st.hwm_price, (SELECT max((o.explanation->>'high_water_mark')::numeric)
            FROM trade.orders o JOIN trade.positions p USING (position_id, cycle)
            WHERE o.position_id = $2)), $12, $13
    FROM trade.position_state st WHERE st.position_id = $2
    ON CONFLICT (position_id) DO NOTHING";

/// Decimal places of money and of a percentage as stored.
const MONEY_SCALE: u32 = 4;
const PERCENT_SCALE: u32 = 6;

impl Ledger {
    /// Stores the exit event of a position whose last share was just sold. The result is that of
    /// every sale against the average cost, net of fee and tax.
    pub(super) async fn store_exit(
        &self,
        tx: &Transaction<'_>,
        subject: &Subject,
        held: &Held,
    ) -> Result<(), StoreError> {
        let statement = tx.prepare_cached(SALES).await?;
        let row = tx.query_one(&statement, &[&held.id]).await?;
        let qty = quantity(row.try_get("qty")?)?;
        let amount: Decimal = row.try_get("amount")?;
        let costs: Decimal = row.try_get("costs")?;
        let order: Uuid = row.try_get("order_id")?;
        let reason: &str = row.try_get("reason")?;
        let profile: Option<&str> = row.try_get("profile")?;
        let average = average(amount, qty)
            .ok_or_else(|| StoreError::inconsistent("a position closed without a sale"))?;
        let (pnl, percent) = result(held.avg_price, qty.shares(), amount, costs);
        let source = if reason == "MANUAL" {
            "MANUAL"
        } else {
            "AUTO_EXIT"
        };
        let event = Uuid::new_v5(&held.id, b"exit");
        let statement = tx.prepare_cached(STORE_EXIT).await?;
        tx.execute(
            &statement,
            &[
                &event,
                &held.id,
                &subject.account,
                &subject.symbol,
                &qty.shares(),
                &held.original_qty.shares(),
                &average.to_decimal(),
                &reason,
                &source,
                &order,
                &profile,
                &pnl,
                &percent,
            ],
        )
        .await?;
        Ok(())
    }
}

/// Returns the realised profit in KRW and in percent of the cost; zero percent of no cost.
pub(super) fn result(
    avg_price: Decimal,
    qty: i64,
    amount: Decimal,
    costs: Decimal,
) -> (Decimal, Decimal) {
    let cost = avg_price * Decimal::from(qty);
    let profit = amount - costs - cost;
    let share = profit.checked_div(cost).unwrap_or_default() * Decimal::ONE_HUNDRED;
    let even = RoundingStrategy::MidpointNearestEven;
    (
        profit.round_dp_with_strategy(MONEY_SCALE, even),
        share.round_dp_with_strategy(PERCENT_SCALE, even),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profit_is_net_of_costs_and_of_the_cost_basis() {
        let (profit, percent) = result(100.into(), 10, 1_100.into(), 3.into());
        assert_eq!((profit, percent), (97.into(), Decimal::new(97, 1)));
        assert_eq!(
            result(Decimal::ZERO, 10, 5.into(), Decimal::ZERO).1,
            Decimal::ZERO
        );
    }
}
