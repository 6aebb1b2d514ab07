//! The exit orders of one position, as far as they decide.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::{ActionKey, ExitOrder, OrderStatus, Quantity};

use super::Fills;
use super::decision::ExitDecision;

/// Orders of one position by action key.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "Vec<ExitOrder>", into = "Vec<ExitOrder>")]
pub struct Orders(BTreeMap<ActionKey, ExitOrder>);

impl Orders {
    /// Puts a fact in place of what was known under its key.
    pub(super) fn put(&mut self, order: ExitOrder) {
        self.0.insert(order.action_key.clone(), order);
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &ExitOrder> {
        self.0.values()
    }

    pub(super) fn active(&self) -> impl Iterator<Item = &ExitOrder> {
        self.all().filter(|order| !order.status.is_terminal())
    }

    /// Returns the orders of one cycle, and what is still active of others.
    pub(super) fn of_cycle(&self, cycle: u32) -> Self {
        let kept = self
            .0
            .iter()
            .filter(|(_key, order)| order.cycle == cycle || !order.status.is_terminal());
        Self(
            kept.map(|(key, order)| (key.clone(), order.clone()))
                .collect(),
        )
    }

    /// Notes a decision as an order, with what `fills` make of it at once.
    pub(super) fn decided(&mut self, decision: &ExitDecision, fills: Fills) {
        let (filled, status) = match fills {
            Fills::Reported => (Quantity::ZERO, OrderStatus::New),
            Fills::Immediate => (decision.qty, OrderStatus::Filled),
            Fills::None => {
                for key in &decision.cancels {
                    if let Some(order) = self.0.get_mut(key) {
                        order.status = OrderStatus::Cancelled;
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
        Self(
            orders
                .into_iter()
                .map(|order| (order.action_key.clone(), order))
                .collect(),
        )
    }
}

impl From<Orders> for Vec<ExitOrder> {
    fn from(orders: Orders) -> Self {
        orders.0.into_values().collect()
    }
}
