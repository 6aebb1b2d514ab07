//! The account as the risk gate knows it.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use turnstile_connectors::execution::{RiskGate, wall_clock_us};
use turnstile_dataflows::model::{LogicalTime, Market as ListedMarket};
use turnstile_dataflows::reentry::Equity;
use turnstile_dataflows::risk::{
    EmergencyStop, ExposureRow, Issue, RiskLimits, RiskProfile, ViewChange,
};

/// What the gate knows: limits that nothing here reaches, of an account worth a trillion KRW.
pub(crate) fn account() -> Vec<ViewChange> {
    let now = LogicalTime::from_micros(wall_clock_us());
    let limits = RiskLimits {
        id: 1,
        profile: RiskProfile::Default,
        positions_max: 100_000,
        single_max: 1_000_000,
        sector_max: 1_000_000,
        market_max: 1_000_000,
        daily_loss_max: 1_000_000,
        total_loss_max: 1_000_000,
        from: LogicalTime::default(),
        until: LogicalTime::MAX,
    };
    let equity = Equity {
        asof: now,
        units: 10_000_000_000_000_000,
    };
    let issue = Issue {
        market: ListedMarket::Kospi,
        sector: None,
    };
    let samsung = "005930".parse().unwrap();
    vec![
        ViewChange::Limits(limits.id, Some(limits)),
        ViewChange::Profile(Some(RiskProfile::Default)),
        ViewChange::Stop(Some(stop(false))),
        ViewChange::Exposure(ExposureRow::Equity(equity), 1),
        ViewChange::Exposure(ExposureRow::Issue(samsung, issue), 1),
        ViewChange::Through(now),
    ]
}

/// Tells the gate of every second, as the desk does, so that what it knows does not grow old.
pub(crate) async fn tell_seconds(gate: RiskGate, stop: CancellationToken) {
    let mut clock = tokio::time::interval(Duration::from_secs(1));
    while stop.run_until_cancelled(clock.tick()).await.is_some() {
        let now = LogicalTime::from_micros(wall_clock_us());
        gate.update(vec![ViewChange::Through(now)]);
    }
}

/// The emergency stop as a test sets it.
pub(crate) fn stop(is_enabled: bool) -> EmergencyStop {
    EmergencyStop {
        is_enabled,
        by: "kim".into(),
        reason: "news".into(),
    }
}
