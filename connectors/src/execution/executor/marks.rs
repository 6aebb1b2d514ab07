//! What the database hears of an order around its call: SENDING before, the outcome after. Orders
//! of several positions that are at the same point share a commit.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::FutureExt;
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use turnstile_dataflows::model::{OrderStatus, Price, Quantity};
use uuid::Uuid;

use super::super::broker::BrokerRef;
use super::super::error::StoreError;
use super::super::group::Group;
use super::super::order::{ORDER_BY_ID, Order, optional_price, quantity};
use super::super::store::{GivenUp, Store};

/// One statement: what the positions can still give, and SENDING for that much. Sales that are at
/// the broker, or may be, count with what they have not sold. An order that is no longer NEW, or
/// for which nothing is left, is not marked. The orders are of different positions. The lateral
/// queries with their OFFSET keep the planner from grouping the events of every order there is.
const MARK_SENDING: &str = "WITH asked AS (
        SELECT * FROM unnest($1::uuid[], $2::integer[], $3::text[], $4::jsonb[])
            AS a (order_id, attempt, broker_date, raw)
    ), present AS (
        SELECT a.*, n.status, coalesce(n.sent_qty, n.qty) AS qty, n.qty AS decided, n.side,
            n.position_id,
            (SELECT c.prev_close FROM market.symbol_context c
             WHERE c.symbol = n.symbol AND c.trade_date = a.broker_date::date) AS reference
        FROM asked a CROSS JOIN LATERAL (
            SELECT * FROM trade.orders_now v WHERE v.order_id = a.order_id OFFSET 0) n
    ), others AS (
        SELECT m.order_id, sum(coalesce(n.sent_qty, n.qty) - n.filled_qty)::bigint AS qty,
            bool_or(n.status IN ('SENDING', 'UNKNOWN')) AS unsettled
        FROM present m
        JOIN trade.orders o ON o.position_id = m.position_id AND o.order_id <> m.order_id
        CROSS JOIN LATERAL (
            SELECT * FROM trade.orders_now v WHERE v.order_id = o.order_id OFFSET 0) n
        WHERE o.side = 'SELL' AND n.status IN ('SENDING', 'UNKNOWN', 'SUBMITTED', 'PARTIAL')
        GROUP BY m.order_id
    ), room AS (
        SELECT m.*, coalesce(others.unsettled, false) AS unsettled,
            CASE m.side WHEN 'BUY' THEN m.qty
                ELSE least(m.qty, coalesce(p.qty, 0) - coalesce(others.qty, 0)) END AS free
        FROM present m LEFT JOIN others USING (order_id)
        LEFT JOIN trade.positions p ON p.position_id = m.position_id
    ), told AS (
        INSERT INTO trade.order_events
            (order_id, status, send_attempt, sent_qty, broker_date, raw)
        SELECT order_id, 'SENDING', attempt, nullif(free, decided), broker_date::date, raw
        FROM room WHERE status = 'NEW' AND free > 0
    )
    SELECT order_id, status, free, unsettled, reference FROM room";

const STORE_OUTCOMES: &str = "INSERT INTO trade.order_events
        (order_id, status, send_attempt, broker_date, broker_order_no, broker_org_no, code, message)
    SELECT order_id, status, attempt, broker_date::date, number, org, code, message
    FROM unnest($1::uuid[], $2::text[], $3::integer[], $4::text[], $5::text[], $6::text[],
        $7::text[], $8::text[])
        AS o (order_id, status, attempt, broker_date, number, org, code, message)";

/// Who has marked an attempt.
const SENDER: &str = "SELECT raw ->> 'sender' FROM trade.order_events
    WHERE order_id = $1 AND status = 'SENDING' AND send_attempt = $2 ORDER BY event_id DESC LIMIT 1";

/// An order waits for its mark, nobody waits for its outcome: that one may gather company.
const MARK_SPACING: Duration = Duration::from_millis(1);
const OUTCOME_SPACING: Duration = Duration::from_millis(5);

