//! Reports as rows of `system.risk_reports`.

use crate::postgres::Session;
use rust_decimal::Decimal;
use serde_json::{Map, Value};
use turnstile_dataflows::risk::{CheckKind, RiskProfile, RiskReport, Sector};

use super::super::error::StoreError;
use super::record::{number, won};

const STORE: &str =
    "INSERT INTO system.risk_reports (level, unknown, profile, is_stopped, positions,
        equity, largest_symbol, largest_weight, sector_weights, market_weights, day_result,
        month_result, day_result_pct, month_result_pct, highest_usage, usages, daily_buffer_pct,
        total_buffer_pct, unrealized_result, total_result, total_result_pct)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20,
        $21)";

/// The columns of a report. Amounts in KRW, parts in percent of the equity.
pub(super) struct ReportRow {
    level: &'static str,
    unknown: Option<&'static str>,
    profile: Option<&'static str>,
    is_stopped: bool,
    positions: i32,
    equity: Option<Decimal>,
    largest_symbol: Option<String>,
    pub(super) largest_weight: Option<Decimal>,
    sectors: Value,
    markets: Value,
    day_result: Decimal,
    month_result: Decimal,
    pub(super) day_result_pct: Option<Decimal>,
    month_result_pct: Option<Decimal>,
    highest_usage: Option<Decimal>,
    pub(super) usages: Value,
    pub(super) daily_buffer: Option<Decimal>,
    total_buffer: Option<Decimal>,
    unrealised: Decimal,
    total_result: Decimal,
    total_result_pct: Option<Decimal>,
}

impl ReportRow {
    /// Returns the columns of `report`.
    pub(super) fn of(report: &RiskReport) -> Self {
        let weight = |units: i128| percent_of(units, report.equity);
        let weights = |name: String, units: i128| (name, weight(units).map_or(Value::Null, number));
        let sectors = report.sectors.iter();
        let sectors = sectors.map(|(sector, units)| match sector {
            Sector::Named(name) => weights(name.to_string(), *units),
            Sector::Own(symbol) => weights(format!("({symbol})"), *units),
        });
        let markets = report.markets.iter();
        let markets = markets.map(|(market, units)| weights(market.name().to_owned(), *units));
        let buffer = |kind| {
            let usage = report.usage(kind)?;
            Some(hundredths(usage.buffer_basis_points()))
        };
        Self {
            level: report.level.name(),
            unknown: report.unknown,
            profile: report.profile.map(RiskProfile::name),
            is_stopped: report.is_stopped,
            positions: i32::try_from(report.positions).unwrap_or(i32::MAX),
            equity: report.equity.map(won),
            largest_symbol: report.largest.map(|(symbol, _units)| symbol.to_string()),
            largest_weight: report.largest.and_then(|(_symbol, units)| weight(units)),
            sectors: Value::Object(sectors.collect()),
            markets: Value::Object(markets.collect()),
            day_result: won(report.day_result),
            month_result: won(report.month_result),
            day_result_pct: weight(report.day_result),
            month_result_pct: weight(report.month_result),
            highest_usage: report
                .highest()
                .map(|usage| hundredths(usage.basis_points())),
            usages: usages(report),
            daily_buffer: buffer(CheckKind::DailyLoss),
            total_buffer: buffer(CheckKind::TotalLoss),
            unrealised: won(report.unrealised),
            total_result: won(report.total_result()),
            total_result_pct: weight(report.total_result()),
        }
    }

    /// Stores the report.
    ///
    /// # Errors
    /// If the database does not take it.
    pub(super) async fn store(&self, client: &impl Session) -> Result<(), StoreError> {
        let statement = client.prepare_cached(STORE).await?;
        client
            .execute(
                &statement,
                &[
                    &self.level,
                    &self.unknown,
                    &self.profile,
                    &self.is_stopped,
                    &self.positions,
                    &self.equity,
                    &self.largest_symbol,
                    &self.largest_weight,
                    &self.sectors,
                    &self.markets,
                    &self.day_result,
                    &self.month_result,
                    &self.day_result_pct,
                    &self.month_result_pct,
                    &self.highest_usage,
                    &self.usages,
                    &self.daily_buffer,
                    &self.total_buffer,
                    &self.unrealised,
                    &self.total_result,
                    &self.total_result_pct,
                ],
            )
            .await?;
        Ok(())
    }
}

/// Usages in percent, by check.
fn usages(report: &RiskReport) -> Value {
    let usages = report.usages.iter();
    let usages: Map<String, Value> = usages
        .map(|usage| {
            let percent = number(hundredths(usage.basis_points()));
            (usage.kind.name().to_owned(), percent)
        })
        .collect();
    Value::Object(usages)
}

/// Returns an amount in percent of the equity, cut off to two places.
fn percent_of(units: i128, equity: Option<i128>) -> Option<Decimal> {
    let share = units.checked_mul(10_000)?.checked_div(equity?)?;
    Some(hundredths(share))
}

/// Returns a count of hundredths as a number; what is beyond all numbers as the largest.
pub(super) fn hundredths(count: i128) -> Decimal {
    Decimal::try_from_i128_with_scale(count, 2).unwrap_or(Decimal::MAX)
}
