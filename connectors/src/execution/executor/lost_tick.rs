//! Ticks that a crash lost between a decision and their own commit.
//!
//! The decision carries a copy of the tick that it was judged on. An order of an earlier run would
//! wait for its price for ever, so the price is stored from the copy, with source DECISION, before
//! the order leaves.

use super::super::error::StoreError;
use super::super::order::Order;
use super::super::store::GivenUp;
use super::Desk;

const ENSURE_PARTITION: &str = "SELECT market.ensure_prices_partition(
        ((timestamptz 'epoch' + tick_us * interval '1 microsecond')
            AT TIME ZONE interval '9 hours')::date)
    FROM trade.orders WHERE order_id = $1 AND tick_us IS NOT NULL";

const STORE: &str = "WITH lost AS (
        SELECT symbol, tick_us, price, (explanation->>'last')::numeric AS last,
            (explanation->>'bid')::numeric AS bid,
            timestamptz 'epoch' + tick_us * interval '1 microsecond' AS ts
        FROM trade.orders WHERE order_id = $1 AND tick_us IS NOT NULL
    )
    INSERT INTO market.prices
        (trade_date, logical_us, symbol, ts, recv_ts, source, last_price, bid, volume, session)
    SELECT (ts AT TIME ZONE interval '9 hours')::date, tick_us, symbol, ts, ts, 'DECISION',
        coalesce(last, price), bid, 0, 'UNKNOWN'
    FROM lost
    ON CONFLICT DO NOTHING";

impl Desk {
    /// Stores the tick of an order unless it is stored already.
    pub(super) async fn store_lost_tick(&self, order: &Order) -> Result<(), GivenUp> {
        let id = &order.id;
        let work = |client: crate::postgres::PostgresClient| async move {
            let statement = client.prepare_cached(ENSURE_PARTITION).await?;
            client.query(&statement, &[id]).await?;
            let statement = client.prepare_cached(STORE).await?;
            client.execute(&statement, &[id]).await?;
            Ok::<_, StoreError>(())
        };
        self.parts
            .store
            .persist("a tick that was lost", &self.stop, work)
            .await
    }
}
