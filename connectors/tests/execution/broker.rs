//! A broker that does what a script says, and an order list that is always true.

use std::collections::VecDeque;
use std::sync::Mutex;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use jiff::civil::{Date, date, time};
use rust_decimal::Decimal;
use tokio::sync::{Notify, mpsc};
use turnstile_connectors::execution::{
    Broker, BrokerError, BrokerEvent, BrokerRef, ListedAccount, ListedHolding, ListedOrder, Notice,
    NoticeEvent, Receipt, Ticket, Worth,
};
use turnstile_connectors::postgres::Postgres;
use turnstile_dataflows::model::{Price, Quantity};

/// The day at this exchange.
pub(crate) const TODAY: Date = date(2026, 11, 24);
/// What the account is worth.
pub(crate) const WORTH: Worth = Worth {
    equity_won: 100_000_000,
    cash_won: 40_000_000,
};

/// What becomes of the next order.
#[derive(Clone, Debug)]
pub(crate) enum Script {
    /// Received.
    Accept,
    /// Received and filled whole at this price, with its notices before the answer.
    FillBeforeAnswer(i64),
    /// Received, but the answer is lost.
    LoseAnswer,
    /// Never received, and the answer is lost.
    LoseOrder,
    /// Proved not executed.
    Throttle,
    /// Refused.
    Reject(&'static str, &'static str),
    /// Received, then no answer ever.
    HangAfterReceipt,
    /// No answer ever, nothing received.
    HangBeforeReceipt,
}

#[derive(Default)]
struct State {
    script: VecDeque<Script>,
    orders: Vec<ListedOrder>,
    fills: i64,
    /// Status of the newest order event at the moment of each call.
    seen: Vec<String>,
    is_listing: bool,
    lists: usize,
    cancels_confirmed: bool,
    /// What the account holds; none where it is what the positions say.
    holdings: Option<Vec<ListedHolding>>,
}

/// The scripted broker.
pub(crate) struct FakeBroker {
    state: Mutex<State>,
    notices: Mutex<mpsc::Sender<BrokerEvent>>,
    postgres: Postgres,
    /// Told at each call that hangs.
    pub(crate) hanging: Notify,
}

impl FakeBroker {
    pub(crate) fn new(postgres: Postgres) -> Self {
        let state = State {
            is_listing: true,
            cancels_confirmed: true,
            ..State::default()
        };
        let (notices, _) = mpsc::channel(1);
        Self {
            state: Mutex::new(state),
            notices: Mutex::new(notices),
            postgres,
            hanging: Notify::new(),
        }
    }

    /// Connects the stream of notices; an earlier one ends.
    pub(crate) fn connect(&self) -> mpsc::Receiver<BrokerEvent> {
        let (sender, receiver) = mpsc::channel(64);
        *self.notices.lock().unwrap() = sender;
        receiver
    }

    /// Says that the stream was away.
    pub(crate) async fn reconnect(&self) {
        let notices = self.notices.lock().unwrap().clone();
        notices.send(BrokerEvent::Reconnected).await.unwrap();
    }

    /// Appends to the script. An empty script accepts.
    pub(crate) fn script(&self, steps: impl IntoIterator<Item = Script>) {
        self.state.lock().unwrap().script.extend(steps);
    }

    /// Drops what is left of the script.
    pub(crate) fn forget_script(&self) {
        self.state.lock().unwrap().script.clear();
    }

    /// Lets the order list answer or fail.
    pub(crate) fn set_listing(&self, is_listing: bool) {
        self.state.lock().unwrap().is_listing = is_listing;
    }

    /// Lets cancellations come through, or vanish.
    pub(crate) fn set_cancelling(&self, is_confirmed: bool) {
        self.state.lock().unwrap().cancels_confirmed = is_confirmed;
    }

    /// Lets the account hold this, whatever the positions say.
    pub(crate) fn hold(&self, holdings: &[(&str, i64, i64)]) {
        let holdings = holdings.iter().map(|(symbol, qty, won)| ListedHolding {
            symbol: symbol.parse().unwrap(),
            qty: Quantity::new(*qty).unwrap(),
            average: Decimal::from(*won),
        });
        self.state.lock().unwrap().holdings = Some(holdings.collect());
    }

