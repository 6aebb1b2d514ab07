//! The exit orders of one position, as far as they decide.

use serde::{Deserialize, Serialize};

use crate::model::{ActionKey, ExitOrder, ExitReason, OrderStatus, Quantity};

use super::Fills;
use super::decision::ExitDecision;

/// Orders of one position, in order of their action keys: few, so a list without spare room costs
/// least.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "Vec<ExitOrder>", into = "Vec<ExitOrder>")]
pub struct Orders(Vec<ExitOrder>);

impl Orders {
    /// Puts a fact in place of what was known under its key.
    pub(super) fn put(&mut self, order: ExitOrder) {
        match self.place(&order.action_key) {
            Ok(place) => self.0[place] = order,
            Err(place) => {
                self.0.reserve_exact(1);
                self.0.insert(place, order);
            }
        }
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &ExitOrder> {
        self.0.iter()
    }

    pub(super) fn active(&self) -> impl Iterator<Item = &ExitOrder> {
        self.all().filter(|order| !order.status.is_terminal())
    }

    /// Returns the orders that decide in one cycle: its own, what is still active of others, and
    /// answers to requests of the operator, which are spent for good.
    pub(super) fn of_cycle(&self, cycle: u32) -> Self {
        let decides = |order: &&ExitOrder| {
            order.cycle == cycle
                || !order.status.is_terminal()
                || order.reason == ExitReason::Manual
        };
        Self(self.0.iter().filter(decides).cloned().collect())
    }

    fn place(&self, key: &ActionKey) -> Result<usize, usize> {
        self.0.binary_search_by(|order| order.action_key.cmp(key))
    }

    /// Notes a decision as an order, with what `fills` make of it at once.
    pub(super) fn decided(&mut self, decision: &ExitDecision, fills: Fills) {
        let (filled, status) = match fills {
            Fills::Reported => (Quantity::ZERO, OrderStatus::New),
            Fills::Immediate => (decision.qty, OrderStatus::Filled),
            Fills::None => {
                for key in &decision.cancels {
                    if let Ok(place) = self.place(key) {
                        self.0[place].status = OrderStatus::Cancelled;
                    }
                }
                (Quantity::ZERO, OrderStatus::New)
            }
        };
        self.put(ExitOrder {
            action_key: decision.action_key.clone(),
            position: decision.position.clone(),
            symbol: decision.symbol,
            reason: decision.reason,
            rule_id: decision.rule_id.clone(),
            phase: decision.phase,
            cycle: decision.cycle,
            attempt: decision.attempt,
            qty: decision.qty,
            filled,
            status,
            decided: decision.time,
        });
    }
}

impl From<Vec<ExitOrder>> for Orders {
    fn from(orders: Vec<ExitOrder>) -> Self {
        let mut sorted = Self::default();
        orders.into_iter().for_each(|order| sorted.put(order));
        sorted
    }
}

impl From<Orders> for Vec<ExitOrder> {
    fn from(orders: Orders) -> Self {
        orders.0
    }
}
