//! The broker of [`crate::kis`] behind the seam of execution.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use jiff::civil::Date;
use rust_decimal::Decimal;

use super::broker::{
    Broker, BrokerError, BrokerEvent, BrokerRef, ListedAccount, ListedHolding, ListedOrder, Notice,
    NoticeEvent, Receipt, Side, Ticket, Worth,
};
use crate::kis;

/// Decimal places of an average cost as stored.
const PRICE_SCALE: u32 = 4;

/// The account of one KIS client.
#[derive(Clone)]
pub struct KisBroker {
    client: kis::KisClient,
}

impl KisBroker {
    /// Returns the broker that `client` speaks to.
    pub fn new(client: kis::KisClient) -> Self {
        Self { client }
    }

    async fn list(&self, first: Date, last: Date) -> Result<Vec<ListedOrder>, BrokerError> {
        let filter = kis::DailyOrdersFilter {
            from: first,
            until: last,
            symbol: None,
            side: None,
        };
        let listed = self.client.daily_orders(&filter).await.map_err(failed)?;
        if !listed.complete {
            return Err(BrokerError::NotExecuted(
                "the order list is incomplete".to_owned(),
            ));
        }
        Ok(listed.orders.into_iter().map(line).collect())
    }

    async fn held(&self) -> Result<ListedAccount, BrokerError> {
        let balance = self.client.balance().await.map_err(failed)?;
        if !balance.complete {
            return Err(BrokerError::NotExecuted(
                "the list of holdings is incomplete".to_owned(),
            ));
        }
        Ok(ListedAccount {
            holdings: balance.holdings.iter().map(holding).collect(),
            worth: balance.summary.map(|summary| Worth {
                equity_won: summary.total_won,
                cash_won: summary.deposit_d2_won,
            }),
        })
    }

    async fn ask_cancel(&self, order: &BrokerRef) -> Result<(), BrokerError> {
        let number = order
            .number
            .parse()
            .map_err(|error: kis::OrderNumberError| {
                BrokerError::Configuration(error.to_string())
            })?;
        let order = kis::OrderRef {
            branch: order.org.clone(),
            number,
        };
        let asked = self.client.cancel(&order, kis::Extent::Remainder).await;
        asked.map(drop).map_err(failed)
    }
}

impl Broker for KisBroker {
    fn submit<'a>(&'a self, ticket: &'a Ticket) -> BoxFuture<'a, Result<Receipt, BrokerError>> {
        async move {
            let order = kis::NewOrder {
                symbol: ticket.symbol,
                side: match ticket.side {
                    Side::Sell => kis::Side::Sell,
                    Side::Buy => kis::Side::Buy,
                },
                quantity: ticket.qty,
                price: ticket
                    .limit
                    .map_or(kis::OrderPrice::Market, kis::OrderPrice::Limit),
            };
            let receipt = self.client.order_cash(&order).await.map_err(failed)?;
            Ok(Receipt {
                number: receipt.order.number.to_string(),
                org: receipt.order.branch,
            })
        }
        .boxed()
    }

    fn cancel<'a>(&'a self, order: &'a BrokerRef) -> BoxFuture<'a, Result<(), BrokerError>> {
        self.ask_cancel(order).boxed()
    }

    fn orders<'a>(
        &'a self,
        first: Date,
        last: Date,
    ) -> BoxFuture<'a, Result<Vec<ListedOrder>, BrokerError>> {
        self.list(first, last).boxed()
    }

    fn holdings(&self) -> BoxFuture<'_, Result<ListedAccount, BrokerError>> {
        self.held().boxed()
    }
}

/// Every error of the client but an unknown outcome means that nothing was executed.
fn failed(error: kis::KisError) -> BrokerError {
    match error {
        kis::KisError::Transient { .. } => BrokerError::NotExecuted(error.to_string()),
        kis::KisError::Rejected { code, message, .. } => BrokerError::Rejected { code, message },
        kis::KisError::UnknownOutcome { reason, .. } => BrokerError::UnknownOutcome(reason),
        kis::KisError::Configuration { .. } => BrokerError::Configuration(error.to_string()),
    }
}

fn side(side: kis::Side) -> Side {
    match side {
        kis::Side::Sell => Side::Sell,
        kis::Side::Buy => Side::Buy,
    }
}

