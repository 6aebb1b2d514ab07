//! The points, how the engine is brought to each of them, and how it shows that it was there.

use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::judge::{BrokerOrder, Order};
use crate::yard::{Held, Yard, ids, until};
use turnstile_oracle::Dice;

/// Longest wait for a point. The engine goes on by itself after it.
const REACH_MAX: Duration = Duration::from_secs(3);
/// The price is committed and the POST on the wire by then; a stopped simulator is known to be stopped
/// after a second.
const POST_MS: u64 = 60;
/// How late answers and notices come where that holds the engine up, in milliseconds.
const LATE_MS: u64 = 600;

/// Statements of the engine, by what is in them and in no other.
const STORE_DECISION: &str = "%INSERT INTO trade.orders%";
const STORE_SENDING: &str = "%AS a (order_id, attempt, broker_date, raw)%";
const STORE_OUTCOME: &str = "%broker_order_no, broker_org_no, code, message%";
const STORE_NEWS: &str = "%filled_qty, notice_qty, poll_qty, code%";
const STORE_EXECUTION: &str = "%INSERT INTO trade.executions%";
const SET_POSITION: &str = "%UPDATE trade.positions SET qty%";
const STORE_EXIT: &str = "%INSERT INTO trade.exit_events%";

/// A point of the life of an order, in order of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Point {
    /// Decided; the transaction of the row does not come through.
    DecidedBeforeRow,
    /// The row and NEW are committed, SENDING is not.
    NewBeforeSending,
    /// SENDING is committed, and the price just so; what of the POST is on the wire reaches the broker
    /// after the kill.
    SendingBeforePost,
    /// SENDING is committed; the POST was refused for its token and is to be repeated.
    SendingWithoutToken,
    /// The broker has executed the order and has not answered.
    PostBeforeAnswer,
    /// The broker has answered; SUBMITTED does not come through.
    AnswerBeforeCommit,
    /// The broker has filled; nothing of that is stored.
    FillBeforeTransaction,
    /// In the transaction of a fill, at its event.
    FillAtEvent,
    /// At its execution.
    FillAtExecution,
    /// At the position.
    FillAtPosition,
    /// At the exit event.
    FillAtExitEvent,
    /// The fill is committed, the cached position is not deleted.
    FillBeforeCacheDeletion,
}

impl Point {
    /// Every point.
    pub const ALL: [Self; 12] = [
        Self::DecidedBeforeRow,
        Self::NewBeforeSending,
        Self::SendingBeforePost,
        Self::SendingWithoutToken,
        Self::PostBeforeAnswer,
        Self::AnswerBeforeCommit,
        Self::FillBeforeTransaction,
        Self::FillAtEvent,
        Self::FillAtExecution,
        Self::FillAtPosition,
        Self::FillAtExitEvent,
        Self::FillBeforeCacheDeletion,
    ];

