//! What portfolios came to when they were traded.

use tokio_postgres::Row;
use turnstile_connectors::postgres::Postgres;
use uuid::Uuid;

use crate::api::rebalances::{Line, Rebalance};
use crate::queries::QueryError;

use super::portfolios::weight;

const REBALANCE: &str = "SELECT r.*, r.day::text AS day_text FROM strategy.rebalances r
    WHERE portfolio_id = $1";
const LINES: &str = "SELECT l.*, s.name, n.status AS order_status, n.filled_qty,
        coalesce(x.message, e.message) AS refused
    FROM strategy.rebalance_lines l
    LEFT JOIN market.stocks s USING (symbol)
    LEFT JOIN trade.manual_exits x ON x.request_id = l.request_id
    LEFT JOIN trade.manual_entries e ON e.request_id = l.request_id
    LEFT JOIN LATERAL (SELECT v.status, v.filled_qty FROM trade.orders_now v
        WHERE v.order_id = coalesce(x.order_id, e.order_id) OFFSET 0) n ON true
    WHERE l.portfolio_id = $1 ORDER BY l.place";

/// Returns how the portfolio `id` was traded.
pub(crate) async fn one(db: &Postgres, id: Uuid) -> Result<Option<Rebalance>, QueryError> {
    let client = db.client().await?;
    let Some(row) = client.query_opt(REBALANCE, &[&id]).await? else {
        return Ok(None);
    };
    let lines = client.query(LINES, &[&id]).await?;
    let lines = lines.iter().map(line).collect::<Result<_, _>>()?;
    Ok(Some(Rebalance {
        portfolio_id: row.try_get("portfolio_id")?,
        day: row.try_get("day_text")?,
        account_id: row.try_get("account_id")?,
        equity: row.try_get("equity")?,
        state: row.try_get("state")?,
        reason: row.try_get("reason")?,
        lines,
        created_ts: row.try_get("created_ts")?,
        updated_ts: row.try_get("updated_ts")?,
    }))
}

fn line(row: &Row) -> Result<Line, tokio_postgres::Error> {
    Ok(Line {
        symbol: row.try_get("symbol")?,
        name: row.try_get("name")?,
        side: row.try_get("side")?,
        action_key: row.try_get("action_key")?,
        weight: weight(row.try_get("weight")?),
        held: row.try_get("held")?,
        target: row.try_get("target")?,
        qty: row.try_get("qty")?,
        price: row.try_get("price")?,
        skipped: row.try_get("skipped")?,
        order_status: row.try_get("order_status")?,
        filled_qty: row.try_get("filled_qty")?,
        refused: row.try_get("refused")?,
    })
}
