//! Orders whose outcome is unknown: found in the broker's list, or proved absent.
//!
//! The wire has no order id of ours. An order of the list is ours if it has our symbol, side and
//! quantity, was made since the attempt began, and bears a number that no order of ours has. What
//! is left of doubt: an equal order that the operator gives by hand within the same minute.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::civil::{Date, Time};
use metrics::counter;
use serde_json::json;
use tokio::time::Instant;
use tracing::{info, warn};

use super::super::alarm::{Alarm, Level};
use super::super::broker::ListedOrder;
use super::super::metrics as names;
use super::super::order::Order;
use super::super::poll::listed_news;
use super::super::store::GivenUp;
use super::{Desk, Turn};

/// Longest pause between two looks at the list.
const PAUSE_MAX: Duration = Duration::from_secs(5);
/// Looks after which an order that stays unknown raises an alarm (domain 4.5).
const LOOKS_BEFORE_ALARM: u32 = 3;

const KNOWN_NUMBERS: &str = "SELECT DISTINCT broker_order_no FROM trade.order_events
    WHERE broker_date = $1::text::date AND broker_order_no IS NOT NULL AND order_id <> $2";

/// What a look at the list says.
enum Look {
    /// The order is there.
    Found(Box<ListedOrder>),
    /// It is not there.
    Absent,
    /// It cannot be said.
    Unclear(String),
}

impl Desk {
    /// Settles an order that an earlier run left between SENDING and an answer.
    pub(super) async fn settle_unknown(&self, order: Order) -> Turn {
        self.look_up(order, Instant::now()).await
    }

    /// Looks at the list until the order is found or proved absent. `began` is when the attempt
    /// began in this process, at the latest.
    pub(super) async fn look_up(&self, order: Order, began: Instant) -> Turn {
        let proof_from = Instant::now() + self.parts.config.settle_delay;
        let mut pause = Duration::from_millis(200).min(self.parts.config.settle_delay);
        let mut looks: u32 = 0;
        loop {
            let is_late_enough = Instant::now() >= proof_from;
            let Some(turn) = self.look_once(&order, began, is_late_enough, looks).await else {
                looks = looks.saturating_add(1);
                let until = match is_late_enough {
                    false => (Instant::now() + pause).min(proof_from),
                    true => Instant::now() + pause,
                };
                let slept = self
                    .stop
                    .run_until_cancelled(tokio::time::sleep_until(until));
                if slept.await.is_none() {
                    return Turn::Stopped;
                }
                pause = (pause * 2).min(PAUSE_MAX);
                continue;
            };
            return match turn {
                Resolution::Adopted(turn) => turn,
                Resolution::Absent => {
                    counter!(names::RESOLVED, "result" => "absent").increment(1);
                    info!(order = %order.action_key, "proved absent at the broker");
                    let reason = "not in the broker's complete list";
                    self.back_to_new(order, "ABSENT", reason, Duration::ZERO)
                        .await
                }
            };
        }
    }

    async fn look_once(
        &self,
        order: &Order,
        began: Instant,
        is_late_enough: bool,
        looks: u32,
    ) -> Option<Resolution> {
        // Until the number is stored nobody else may take the same line for theirs.
        let _adopting = self.adopting.lock().await;
        match self.look(order).await {
            Look::Found(listed) => {
                counter!(names::RESOLVED, "result" => "adopted").increment(1);
                info!(order = %order.action_key, number = listed.order.number, "found at the broker");
                let turn = self
                    .submitted(
                        order,
                        &listed.order,
                        Some(("ADOPTED", "found in the broker's list")),
                    )
                    .await;
                let news = listed_news(&listed, false);
                self.parts.ledger.apply(order.id, &news, &self.stop).await;
                Some(Resolution::Adopted(turn))
            }
            Look::Absent if self.parts.book.has_stranger_like(order, began) => {
                warn!(order = %order.action_key, "a notice speaks of such an order, the list does not");
                self.report_unknown(order, looks, "a notice speaks of such an order");
                None
            }
            Look::Absent => is_late_enough.then_some(Resolution::Absent),
            Look::Unclear(reason) => {
                self.report_unknown(order, looks, &reason);
                None
            }
        }
    }

    async fn look(&self, order: &Order) -> Look {
        let today = self.parts.session.market().date;
        let (first, since) = order.sending.unwrap_or((today, Time::midnight()));
        let known = match self.known_numbers(order, first).await {
            Ok(known) => known,
            Err(error) => return Look::Unclear(error.to_string()),
        };
        let listed = match self.parts.broker.orders(first, first.max(today)).await {
            Ok(listed) => listed,
            Err(error) => return Look::Unclear(error.to_string()),
        };
        let slack = self.parts.config.match_slack;
        let found = find(order, listed, &known, (first, since), slack);
        found.map_or(Look::Absent, |listed| Look::Found(Box::new(listed)))
    }

    async fn known_numbers(&self, order: &Order, date: Date) -> Result<BTreeSet<String>, GivenUp> {
        let date = date.to_string();
        let date = &date;
        self.parts
            .store
            .persist("known order numbers", &self.stop, |client| async move {
                let statement = client.prepare_cached(KNOWN_NUMBERS).await?;
                let rows = client.query(&statement, &[date, &order.id]).await?;
                Ok(rows
                    .iter()
                    .map(|row| row.try_get(0))
                    .collect::<Result<_, _>>()?)
            })
            .await
    }

    fn report_unknown(&self, order: &Order, looks: u32, reason: &str) {
        if looks != LOOKS_BEFORE_ALARM {
            return;
        }
        self.parts.alarms.raise(Alarm {
            level: Level::Critical,
            event: "ORDER_UNKNOWN",
            symbol: Some(order.symbol.to_string()),
            position: order.position,
            message: format!(
                "the outcome of {} stays unknown: {reason}",
                order.action_key
            ),
            context: json!({"order_id": order.id, "attempt": order.send_attempt}),
        });
    }
}

/// How an unknown outcome was settled.
enum Resolution {
    Adopted(Turn),
    Absent,
}

/// Returns the earliest line of the list that can be this order.
fn find(
    order: &Order,
    listed: Vec<ListedOrder>,
    known: &BTreeSet<String>,
    (date, since): (Date, Time),
    slack: Duration,
) -> Option<ListedOrder> {
    let earliest = since.saturating_sub(jiff::SignedDuration::try_from(slack).unwrap_or_default());
    let ours = listed.into_iter().filter(|line| {
        line.original.is_none()
            && line.symbol == order.symbol
            && line.side == order.side
            && line.qty == order.asked()
            && line.order.date == date
            && line.time.is_none_or(|time| time >= earliest)
            && !known.contains(&line.order.number)
    });
    ours.min_by(|a, b| (a.time, &a.order.number).cmp(&(b.time, &b.order.number)))
}
