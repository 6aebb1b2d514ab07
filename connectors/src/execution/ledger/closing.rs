//! The exit event: a position has reached quantity zero.

use crate::postgres::Transaction;
use rust_decimal::{Decimal, RoundingStrategy};
use turnstile_dataflows::model::{Price, Quantity};
use uuid::Uuid;

use super::super::error::StoreError;
use super::super::merge::average;
use super::super::order::quantity;
use super::result::profit;

/// All sales of a position, and the order behind the last of them, the larger where two tie.
const SALES: &str = "SELECT coalesce(sum(x.qty), 0)::bigint AS qty,
        coalesce(sum(x.qty * x.price), 0) AS amount,
        coalesce(sum(x.fee + x.tax), 0) AS costs,
        (array_agg(o.order_id ORDER BY x.ts DESC, x.qty DESC, x.fill_id))[1] AS order_id,
        (array_agg(o.reason_code ORDER BY x.ts DESC, x.qty DESC, x.fill_id))[1] AS reason,
        (array_agg(o.explanation->>'profile' ORDER BY x.ts DESC, x.qty DESC, x.fill_id))[1] AS profile
    FROM trade.executions x JOIN trade.orders o USING (order_id)
    WHERE o.position_id = $1 AND o.side = 'SELL'";

/// An exit without an order has happened by now; one with orders at the last of their sales.
const STORE_EXIT: &str = "INSERT INTO trade.exit_events
        (exit_event_id, position_id, account_id, symbol, exit_ts, exit_qty, original_qty,
         exit_avg_price, exit_reason_code, source, order_id, exit_profile_id, prior_hwm,
         realized_pnl, realized_pnl_pct)
    SELECT $1, p.position_id, p.account_id, p.symbol,
        CASE WHEN $7::uuid IS NULL THEN clock_timestamp() ELSE (
            SELECT max(x.ts) FROM trade.executions x JOIN trade.orders o USING (order_id)
            WHERE o.position_id = p.position_id AND o.side = 'SELL') END,
        $3, p.original_qty, $4, $5, $6, $7, $8,
        greatest(st.hwm_price, (SELECT max((o.explanation->>'high_water_mark')::numeric)
            FROM trade.orders o WHERE o.position_id = p.position_id AND o.cycle = p.cycle)), $9, $10
    FROM trade.positions p JOIN trade.position_state st USING (position_id)
    WHERE p.position_id = $2
    ON CONFLICT (position_id) DO NOTHING";

/// Decimal places of a percentage as stored.
const PERCENT_SCALE: u32 = 6;

/// All sales of a position.
pub(super) struct Sales {
    qty: Quantity,
    /// Money that they traded for, KRW.
    amount: Decimal,
    /// Fees and taxes, KRW.
    costs: Decimal,
    last: Option<LastSale>,
}

/// The order behind the last sale.
struct LastSale {
    order: Uuid,
    reason: String,
    profile: Option<String>,
}

impl Sales {
    /// Returns the average price; none without a sale.
    pub(super) fn average(&self) -> Option<Decimal> {
        average(self.amount, self.qty).map(Price::to_decimal)
    }
}

/// Returns what has been sold of a position.
pub(super) async fn sales(tx: &Transaction<'_>, position: Uuid) -> Result<Sales, StoreError> {
    let statement = tx.prepare_cached(SALES).await?;
    let row = tx.query_one(&statement, &[&position]).await?;
    let last = match row.try_get::<_, Option<Uuid>>("order_id")? {
        Some(order) => Some(LastSale {
            order,
            reason: row.try_get("reason")?,
            profile: row.try_get("profile")?,
        }),
        None => None,
    };
    Ok(Sales {
        qty: quantity(row.try_get("qty")?)?,
        amount: row.try_get("amount")?,
        costs: row.try_get("costs")?,
        last,
    })
}

/// Stores the exit event of a position whose last share was just sold. The result is that of every
/// sale against the average cost, net of fee and tax.
pub(super) async fn store_sold(
    tx: &Transaction<'_>,
    position: Uuid,
    avg_price: Decimal,
) -> Result<(), StoreError> {
    let sales = sales(tx, position).await?;
    let unsold = || StoreError::inconsistent("a position closed without a sale");
    let price = sales.average().ok_or_else(unsold)?;
    let LastSale {
        order,
        reason,
        profile,
    } = sales.last.as_ref().ok_or_else(unsold)?;
    let source = if reason == "MANUAL" {
        "MANUAL"
    } else {
        "AUTO_EXIT"
    };
    let result = result(avg_price, sales.qty, sales.amount, sales.costs);
    let cause = (reason.as_str(), source, Some(*order), profile.as_deref());
    store(tx, position, sales.qty, price, cause, result).await
}

/// Stores the exit event of a position whose last `gone` shares are at the broker no more although
/// nobody sold them. They count at `price`, beside the `sales` there were.
pub(super) async fn store_vanished(
    tx: &Transaction<'_>,
    position: Uuid,
    avg_price: Decimal,
    gone: Quantity,
    price: Decimal,
    sales: &Sales,
) -> Result<(), StoreError> {
    let qty = sales.qty.saturating_add(gone);
    let amount = sales.amount + price * Decimal::from(gone.shares());
    let result = result(avg_price, qty, amount, sales.costs);
    let cause = ("BROKER", "BROKER", None, None);
    store(tx, position, qty, price, cause, result).await
}

/// Reason, source, order and profile.
type Cause<'a> = (&'a str, &'a str, Option<Uuid>, Option<&'a str>);

async fn store(
    tx: &Transaction<'_>,
    position: Uuid,
    qty: Quantity,
    price: Decimal,
    (reason, source, order, profile): Cause<'_>,
    (pnl, percent): (Decimal, Decimal),
) -> Result<(), StoreError> {
    let event = Uuid::new_v5(&position, b"exit");
    let statement = tx.prepare_cached(STORE_EXIT).await?;
    tx.execute(
        &statement,
        &[
            &event,
            &position,
            &qty.shares(),
            &price,
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

/// Returns the realised profit in KRW and in percent of the cost; zero percent of no cost.
fn result(
    avg_price: Decimal,
    qty: Quantity,
    amount: Decimal,
    costs: Decimal,
) -> (Decimal, Decimal) {
    let cost = avg_price * Decimal::from(qty.shares());
    let profit = profit(avg_price, qty, amount, costs);
    let share = profit.checked_div(cost).unwrap_or_default() * Decimal::ONE_HUNDRED;
    let even = RoundingStrategy::MidpointNearestEven;
    (profit, share.round_dp_with_strategy(PERCENT_SCALE, even))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_percentage_is_of_the_cost_and_zero_of_no_cost() {
        let qty = Quantity::new(10).unwrap();
        let (profit, percent) = result(100.into(), qty, 1_100.into(), 3.into());
        assert_eq!((profit, percent), (97.into(), Decimal::new(97, 1)));
        assert_eq!(
            result(Decimal::ZERO, qty, 5.into(), Decimal::ZERO).1,
            Decimal::ZERO
        );
    }
}
