//! Rows of re-entries and of the market regime: one function per table.

use std::collections::BTreeSet;
use std::sync::Arc;

use rust_decimal::Decimal;
use serde_json::Value;
use turnstile_dataflows::engine::Change;
use turnstile_dataflows::model::{LogicalTime, Ratio, RegimeOverride, RegimeSnapshot};
use turnstile_dataflows::reentry::{
    CandidateState, Equity, ExitEvent, PauseWindow, ReentryLimits, ReentryRule, ReentryTrigger,
    StoredCandidate,
};

use super::fields::{Fields, RowFault};

/// Ten-thousandths in a won; also millionths in a percent.
const UNITS: Decimal = Decimal::from_parts(10_000, 0, 0, false, 0);

pub(super) fn exit_event(row: &Value) -> Result<Change, RowFault> {
    let fields = Fields::new(row, "exit_event_id");
    Ok(Change::ExitEvent(ExitEvent {
        id: fields.parsed("exit_event_id")?,
        symbol: fields.parsed("symbol")?,
        reason: fields.text("exit_reason_code")?.into(),
        exit: fields.time("exit_ts")?,
        exit_price: fields.price("exit_avg_price")?,
        original_qty: fields.quantity("original_qty")?,
        prior_hwm: fields.price_if("prior_hwm")?,
    }))
}

pub(super) fn candidate(row: &Value) -> Result<Change, RowFault> {
    let fields = Fields::new(row, "candidate_id");
    let state = match fields.text("state")? {
        "COOLDOWN" => CandidateState::Cooldown,
        "WATCH" => CandidateState::Watch,
        "READY" => CandidateState::Ready,
        "ENTERED" => CandidateState::Entered,
        "EXPIRED" | "BLOCKED" => CandidateState::Over,
        other => return Err(fields.fault("state", format!("unknown state {other:?}"))),
    };
    let text = |column| {
        fields
            .value(column)
            .map(|_| fields.text(column))
            .transpose()
    };
    let blocked = text("blocked_gate")?.zip(text("blocked_reason")?);
    Ok(Change::Candidate(
        fields.parsed("exit_event_id")?,
        StoredCandidate {
            symbol: fields.parsed("symbol")?,
            state,
            cooldown_until: time_if(&fields, "cooldown_until")?,
            watch_until: time_if(&fields, "watch_until")?,
            blocked: blocked.map(|(gate, reason)| (gate.into(), reason.into())),
            refused: fields
                .value("refused_us")
                .map(|_| fields.whole("refused_us").map(LogicalTime::from_micros))
                .transpose()?,
        },
    ))
}

pub(super) fn rule(row: &Value, is_deleted: bool) -> Result<Change, RowFault> {
    let id = Fields::new(row, "rule_id").text("rule_id")?.into();
    let rule = if is_deleted { None } else { rule_of_row(row)? };
    Ok(Change::ReentryRule(id, rule))
}

/// Reads a row of `trade.reentry_rules`; none where it is not active.
pub(crate) fn rule_of_row(row: &Value) -> Result<Option<ReentryRule>, RowFault> {
    let fields = Fields::new(row, "rule_id");
    let id: Arc<str> = fields.text("rule_id")?.into();
    if !fields.flag("is_active")? {
        return Ok(None);
    }
    let params = fields.value("trigger_params").unwrap_or(&Value::Null);
    let trigger = ReentryTrigger::from_value(params)
        .map_err(|error| fields.fault("trigger_params", error))?;
    let second = "size_pct_entry2";
    Ok(Some(ReentryRule {
        id,
        symbol: fields.parsed_if("symbol")?,
        exit_reason: fields.text("exit_reason_code")?.into(),
        regime: fields.parsed_if("regime")?,
        allows_candidate: fields.flag("allow_candidate")?,
        allows_entry: fields.flag("allow_entry")?,
        cooldown_us: fields.minutes_us("cooldown_minutes")?,
        watch_us: fields.minutes_us("watch_ttl_minutes")?,
        per_day_max: fields.whole("max_reentries_per_day")?,
        per_week_max: fields.whole("max_reentries_per_week")?,
        total_max: fields.whole("max_reentries_total")?,
        size: percent(&fields, "size_pct_entry1")?,
        second_size: fields
            .value(second)
            .map(|_| percent(&fields, second))
            .transpose()?,
        trigger,
        priority: fields.whole("priority")?,
    }))
}

pub(super) fn blacklisted(row: &Value, is_deleted: bool) -> Result<Change, RowFault> {
    let fields = Fields::new(row, "symbol");
    let until = time_if(&fields, "until_ts")?.unwrap_or(LogicalTime::MAX);
    let symbol = fields.parsed("symbol")?;
    Ok(Change::Blacklist(symbol, (!is_deleted).then_some(until)))
}

pub(super) fn ranked(row: &Value, is_deleted: bool) -> Result<Change, RowFault> {
    let fields = Fields::new(row, "symbol");
    let symbol = fields.parsed("symbol")?;
    let as_of = fields.day("as_of")?;
    Ok(Change::Ranked(symbol, (!is_deleted).then_some(as_of)))
}

