//! Pauses of exits that the system has set by itself.

use tokio_postgres::Row;
use turnstile_connectors::postgres::Postgres;

use crate::api::exit_pauses::ExitPause;
use crate::queries::QueryError;

/// The sales that wait are of live positions, which are few; they are counted only while there is a pause.
/// OFFSET 0 keeps the view apart, so that it gathers the events of one order at a time.
const PAUSES: &str = "
    SELECT pause.reason, pause.message, pause.since_ts, waiting.count AS stops_waiting
    FROM trade.exit_pauses AS pause
    CROSS JOIN LATERAL (
        SELECT count(*) FROM trade.positions AS p
        JOIN trade.orders AS o USING (position_id)
        CROSS JOIN LATERAL (
            SELECT status FROM trade.orders_now WHERE order_id = o.order_id OFFSET 0
        ) AS state
        WHERE p.status IN ('OPEN', 'CLOSING') AND o.side = 'SELL' AND state.status = 'NEW'
    ) AS waiting
    ORDER BY pause.since_ts, pause.reason";

/// Returns the pauses in force, the first to begin first. There is one row a reason, so they are few.
pub(crate) async fn list(db: &Postgres) -> Result<Vec<ExitPause>, QueryError> {
    let client = db.client().await?;
    let rows = client.query(PAUSES, &[]).await?;
    let pause = |row: &Row| {
        Ok(ExitPause {
            reason: row.try_get("reason")?,
            message: row.try_get("message")?,
            since_ts: row.try_get("since_ts")?,
            stops_waiting: row.try_get("stops_waiting")?,
        })
    };
    rows.iter().map(pause).collect()
}