    pub(crate) fn orders(&self) -> Vec<ListedOrder> {
        self.state.lock().unwrap().orders.clone()
    }

    pub(crate) fn lists(&self) -> usize {
        self.state.lock().unwrap().lists
    }

    /// Returns what the database said at the moment of each call.
    pub(crate) fn seen(&self) -> Vec<String> {
        self.state.lock().unwrap().seen.clone()
    }

    /// Puts an order of somebody else on the list.
    pub(crate) fn stranger(&self, like: &ListedOrder) {
        self.state.lock().unwrap().orders.push(like.clone());
    }

    /// Fills shares of the order at `index`; returns the notice without sending it.
    pub(crate) fn fill(&self, index: usize, qty: i64, won: i64) -> Notice {
        let mut state = self.state.lock().unwrap();
        state.fills += 1;
        let fills = state.fills;
        let at = time(10, 0, 0, 0).saturating_add(jiff::SignedDuration::from_secs(fills));
        let order = &mut state.orders[index];
        let qty = Quantity::new(qty).unwrap();
        order.filled = order.filled.saturating_add(qty);
        order.remaining = order.remaining.saturating_sub(qty);
        order.amount += Decimal::from(qty.shares() * won);
        Notice {
            received_us: 1_795_482_000_000_000 + u64::try_from(fills).unwrap(),
            number: order.order.number.clone(),
            original: None,
            symbol: order.symbol,
            side: order.side,
            order_qty: order.qty,
            time: at,
            event: NoticeEvent::Fill {
                qty,
                price: Price::from_won(won).unwrap(),
            },
        }
    }

    /// Fills shares and sends the notice.
    pub(crate) async fn fill_and_tell(&self, index: usize, qty: i64, won: i64) -> Notice {
        let notice = self.fill(index, qty, won);
        self.tell(notice.clone()).await;
        notice
    }

    pub(crate) async fn tell(&self, notice: Notice) {
        let notices = self.notices.lock().unwrap().clone();
        // Without a run there is nobody to hear it, as with a real stream.
        drop(notices.send(BrokerEvent::Notice(notice)).await);
    }

    /// Cancels or rejects the rest of the order at `index`, and tells it by notice if `is_told`.
    pub(crate) async fn end(&self, index: usize, is_rejection: bool, is_told: bool) {
        let notice = {
            let mut state = self.state.lock().unwrap();
            let order = &mut state.orders[index];
            let qty = std::mem::take(&mut order.remaining);
            let (event, number, original) = if is_rejection {
                order.rejected = qty;
                (
                    NoticeEvent::Rejected { qty },
                    order.order.number.clone(),
                    None,
                )
            } else {
                order.cancelled = qty;
                let number = Some(order.order.number.clone());
                (
                    NoticeEvent::Cancelled { qty },
                    "0000099999".to_owned(),
                    number,
                )
            };
            Notice {
                received_us: 1_795_482_000_000_000,
                number,
                original,
                symbol: order.symbol,
                side: order.side,
                order_qty: order.qty,
                time: time(10, 30, 0, 0),
                event,
            }
        };
        if is_told {
            self.tell(notice).await;
        }
    }

    fn receive(&self, ticket: &Ticket) -> Receipt {
        let mut state = self.state.lock().unwrap();
        let number = format!("{:010}", 1_000 + state.orders.len());
        state.orders.push(ListedOrder {
            order: BrokerRef {
                date: TODAY,
                number: number.clone(),
                org: "00950".to_owned(),
            },
            original: None,
            symbol: ticket.symbol,
            side: ticket.side,
            qty: ticket.qty,
            time: Some(time(10, 0, 0, 0)),
            filled: Quantity::ZERO,
            amount: Decimal::ZERO,
            remaining: ticket.qty,
            rejected: Quantity::ZERO,
            cancelled: Quantity::ZERO,
        });
        Receipt {
            number,
            org: "00950".to_owned(),
        }
    }

