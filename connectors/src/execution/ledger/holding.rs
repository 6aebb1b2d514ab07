//! What the broker's list of holdings does to positions, where fills do not explain it.
//!
//! The broker is right. Shares that appeared belong to the position that was bought by hand; shares
//! that are gone are taken from it first, then from the oldest. No trade is invented: a position
//! that is gone without a fill ends with an exit event of source BROKER, its price the average of
//! the sales there were, else the last price known. For the limits of losses the shares that are gone
//! count as sold, without costs, also where others are left: at the lowest of both and their cost. Nobody
//! knows, and a gain that nobody made would hide losses.

use crate::postgres::Transaction;
use rust_decimal::Decimal;
use tokio_util::sync::CancellationToken;
use turnstile_dataflows::model::{Quantity, Symbol};
use uuid::Uuid;

use super::super::broker::ListedHolding;
use super::super::error::StoreError;
use super::super::order::quantity;
use super::super::store::GivenUp;
use super::Ledger;
use super::closing::{sales, store_vanished};
use super::result::Sold;

/// Live positions of a symbol, the one bought by hand first.
const LOCK_LIVE: &str = "SELECT position_id, qty, avg_price, strategy_id, status
    FROM trade.positions
    WHERE account_id = $1 AND symbol = $2 AND status IN ('OPEN', 'CLOSING')
    ORDER BY (strategy_id = 'MANUAL') DESC, entry_ts, position_id FOR NO KEY UPDATE";

/// Whether an order of ours may have traded what nobody has told yet.
const IS_UNSETTLED: &str = "SELECT EXISTS (
    SELECT 1 FROM trade.orders o CROSS JOIN LATERAL (
        SELECT v.status FROM trade.orders_now v WHERE v.order_id = o.order_id OFFSET 0) n
    WHERE o.account_id = $1 AND o.symbol = $2 AND o.created_ts > now() - interval '2 days'
        AND n.status IN ('SENDING', 'UNKNOWN')) AS is_unsettled";

const OPEN: &str = "WITH stock AS (
        INSERT INTO market.stocks (symbol, name, market, instrument_type)
        VALUES ($3, $3, 'UNKNOWN', 'UNKNOWN') ON CONFLICT (symbol) DO NOTHING
    )
    INSERT INTO trade.positions
        (position_id, account_id, symbol, qty, original_qty, avg_price, entry_ts, strategy_id)
    VALUES ($1, $2, $3, $4, $4, $5, clock_timestamp(), 'MANUAL')";

const GROW: &str = "UPDATE trade.positions
    SET qty = qty + $2, original_qty = original_qty + $2, avg_price = $3 WHERE position_id = $1";

const SHRINK: &str = "UPDATE trade.positions SET qty = $2, status = $3,
        closed_ts = CASE WHEN $3 = 'CLOSED' THEN clock_timestamp() END
    WHERE position_id = $1";

const END_STATE: &str = "UPDATE trade.position_state
    SET phase = 'EXITED', updated_ts = clock_timestamp() WHERE position_id = $1";

const LAST_PRICE: &str = "SELECT last_price FROM market.prices
    WHERE symbol = $1 ORDER BY logical_us DESC LIMIT 1";

/// What became of a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::execution) enum Reconciled {
    /// The positions are as the broker says.
    Done,
    /// They have changed since the comparison, or an order may still explain it.
    NotYet,
    /// The process stops.
    Stopped,
}

/// A live position under its lock.
struct Live {
    id: Uuid,
    qty: Quantity,
    avg_price: Decimal,
    is_by_hand: bool,
    status: String,
}

impl Ledger {
    /// Makes the positions of a symbol what the broker holds, if they still are `ours`.
    pub(in crate::execution) async fn reconcile(
        &self,
        account: &str,
        symbol: Symbol,
        ours: Quantity,
        theirs: Option<&ListedHolding>,
        stop: &CancellationToken,
    ) -> Result<Reconciled, StoreError> {
        let work = |client| self.set_holding(client, account, symbol, ours, theirs);
        match self.store.persist("holdings", stop, work).await {
            Ok((reconciled, changed)) => {
                self.cache.forget(&changed).await;
                Ok(reconciled)
            }
            Err(GivenUp::Stopped) => Ok(Reconciled::Stopped),
            Err(GivenUp::Refused(error)) => Err(error),
        }
    }

