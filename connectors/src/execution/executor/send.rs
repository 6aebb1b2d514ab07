//! One attempt to put an order to the broker: SENDING, call, outcome.

use std::time::Duration;

use metrics::{counter, histogram};
use serde_json::json;
use tokio::time::Instant;
use tracing::{info, warn};
use turnstile_dataflows::model::{OrderStatus, Price, Quantity};

use super::super::alarm::{Alarm, Level};
use super::super::broker::{BrokerError, BrokerRef, Receipt, Side, Ticket};
use super::super::grid::{day_limits, on_grid};
use super::super::ledger::Applied;
use super::super::merge::News;
use super::super::metrics as names;
use super::super::order::Order;
use super::super::session::Market;
use super::super::store::GivenUp;
use super::marks::{Mark, Outcome, Sending};
use super::{Desk, Turn};
use crate::seoul::seoul;

/// Reason of what a person asks to buy.
const MANUAL: &str = "MANUAL";
/// Longest pause between attempts that were proved not executed.
const PAUSE_MAX: Duration = Duration::from_secs(10);
/// Pause after a fault that only a human removes.
const CONFIGURATION_PAUSE: Duration = Duration::from_secs(30);
/// Attempts after which an order that does not leave raises an alarm.
const ATTEMPTS_BEFORE_ALARM: i32 = 5;
/// Pause while another sale of the position has an unknown outcome, or nobody knows whether the emergency
/// stop is set.
const UNSETTLED_PAUSE: Duration = Duration::from_secs(1);

impl Desk {
    /// Sends an order that is NEW.
    pub(super) async fn send(&self, mut order: Order) -> Turn {
        let tick_us = order.tick_us.and_then(|us| u64::try_from(us).ok());
        if let Some(tick_us) = tick_us
            && self.parts.prices.is_of_an_earlier_run(tick_us)
        {
            match self.store_lost_tick(&order).await {
                Ok(()) => {}
                Err(GivenUp::Stopped) => return Turn::Stopped,
                Err(GivenUp::Refused(error)) => {
                    self.refused("a tick cannot be stored", Some(&order), &error);
                    return Turn::SetAside;
                }
            }
        }
        if let Some(turn) = self.clear_the_way(&order).await {
            return turn.into_turn(order);
        }
        let market = self.parts.session.market();
        if self.parts.why_closed().is_some() {
            return Turn::Again(Box::new(order), Duration::ZERO);
        }
        if order.side == Side::Buy {
            match self.parts.gate.is_stopped() {
                Some(false) => {}
                Some(true) => {
                    let why = "the emergency stop was set before it left".to_owned();
                    return self
                        .end(&order, OrderStatus::Cancelled, "EMERGENCY_STOP", why)
                        .await;
                }
                None => return Turn::Again(Box::new(order), UNSETTLED_PAUSE),
            }
        }
        if is_of_another_day(&order, (self.parts.now_us)()) {
            let why = "it was decided on another day".to_owned();
            return self
                .end(&order, OrderStatus::Cancelled, "OUTDATED", why)
                .await;
        }
        order.send_attempt = order.send_attempt.saturating_add(1);
        let sending = Sending {
            order: order.id,
            attempt: order.send_attempt,
            date: market.date.to_string(),
            raw: json!({"market_time": market.time.to_string()}),
        };
        let (marked, is_durable) = tokio::join!(self.mark(sending), self.price_is_durable(tick_us));
        let (qty, reference) = match marked {
            Ok(Mark::Marked(qty, reference)) => (qty, reference),
            Ok(Mark::Nothing) => return self.nothing_left(&order).await,
            Ok(Mark::Unsettled) => {
                order.send_attempt -= 1;
                return Turn::Again(Box::new(order), UNSETTLED_PAUSE);
            }
            Ok(Mark::Moved) => return Turn::Over,
            Err(GivenUp::Stopped) => return Turn::Stopped,
            Err(GivenUp::Refused(error)) => {
                self.refused("SENDING cannot be stored", Some(&order), &error);
                return Turn::SetAside;
            }
        };
        if !is_durable {
            return Turn::Stopped; // The next start asks the broker, which does not have it.
        }
        // Both may have taken long. What is closed meanwhile is not called.
        if let Some(why) = self.parts.why_closed() {
            return self
                .back_to_new(order, "NOT_SENT", &why, Duration::ZERO)
                .await;
        }
        order.sent_qty = (qty < order.qty).then_some(qty).or(order.sent_qty);
        order.sending = Some((market.date, market.time));
        let limit = match valid_limit(&order, reference) {
            Ok(limit) => limit,
            Err((code, why)) => {
                return self.end(&order, OrderStatus::Rejected, code, why).await;
            }
        };
        self.call(order, qty, limit, &market).await
    }

