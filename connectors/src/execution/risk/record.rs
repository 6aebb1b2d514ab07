//! Rulings as rows: `system.risk_checks`, and of refusals `system.risk_violations`.

use crate::postgres::Session;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use turnstile_dataflows::risk::{CheckResult, Figures};

use super::super::error::StoreError;
use super::gate::Ruling;

/// One statement; a ruling that is stored already changes nothing.
const STORE: &str = "WITH judged AS (
        INSERT INTO system.risk_checks (judged_us, action_key, symbol, intent_type, qty, price,
            is_approved, limits_id, results)
        VALUES ($1, $2, $3, 'ENTRY', $4, $5, $6::text IS NULL, $7, $8)
        ON CONFLICT (action_key, judged_us) DO NOTHING
        RETURNING *
    )
    INSERT INTO system.risk_violations (check_id, action_key, symbol, intent_type, check_type,
        current_value, limit_value, message)
    SELECT id, action_key, symbol, intent_type, $6, $9, $10, $11 FROM judged WHERE NOT is_approved";

/// Stores a ruling.
///
/// # Errors
/// If the database does not take it.
pub(in crate::execution) async fn record(
    client: &impl Session,
    ruling: &Ruling,
) -> Result<(), StoreError> {
    let intent = &ruling.intent;
    let judged_us = i64::try_from(ruling.judged.micros()).unwrap_or(i64::MAX);
    let refusal = ruling.checked.refusal();
    let check = refusal.map(|(result, _reason)| result.kind.name());
    let (current, limit) = refusal
        .and_then(|(result, _reason)| figures(result))
        .unzip();
    let message = refusal.map(|(_result, reason)| reason);
    let statement = client.prepare_cached(STORE).await?;
    client
        .execute(
            &statement,
            &[
                &judged_us,
                &&*ruling.action_key,
                &intent.symbol.to_string(),
                &intent.qty.shares(),
                &intent.price.to_decimal(),
                &check,
                &ruling.limits_id,
                &results(ruling),
                &current,
                &limit,
                &message,
            ],
        )
        .await?;
    Ok(())
}

/// Returns all results as `system.risk_checks` has them.
pub(super) fn results(ruling: &Ruling) -> Value {
    let results = ruling.checked.results.iter();
    results
        .map(|result| {
            let mut row = json!({
                "check": result.kind.name(),
                "passed": result.refusal.is_none(),
            });
            if let Some((value, limit)) = figures(result) {
                row["value"] = number(value);
                row["limit"] = number(limit);
            }
            if let Some(reason) = &result.refusal {
                row["reason"] = json!(reason);
            }
            row
        })
        .collect()
}

/// Returns what was compared: names, else KRW.
fn figures(result: &CheckResult) -> Option<(Decimal, Decimal)> {
    Some(match result.figures? {
        Figures::Names { after, most } => (Decimal::from(after), Decimal::from(most)),
        Figures::Amount { after, most } => (won(after), won(most)),
    })
}

/// Returns ten-thousandths of a won in KRW; what is beyond all numbers as the largest.
pub(super) fn won(units: i128) -> Decimal {
    let amount = Decimal::try_from_i128_with_scale(units, 4);
    amount.map_or(Decimal::MAX, |amount| amount.normalize())
}

/// Returns a number of JSON with every digit.
pub(super) fn number(value: Decimal) -> Value {
    value.to_string().parse().map_or(Value::Null, Value::Number)
}
