//! Looks after the account: a report every few minutes, and alarms where limits come near.

use std::collections::BTreeMap;
use std::time::Duration;

use metrics::gauge;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;
use tracing::warn;
use turnstile_dataflows::risk::{CheckKind, ReportLevel, RiskReport};

use super::super::alarm::{Alarm, Alarms, Level};
use super::super::metrics as names;
use super::super::store::{Chain, GivenUp, Store};
use super::gate::RiskGate;
use super::record::{number, won};
use super::report_row::{ReportRow, hundredths};

/// How often limits are looked at between reports.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How long an alarm that stands is not raised again (domain section 8).
const SAME_ALARM: Duration = Duration::from_secs(300);
/// Realised loss of the day that is a warning, in millionths of the equity (domain section 7).
const DAY_WARNING: i128 = 25_000;
const MILLION: i128 = 1_000_000;
/// Checks that have a limit to use.
const LIMITED: [CheckKind; 6] = [
    CheckKind::TotalPositions,
    CheckKind::SingleWeight,
    CheckKind::SectorWeight,
    CheckKind::MarketWeight,
    CheckKind::DailyLoss,
    CheckKind::TotalLoss,
];

/// Section `[risk]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RiskConfig {
    /// How often the account is reported beside its limits.
    #[serde(with = "humantime_serde")]
    pub report_every: Duration,
}

impl Default for RiskConfig {
    fn default() -> Self {
        Self {
            report_every: Duration::from_secs(300),
        }
    }
}

impl RiskConfig {
    /// Returns what is wrong with the settings, with the key.
    pub fn fault(&self) -> Option<&'static str> {
        let is_zero = self.report_every.is_zero();
        is_zero.then_some("risk.report_every must be longer than zero")
    }
}

/// Writes `system.risk_reports` and raises alarms.
pub struct RiskMonitor {
    /// What it looks at.
    pub gate: RiskGate,
    /// Where reports go.
    pub store: Store,
    /// Where alarms are raised.
    pub alarms: Alarms,
    /// How often.
    pub config: RiskConfig,
}

impl RiskMonitor {
    /// Looks after the account until `stop`. The first report follows as soon as the account is known.
    pub async fn run(self, stop: CancellationToken) {
        let mut raised = BTreeMap::new();
        let mut looks = tokio::time::interval(LOOK_EVERY.min(self.config.report_every));
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut next = Instant::now();
        while stop.run_until_cancelled(looks.tick()).await.is_some() {
            if !self.gate.is_ready() {
                continue;
            }
            let report = self.gate.report();
            let row = ReportRow::of(&report);
            measure(&report, &row);
            self.warn_of(&report, &row, &mut raised);
            if Instant::now() >= next {
                next = Instant::now() + self.config.report_every;
                self.write(&row, &stop).await;
            }
        }
    }

    fn warn_of(
        &self,
        report: &RiskReport,
        row: &ReportRow,
        raised: &mut BTreeMap<&'static str, Instant>,
    ) {
        let now = Instant::now();
        for alarm in alarms(report, row) {
            let last = raised.get(alarm.event);
            if last.is_none_or(|last| now.duration_since(*last) >= SAME_ALARM) {
                raised.insert(alarm.event, now);
                self.alarms.raise(alarm);
            }
        }
    }

    async fn write(&self, row: &ReportRow, stop: &CancellationToken) {
        let work =
            |client: crate::postgres::PostgresClient| async move { row.store(&client).await };
        let written = self.store.persist("risk report", stop, work);
        if let Err(GivenUp::Refused(error)) = written.await {
            warn!(error = %Chain(&error), "risk report not stored");
        }
    }
}

/// Returns the alarms that a report is worth.
fn alarms(report: &RiskReport, row: &ReportRow) -> Vec<Alarm> {
    let mut alarms = Vec::new();
    let mut raise = |level, event, message: String, context: Value| {
        alarms.push(Alarm {
            level,
            event,
            symbol: None,
            position: None,
            message,
            context,
        });
    };
    let highest = report.highest();
    let usage = highest.map(|usage| {
        let percent = hundredths(usage.basis_points());
        format!("{} is used to {percent} %", usage.kind.name())
    });
    let what = report.unknown.map(str::to_owned).or(usage);
    let what = what.unwrap_or_default();
    let context = json!({"level": report.level.name(), "usages": row.usages});
    match report.level {
        ReportLevel::Green | ReportLevel::Yellow => {}
        ReportLevel::Orange => raise(Level::Warning, "risk_orange", what, context),
        ReportLevel::Red => raise(Level::Critical, "risk_red", what, context),
    }
    if let Some(equity) = report.equity
        && report.day_result.saturating_mul(MILLION) < -equity * DAY_WARNING
    {
        let lost = won(-report.day_result);
        let message = format!("the realised loss of the day has come to {lost} KRW");
        let context = json!({"day_result": number(won(report.day_result))});
        raise(Level::Warning, "risk_daily_loss", message, context);
    }
    alarms
}

/// Shows what is known. What has become unknown stays as it was, and is told by `risk_red`.
fn measure(report: &RiskReport, row: &ReportRow) {
    // A limit that bounds nothing is used by nothing.
    let unbounded = |percent: i64| report.unknown.is_none().then(|| Decimal::from(percent));
    for kind in LIMITED {
        let usage = report.usage(kind);
        let percent = usage.map(|usage| hundredths(usage.basis_points()));
        if let Some(percent) = percent.or(unbounded(0)) {
            let percent = percent.to_f64().unwrap_or(f64::MAX);
            gauge!(names::RISK_USAGE, "check_type" => kind.name()).set(percent);
        }
    }
    // Nothing is heavy in an account that holds nothing.
    let gauges = [
        (names::RISK_LARGEST, row.largest_weight.or(unbounded(0))),
        (names::RISK_DAY_RESULT, row.day_result_pct),
        (names::RISK_BUFFER, row.daily_buffer.or(unbounded(100))),
    ];
    for (name, percent) in gauges {
        if let Some(percent) = percent.and_then(|percent| percent.to_f64()) {
            gauge!(name).set(percent);
        }
    }
}

#[cfg(test)]
mod tests {
    use turnstile_dataflows::risk::{RiskView, Usage};

    use super::*;

    fn report(used: i128, day_result: i128) -> RiskReport {
        let mut report = RiskReport::of(&RiskView::default(), Default::default());
        let usage = Usage::new(CheckKind::SingleWeight, used, 10_000);
        report.level = usage.level();
        report.unknown = None;
        report.usages = vec![usage];
        report.equity = Some(1_000_000);
        report.day_result = day_result;
        report
    }

    fn raised(report: &RiskReport) -> Vec<(Level, &'static str)> {
        let alarms = alarms(report, &ReportRow::of(report)).into_iter();
        alarms.map(|alarm| (alarm.level, alarm.event)).collect()
    }

    #[test]
    fn orange_and_red_notify_and_so_does_a_loss_above_two_and_a_half_percent() {
        assert_eq!(raised(&report(8_499, -25_000)), []);
        let orange = [(Level::Warning, "risk_orange")];
        assert_eq!(raised(&report(9_500, 0)), orange);
        let both = [
            (Level::Critical, "risk_red"),
            (Level::Warning, "risk_daily_loss"),
        ];
        assert_eq!(raised(&report(9_501, -25_001)), both);
    }

    #[test]
    fn an_account_that_nobody_knows_is_red() {
        let report = RiskReport::of(&RiskView::default(), Default::default());
        assert_eq!(raised(&report), [(Level::Critical, "risk_red")]);
        assert!(report.is_stopped);
    }
}
