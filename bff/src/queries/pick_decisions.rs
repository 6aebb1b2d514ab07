//! What became of picks.

use tokio_postgres::Row;
use turnstile_connectors::postgres::Postgres;

use crate::api::pick_decisions::PickDecision;
use crate::cursor::NumberCursor;
use crate::envelope::Listed;
use crate::extract::Page;
use crate::queries::{QueryError, listed};

const DECIDED: &str = "SELECT d.*, d.day::text AS day_text, s.name, e.state AS request_state,
        e.message AS request_message, e.order_id
    FROM trade.pick_decisions d JOIN market.stocks s USING (symbol)
    LEFT JOIN trade.manual_entries e USING (request_id)
    WHERE d.id < $1 ORDER BY d.id DESC LIMIT $2";
/// The same columns of what is not decided.
const HELD: &str =
    "SELECT h.*, h.day::text AS day_text, s.name, 'HELD' AS decision, NULL::bigint AS qty,
        NULL::numeric AS limit_price, NULL::numeric AS equity, NULL::uuid AS request_id,
        NULL::text AS request_state, NULL::text AS request_message, NULL::uuid AS order_id
    FROM trade.pick_holds h JOIN market.stocks s USING (symbol)
    WHERE h.id < $1 ORDER BY h.id DESC LIMIT $2";

/// Returns a page of decisions, or of what held picks, newest first.
pub(crate) async fn list(
    db: &Postgres,
    is_held: bool,
    page: Page<NumberCursor>,
) -> Result<Listed<PickDecision, NumberCursor>, QueryError> {
    let client = db.client().await?;
    let query = if is_held { HELD } else { DECIDED };
    let rows = client
        .query(query, &[&page.below.0, &(page.limit + 1)])
        .await?;
    let key = |row: &Row| Ok(NumberCursor(row.try_get("id")?));
    listed(&rows, &page, key, |row| {
        Ok(PickDecision {
            id: row.try_get("id")?,
            account_id: row.try_get("account_id")?,
            day: row.try_get("day_text")?,
            symbol: row.try_get("symbol")?,
            name: row.try_get("name")?,
            decision: row.try_get("decision")?,
            gate: row.try_get("gate")?,
            reason: row.try_get("reason")?,
            mode: row.try_get("mode")?,
            score: row.try_get("score")?,
            confidence: row.try_get("confidence")?,
            producers: row.try_get("producers")?,
            action_key: row.try_get("action_key")?,
            qty: row.try_get("qty")?,
            limit_price: row.try_get("limit_price")?,
            equity: row.try_get("equity")?,
            request_id: row.try_get("request_id")?,
            request_state: row.try_get("request_state")?,
            request_message: row.try_get("request_message")?,
            order_id: row.try_get("order_id")?,
            created_ts: row.try_get("created_ts")?,
        })
    })
}
