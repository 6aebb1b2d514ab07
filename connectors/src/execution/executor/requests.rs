//! What is asked of orders that stand: approvals, refusals and cancels of the operator, the end of an
//! approval that nobody gave, and take-profits whose price has run away.
//!
//! An order that has not been sent is withdrawn here, and only while nobody sends it; one that the
//! broker has is cancelled there, and asked again until the broker says how it ended.

use std::collections::BTreeMap;

use tokio::task::JoinSet;
use tokio::time::Instant;
use tracing::Instrument;
use turnstile_dataflows::model::OrderStatus;
use uuid::Uuid;

use super::super::order::{DUE_REQUESTS, EXPIRED_APPROVALS, Order, RUN_AWAY};
use super::super::store::GivenUp;
use super::queue::Queue;
use super::{Desk, Executor, Settled, Turn};

const APPROVE: &str = "INSERT INTO trade.order_events (order_id, status, code, message)
    SELECT $1, 'NEW', 'APPROVED', $2
    WHERE (SELECT status FROM trade.orders_now WHERE order_id = $1) = 'PENDING_APPROVAL'";

/// When each order was last asked to be cancelled.
pub(super) type Asked = BTreeMap<Uuid, Instant>;

/// What is to be done about an order.
enum Due {
    /// It may be sent.
    Approve(Order, String),
    /// It shall end.
    End(Order, &'static str, String),
}

impl Executor {
    /// Takes up everything that is due.
    pub(super) async fn attend(
        &self,
        desk: &Desk,
        queue: &mut Queue,
        tasks: &mut JoinSet<Settled>,
        asked: &mut Asked,
    ) {
        let Ok(due) = desk.load_due().await else {
            return;
        };
        let wait = self.parts.config.cancel_wait;
        asked.retain(|_order, at| at.elapsed() < wait);
        for due in due {
            match due {
                Due::Approve(order, by) => {
                    if queue.claim(order.id) {
                        let span = order.span();
                        tasks.spawn(desk.clone().approve(order, by).instrument(span));
                    }
                }
                Due::End(order, code, message) => match (order.status, order.broker.clone()) {
                    (OrderStatus::New | OrderStatus::PendingApproval, _)
                        if queue.claim(order.id) =>
                    {
                        let span = order.span();
                        let end = desk.clone().withdraw(order, code, message);
                        tasks.spawn(end.instrument(span));
                    }
                    (OrderStatus::Submitted | OrderStatus::Partial, Some(broker))
                        if !asked.contains_key(&order.id) =>
                    {
                        asked.insert(order.id, Instant::now());
                        let (desk, span) = (desk.clone(), order.span());
                        let cancel = async move {
                            desk.ask_cancel(&order, &broker).await;
                            (order.id, None, Turn::Over)
                        };
                        tasks.spawn(cancel.instrument(span));
                    }
                    // It is being sent, or its outcome comes first.
                    _ => {}
                },
            }
        }
    }
}

impl Desk {
    async fn approve(self, mut order: Order, by: String) -> Settled {
        let message = format!("approved by {by}");
        let (id, message) = (&order.id, &message);
        let work = |client: crate::postgres::PostgresClient| async move {
            let statement = client.prepare_cached(APPROVE).await?;
            Ok(client.execute(&statement, &[id, message]).await?)
        };
        let stored = self.parts.store.persist("an approval", &self.stop, work);
        let turn = match stored.await {
            Ok(_) => {
                order.status = OrderStatus::New;
                Turn::Again(Box::new(order.clone()), std::time::Duration::ZERO)
            }
            Err(GivenUp::Stopped) => Turn::Stopped,
            Err(GivenUp::Refused(error)) => {
                self.refused("an approval cannot be stored", Some(&order), &error);
                Turn::SetAside
            }
        };
        (order.id, None, turn)
    }

    async fn withdraw(self, order: Order, code: &'static str, message: String) -> Settled {
        let turn = self
            .end(&order, OrderStatus::Cancelled, code, message)
            .await;
        (order.id, None, turn)
    }

    async fn load_due(&self) -> Result<Vec<Due>, GivenUp> {
        let config = &self.parts.config;
        let market = self.parts.session.market();
        let is_over = !market.is_open() && market.time >= config.lapse_at;
        let patience = if is_over {
            0.0
        } else {
            config.approval_max.as_secs_f64()
        };
        let resting = self.parts.book.resting(config.take_profit_patience);
        let (patience, resting) = (&patience, &resting);
        let account = &self.parts.account;
        let work = |client: crate::postgres::PostgresClient| async move {
            let mut due = Vec::new();
            let statement = client.prepare_cached(DUE_REQUESTS).await?;
            for row in client.query(&statement, &[account]).await? {
                let order = Order::read(&row)?;
                let by: String = row.try_get("asked_by")?;
                let reason: Option<String> = row.try_get("request_reason")?;
                let why = reason
                    .map(|reason| format!(": {reason}"))
                    .unwrap_or_default();
                due.push(match row.try_get("kind")? {
                    "APPROVE" => Due::Approve(order, by),
                    "REJECT" => Due::End(order, "NOT_APPROVED", format!("refused by {by}{why}")),
                    _ => Due::End(order, "OPERATOR", format!("cancelled by {by}{why}")),
                });
            }
            let statement = client.prepare_cached(EXPIRED_APPROVALS).await?;
            for row in client.query(&statement, &[account, patience]).await? {
                let message = "nobody approved it in time".to_owned();
                due.push(Due::End(Order::read(&row)?, "APPROVAL_EXPIRED", message));
            }
            if !resting.is_empty() {
                let statement = client.prepare_cached(RUN_AWAY).await?;
                for row in client.query(&statement, &[resting]).await? {
                    let message = "the price has left the limit".to_owned();
                    due.push(Due::End(Order::read(&row)?, "RUN_AWAY", message));
                }
            }
            Ok(due)
        };
        let store = &self.parts.store;
        self.report(
            store
                .persist("what is asked of orders", &self.stop, work)
                .await,
        )
    }
}