/// An order that is about to be put to the broker.
#[derive(Clone)]
pub(super) struct Sending {
    pub(super) order: Uuid,
    pub(super) attempt: i32,
    /// Business date of the market.
    pub(super) date: String,
    pub(super) raw: Value,
}

/// What the database says before a call.
pub(super) enum Mark {
    /// SENDING is committed for so many shares. With it comes the last close before this session, if
    /// known: the reference of the day's price limits.
    Marked(Quantity, Option<Price>),
    /// Nothing is left to sell.
    Nothing,
    /// Another sale of the position has to be settled first.
    Unsettled,
    /// The order is no longer NEW.
    Moved,
}

/// What an attempt led to, as an event.
#[derive(Clone)]
pub(super) struct Outcome {
    pub(super) order: Uuid,
    pub(super) attempt: i32,
    pub(super) status: OrderStatus,
    pub(super) broker: Option<BrokerRef>,
    pub(super) code: Option<String>,
    pub(super) message: Option<String>,
}

/// Stores marks and outcomes.
#[derive(Clone)]
pub(super) struct Marks {
    sending: Group<Sending, Result<Mark, GivenUp>>,
    outcomes: Group<Outcome, Result<(), GivenUp>>,
}

impl Marks {
    /// Starts the two workers; they end with the last handle.
    pub(super) fn start(store: &Store, stop: &CancellationToken) -> Self {
        let (marking, marking_stop) = (store.clone(), stop.clone());
        let sender = Uuid::new_v4();
        let sending = Group::start(
            "marks of orders",
            MARK_SPACING,
            move |items: Vec<Sending>| {
                let (store, stop) = (marking.clone(), marking_stop.clone());
                async move {
                    let work = |client, items| mark(client, items, sender).boxed();
                    store.persist_all("SENDING", &stop, &items, work).await
                }
            },
        );
        let (telling, telling_stop) = (store.clone(), stop.clone());
        let outcomes = Group::start(
            "outcomes of orders",
            OUTCOME_SPACING,
            move |items: Vec<Outcome>| {
                let (store, stop) = (telling.clone(), telling_stop.clone());
                async move {
                    let work = |client, items| tell(client, items).boxed();
                    let what = "outcome of an order";
                    store.persist_all(what, &stop, &items, work).await
                }
            },
        );
        Self { sending, outcomes }
    }

    /// Commits SENDING. A repeat after a lost answer finds its own mark.
    pub(super) async fn mark(&self, order: Sending) -> Result<Mark, GivenUp> {
        answered(self.sending.ask(order).await)
    }

    /// Commits an outcome.
    pub(super) async fn tell(&self, outcome: Outcome) -> Result<(), GivenUp> {
        answered(self.outcomes.ask(outcome).await)
    }
}

/// Returns what a worker answered. It lives as long as its handles, so one that does not has panicked,
/// and orders must not be lost in silence.
fn answered<T>(answer: Option<T>) -> T {
    match answer {
        Some(answer) => answer,
        None => panic!("the worker that stores marks of orders has died"),
    }
}

/// Runs both statements on no orders: they are planned then, and what they read of the catalog is
/// at hand.
pub(in crate::execution) async fn warm(
    client: &crate::postgres::PostgresClient,
) -> Result<(), StoreError> {
    let nothing = Vec::<String>::new();
    let (ids, numbers) = (Vec::<Uuid>::new(), Vec::<i32>::new());
    let statement = client.prepare_cached(MARK_SENDING).await?;
    drop(
        client
            .query(
                &statement,
                &[&ids, &numbers, &nothing, &Vec::<Value>::new()],
            )
            .await?,
    );
    let statement = client.prepare_cached(STORE_OUTCOMES).await?;
    client
        .execute(
            &statement,
            &[
                &ids, &nothing, &numbers, &nothing, &nothing, &nothing, &nothing, &nothing,
            ],
        )
        .await?;
    Ok(())
}