    /// Returns the name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::DecidedBeforeRow => "decided, before its row",
            Self::NewBeforeSending => "NEW, before SENDING",
            Self::SendingBeforePost => "SENDING, before the POST",
            Self::SendingWithoutToken => "SENDING, POST refused (token)",
            Self::PostBeforeAnswer => "POST, before its answer",
            Self::AnswerBeforeCommit => "answer, before its commit",
            Self::FillBeforeTransaction => "fill, before its transaction",
            Self::FillAtEvent => "fill, at its event",
            Self::FillAtExecution => "fill, at its execution",
            Self::FillAtPosition => "fill, at the position",
            Self::FillAtExitEvent => "fill, at the exit event",
            Self::FillBeforeCacheDeletion => "fill, before Redis",
        }
    }

    /// Returns whether only a position that is sold out gets there.
    pub(super) const fn needs_sold_out(self) -> bool {
        matches!(self, Self::FillAtExitEvent | Self::FillBeforeCacheDeletion)
    }

    /// Returns the table that the engine waits for at the point, and the statement that does; none
    /// where something else holds it up.
    const fn waits_at(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::DecidedBeforeRow => Some(("trade.orders", STORE_DECISION)),
            // Reads the last close there, and nothing before it does.
            Self::NewBeforeSending => Some(("market.symbol_context", STORE_SENDING)),
            Self::AnswerBeforeCommit => Some(("trade.order_events", STORE_OUTCOME)),
            Self::FillAtEvent => Some(("trade.order_events", STORE_NEWS)),
            Self::FillAtExecution => Some(("trade.executions", STORE_EXECUTION)),
            Self::FillAtPosition => Some(("trade.positions", SET_POSITION)),
            Self::FillAtExitEvent => Some(("trade.exit_events", STORE_EXIT)),
            Self::SendingBeforePost
            | Self::SendingWithoutToken
            | Self::PostBeforeAnswer
            | Self::FillBeforeTransaction
            | Self::FillBeforeCacheDeletion => None,
        }
    }

    /// Returns how many statements wait at the point for so many positions: orders that are at the same
    /// point share one, fills have one each.
    fn waiting(self, positions: usize) -> usize {
        match self {
            Self::DecidedBeforeRow | Self::NewBeforeSending | Self::AnswerBeforeCommit => 1,
            _ => positions,
        }
    }

    /// Returns what the simulator does meanwhile.
    fn faults(self, dice: &mut Dice, positions: usize) -> Value {
        match self {
            Self::SendingWithoutToken => json!({"expire_tokens": true, "delay_ms": LATE_MS}),
            Self::PostBeforeAnswer if dice.percent(50) => json!({"accept_then_silent": positions}),
            Self::PostBeforeAnswer | Self::AnswerBeforeCommit => json!({"delay_ms": LATE_MS}),
            Self::FillBeforeTransaction
            | Self::FillAtEvent
            | Self::FillAtPosition
            | Self::FillBeforeCacheDeletion => json!({"delay_notices_ms": LATE_MS}),
            Self::DecidedBeforeRow
            | Self::NewBeforeSending
            | Self::SendingBeforePost
            | Self::FillAtExecution
            | Self::FillAtExitEvent => json!({}),
        }
    }

    /// Lets the price of `held` fall to `won` and waits until the engine is at the point, or has
    /// passed it.
    pub(super) async fn approach(
        self,
        yard: &mut Yard,
        dice: &mut Dice,
        held: &[Held],
        after: u64,
        won: i64,
    ) {
        let faults = self.faults(dice, held.len());
        yard.system.post("/faults", faults).await;
        // A table that others write to before is held only once they have.
        match self {
            Self::DecidedBeforeRow
            | Self::NewBeforeSending
            | Self::FillAtExecution
            | Self::FillAtExitEvent => {
                self.hold(yard).await;
                yard.fall(held, won).await;
            }
            // The call waits for the price.
            Self::SendingBeforePost => {
                yard.hold("market.prices").await;
                yard.fall(held, won).await;
                until_status(yard, held, "SENDING", REACH_MAX).await;
            }
            Self::SendingWithoutToken => {
                yard.fall(held, won).await;
                until_status(yard, held, "SENDING", REACH_MAX).await;
            }
            Self::PostBeforeAnswer | Self::AnswerBeforeCommit => {
                yard.fall(held, won).await;
                until_at_broker(yard, held, after).await;
                self.hold(yard).await;
            }
            Self::FillBeforeTransaction
            | Self::FillAtEvent
            | Self::FillAtPosition
            | Self::FillBeforeCacheDeletion => {
                yard.fall(held, won).await;
                until_status(yard, held, "SUBMITTED", REACH_MAX).await;
                self.hold(yard).await;
            }
        }
        self.arrive(yard, dice, held, after).await;
    }

    async fn hold(self, yard: &Yard) {
        match self.waits_at() {
            Some((table, _)) if self == Self::NewBeforeSending => yard.shut(table).await,
            Some((table, _)) => yard.hold(table).await,
            None => {}
        }
    }

    /// Goes the last step.
    async fn arrive(self, yard: &mut Yard, dice: &mut Dice, held: &[Held], after: u64) {
        if let Some((table, statement)) = self.waits_at() {
            let waiting = self.waiting(held.len());
            let reached = async || yard.blocked(table, statement).await >= waiting;
            until(REACH_MAX, reached).await;
        }
        match self {
            Self::SendingBeforePost => {
                yard.system.signal_simulator(Signal::SIGSTOP);
                yard.release().await;
                let on_the_wire = Duration::from_millis(dice.below(POST_MS));
                tokio::time::sleep(on_the_wire).await;
            }
            Self::SendingWithoutToken => {
                // While the POST is refused, or while a token is got for the next.
                let refusals = Duration::from_millis(dice.below(2 * LATE_MS));
                tokio::time::sleep(refusals).await;
            }
            Self::FillBeforeTransaction => {
                let is_filled = async || {
                    let orders = yard.books(held, after).await.at_broker;
                    orders.iter().any(|order| order.filled > 0)
                };
                until(REACH_MAX, is_filled).await;
            }
            Self::FillBeforeCacheDeletion => {
                yard.cache(held).await;
                yard.pause_redis().await;
                let is_over = async || {
                    let positions = yard.books(held, after).await.positions;
                    positions.iter().any(|position| position.exits > 0)
                };
                until(REACH_MAX, is_over).await;
            }
            _ => {}
        }
    }

    /// Returns how many positions were at the point when the engine was killed. A stopped simulator
    /// goes on.
    pub(super) async fn met(self, yard: &mut Yard, held: &[Held], after: u64) -> usize {
        if let Some((table, statement)) = self.waits_at() {
            return yard.blocked(table, statement).await;
        }
        if self == Self::SendingBeforePost {
            // Stopped as it was, the simulator had executed nothing.
            let sending = statuses(yard, held).await;
            yard.system.signal_simulator(Signal::SIGCONT);
            return count(&sending, "SENDING");
        }
        let books = yard.books(held, after).await;
        let at_broker = |order: &Order| -> Option<&BrokerOrder> {
            let position = held.iter().find(|held| held.id == order.position)?;
            let mut theirs = books.at_broker.iter();
            theirs.find(|theirs| theirs.symbol == position.symbol)
        };
        let is_there = |order: &&Order| match (self, order.status.as_str()) {
            (Self::SendingWithoutToken, "SENDING") => at_broker(order).is_none(),
            (Self::PostBeforeAnswer, "SENDING") => at_broker(order).is_some(),
            (Self::FillBeforeTransaction, "SUBMITTED") => {
                order.filled == 0 && at_broker(order).is_some_and(|theirs| theirs.filled > 0)
            }
            _ => false,
        };
        if self == Self::FillBeforeCacheDeletion {
            let sold: Vec<Held> = held
                .iter()
                .filter(|held| {
                    let mut positions = books.positions.iter();
                    positions.any(|position| position.id == held.id && position.exits > 0)
                })
                .cloned()
                .collect();
            return if sold.is_empty() {
                0
            } else {
                yard.cached(&sold).await
            };
        }
        books.orders.iter().filter(is_there).count()
    }
}

/// Returns the status of each order of the positions.
async fn statuses(yard: &Yard, held: &[Held]) -> Vec<String> {
    let query = "SELECT n.status FROM trade.orders o CROSS JOIN LATERAL (
            SELECT v.status FROM trade.orders_now v WHERE v.order_id = o.order_id OFFSET 0) n
        WHERE o.position_id = ANY($1::text[]::uuid[])";
    let rows = yard.system.query(query, &[&ids(held)]).await;
    rows.iter().map(|row| row.get(0)).collect()
}

fn count(statuses: &[String], wanted: &str) -> usize {
    statuses.iter().filter(|status| *status == wanted).count()
}

async fn until_status(yard: &Yard, held: &[Held], wanted: &str, patience: Duration) {
    let reached = async || count(&statuses(yard, held).await, wanted) >= held.len();
    until(patience, reached).await;
}

async fn until_at_broker(yard: &Yard, held: &[Held], after: u64) {
    let path = format!("/orders?after={after}");
    let reached = async || {
        let orders = yard.system.get(&path).await;
        orders["orders"].as_array().map_or(0, Vec::len) >= held.len()
    };
    until(REACH_MAX, reached).await;
}
