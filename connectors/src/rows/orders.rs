//! Orders: the rows of two tables, reduced to one state each. Of purchases that are not over, what
//! may still come.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;
use turnstile_dataflows::engine::Change;
use turnstile_dataflows::model::{
    ActionKey, ExitEventId, ExitOrder, LogicalTime, OrderFact, OrderFacts, OrderStatus, PositionId,
    Quantity,
};
use turnstile_dataflows::reentry::{Purchase, Underway};

use super::fields::{Fields, RowFault};

/// Exit orders of the positions that are not closed.
#[derive(Debug, Default)]
pub(super) struct Orders {
    by_id: BTreeMap<String, (ExitOrder, OrderFacts)>,
    by_position: BTreeMap<PositionId, BTreeSet<String>>,
    purchases: BTreeMap<String, Bought>,
    changed: BTreeSet<String>,
}

/// An order to buy that is not over.
#[derive(Debug)]
struct Bought {
    action_key: Arc<str>,
    qty: Quantity,
    /// All of it, as if nothing were filled.
    whole: Underway,
    facts: OrderFacts,
}

impl Bought {
    /// Returns what may still come; none where the order is over.
    fn underway(&self) -> Option<Underway> {
        let is_over = self.facts.status(self.qty).is_terminal();
        (!is_over).then(|| Underway {
            left: self.qty.saturating_sub(self.facts.filled()),
            ..self.whole.clone()
        })
    }
}

/// Reads a row of `trade.order_events`.
pub(super) fn fact(fields: &Fields<'_>) -> Result<OrderFact, RowFault> {
    Ok(OrderFact {
        status: fields.parsed("status")?,
        send_attempt: fields.whole("send_attempt")?,
        sent_qty: fields
            .value("sent_qty")
            .map(|_| fields.quantity("sent_qty"))
            .transpose()?,
        filled: fields.quantity("filled_qty")?,
    })
}

impl Orders {
    /// Takes in a row of `trade.orders`. A purchase of a candidate is a change of its own, beside
    /// that of what is under way.
    pub(super) fn add_order(&mut self, row: &Value) -> Result<Option<Change>, RowFault> {
        let fields = Fields::new(row, "order_id");
        let decided = LogicalTime::from_micros(fields.whole("decided_us")?);
        if fields.text("side")? == "BUY" {
            let candidate: Option<ExitEventId> = fields.parsed_if("candidate_id")?;
            let (symbol, key) = (fields.parsed("symbol")?, fields.text("action_key")?);
            let (order_id, qty) = (fields.text("order_id")?, fields.quantity("qty")?);
            let bought = Bought {
                action_key: key.into(),
                qty,
                whole: Underway {
                    symbol,
                    left: qty,
                    price: fields.price("price")?,
                },
                facts: OrderFacts::default(),
            };
            self.purchases.insert(order_id.to_owned(), bought);
            self.changed.insert(order_id.to_owned());
            return Ok(candidate.map(|candidate| {
                let purchase = Purchase {
                    symbol,
                    candidate,
                    decided,
                };
                Change::Purchase(key.into(), purchase)
            }));
        }
        let Some(position) = fields.parsed_if::<PositionId>("position_id")? else {
            return Ok(None);
        };
        let order_id = fields.text("order_id")?.to_owned();
        let order = ExitOrder {
            action_key: ActionKey::stored(fields.text("action_key")?),
            position: position.clone(),
            symbol: fields.parsed("symbol")?,
            reason: fields.parsed("reason_code")?,
            rule_id: fields
                .value("rule_id")
                .and_then(Value::as_str)
                .map(Into::into),
            phase: fields.parsed("phase")?,
            cycle: fields.whole("cycle")?,
            attempt: fields.whole("attempt")?,
            qty: fields.quantity("qty")?,
            filled: Quantity::ZERO,
            status: OrderStatus::New,
            decided,
        };
        self.by_position
            .entry(position)
            .or_default()
            .insert(order_id.clone());
        self.by_id
            .insert(order_id.clone(), (order, OrderFacts::default()));
        self.changed.insert(order_id);
        Ok(None)
    }

    /// Takes in a row of `trade.order_events`. Those of orders not followed are passed over.
    pub(super) fn add_event(&mut self, row: &Value) -> Result<(), RowFault> {
        let fields = Fields::new(row, "event_id");
        let order_id = fields.text("order_id")?;
        let fact = fact(&fields)?;
        if let Some((order, facts)) = self.by_id.get_mut(order_id) {
            facts.add(fact);
            order.filled = facts.filled();
            order.status = facts.status(order.qty);
            self.changed.insert(order_id.to_owned());
        } else if let Some(bought) = self.purchases.get_mut(order_id) {
            bought.facts.add(fact);
            self.changed.insert(order_id.to_owned());
        }
        Ok(())
    }

    /// Forgets the orders of a position that is closed.
    pub(super) fn forget(&mut self, position: &PositionId) {
        for order_id in self.by_position.remove(position).unwrap_or_default() {
            self.by_id.remove(&order_id);
            self.changed.remove(&order_id);
        }
    }

    /// Returns the orders that changed since the last call.
    pub(super) fn take_changed(&mut self) -> Vec<Change> {
        let changed = std::mem::take(&mut self.changed);
        let mut changes = Vec::with_capacity(changed.len());
        for order_id in changed {
            if let Some((order, _facts)) = self.by_id.get(&order_id) {
                changes.push(Change::ExitOrder(order.clone()));
            } else if let Some(bought) = self.purchases.get(&order_id) {
                let underway = bought.underway();
                let is_over = underway.is_none();
                changes.push(Change::Underway(bought.action_key.clone(), underway));
                if is_over {
                    self.purchases.remove(&order_id);
                }
            }
        }
        changes
    }
}