/// Every mark names its sender: one of another engine, which may be about to call, is not ours.
async fn mark(
    client: crate::postgres::PostgresClient,
    items: &[Sending],
    sender: Uuid,
) -> Result<Vec<Mark>, StoreError> {
    let ids: Vec<Uuid> = items.iter().map(|item| item.order).collect();
    let attempts: Vec<i32> = items.iter().map(|item| item.attempt).collect();
    let dates: Vec<&str> = items.iter().map(|item| item.date.as_str()).collect();
    let signed = items.iter().map(|item| {
        let mut raw = item.raw.clone();
        raw["sender"] = Value::String(sender.to_string());
        raw
    });
    let raws: Vec<Value> = signed.collect();
    let statement = client.prepare_cached(MARK_SENDING).await?;
    let rows = client
        .query(&statement, &[&ids, &attempts, &dates, &raws])
        .await?;
    let mut by_order = BTreeMap::new();
    for row in &rows {
        by_order.insert(row.try_get::<_, Uuid>("order_id")?, row);
    }
    let mut marks = Vec::with_capacity(items.len());
    for item in items {
        let missing = || StoreError::inconsistent(format!("there is no order {}", item.order));
        let row = by_order.get(&item.order).ok_or_else(missing)?;
        let status: &str = row.try_get("status")?;
        let free: i64 = row.try_get("free")?;
        let reference = optional_price(row.try_get("reference")?)?;
        marks.push(match status {
            "NEW" if free > 0 => Mark::Marked(quantity(free)?, reference),
            "NEW" if row.try_get("unsettled")? => Mark::Unsettled,
            "NEW" => Mark::Nothing,
            "SENDING" => own_mark(&client, item, sender, reference).await?,
            _ => Mark::Moved,
        });
    }
    Ok(marks)
}

/// Returns the mark of an order that is SENDING already: ours, if it is of this attempt and sender.
async fn own_mark(
    client: &crate::postgres::PostgresClient,
    item: &Sending,
    sender: Uuid,
    reference: Option<Price>,
) -> Result<Mark, StoreError> {
    let statement = client.prepare_cached(ORDER_BY_ID).await?;
    let row = client.query_one(&statement, &[&item.order]).await?;
    let stored = Order::read(&row)?;
    let statement = client.prepare_cached(SENDER).await?;
    let values: [&(dyn tokio_postgres::types::ToSql + Sync); 2] = [&item.order, &item.attempt];
    let row = client.query_opt(&statement, &values).await?;
    let told: Option<String> = row.map(|row| row.try_get(0)).transpose()?.flatten();
    let is_ours = told.is_some_and(|told| told == sender.to_string());
    Ok(if stored.send_attempt == item.attempt && is_ours {
        Mark::Marked(stored.asked(), reference)
    } else {
        Mark::Moved
    })
}

async fn tell(
    client: crate::postgres::PostgresClient,
    items: &[Outcome],
) -> Result<Vec<()>, StoreError> {
    let brokers = || items.iter().map(|item| item.broker.as_ref());
    let ids: Vec<Uuid> = items.iter().map(|item| item.order).collect();
    let statuses: Vec<&str> = items.iter().map(|item| item.status.name()).collect();
    let attempts: Vec<i32> = items.iter().map(|item| item.attempt).collect();
    let dates: Vec<Option<String>> = brokers()
        .map(|broker| broker.map(|broker| broker.date.to_string()))
        .collect();
    let numbers: Vec<Option<&str>> = brokers()
        .map(|broker| broker.map(|broker| broker.number.as_str()))
        .collect();
    let orgs: Vec<Option<&str>> = brokers()
        .map(|broker| broker.map(|broker| broker.org.as_str()))
        .collect();
    let codes: Vec<Option<&str>> = items.iter().map(|item| item.code.as_deref()).collect();
    let messages: Vec<Option<&str>> = items.iter().map(|item| item.message.as_deref()).collect();
    let statement = client.prepare_cached(STORE_OUTCOMES).await?;
    client
        .execute(
            &statement,
            &[
                &ids, &statuses, &attempts, &dates, &numbers, &orgs, &codes, &messages,
            ],
        )
        .await?;
    Ok(vec![(); items.len()])
}
