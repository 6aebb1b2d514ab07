//! Weaker orders of a position that a full stop cancels before it sells what they held.

use std::time::Duration;

use serde_json::json;
use tracing::{debug, info};
use turnstile_dataflows::model::OrderStatus;

use super::super::alarm::{Alarm, Level};
use super::super::broker::{BrokerError, BrokerRef};
use super::super::order::{ORDERS_BY_KEY, Order};
use super::super::store::GivenUp;
use super::{Desk, Turn};

/// Pause before a cancellation that has not come through is asked for again.
const AGAIN: Duration = Duration::from_secs(1);

/// Why the way is not clear.
pub(super) enum Blocked {
    /// A weaker order still stands.
    Standing,
    /// The process stops.
    Stopped,
    /// The database refuses; an alarm was raised.
    Refused,
}

impl Blocked {
    pub(super) fn into_turn(self, order: Order) -> Turn {
        match self {
            Self::Standing => Turn::Again(Box::new(order), AGAIN),
            Self::Stopped => Turn::Stopped,
            Self::Refused => Turn::SetAside,
        }
    }
}

impl Desk {
    /// Cancels the weaker orders that `order` names. Returns why it has to wait, if it does: what
    /// a weaker order still holds at the broker must not be sold twice.
    pub(super) async fn clear_the_way(&self, order: &Order) -> Option<Blocked> {
        if order.cancels.is_empty() {
            return None;
        }
        let weaker = match self.orders_by_key(&order.cancels).await {
            Ok(weaker) => weaker,
            Err(GivenUp::Stopped) => return Some(Blocked::Stopped),
            Err(GivenUp::Refused(error)) => {
                self.refused("weaker orders cannot be read", Some(order), &error);
                return Some(Blocked::Refused);
            }
        };
        let mut standing = Vec::new();
        for weak in weaker {
            match self.begin_cancel(order, weak).await {
                Ok(Some(asked)) => standing.push(asked),
                Ok(None) => {}
                Err(blocked) => return Some(blocked),
            }
        }
        for weak in standing {
            if !self
                .parts
                .book
                .ended(weak.id, self.parts.config.cancel_wait)
                .await
            {
                self.report_standing(order, &weak);
                return Some(Blocked::Standing);
            }
        }
        None
    }

    /// Cancels an order that was not sent; asks the broker to cancel one that was. Returns the
    /// order where its end has to be awaited.
    async fn begin_cancel(&self, by: &Order, mut weak: Order) -> Result<Option<Order>, Blocked> {
        if matches!(weak.status, OrderStatus::Sending | OrderStatus::Unknown) {
            // Orders of one position go one after the other: nobody else settles this one now.
            match Box::pin(self.settle_unknown(weak.clone())).await {
                Turn::Stopped => return Err(Blocked::Stopped),
                Turn::Over | Turn::Again(..) | Turn::SetAside => {}
            }
            let keys = [weak.action_key.clone()];
            weak = match self
                .orders_by_key(&keys)
                .await
                .map(|mut orders| orders.pop())
            {
                Ok(Some(weak)) => weak,
                Ok(None) | Err(GivenUp::Refused(_)) => return Err(Blocked::Standing),
                Err(GivenUp::Stopped) => return Err(Blocked::Stopped),
            };
        }
        match (weak.status, weak.broker.clone()) {
            (OrderStatus::New | OrderStatus::PendingApproval, _) => {
                let message = format!("gives way to {}", by.action_key);
                let turn = self
                    .end(&weak, OrderStatus::Cancelled, "SUPERSEDED", message)
                    .await;
                match turn {
                    Turn::Stopped => Err(Blocked::Stopped),
                    Turn::Over | Turn::Again(..) => Ok(None),
                    Turn::SetAside => Err(Blocked::Refused),
                }
            }
            (OrderStatus::Submitted | OrderStatus::Partial, Some(broker)) => {
                self.parts.book.enter(&weak, &broker);
                self.ask_cancel(&weak, &broker).await;
                Ok(Some(weak))
            }
            (status, _) if status.is_terminal() => Ok(None),
            _ => Err(Blocked::Standing),
        }
    }

    pub(super) async fn ask_cancel(&self, weak: &Order, broker: &BrokerRef) {
        match self.parts.broker.cancel(broker).await {
            Ok(()) => info!(order = %weak.action_key, "cancellation asked for"),
            // Filled or cancelled in the meantime, or asked for before: the list tells which.
            Err(BrokerError::Rejected { code, message }) => {
                debug!(order = %weak.action_key, code, message, "cancellation refused");
            }
            Err(error) => info!(order = %weak.action_key, %error, "cancellation not asked for"),
        }
        self.parts.poll.ask();
    }

    async fn orders_by_key(&self, keys: &[String]) -> Result<Vec<Order>, GivenUp> {
        self.parts
            .store
            .persist("weaker orders", &self.stop, |client| async move {
                let statement = client.prepare_cached(ORDERS_BY_KEY).await?;
                let rows = client.query(&statement, &[&keys]).await?;
                rows.iter().map(Order::read).collect()
            })
            .await
    }

    fn report_standing(&self, order: &Order, weak: &Order) {
        self.parts.alarms.raise(Alarm {
            level: Level::Warning,
            event: "CANCEL_NOT_CONFIRMED",
            symbol: Some(order.symbol.to_string()),
            position: order.position,
            message: format!(
                "{} waits: {} still stands",
                order.action_key, weak.action_key
            ),
            context: json!({"order_id": order.id, "standing": weak.id}),
        });
    }
}
