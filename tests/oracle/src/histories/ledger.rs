//! What becomes of orders: fills partial and late, refusals, cancellations; and what the ledger
//! does with them in the same transaction.

use std::collections::BTreeMap;

use turnstile_dataflows::model::{ActionKey, ExitOrder, OrderStatus, Phase, PositionId, Quantity};

use super::history::{History, Holding};
use crate::oracle::{Row, State, state_after};

#[derive(Clone, Copy)]
enum Fate {
    Accepted,
    Part,
    Whole,
    Cancelled,
    PartThenCancelled,
    GivenUp,
}

const FATES: [(u64, Fate); 6] = [
    (16, Fate::Accepted),
    (20, Fate::Part),
    (34, Fate::Whole),
    (16, Fate::Cancelled),
    (8, Fate::PartThenCancelled),
    (4, Fate::GivenUp),
];

impl History {
    /// News about one or two orders. Nothing, where no order can have any.
    pub(super) fn fates(&mut self) -> Vec<Row> {
        let mut rows = Vec::new();
        let mut touched: BTreeMap<PositionId, Holding> = BTreeMap::new();
        let mut told: Vec<ActionKey> = Vec::new();
        for _ in 0..self.dice.pick(&[1, 1, 1, 2]) {
            let Some(index) = self.any_order(&told) else {
                break;
            };
            let order = self.orders[index].clone();
            let Some(holding) = self.holdings.get(&order.position).cloned() else {
                break;
            };
            let holding = touched.remove(&order.position).unwrap_or(holding);
            let (order, holding) = self.fate(order, holding);
            told.push(order.action_key.clone());
            rows.push(Row::Order(order.clone()));
            touched.insert(order.position.clone(), holding);
            self.orders[index] = order;
        }
        for (_id, holding) in touched {
            self.store(holding, &mut rows);
        }
        rows
    }

    /// Draws an order with news: mostly an active one, sometimes one that ended too early.
    fn any_order(&mut self, told: &[ActionKey]) -> Option<usize> {
        let is_late = self.dice.percent(10);
        let wanted = |order: &ExitOrder| {
            let is_open = is_open(order.status);
            (is_open || (is_late && order.filled < order.qty)) && !told.contains(&order.action_key)
        };
        let known = self.orders.iter().enumerate();
        let indices: Vec<usize> = known
            .filter(|(_, order)| wanted(order))
            .map(|(index, _)| index)
            .collect();
        if indices.is_empty() {
            return None;
        }
        // Early ones first, so that few stay for ever.
        let index = self
            .dice
            .index(indices.len())
            .min(self.dice.index(indices.len()));
        Some(indices[index])
    }

    fn fate(&mut self, mut order: ExitOrder, mut holding: Holding) -> (ExitOrder, Holding) {
        let left = order.qty.saturating_sub(order.filled);
        let most = left.min(holding.position.qty).shares();
        let part =
            |history: &mut Self| Quantity::new(history.dice.between(0, most)).expect("shares");
        let is_late = !is_open(order.status);
        let refused = self.dice.percent(self.refusals);
        let (sold, is_over) = if is_late {
            (part(self), true)
        } else if refused {
            (Quantity::ZERO, true)
        } else {
            match self.dice.weighted(&FATES) {
                Fate::Accepted => (Quantity::ZERO, false),
                Fate::Part => (part(self), false),
                Fate::Whole => (Quantity::new(most).expect("shares"), false),
                Fate::Cancelled | Fate::GivenUp => (Quantity::ZERO, true),
                Fate::PartThenCancelled => (part(self), true),
            }
        };
        order.filled = order.filled.saturating_add(sold);
        order.status = self.status(&order, is_over);
        holding.position.qty = holding.position.qty.saturating_sub(sold);
        if !sold.is_zero() {
            holding.position.version += 1;
        }
        let took_effect = !is_open(order.status)
            && !order.filled.is_zero()
            && order.cycle == holding.position.cycle;
        if took_effect {
            holding.state = self.moved(&order, &holding);
        }
        // Now and then the broker's last fill comes before the row is closed.
        if holding.position.qty.is_zero() && !sold.is_zero() && !self.dice.percent(5) {
            holding.position.is_live = false;
            holding.state.phase = Phase::Exited;
        }
        (order, holding)
    }

    fn status(&mut self, order: &ExitOrder, is_over: bool) -> OrderStatus {
        let is_filled = !order.filled.is_zero();
        if order.filled >= order.qty {
            OrderStatus::Filled
        } else if !is_over && is_filled {
            OrderStatus::Partial
        } else if !is_over {
            self.dice.pick(&[
                OrderStatus::Submitted,
                OrderStatus::Submitted,
                OrderStatus::Sending,
                OrderStatus::Unknown,
                OrderStatus::PendingApproval,
            ])
        } else if is_filled {
            OrderStatus::CancelledPartial
        } else {
            self.dice.pick(&[
                OrderStatus::Rejected,
                OrderStatus::Rejected,
                OrderStatus::Cancelled,
                OrderStatus::Error,
            ])
        }
    }

    /// Returns phase and floor once an order has ended with any fill. A rule that is gone has
    /// everything off.
    fn moved(&self, order: &ExitOrder, holding: &Holding) -> State {
        let rules = self.oracle.rules_of(&order.position);
        match (rules, holding.position.avg_price) {
            (Some(rules), Some(avg)) => state_after(holding.state, order.reason, avg, rules),
            _ => holding.state,
        }
    }
}

/// Returns whether more may become of an order.
fn is_open(status: OrderStatus) -> bool {
    matches!(
        status,
        OrderStatus::New
            | OrderStatus::PendingApproval
            | OrderStatus::Sending
            | OrderStatus::Unknown
            | OrderStatus::Submitted
            | OrderStatus::Partial
    )
}
