//! Orders: the decision, its present state and its events.

use serde_json::value::RawValue;
use tokio_postgres::Row;
use tokio_postgres::types::Json;
use turnstile_connectors::postgres::Postgres;
use uuid::Uuid;

use crate::api::orders::{Order, OrderDetail, OrderEvent};
use crate::cursor::TimeCursor;
use crate::envelope::Listed;
use crate::extract::Page;
use crate::queries::{QueryError, listed, time_key};

/// Most events of one order that are returned. An order has about ten.
const EVENTS_MAX: i64 = 1_000;

/// Which orders are listed. What is absent narrows nothing.
#[derive(Default)]
pub(crate) struct Filter {
    pub(crate) position: Option<Uuid>,
    pub(crate) symbol: Option<String>,
}

/// Returns a page of orders, newest first.
pub(crate) async fn list(
    db: &Postgres,
    filter: &Filter,
    page: Page<TimeCursor>,
) -> Result<Listed<Order, TimeCursor>, QueryError> {
    let client = db.client().await?;
    let chosen = "WHERE (created_ts, order_id) < ($1, $2)
            AND ($4::uuid IS NULL OR position_id = $4) AND ($5::text IS NULL OR symbol = $5)
        ORDER BY created_ts DESC, order_id DESC LIMIT $3";
    let Filter { position, symbol } = filter;
    let rows = client
        .query(
            &states(chosen),
            &[
                &page.below.ts,
                &page.below.id,
                &(page.limit + 1),
                position,
                symbol,
            ],
        )
        .await?;
    let key = time_key("created_ts", "order_id");
    listed(&rows, &page, key, order)
}

/// Returns the orders `ids`, as [`list`] does.
pub(crate) async fn of(db: &Postgres, ids: &[Uuid]) -> Result<Vec<Order>, QueryError> {
    let client = db.client().await?;
    let statement = client
        .prepare_cached(&states("WHERE order_id = ANY($1)"))
        .await?;
    let rows = client.query(&statement, &[&ids]).await?;
    Ok(rows.iter().map(order).collect::<Result<_, _>>()?)
}

/// Returns the statement of the orders `chosen`, as they are now, newest first.
fn states(chosen: &str) -> String {
    // LIMIT 1 keeps the view apart, so that it gathers the events of one order at a time. Merged
    // into the join it would gather those of every order ever made.
    format!(
        "SELECT o.*, stock.name, state.status, state.filled_qty, state.broker_order_no,
                coalesce(state.updated_ts, o.created_ts) AS updated_ts, note.message
         FROM (SELECT * FROM trade.orders {chosen}) AS o
         JOIN market.stocks AS stock USING (symbol)
         LEFT JOIN LATERAL (
             SELECT status, filled_qty, broker_order_no, updated_ts
             FROM trade.orders_now WHERE order_id = o.order_id LIMIT 1
         ) AS state ON true
         LEFT JOIN LATERAL (
             SELECT message FROM trade.order_events
             WHERE order_id = o.order_id AND message IS NOT NULL
             ORDER BY event_id DESC LIMIT 1
         ) AS note ON true
         ORDER BY o.created_ts DESC, o.order_id DESC"
    )
}

/// Returns the order `id` with its explanation and its events, oldest first.
pub(crate) async fn one(db: &Postgres, id: Uuid) -> Result<Option<OrderDetail>, QueryError> {
    let client = db.client().await?;
    let row = client
        .query_opt(&states("WHERE order_id = $1"), &[&id])
        .await?;
    let Some(row) = row else { return Ok(None) };
    let events = client
        .query(
            "SELECT event_id, status, send_attempt, sent_qty, filled_qty, broker_order_no, code,
                    message, ts
             FROM trade.order_events WHERE order_id = $1 ORDER BY event_id LIMIT $2",
            &[&id, &EVENTS_MAX],
        )
        .await?;
    let events = events.iter().map(event).collect::<Result<_, _>>()?;
    let explanation: Json<Box<RawValue>> = row.try_get("explanation")?;
    Ok(Some(OrderDetail {
        order: order(&row)?,
        events,
        explanation: explanation.0,
    }))
}

fn order(row: &Row) -> Result<Order, tokio_postgres::Error> {
    Ok(Order {
        order_id: row.try_get("order_id")?,
        action_key: row.try_get("action_key")?,
        position_id: row.try_get("position_id")?,
        symbol: row.try_get("symbol")?,
        name: row.try_get("name")?,
        side: row.try_get("side")?,
        intent_type: row.try_get("intent_type")?,
        qty: row.try_get("qty")?,
        filled_qty: row.try_get::<_, Option<_>>("filled_qty")?.unwrap_or(0),
        order_type: row.try_get("order_type")?,
        limit_price: row.try_get("limit_price")?,
        reason_code: row.try_get("reason_code")?,
        phase: row.try_get("phase")?,
        price: row.try_get("price")?,
        level: row.try_get("level")?,
        // The row of an order and its first event come in one transaction.
        status: row
            .try_get::<_, Option<_>>("status")?
            .unwrap_or_else(|| "NEW".to_owned()),
        broker_order_no: row.try_get("broker_order_no")?,
        created_ts: row.try_get("created_ts")?,
        updated_ts: row.try_get("updated_ts")?,
        message: row.try_get("message")?,
    })
}

fn event(row: &Row) -> Result<OrderEvent, tokio_postgres::Error> {
    Ok(OrderEvent {
        event_id: row.try_get("event_id")?,
        status: row.try_get("status")?,
        send_attempt: row.try_get("send_attempt")?,
        sent_qty: row.try_get("sent_qty")?,
        filled_qty: row.try_get("filled_qty")?,
        broker_order_no: row.try_get("broker_order_no")?,
        code: row.try_get("code")?,
        message: row.try_get("message")?,
        ts: row.try_get("ts")?,
    })
}
