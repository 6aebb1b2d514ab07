//! Rows that ask the engine for something.

use std::sync::Arc;

use serde_json::Value;
use turnstile_dataflows::engine::Change;
use turnstile_dataflows::exit::ExitRule;
use turnstile_dataflows::model::{ManualSale, Profile, ProfileId};

use super::fields::{Fields, RowFault};
use crate::exit_rules;

/// The version of a rule that is only asked about.
const PREVIEW_VERSION: u32 = 0;

/// Reads a row of `trade.manual_exits`.
pub(super) fn manual_exit(row: &Value, is_deleted: bool) -> Result<Change, RowFault> {
    let fields = Fields::new(row, "request_id");
    let request: Arc<str> = fields.text("request_id")?.into();
    if is_deleted || fields.text("state")? != "ASKED" {
        return Ok(Change::ManualSale(request, None));
    }
    let sale = ManualSale {
        request: request.clone(),
        position: fields.parsed("position_id")?,
        symbol: fields.parsed("symbol")?,
        qty: fields.quantity("qty")?,
    };
    Ok(Change::ManualSale(request, Some(sale)))
}

/// Reads a row of `trade.rule_previews`.
pub(super) fn preview(row: &Value, is_deleted: bool) -> Result<Change, RowFault> {
    let fields = Fields::new(row, "request_id");
    let request: Arc<str> = fields.text("request_id")?.into();
    if is_deleted || fields.value("answered_us").is_some() {
        return Ok(Change::Preview(request, None));
    }
    let id: ProfileId = fields.parsed("rule_id")?;
    let rules = fields.value("rules").unwrap_or(&Value::Null);
    let profile = Profile::from_value(rules).map_err(|faults| fields.fault("rules", faults))?;
    let rule = ExitRule {
        id,
        scope: exit_rules::scope(&fields)?,
        version: PREVIEW_VERSION,
        profile: Arc::new(profile),
    };
    Ok(Change::Preview(request, Some(rule)))
}