    async fn mark(&self, order: Sending) -> Result<Mark, GivenUp> {
        let began = Instant::now();
        let marked = self.marks.mark(order).await;
        histogram!(names::MARK_DURATION).record(began.elapsed());
        marked
    }

    /// Waits until the price an order was judged on is durable, that of an earlier run is. Returns false
    /// if the process stops first.
    async fn price_is_durable(&self, tick_us: Option<u64>) -> bool {
        let prices = &self.parts.prices;
        let Some(tick_us) = tick_us.filter(|us| !prices.is_of_an_earlier_run(*us)) else {
            return true;
        };
        let began = Instant::now();
        let reached = self.stop.run_until_cancelled(prices.reached(tick_us)).await;
        histogram!(names::PRICE_WAIT).record(began.elapsed());
        reached == Some(true)
    }

    async fn call(
        &self,
        order: Order,
        qty: Quantity,
        limit: Option<Price>,
        market: &Market,
    ) -> Turn {
        let ticket = Ticket {
            symbol: order.symbol,
            side: order.side,
            qty,
            limit,
        };
        if let Some(received_us) = order.received_us {
            let micros = (self.parts.now_us)().saturating_sub(received_us);
            histogram!(names::SEND_LATENCY).record(Duration::from_micros(micros));
        }
        let began = Instant::now();
        let answer = self.parts.broker.submit(&ticket).await;
        histogram!(names::POST_DURATION).record(began.elapsed());
        self.take_answer(order, answer, market, began).await
    }

    async fn take_answer(
        &self,
        order: Order,
        answer: Result<Receipt, BrokerError>,
        market: &Market,
        began: Instant,
    ) -> Turn {
        let label = match &answer {
            Ok(_) => "submitted",
            Err(BrokerError::Rejected { .. }) => "rejected",
            Err(BrokerError::NotExecuted(_)) => "not_executed",
            Err(BrokerError::Configuration(_)) => "configuration",
            Err(BrokerError::UnknownOutcome(_)) => "unknown",
        };
        counter!(names::SENT, "outcome" => label).increment(1);
        match answer {
            Ok(receipt) => {
                let broker = BrokerRef {
                    date: market.date,
                    number: receipt.number,
                    org: receipt.org,
                };
                self.submitted(&order, &broker, None).await
            }
            Err(BrokerError::Rejected { code, message }) => {
                info!(order = %order.action_key, code, message, "order rejected");
                self.end(&order, OrderStatus::Rejected, &code, message)
                    .await
            }
            Err(BrokerError::NotExecuted(reason)) => {
                warn!(order = %order.action_key, reason, "order not executed, trying again");
                let doublings = u32::try_from(order.send_attempt).unwrap_or(1).min(8);
                let pause = self.parts.config.resend_pause * 2u32.pow(doublings.saturating_sub(1));
                self.back_to_new(order, "NOT_EXECUTED", &reason, pause.min(PAUSE_MAX))
                    .await
            }
            Err(BrokerError::Configuration(reason)) => {
                self.stuck(&order, &reason);
                self.back_to_new(order, "CONFIGURATION", &reason, CONFIGURATION_PAUSE)
                    .await
            }
            Err(BrokerError::UnknownOutcome(reason)) => {
                warn!(order = %order.action_key, reason, "outcome unknown, asking the broker");
                let why = Some(("UNKNOWN_OUTCOME", reason.as_str()));
                let stored = self.store_outcome(&order, OrderStatus::Unknown, None, why);
                if let Some(turn) = stored.await {
                    return turn;
                }
                self.look_up(order, began).await
            }
        }
    }

    /// Stores SUBMITTED with the broker's number, and follows the order from here on.
    pub(super) async fn submitted(
        &self,
        order: &Order,
        broker: &BrokerRef,
        why: Option<(&str, &str)>,
    ) -> Turn {
        let stored = self.store_outcome(order, OrderStatus::Submitted, Some(broker), why);
        if let Some(turn) = stored.await {
            return turn;
        }
        self.parts.book.enter(order, broker);
        Turn::Over
    }