    async fn take(&self, ticket: &Ticket) -> Result<Receipt, BrokerError> {
        let status = self.newest_status().await;
        let step = {
            let mut state = self.state.lock().unwrap();
            state.seen.push(status);
            state.script.pop_front().unwrap_or(Script::Accept)
        };
        match step {
            Script::Accept => Ok(self.receive(ticket)),
            Script::FillBeforeAnswer(won) => {
                let receipt = self.receive(ticket);
                let index = self.orders().len() - 1;
                self.fill_and_tell(index, ticket.qty.shares(), won).await;
                Ok(receipt)
            }
            Script::LoseAnswer => {
                self.receive(ticket);
                Err(BrokerError::UnknownOutcome("timeout".to_owned()))
            }
            Script::LoseOrder => Err(BrokerError::UnknownOutcome("timeout".to_owned())),
            Script::Throttle => Err(BrokerError::NotExecuted("EGW00201".to_owned())),
            Script::Reject(code, message) => Err(BrokerError::Rejected {
                code: code.to_owned(),
                message: message.to_owned(),
            }),
            Script::HangAfterReceipt => {
                self.receive(ticket);
                self.hang().await
            }
            Script::HangBeforeReceipt => self.hang().await,
        }
    }

    async fn hang(&self) -> Result<Receipt, BrokerError> {
        self.hanging.notify_one();
        std::future::pending().await
    }

    /// What another connection sees committed, so what a crash now would leave.
    async fn newest_status(&self) -> String {
        let client = self.postgres.client().await.unwrap();
        let query = "SELECT status FROM trade.order_events ORDER BY event_id DESC LIMIT 1";
        client.query_one(query, &[]).await.unwrap().get(0)
    }
}

impl Broker for FakeBroker {
    fn submit<'a>(&'a self, ticket: &'a Ticket) -> BoxFuture<'a, Result<Receipt, BrokerError>> {
        self.take(ticket).boxed()
    }

    fn cancel<'a>(&'a self, order: &'a BrokerRef) -> BoxFuture<'a, Result<(), BrokerError>> {
        async move {
            let (index, is_confirmed) = {
                let state = self.state.lock().unwrap();
                let index = state.orders.iter().position(|line| line.order == *order);
                (
                    index.expect("an order that was given"),
                    state.cancels_confirmed,
                )
            };
            if self.orders()[index].remaining.is_zero() {
                return Err(BrokerError::Rejected {
                    code: "APBK0344".to_owned(),
                    message: "nothing to cancel".to_owned(),
                });
            }
            if is_confirmed {
                self.end(index, false, true).await;
            }
            Ok(())
        }
        .boxed()
    }

    fn orders<'a>(
        &'a self,
        first: Date,
        last: Date,
    ) -> BoxFuture<'a, Result<Vec<ListedOrder>, BrokerError>> {
        async move {
            let mut state = self.state.lock().unwrap();
            if !state.is_listing {
                return Err(BrokerError::NotExecuted("incomplete".to_owned()));
            }
            state.lists += 1;
            let days = first..=last;
            Ok(state
                .orders
                .iter()
                .filter(|line| days.contains(&line.order.date))
                .cloned()
                .collect())
        }
        .boxed()
    }

    fn holdings(&self) -> BoxFuture<'_, Result<ListedAccount, BrokerError>> {
        async move {
            if let Some(holdings) = self.state.lock().unwrap().holdings.clone() {
                return Ok(listed(holdings));
            }
            let client = self.postgres.client().await.unwrap();
            let query = "SELECT symbol, sum(qty)::bigint, max(avg_price) FROM trade.positions
                WHERE status <> 'CLOSED' GROUP BY symbol";
            let rows = client.query(query, &[]).await.unwrap();
            let held = rows.iter().map(|row| ListedHolding {
                symbol: row.get::<_, &str>(0).parse().unwrap(),
                qty: Quantity::new(row.get(1)).unwrap(),
                average: row.get(2),
            });
            Ok(listed(held.collect()))
        }
        .boxed()
    }
}

fn listed(holdings: Vec<ListedHolding>) -> ListedAccount {
    ListedAccount {
        holdings,
        worth: Some(WORTH),
    }
}