    async fn set_holding(
        &self,
        mut client: crate::postgres::PostgresClient,
        account: &str,
        symbol: Symbol,
        ours: Quantity,
        theirs: Option<&ListedHolding>,
    ) -> Result<(Reconciled, Vec<Uuid>), StoreError> {
        let tx = client.transaction().await?;
        let symbol = symbol.to_string();
        let live = lock_live(&tx, account, &symbol).await?;
        let statement = tx.prepare_cached(IS_UNSETTLED).await?;
        let row = tx.query_one(&statement, &[&account, &symbol]).await?;
        let held: Quantity = live
            .iter()
            .fold(Quantity::ZERO, |sum, live| sum.saturating_add(live.qty));
        if held != ours || row.try_get("is_unsettled")? {
            return Ok((Reconciled::NotYet, Vec::new()));
        }
        let target = theirs.map_or(Quantity::ZERO, |holding| holding.qty);
        let changed = match theirs {
            Some(holding) if target > held => {
                vec![
                    appear(
                        &tx,
                        account,
                        &symbol,
                        holding,
                        target.saturating_sub(held),
                        &live,
                    )
                    .await?,
                ]
            }
            _ => vanish(&tx, &symbol, held.saturating_sub(target), &live).await?,
        };
        tx.commit().await?;
        Ok((Reconciled::Done, changed))
    }
}

async fn lock_live(
    tx: &Transaction<'_>,
    account: &str,
    symbol: &str,
) -> Result<Vec<Live>, StoreError> {
    let statement = tx.prepare_cached(LOCK_LIVE).await?;
    let rows = tx.query(&statement, &[&account, &symbol]).await?;
    rows.iter()
        .map(|row| {
            Ok(Live {
                id: row.try_get("position_id")?,
                qty: quantity(row.try_get("qty")?)?,
                avg_price: row.try_get("avg_price")?,
                is_by_hand: row.try_get::<_, &str>("strategy_id")? == "MANUAL",
                status: row.try_get("status")?,
            })
        })
        .collect()
}

/// Adds shares that appeared to the position bought by hand, or opens one. The broker's average is
/// over all shares of the symbol, so it counts where there is no other position.
async fn appear(
    tx: &Transaction<'_>,
    account: &str,
    symbol: &str,
    holding: &ListedHolding,
    shares: Quantity,
    live: &[Live],
) -> Result<Uuid, StoreError> {
    match live.first().filter(|first| first.is_by_hand) {
        Some(by_hand) => {
            let average = if live.len() == 1 {
                holding.average
            } else {
                by_hand.avg_price
            };
            let statement = tx.prepare_cached(GROW).await?;
            tx.execute(&statement, &[&by_hand.id, &shares.shares(), &average])
                .await?;
            Ok(by_hand.id)
        }
        None => {
            let id = Uuid::new_v4();
            let values: [&(dyn tokio_postgres::types::ToSql + Sync); 5] =
                [&id, &account, &symbol, &shares.shares(), &holding.average];
            let statement = tx.prepare_cached(OPEN).await?;
            tx.execute(&statement, &values).await?;
            Ok(id)
        }
    }
}

/// Takes shares that are gone from the positions, in their order. Returns whom it changed.
async fn vanish(
    tx: &Transaction<'_>,
    symbol: &str,
    shares: Quantity,
    live: &[Live],
) -> Result<Vec<Uuid>, StoreError> {
    let last = last_price(tx, symbol).await?;
    let mut missing = shares;
    let mut changed = Vec::new();
    for position in live {
        let gone = missing.min(position.qty);
        if gone.is_zero() {
            continue;
        }
        missing = missing.saturating_sub(gone);
        changed.push(position.id);
        let left = position.qty.saturating_sub(gone);
        let status = if left.is_zero() {
            "CLOSED"
        } else {
            position.status.as_str()
        };
        let statement = tx.prepare_cached(SHRINK).await?;
        tx.execute(&statement, &[&position.id, &left.shares(), &status])
            .await?;
        let (id, avg_price) = (position.id, position.avg_price);
        let sales = sales(tx, id).await?;
        let price = sales.average().or(last).unwrap_or(avg_price);
        let sold = Sold {
            id: Uuid::new_v4(),
            position: id,
            order: None,
            ts_us: None,
            qty: gone,
            price: last.map_or(price, |last| last.min(price)).min(avg_price),
            avg_price,
            costs: Decimal::ZERO,
        };
        sold.store(tx).await?;
        if left.is_zero() {
            let statement = tx.prepare_cached(END_STATE).await?;
            tx.execute(&statement, &[&id]).await?;
            store_vanished(tx, id, avg_price, gone, price, &sales).await?;
        }
    }
    Ok(changed)
}

/// Returns the last price known of a symbol.
async fn last_price(tx: &Transaction<'_>, symbol: &str) -> Result<Option<Decimal>, StoreError> {
    let statement = tx.prepare_cached(LAST_PRICE).await?;
    let row = tx.query_opt(&statement, &[&symbol]).await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?)
}