    /// Stores that the broker was proved not to have the order, which is to be sent again.
    pub(super) async fn back_to_new(
        &self,
        mut order: Order,
        code: &str,
        reason: &str,
        pause: Duration,
    ) -> Turn {
        let stored = self.store_outcome(&order, OrderStatus::New, None, Some((code, reason)));
        if let Some(turn) = stored.await {
            return turn;
        }
        if order.send_attempt == ATTEMPTS_BEFORE_ALARM {
            self.stuck(&order, reason);
        }
        order.status = OrderStatus::New;
        Turn::Again(Box::new(order), pause)
    }

    /// Stores the end of an order that the broker does not have.
    pub(super) async fn end(
        &self,
        order: &Order,
        status: OrderStatus,
        code: &str,
        message: String,
    ) -> Turn {
        let news = News::End {
            status,
            open: None,
            code: code.to_owned(),
            message,
        };
        match self.parts.ledger.apply(order.id, &news, &self.stop).await {
            Applied::Stopped => Turn::Stopped,
            Applied::Refused => Turn::SetAside,
            Applied::Nothing | Applied::AskBroker | Applied::Stored(_) => Turn::Over,
        }
    }

    async fn nothing_left(&self, order: &Order) -> Turn {
        info!(order = %order.action_key, "nothing left to sell");
        let message = "nothing of the position is left to sell".to_owned();
        self.end(order, OrderStatus::Cancelled, "NOTHING_LEFT", message)
            .await
    }

    /// Stores an outcome. Returns the turn that follows where that is not possible.
    async fn store_outcome(
        &self,
        order: &Order,
        status: OrderStatus,
        broker: Option<&BrokerRef>,
        why: Option<(&str, &str)>,
    ) -> Option<Turn> {
        let outcome = Outcome {
            order: order.id,
            attempt: order.send_attempt,
            status,
            broker: broker.cloned(),
            code: why.map(|(code, _)| code.to_owned()),
            message: why.map(|(_, message)| message.to_owned()),
        };
        match self.marks.tell(outcome).await {
            Ok(()) => None,
            Err(GivenUp::Stopped) => Some(Turn::Stopped),
            Err(GivenUp::Refused(error)) => {
                self.refused(
                    "the outcome of an order cannot be stored",
                    Some(order),
                    &error,
                );
                Some(Turn::SetAside)
            }
        }
    }

    fn stuck(&self, order: &Order, reason: &str) {
        let side = match order.side {
            Side::Sell => "sale",
            Side::Buy => "purchase",
        };
        self.parts.alarms.raise(Alarm {
            level: Level::Critical,
            event: "ORDER_DOES_NOT_LEAVE",
            symbol: Some(order.symbol.to_string()),
            position: order.position,
            message: format!("{side} {} does not leave: {reason}", order.action_key),
            context: json!({"order_id": order.id, "attempt": order.send_attempt}),
        });
    }
}

/// Returns whether a purchase that no person asked for was decided on another day at the exchange: what it
/// was judged on is no longer so.
fn is_of_another_day(order: &Order, now_us: u64) -> bool {
    let decided_us = u64::try_from(order.decided_us).unwrap_or_default();
    order.side == Side::Buy && order.reason != MANUAL && seoul(decided_us).0 != seoul(now_us).0
}

/// Returns the price that the broker is asked for: on the grid and within the limits of the day, which
/// shares have whose last close, `reference`, is known. At market there is none.
fn valid_limit(
    order: &Order,
    reference: Option<Price>,
) -> Result<Option<Price>, (&'static str, String)> {
    let Some(limit) = order.limit else {
        return Ok(None);
    };
    let missing = || {
        let why = format!("no valid price at or within the limit {limit}");
        ("NO_VALID_PRICE", why)
    };
    let price = on_grid(limit, order.side, order.is_fund).ok_or_else(missing)?;
    let reference = reference.filter(|_| !order.is_fund);
    match reference.and_then(day_limits) {
        Some((lowest, highest)) if price < lowest || price > highest => {
            let why = format!("{price} is outside of the day's limits, {lowest} to {highest}");
            Err(("PRICE_LIMIT", why))
        }
        _ => Ok(Some(price)),
    }
}
