//! What the operator asks of orders.

use tokio_postgres::Row;
use turnstile_connectors::postgres::Postgres;
use uuid::Uuid;

use crate::api::order_requests::{OrderAsk, OrderRequest};
use crate::queries::{QueryError, acting};

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Send it.
    Approve,
    /// Do not send it.
    Reject,
    /// End it.
    Cancel,
}

impl Kind {
    /// Returns the name in the database.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Approve => "APPROVE",
            Self::Reject => "REJECT",
            Self::Cancel => "CANCEL",
        }
    }
}

/// What became of a request.
pub(crate) enum Requested {
    /// Asked now.
    Stored(OrderRequest),
    /// Asked before, under the same key.
    Known(OrderRequest),
    /// There is no such order.
    NoOrder,
    /// The order stands so that this cannot be asked.
    NotNow {
        /// How it stands.
        status: String,
    },
}

const KNOWN: &str = "SELECT r.*, n.status FROM trade.order_requests r
    JOIN trade.orders_now n ON n.order_id = r.order_id AND n.order_id = $2
    WHERE r.request_id = $1";

/// One statement: the request, if the order stands so that it can be asked.
const ASK: &str = "WITH present AS (
        SELECT order_id, status FROM trade.orders_now WHERE order_id = $2
    ), stored AS (
        INSERT INTO trade.order_requests (request_id, order_id, kind, asked_by, reason)
        SELECT $1, order_id, $3, $4, $5 FROM present
        WHERE CASE $3 WHEN 'CANCEL'
            THEN status NOT IN ('FILLED', 'REJECTED', 'CANCELLED', 'CANCELLED_PARTIAL', 'ERROR')
            ELSE status = 'PENDING_APPROVAL' END
        ON CONFLICT (request_id) DO NOTHING
        RETURNING *
    )
    SELECT present.status, stored.request_id, present.order_id, stored.kind, stored.asked_by,
        stored.reason, stored.created_ts
    FROM present LEFT JOIN stored USING (order_id)";

/// Asks something of an order.
pub(crate) async fn ask(
    db: &Postgres,
    order: Uuid,
    kind: Kind,
    asked: &OrderAsk,
) -> Result<Requested, QueryError> {
    let mut client = db.client().await?;
    let client = acting(&mut client).await?;
    let id = Uuid::new_v5(&order, asked.idempotency_key.as_bytes());
    if let Some(known) = client.query_opt(KNOWN, &[&id, &order]).await? {
        return Ok(Requested::Known(request(&known)?));
    }
    let row = client
        .query_opt(
            ASK,
            &[&id, &order, &kind.name(), &asked.asked_by, &asked.reason],
        )
        .await?;
    let Some(row) = row else {
        return Ok(Requested::NoOrder);
    };
    if row.try_get::<_, Option<Uuid>>("request_id")?.is_some() {
        let request = request(&row)?;
        client.commit().await?;
        return Ok(Requested::Stored(request));
    }
    // An equal request may have come in between.
    Ok(match client.query_opt(KNOWN, &[&id, &order]).await? {
        Some(known) => Requested::Known(request(&known)?),
        None => Requested::NotNow {
            status: row.try_get("status")?,
        },
    })
}

fn request(row: &Row) -> Result<OrderRequest, tokio_postgres::Error> {
    Ok(OrderRequest {
        request_id: row.try_get("request_id")?,
        order_id: row.try_get("order_id")?,
        kind: row.try_get("kind")?,
        asked_by: row.try_get("asked_by")?,
        reason: row.try_get("reason")?,
        status: row.try_get("status")?,
        created_ts: row.try_get("created_ts")?,
    })
}