/// The purchase amount holds the fees, so it gives the average that the broker's desktop shows; the
/// stated average does not.
fn holding(holding: &kis::Holding) -> ListedHolding {
    let by_amount =
        Decimal::from(holding.purchase_won).checked_div(holding.quantity.shares().into());
    ListedHolding {
        symbol: holding.symbol,
        qty: holding.quantity,
        average: by_amount
            .filter(|average| !average.is_zero())
            .unwrap_or(holding.average_price)
            .round_dp(PRICE_SCALE),
    }
}

fn line(order: kis::DailyOrder) -> ListedOrder {
    ListedOrder {
        amount: amount(&order),
        order: BrokerRef {
            date: order.date,
            number: order.order.number.to_string(),
            org: order.order.branch,
        },
        original: order.original.map(|number| number.to_string()),
        symbol: order.symbol,
        side: side(order.side),
        qty: order.quantity,
        time: order.time,
        filled: order.filled,
        remaining: order.remaining,
        rejected: order.rejected,
        cancelled: order.cancelled,
    }
}

/// Returns what the fills traded for. The wire's amount has whole KRW; where prices have decimals
/// (the simulator's tick files) it is cut, and the average, which has four, is closer.
fn amount(order: &kis::DailyOrder) -> Decimal {
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

/// Returns what an event of the stream means for orders; nothing for most.
pub fn broker_event(event: &kis::KisEvent) -> Option<BrokerEvent> {
    match event {
        kis::KisEvent::Notice(notice) => Some(BrokerEvent::Notice(self::notice(notice))),
        kis::KisEvent::NoticesSubscribed => Some(BrokerEvent::Reconnected),
        kis::KisEvent::Connected
        | kis::KisEvent::Disconnected { .. }
        | kis::KisEvent::Subscribed(_)
        | kis::KisEvent::Unsubscribed(_)
        | kis::KisEvent::SubscriptionRefused { .. }
        | kis::KisEvent::LimitLearned { .. }
        | kis::KisEvent::Trades(_)
        | kis::KisEvent::Malformed { .. } => None,
    }
}

fn notice(notice: &kis::Notice) -> Notice {
    Notice {
        received_us: notice.received_us,
        number: notice.number.to_string(),
        original: notice.original.as_ref().map(ToString::to_string),
        symbol: notice.symbol,
        side: side(notice.side),
        order_qty: notice.order_quantity,
        time: notice.time,
        event: event(notice),
    }
}

fn event(notice: &kis::Notice) -> NoticeEvent {
    use kis::{NoticeClass as Class, NoticeEvent as Wire};
    match (notice.event, notice.class) {
        (Wire::Fill { quantity, price }, _) => NoticeEvent::Fill {
            qty: quantity,
            price,
        },
        (Wire::Rejected { quantity }, Class::New) => NoticeEvent::Rejected { qty: quantity },
        (Wire::Rejected { .. }, Class::Replace | Class::Cancel) => NoticeEvent::ChangeRefused,
        (Wire::Confirmed { quantity }, Class::Cancel) | (Wire::Lapsed { quantity }, _) => {
            NoticeEvent::Cancelled { qty: quantity }
        }
        (Wire::Confirmed { .. }, Class::New | Class::Replace) | (Wire::Received { .. }, _) => {
            NoticeEvent::Accepted
        }
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
            line(order(7, "191142.8571", 1_338_000)).amount,
            1_338_000.into()
        );
        assert_eq!(line(order(1, "61.25", 61)).amount, Decimal::new(6_125, 2));
        assert_eq!(line(order(0, "0", 0)).amount, Decimal::ZERO);
    }

    #[test]
    fn a_number_is_padded_alike_in_lists_and_notices() {
        assert_eq!(line(order(0, "0", 0)).order.number, "0000117057");
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
        assert_eq!(event(&wire), NoticeEvent::ChangeRefused);
        wire.event = kis::NoticeEvent::Confirmed {
            quantity: shares(3),
        };
        assert_eq!(event(&wire), NoticeEvent::Cancelled { qty: shares(3) });
        wire.class = kis::NoticeClass::New;
        assert_eq!(event(&wire), NoticeEvent::Accepted);
    }
}
