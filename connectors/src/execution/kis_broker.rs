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

fn listed(row: DailyOrder) -> ListedOrder {
    ListedOrder {
        amount: amount(&row),
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
        remaining: row.remaining,
        rejected: row.rejected,
        // `cncl_yn` marks the row of the request, not that of the order that is gone.
        cancelled: row.cancelled,
    }
}

/// Returns what the fills traded for. The wire's amount has whole KRW; where prices have decimals
/// (the simulator's tick files) it is cut, and the average, which has four, is closer.
fn amount(order: &DailyOrder) -> Decimal {
    let cut = Decimal::from(order.filled_won);
    let filled = Decimal::from(order.filled.shares());
    let by_average = order.average_price * filled;
    let rounding_of_average = Decimal::new(6, 5) * filled;
    if by_average - cut > rounding_of_average {
        by_average
    } else {
        cut
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

#[cfg(test)]
mod tests {
    use jiff::civil::{date, time};
    use turnstile_dataflows::model::Quantity;

    use super::*;

    fn shares(shares: i64) -> Quantity {
        Quantity::new(shares).unwrap()
    }

    fn order(filled: i64, average: &str, won: i64) -> kis::DailyOrder {
        kis::DailyOrder {
            date: date(2026, 11, 16),
            order: kis::OrderRef {
                branch: "91252".to_owned(),
                number: "117057".parse().unwrap(),
            },
            original: None,
            side: kis::Side::Buy,
            symbol: "005930".parse().unwrap(),
            quantity: shares(10),
            price: None,
            order_type: "01".to_owned(),
            time: Some(time(9, 34, 2, 0)),
            filled: shares(filled),
            average_price: average.parse().unwrap(),
            filled_won: won,
            cancelled: shares(3),
            remaining: Quantity::ZERO,
            rejected: Quantity::ZERO,
            is_cancel: false,
        }
    }

    #[test]
    fn the_amount_is_exact_where_prices_are_whole_and_close_where_they_are_not() {
        // The sample of inquire-daily-ccld.
        assert_eq!(
            listed(order(7, "191142.8571", 1_338_000)).amount,
            1_338_000.into()
        );
        assert_eq!(listed(order(1, "61.25", 61)).amount, Decimal::new(6_125, 2));
        assert_eq!(listed(order(0, "0", 0)).amount, Decimal::ZERO);
    }

    #[test]
    fn a_number_is_padded_alike_in_lists_and_notices() {
        assert_eq!(listed(order(0, "0", 0)).order.number, "0000117057");
    }

    #[test]
    fn the_refusal_of_a_cancel_leaves_the_order_alone() {
        let mut wire = kis::Notice {
            received_us: 1,
            number: "117102".parse().unwrap(),
            original: Some("117057".parse().unwrap()),
            side: kis::Side::Sell,
            class: kis::NoticeClass::Cancel,
            event: kis::NoticeEvent::Rejected {
                quantity: shares(3),
            },
            symbol: "005930".parse().unwrap(),
            order_quantity: shares(10),
            order_price: None,
            order_type: "01".to_owned(),
            time: time(9, 35, 12, 0),
            branch: "00950".to_owned(),
        };
        assert_eq!(notice_of(wire.clone()).event, NoticeEvent::ChangeRefused);
        wire.event = kis::NoticeEvent::Confirmed {
            quantity: shares(3),
        };
        assert_eq!(
            notice_of(wire.clone()).event,
            NoticeEvent::Cancelled { qty: shares(3) }
        );
        wire.class = kis::NoticeClass::New;
        assert_eq!(notice_of(wire.clone()).event, NoticeEvent::Accepted);
    }
}
