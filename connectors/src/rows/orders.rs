//! Orders: the rows of two tables, reduced to one state each.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use turnstile_dataflows::engine::Change;
use turnstile_dataflows::model::{
    ActionKey, ExitEventId, ExitOrder, LogicalTime, OrderFact, OrderFacts, OrderStatus, PositionId,
    Quantity,
};
use turnstile_dataflows::reentry::Purchase;

use super::fields::{Fields, RowFault};

/// Exit orders of the positions that are not closed.
#[derive(Debug, Default)]
pub(super) struct Orders {
    by_id: BTreeMap<String, (ExitOrder, OrderFacts)>,
    by_position: BTreeMap<PositionId, BTreeSet<String>>,
    changed: BTreeSet<String>,
}

impl Orders {
    /// Takes in a row of `trade.orders`. A purchase of a candidate is a change of its own.
    pub(super) fn add_order(&mut self, row: &Value) -> Result<Option<Change>, RowFault> {
        let fields = Fields::new(row, "order_id");
        let decided = LogicalTime::from_micros(fields.whole("decided_us")?);
        if fields.text("side")? == "BUY" {
            let candidate: Option<ExitEventId> = fields.parsed_if("candidate_id")?;
            let (symbol, key) = (fields.parsed("symbol")?, fields.text("action_key")?);
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
        let fact = OrderFact {
            status: fields.parsed("status")?,
            send_attempt: fields.whole("send_attempt")?,
            sent_qty: fields
                .value("sent_qty")
                .map(|_| fields.quantity("sent_qty"))
                .transpose()?,
            filled: fields.quantity("filled_qty")?,
        };
        if let Some((order, facts)) = self.by_id.get_mut(order_id) {
            facts.add(fact);
            order.filled = facts.filled();
            order.status = facts.status(order.qty);
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
        let orders = changed
            .iter()
            .filter_map(|order_id| self.by_id.get(order_id));
        orders
            .map(|(order, _facts)| Change::ExitOrder(order.clone()))
            .collect()
    }
}
