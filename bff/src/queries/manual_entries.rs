//! Manual entries.

use rust_decimal::Decimal;
use tokio_postgres::Row;
use turnstile_connectors::postgres::Postgres;
use uuid::Uuid;

use crate::api::manual_entries::{BuyRequest, ManualEntry};
use crate::queries::{QueryError, acting};

/// The namespace of the identities of requests, which come from their idempotency keys.
const NAMESPACE: Uuid = Uuid::from_u128(0x0c1b_8a52_7f5e_4a43_9d0e_3b61_55d2_a9f4);

/// What became of a request.
pub(crate) enum Requested {
    /// Asked now.
    Stored(ManualEntry),
    /// Asked before, under the same key.
    Known(ManualEntry),
    /// There is no such stock.
    NoStock,
}

/// Asks to buy. Of two equal requests the second finds the first.
pub(crate) async fn ask(
    db: &Postgres,
    symbol: &str,
    request: &BuyRequest,
) -> Result<Requested, QueryError> {
    let mut client = db.client().await?;
    let client = acting(&mut client).await?;
    let id = Uuid::new_v5(&NAMESPACE, request.idempotency_key.as_bytes());
    let limit = request.limit_price.map(Decimal::from);
    let stored = client
        .query_opt(
            "INSERT INTO trade.manual_entries
                 (request_id, symbol, qty, limit_price, asked_by, reason)
             SELECT $1, symbol, $3, $4, $5, $6 FROM market.stocks WHERE symbol = $2
             ON CONFLICT (request_id) DO NOTHING RETURNING *",
            &[
                &id,
                &symbol,
                &request.qty,
                &limit,
                &request.asked_by,
                &request.reason,
            ],
        )
        .await?;
    if let Some(row) = stored {
        let entry = manual_entry(&row)?;
        client.commit().await?;
        return Ok(Requested::Stored(entry));
    }
    let known = client
        .query_opt(
            "SELECT * FROM trade.manual_entries WHERE request_id = $1",
            &[&id],
        )
        .await?;
    Ok(match known {
        Some(row) => Requested::Known(manual_entry(&row)?),
        None => Requested::NoStock,
    })
}

fn manual_entry(row: &Row) -> Result<ManualEntry, tokio_postgres::Error> {
    Ok(ManualEntry {
        request_id: row.try_get("request_id")?,
        symbol: row.try_get("symbol")?,
        qty: row.try_get("qty")?,
        limit_price: row.try_get("limit_price")?,
        asked_by: row.try_get("asked_by")?,
        reason: row.try_get("reason")?,
        state: row.try_get("state")?,
        message: row.try_get("message")?,
        order_id: row.try_get("order_id")?,
        created_ts: row.try_get("created_ts")?,
        updated_ts: row.try_get("updated_ts")?,
    })
}
