//! One function per table: a row in, a change out.

use std::sync::Arc;

use rust_decimal::Decimal;
use serde_json::Value;
use turnstile_dataflows::engine::Change;
use turnstile_dataflows::exit::{ExitRule, SymbolContext};
use turnstile_dataflows::model::{Floor, LogicalTime, Mark, Position, PositionState, ProfileId};

use super::early::is_early;
use super::fields::{Fields, RowFault};
use crate::exit_rules::parts_of_row;

/// Parts of one in which ATR percent is counted.
const MILLION: Decimal = Decimal::from_parts(1_000_000, 0, 0, false, 0);

pub(super) fn position(row: &Value) -> Result<Position, RowFault> {
    let fields = Fields::new(row, "position_id");
    Ok(Position {
        id: fields.parsed("position_id")?,
        symbol: fields.parsed("symbol")?,
        qty: fields.quantity("qty")?,
        original_qty: fields.quantity("original_qty")?,
        avg_price: fields.price_if("avg_price")?,
        entry: fields.time("entry_ts")?,
        is_live: fields.text("status")? != "CLOSED",
        mode: fields.parsed("exit_mode")?,
        profile: fields.parsed_if("exit_profile_id")?,
        strategy: fields.text("strategy_id")?.into(),
        cycle: fields.whole("cycle")?,
        version: fields.whole("version")?,
    })
}

pub(super) fn position_state(row: &Value) -> Result<Change, RowFault> {
    let fields = Fields::new(row, "position_id");
    let written_by_hand = fields.price_if("stop_floor_price")?.map(Floor::at);
    let state = PositionState {
        phase: fields.parsed("phase")?,
        floor: fields.parsed_if("stop_floor")?.or(written_by_hand),
        mark: fields.price_if("hwm_price")?.map(|price| Mark {
            price,
            tick: fields
                .value("hwm_us")
                .and_then(Value::as_u64)
                .map(LogicalTime::from_micros),
        }),
    };
    Ok(Change::PositionState(fields.parsed("position_id")?, state))
}

pub(super) fn exit_rule(row: &Value, is_deleted: bool, today: &str) -> Result<Change, RowFault> {
    let fields = Fields::new(row, "rule_id");
    let id: ProfileId = fields.parsed("rule_id")?;
    if is_deleted || is_early(row, today) || !fields.flag("is_active")? {
        return Ok(Change::ExitRule(id, None));
    }
    let (scope, version, profile) = parts_of_row(&fields)?;
    let profile = profile.map_err(|faults| fields.fault("rules", faults))?;
    let rule = ExitRule {
        id: id.clone(),
        scope,
        version,
        profile: Arc::new(profile),
    };
    Ok(Change::ExitRule(id, Some(rule)))
}

/// A symbol without a row has neither ATR nor previous close.
pub(super) fn context(row: &Value, is_deleted: bool) -> Result<Change, RowFault> {
    let fields = Fields::new(row, "symbol");
    let symbol = fields.parsed("symbol")?;
    if is_deleted {
        return Ok(Change::Context(symbol, SymbolContext::default()));
    }
    let atr_pct_millionths = match fields.value("atr_pct") {
        None => None,
        Some(_) => Some(millionths(&fields, "atr_pct")?),
    };
    let prev_close = fields.price_if("prev_close")?;
    Ok(Change::Context(
        symbol,
        SymbolContext {
            atr_pct_millionths,
            prev_close,
        },
    ))
}

fn millionths(fields: &Fields<'_>, column: &str) -> Result<i64, RowFault> {
    let value = fields.decimal(column)?;
    let count = value.checked_mul(MILLION).filter(Decimal::is_integer);
    count
        .and_then(|count| i64::try_from(count).ok())
        .filter(|count| *count >= 0)
        .ok_or_else(|| {
            let reason =
                format!("ratio of zero or more with at most 6 decimals expected, was {value}");
            fields.fault(column, reason)
        })
}
