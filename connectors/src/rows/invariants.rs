//! Rows that the standing invariants take in beside the engine.

use serde_json::Value;
use turnstile_dataflows::engine::Change;
use turnstile_dataflows::invariants::{InvariantChange, InvariantOrder, Taken};
use turnstile_dataflows::model::{ActionKey, PositionId};

use super::fields::{Fields, RowFault};
use super::{orders, read};

/// What stands at start and only they ask for: each table with its rows, as its followers have them.
/// Positions that were closed within a day may still have fills.
pub(super) const QUERIES: [(&str, &str); 4] = [
    (
        "trade.positions",
        "SELECT to_jsonb(p) FROM trade.positions p
         WHERE status = 'CLOSED' AND closed_ts > now() - interval '1 day'",
    ),
    (
        "trade.orders",
        "SELECT to_jsonb(o) - 'explanation' FROM trade.positions p JOIN trade.orders o USING (position_id)
         WHERE p.status = 'CLOSED' AND p.closed_ts > now() - interval '1 day'",
    ),
    (
        "trade.order_events",
        "SELECT to_jsonb(e) - 'raw' FROM trade.positions p JOIN trade.orders o USING (position_id)
         JOIN trade.order_events e USING (order_id)
         WHERE p.status = 'CLOSED' AND p.closed_ts > now() - interval '1 day'",
    ),
    (
        "trade.sale_results",
        "SELECT jsonb_build_object('sale_id', s.sale_id, 'position_id', s.position_id,
             'order_id', s.order_id, 'sold_ts', s.sold_ts, 'qty', s.qty)
         FROM trade.positions p JOIN trade.sale_results s USING (position_id)
         WHERE p.status <> 'CLOSED' OR p.closed_ts > now() - interval '1 day'",
    ),
];

/// Reads a row that the engine does not take in, or not so; none where it says nothing here.
pub(super) fn read(table: &str, row: &Value) -> Result<Option<InvariantChange>, RowFault> {
    Ok(Some(match table {
        "trade.orders" => InvariantChange::Order(order(row)?),
        "trade.order_events" => {
            let fields = Fields::new(row, "event_id");
            let order = fields.text("order_id")?.into();
            InvariantChange::OrderFact(order, orders::fact(&fields)?)
        }
        "trade.sale_results" => InvariantChange::Taken(taken(row)?),
        _ => return Ok(None),
    }))
}

/// Reads a row of [`QUERIES`].
pub(super) fn read_loaded(table: &str, row: &Value) -> Result<Option<InvariantChange>, RowFault> {
    match table {
        "trade.positions" => Ok(Some(InvariantChange::Position(read::position(row)?))),
        _ => read(table, row),
    }
}

/// Returns what a change of the engine says here.
pub(super) fn of_change(change: &Change) -> Option<InvariantChange> {
    match change {
        Change::Position(row) => Some(InvariantChange::Position(row.clone())),
        _ => None,
    }
}

fn order(row: &Value) -> Result<InvariantOrder, RowFault> {
    let fields = Fields::new(row, "order_id");
    let position: Option<PositionId> = fields.parsed_if("position_id")?;
    let is_sale = fields.text("side")? == "SELL";
    let action_key = ActionKey::stored(fields.text("action_key")?);
    Ok(InvariantOrder {
        id: fields.text("order_id")?.into(),
        is_foreign: action_key.is_foreign(),
        action_key,
        position: position.filter(|_| is_sale),
        symbol: fields.parsed("symbol")?,
        qty: fields.quantity("qty")?,
        stored: fields.time("created_ts")?,
    })
}

fn taken(row: &Value) -> Result<Taken, RowFault> {
    let fields = Fields::new(row, "sale_id");
    let order = fields.value("order_id").and_then(Value::as_str);
    Ok(Taken {
        id: fields.parsed("sale_id")?,
        position: fields.parsed("position_id")?,
        order: order.map(Into::into),
        time: fields.time("sold_ts")?,
        qty: fields.quantity("qty")?,
    })
}
