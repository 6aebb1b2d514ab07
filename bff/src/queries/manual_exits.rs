//! Manual exits.

use tokio_postgres::Row;
use turnstile_connectors::postgres::Postgres;
use uuid::Uuid;

use crate::api::manual_exits::{ManualExit, SellRequest};
use crate::queries::{QueryError, acting};

/// What became of a request.
pub(crate) enum Requested {
    /// Asked now.
    Stored(ManualExit),
    /// Asked before, under the same key.
    Known(ManualExit),
    /// There is no such position.
    NoPosition,
    /// The position is closed.
    Closed,
    /// Nobody may sell the position.
    Disabled,
    /// More is asked for than is held.
    TooMany {
        /// Shares held.
        held: i64,
    },
}

/// Asks to sell. The lock of the position's row makes two equal requests wait for each other, and
/// both for a fill.
pub(crate) async fn ask(
    db: &Postgres,
    position: Uuid,
    request: &SellRequest,
) -> Result<Requested, QueryError> {
    let mut client = db.client().await?;
    let transaction = acting(&mut client).await?;
    let row = transaction
        .query_opt(
            "SELECT symbol, qty, status, exit_mode FROM trade.positions
             WHERE position_id = $1 FOR NO KEY UPDATE",
            &[&position],
        )
        .await?;
    let Some(row) = row else {
        return Ok(Requested::NoPosition);
    };
    let id = Uuid::new_v5(&position, request.idempotency_key.as_bytes());
    let known = transaction
        .query_opt(
            "SELECT * FROM trade.manual_exits WHERE request_id = $1",
            &[&id],
        )
        .await?;
    if let Some(known) = known {
        return Ok(Requested::Known(manual_exit(&known)?));
    }
    let held: i64 = row.try_get("qty")?;
    if row.try_get::<_, &str>("status")? == "CLOSED" {
        return Ok(Requested::Closed);
    }
    if row.try_get::<_, &str>("exit_mode")? == "DISABLED" {
        return Ok(Requested::Disabled);
    }
    if request.qty > held {
        return Ok(Requested::TooMany { held });
    }
    let symbol: &str = row.try_get("symbol")?;
    let row = transaction
        .query_one(
            "INSERT INTO trade.manual_exits (request_id, position_id, symbol, qty, asked_by, reason)
             VALUES ($1, $2, $3, $4, $5, $6) RETURNING *",
            &[
                &id,
                &position,
                &symbol,
                &request.qty,
                &request.asked_by,
                &request.reason,
            ],
        )
        .await?;
    let stored = manual_exit(&row)?;
    transaction.commit().await?;
    Ok(Requested::Stored(stored))
}

fn manual_exit(row: &Row) -> Result<ManualExit, tokio_postgres::Error> {
    Ok(ManualExit {
        request_id: row.try_get("request_id")?,
        position_id: row.try_get("position_id")?,
        symbol: row.try_get("symbol")?,
        qty: row.try_get("qty")?,
        asked_by: row.try_get("asked_by")?,
        reason: row.try_get("reason")?,
        state: row.try_get("state")?,
        message: row.try_get("message")?,
        order_id: row.try_get("order_id")?,
        created_ts: row.try_get("created_ts")?,
        updated_ts: row.try_get("updated_ts")?,
    })
}
