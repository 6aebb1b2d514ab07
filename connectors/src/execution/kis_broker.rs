//! KIS as a [`Broker`]: its answers in the words of execution.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use jiff::civil::Date;
use rust_decimal::Decimal;

use super::broker::{
    Broker, BrokerError, BrokerRef, ListedOrder, Notice, NoticeEvent, Receipt, Side, Ticket,
};
use crate::kis::{
    self, DailyOrder, DailyOrdersFilter, Extent, KisClient, KisError, NewOrder, NoticeClass,
    OrderPrice, OrderRef,
};

/// The account of one KIS client.
#[derive(Clone)]
pub struct KisBroker {
    client: KisClient,
}

impl KisBroker {
    /// Returns the account that `client` is configured for.
    pub fn new(client: KisClient) -> Self {
        Self { client }
    }

    async fn submit_order(&self, ticket: &Ticket) -> Result<Receipt, BrokerError> {
        let order = NewOrder {
            symbol: ticket.symbol,
            side: wire_side(ticket.side),
            quantity: ticket.qty,
            price: ticket.limit.map_or(OrderPrice::Market, OrderPrice::Limit),
        };
        let receipt = self.client.order_cash(&order).await.map_err(broker_error)?;
        let OrderRef { branch, number } = receipt.order;
        Ok(Receipt {
            number: number.to_string(),
            org: branch,
        })
    }

    async fn cancel_order(&self, order: &BrokerRef) -> Result<(), BrokerError> {
        let number = order
            .number
            .parse()
            .map_err(|error: kis::OrderNumberError| {
                BrokerError::Configuration(error.to_string())
            })?;
        let order = OrderRef {
            branch: order.org.clone(),
            number,
        };
        self.client
            .cancel(&order, Extent::Remainder)
            .await
            .map_err(broker_error)?;
        Ok(())
    }

    async fn list(&self, first: Date, last: Date) -> Result<Vec<ListedOrder>, BrokerError> {
        let filter = DailyOrdersFilter {
            from: first,
            until: last,
            symbol: None,
            side: None,
        };
        let list = self
            .client
            .daily_orders(&filter)
            .await
            .map_err(broker_error)?;
        if !list.complete {
            return Err(BrokerError::NotExecuted(
                "the broker's order list is incomplete".to_owned(),
            ));
        }
        Ok(list.orders.into_iter().map(listed).collect())
    }
}

impl Broker for KisBroker {
    fn submit<'a>(&'a self, ticket: &'a Ticket) -> BoxFuture<'a, Result<Receipt, BrokerError>> {
        self.submit_order(ticket).boxed()
    }

    fn cancel<'a>(&'a self, order: &'a BrokerRef) -> BoxFuture<'a, Result<(), BrokerError>> {
        self.cancel_order(order).boxed()
    }

    fn orders<'a>(
        &'a self,
        first: Date,
        last: Date,
    ) -> BoxFuture<'a, Result<Vec<ListedOrder>, BrokerError>> {
        self.list(first, last).boxed()
    }
}

/// Returns an execution notice of KIS in the words of execution.
pub fn notice_of(notice: kis::Notice) -> Notice {
    let is_new = notice.class == NoticeClass::New;
    let event = match notice.event {
        kis::NoticeEvent::Fill { quantity, price } => NoticeEvent::Fill {
            qty: quantity,
            price,
        },
        kis::NoticeEvent::Rejected { quantity } if is_new => {
            NoticeEvent::Rejected { qty: quantity }
        }
        kis::NoticeEvent::Rejected { .. } => NoticeEvent::ChangeRefused,
        kis::NoticeEvent::Received { .. } => NoticeEvent::Accepted,
        kis::NoticeEvent::Confirmed { .. } if is_new => NoticeEvent::Accepted,
        kis::NoticeEvent::Confirmed { quantity } | kis::NoticeEvent::Lapsed { quantity } => {
            NoticeEvent::Cancelled { qty: quantity }
        }
    };
    Notice {
        received_us: notice.received_us,
        number: notice.number.to_string(),
        original: notice.original.map(|number| number.to_string()),
        symbol: notice.symbol,
        side: execution_side(notice.side),
        order_qty: notice.order_quantity,
        time: notice.time,
        event,
    }
}

/// The broker marks the request to cancel, not the order that is gone; what counts for the order
/// is the quantity whose cancellation is confirmed.
fn listed(row: DailyOrder) -> ListedOrder {
    let is_cancelled = row.is_cancel || (!row.cancelled.is_zero() && row.remaining.is_zero());
    ListedOrder {
        order: BrokerRef {
            date: row.date,
            number: row.order.number.to_string(),
            org: row.order.branch,
        },
        original: row.original.map(|number| number.to_string()),
        symbol: row.symbol,
        side: execution_side(row.side),
        qty: row.quantity,
        time: row.time,
        filled: row.filled,
        amount: Decimal::from(row.filled_won),
        remaining: row.remaining,
        rejected: row.rejected,
        is_cancelled,
    }
}

fn broker_error(error: KisError) -> BrokerError {
    match error {
        KisError::Transient { .. } => BrokerError::NotExecuted(error.to_string()),
        KisError::Rejected { code, message, .. } => BrokerError::Rejected { code, message },
        KisError::UnknownOutcome { .. } => BrokerError::UnknownOutcome(error.to_string()),
        KisError::Configuration { .. } => BrokerError::Configuration(error.to_string()),
    }
}

fn wire_side(side: Side) -> kis::Side {
    match side {
        Side::Sell => kis::Side::Sell,
        Side::Buy => kis::Side::Buy,
    }
}

fn execution_side(side: kis::Side) -> Side {
    match side {
        kis::Side::Sell => Side::Sell,
        kis::Side::Buy => Side::Buy,
    }
}