pub(super) fn window(row: &Value, is_deleted: bool) -> Result<Change, RowFault> {
    let fields = Fields::new(row, "window_id");
    let id: Arc<str> = fields.text("window_id")?.into();
    if is_deleted || !fields.flag("is_active")? {
        return Ok(Change::PauseWindow(id, None));
    }
    let window = PauseWindow {
        from_s: second_of_day(&fields, "from_time")?,
        until_s: second_of_day(&fields, "until_time")?,
    };
    Ok(Change::PauseWindow(id, Some(window)))
}

pub(super) fn limits(row: &Value, is_deleted: bool) -> Result<Change, RowFault> {
    if is_deleted {
        return Ok(Change::ReentryLimits(None));
    }
    let fields = Fields::new(row, "id");
    let regimes = fields.value("entry_regimes").and_then(Value::as_array);
    let regimes = regimes.into_iter().flatten().map(|name| {
        let name = name.as_str().unwrap_or_default();
        name.parse()
            .map_err(|error| fields.fault("entry_regimes", error))
    });
    let amount = |column| {
        fields
            .value(column)
            .map(|_| won(&fields, column))
            .transpose()
    };
    let share = |column| {
        fields
            .value(column)
            .map(|_| millionths(&fields, column))
            .transpose()
    };
    let count = "positions_max";
    Ok(Change::ReentryLimits(Some(ReentryLimits {
        regimes: regimes.collect::<Result<BTreeSet<_>, _>>()?,
        positions_max: fields
            .value(count)
            .map(|_| fields.whole(count))
            .transpose()?,
        exposure_max: amount("exposure_max")?,
        exposure_share: share("exposure_max_pct")?,
        daily_loss_max: amount("daily_loss_max")?,
        daily_loss_share: share("daily_loss_max_pct")?,
    })))
}

pub(super) fn equity(row: &Value, is_deleted: bool) -> Result<Change, RowFault> {
    let fields = Fields::new(row, "asof_ts");
    let equity = Equity {
        asof: fields.time("asof_ts")?,
        units: won(&fields, "equity")?,
    };
    Ok(Change::Equity((!is_deleted).then_some(equity)))
}

pub(super) fn expiry(row: &Value) -> Result<Change, RowFault> {
    let fields = Fields::new(row, "candidate_id");
    let by = fields.text("asked_by")?.into();
    Ok(Change::Expiry(fields.parsed("candidate_id")?, by))
}

pub(super) fn regime(row: &Value) -> Result<Change, RowFault> {
    let fields = Fields::new(row, "id");
    Ok(Change::Regime(RegimeSnapshot {
        asof: fields.time("asof_ts")?,
        regime: fields.parsed("regime")?,
    }))
}

pub(super) fn regime_override(row: &Value, is_deleted: bool) -> Result<Change, RowFault> {
    let fields = Fields::new(row, "id");
    let until = time_if(&fields, "until_ts")?.unwrap_or(LogicalTime::MAX);
    let regime = fields.parsed_if("regime")?.filter(|_| !is_deleted);
    Ok(Change::RegimeOverride(
        regime.map(|regime| RegimeOverride { regime, until }),
    ))
}

pub(super) fn time_if(fields: &Fields<'_>, column: &str) -> Result<Option<LogicalTime>, RowFault> {
    fields
        .value(column)
        .map(|_| fields.time(column))
        .transpose()
}

fn percent(fields: &Fields<'_>, column: &str) -> Result<Ratio, RowFault> {
    let part = fields.decimal(column)? / Decimal::ONE_HUNDRED;
    Ratio::try_from(part).map_err(|error| fields.fault(column, error))
}

/// Returns a percentage in millionths of the whole.
pub(super) fn millionths(fields: &Fields<'_>, column: &str) -> Result<u32, RowFault> {
    let value = fields.decimal(column)?;
    let count = value.checked_mul(UNITS).filter(Decimal::is_integer);
    count
        .and_then(|count| u32::try_from(count).ok())
        .ok_or_else(|| {
            let reason = format!("percentage with at most 4 decimals expected, was {value}");
            fields.fault(column, reason)
        })
}

/// Returns an amount in ten-thousandths of a won.
pub(super) fn won(fields: &Fields<'_>, column: &str) -> Result<i64, RowFault> {
    let value = fields.decimal(column)?;
    let units = value.checked_mul(UNITS).filter(Decimal::is_integer);
    units
        .and_then(|units| i64::try_from(units).ok())
        .ok_or_else(|| {
            let reason = format!("amount with at most 4 decimals expected, was {value}");
            fields.fault(column, reason)
        })
}

/// Returns the second of the day of a time such as `09:30:00`.
fn second_of_day(fields: &Fields<'_>, column: &str) -> Result<u64, RowFault> {
    let text = fields.text(column)?;
    let mut parts = text.split(':').map(str::parse::<u64>);
    let mut next = || parts.next().and_then(Result::ok);
    let second = next()
        .zip(next())
        .zip(next())
        .map(|((hour, minute), second)| (hour * 60 + minute) * 60 + second);
    second.ok_or_else(|| fields.fault(column, format!("time of day expected, was {text:?}")))
}
