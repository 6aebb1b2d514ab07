//! Executions: what the broker filled.

use turnstile_connectors::postgres::Postgres;
use uuid::Uuid;

use crate::api::executions::Execution;
use crate::cursor::TimeCursor;
use crate::envelope::Listed;
use crate::extract::Page;
use crate::queries::{QueryError, listed, time_key};

/// Returns a page of executions, of one position or of all, last stored first.
pub(crate) async fn list(
    db: &Postgres,
    position: Option<Uuid>,
    page: Page<TimeCursor>,
) -> Result<Listed<Execution, TimeCursor>, QueryError> {
    let client = db.client().await?;
    let rows = client
        .query(
            "SELECT e.*, o.symbol, o.side, stock.name
             FROM (
                 SELECT fill_id, order_id, ts, qty, price, fee, tax, source, created_ts
                 FROM trade.executions
                 WHERE (created_ts, fill_id) < ($1, $2) AND ($4::uuid IS NULL OR order_id = ANY(
                     ARRAY(SELECT order_id FROM trade.orders WHERE position_id = $4)))
                 ORDER BY created_ts DESC, fill_id DESC LIMIT $3
             ) AS e
             JOIN trade.orders AS o USING (order_id)
             JOIN market.stocks AS stock USING (symbol)
             ORDER BY e.created_ts DESC, e.fill_id DESC",
            &[&page.below.ts, &page.below.id, &(page.limit + 1), &position],
        )
        .await?;
    let key = time_key("created_ts", "fill_id");
    listed(&rows, &page, key, |row| {
        Ok(Execution {
            fill_id: row.try_get("fill_id")?,
            order_id: row.try_get("order_id")?,
            symbol: row.try_get("symbol")?,
            name: row.try_get("name")?,
            side: row.try_get("side")?,
            ts: row.try_get("ts")?,
            qty: row.try_get("qty")?,
            price: row.try_get("price")?,
            fee: row.try_get("fee")?,
            tax: row.try_get("tax")?,
            source: row.try_get("source")?,
        })
    })
}
