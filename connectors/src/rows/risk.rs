//! Rows that the risk desk takes in beside the engine.

use serde_json::Value;
use turnstile_dataflows::engine::Change;
use turnstile_dataflows::model::{LogicalTime, Market, SaleResult};
use turnstile_dataflows::risk::{EmergencyStop, Issue, RiskChange, RiskLimits};

use super::fields::{Fields, RowFault};
use super::reentry::{millionths, time_if, won};

/// What stands at start and only risk asks for: each table with its rows, as its followers have them. What
/// is held has a price although nobody has told one of late, such as a suspended issue.
pub(super) const QUERIES: [(&str, &str); 3] = [
    (
        "market.stocks",
        "SELECT jsonb_build_object('symbol', symbol, 'market', market, 'sector', sector)
         FROM market.stocks",
    ),
    (
        "market.best_prices",
        "SELECT jsonb_build_object('symbol', symbol, 'price', price) FROM market.best_prices
         UNION ALL
         SELECT jsonb_build_object('symbol', held.symbol, 'price', known.price)
         FROM (SELECT DISTINCT symbol FROM trade.positions WHERE status IN ('OPEN', 'CLOSING')
             EXCEPT SELECT symbol FROM market.best_prices) held
         CROSS JOIN LATERAL (
             SELECT coalesce(
                 (SELECT last_price FROM market.prices WHERE symbol = held.symbol
                  ORDER BY logical_us DESC LIMIT 1),
                 (SELECT close FROM market.daily_bars WHERE symbol = held.symbol
                  ORDER BY trade_date DESC LIMIT 1),
                 (SELECT prev_close FROM market.symbol_context WHERE symbol = held.symbol)) AS price
         ) known WHERE known.price > 0",
    ),
    (
        "system.emergency_stop",
        "SELECT to_jsonb(r) FROM system.emergency_stop r",
    ),
];

/// Reads a row that the engine does not take in, or not as risk does; none where it says nothing here.
pub(super) fn read(
    table: &str,
    row: &Value,
    is_deleted: bool,
) -> Result<Option<RiskChange>, RowFault> {
    Ok(Some(match table {
        "market.stocks" => issue(row, is_deleted)?,
        "market.best_prices" => price(row)?,
        "system.emergency_stop" => stop(row, is_deleted)?,
        _ => return Ok(None),
    }))
}

/// Returns what a change of the engine says here.
pub(super) fn of_change(change: &Change) -> Option<RiskChange> {
    match change {
        Change::Position(row) => Some(RiskChange::Position(row.clone())),
        Change::Underway(key, row) => Some(RiskChange::Buying(key.clone(), row.clone())),
        Change::Sale(row) => Some(RiskChange::Sale(row.clone())),
        Change::RiskLimits(id, row) => Some(RiskChange::Limits(*id, row.clone())),
        Change::RiskProfile(profile) => Some(RiskChange::Profile(*profile)),
        Change::Equity(row) => Some(RiskChange::Equity(*row)),
        _ => None,
    }
}

fn issue(row: &Value, is_deleted: bool) -> Result<RiskChange, RowFault> {
    let fields = Fields::new(row, "symbol");
    let market = fields.text("market")?.parse();
    let sector = fields.value("sector").and_then(Value::as_str);
    let sector = sector.filter(|sector| !sector.trim().is_empty());
    let issue = Issue {
        market: market.unwrap_or(Market::Unknown),
        sector: sector.map(Into::into),
    };
    let symbol = fields.parsed("symbol")?;
    Ok(RiskChange::Issue(symbol, (!is_deleted).then_some(issue)))
}

fn price(row: &Value) -> Result<RiskChange, RowFault> {
    let fields = Fields::new(row, "symbol");
    Ok(RiskChange::Price(
        fields.parsed("symbol")?,
        fields.price("price")?,
    ))
}

/// Reads a row of `trade.sale_results`.
pub(super) fn sale(row: &Value) -> Result<SaleResult, RowFault> {
    let fields = Fields::new(row, "sale_id");
    Ok(SaleResult {
        id: fields.parsed("sale_id")?,
        sold: fields.time("sold_ts")?,
        units: won(&fields, "realized_pnl")?,
    })
}

/// Reads a row of `system.risk_limits`.
pub(super) fn limits(row: &Value, is_deleted: bool) -> Result<Change, RowFault> {
    let fields = Fields::new(row, "id");
    let id = fields.whole("id")?;
    if is_deleted {
        return Ok(Change::RiskLimits(id, None));
    }
    let limits = RiskLimits {
        id,
        profile: fields.parsed("profile")?,
        positions_max: fields.whole("positions_max")?,
        single_max: millionths(&fields, "single_max_pct")?,
        sector_max: millionths(&fields, "sector_max_pct")?,
        market_max: millionths(&fields, "market_max_pct")?,
        daily_loss_max: millionths(&fields, "daily_loss_max_pct")?,
        total_loss_max: millionths(&fields, "total_loss_max_pct")?,
        from: fields.time("active_from")?,
        until: time_if(&fields, "active_to")?.unwrap_or(LogicalTime::MAX),
    };
    Ok(Change::RiskLimits(id, Some(limits)))
}

/// Reads the row of `system.risk_profile`.
pub(super) fn profile(row: &Value, is_deleted: bool) -> Result<Change, RowFault> {
    let profile = Fields::new(row, "id").parsed("profile")?;
    Ok(Change::RiskProfile((!is_deleted).then_some(profile)))
}

fn stop(row: &Value, is_deleted: bool) -> Result<RiskChange, RowFault> {
    let fields = Fields::new(row, "id");
    let stop = EmergencyStop {
        is_enabled: fields.flag("is_enabled")?,
        by: fields.text("updated_by")?.into(),
        reason: fields.text("reason")?.into(),
    };
    Ok(RiskChange::Stop((!is_deleted).then_some(stop)))
}
