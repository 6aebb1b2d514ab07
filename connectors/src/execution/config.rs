//! Settings of execution.

use std::num::NonZeroUsize;
use std::time::Duration;

use jiff::civil::{Date, Time, date, time};
use rust_decimal::Decimal;
use serde::Deserialize;
use thiserror::Error;

use super::calendar::{Calendar, default_holidays};
use super::sink::{Approval, TakeProfit};

/// Where the trading session is taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SessionKind {
    /// The exchange simulator says it.
    Simulator,
    /// Seoul time and the calendar.
    Krx,
}

/// Settings of execution.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ExecutionConfig {
    /// Where the trading session is taken from.
    pub session: SessionKind,
    /// Weekdays on which the exchange is closed.
    pub holidays: Vec<Date>,
    /// Last day that `holidays` covers; later days count as closed.
    pub calendar_valid_until: Date,
    /// Commission per side, as a fraction of the amount.
    pub commission_rate: Decimal,
    /// Items that the order sink takes before the engine has to wait.
    pub sink_queue: NonZeroUsize,
    /// Transactions of verdicts about re-entries that the order sink runs at once, beside the one of exits;
    /// one candidate is always in the same lane.
    pub sink_lanes: NonZeroUsize,
    /// Committed orders on their way to the executor.
    pub order_queue: NonZeroUsize,
    /// Orders that the executor holds in memory; the others stay in the database until there is
    /// room.
    pub waiting_max: NonZeroUsize,
    /// Orders that are put to the broker at once.
    pub parallel_orders: NonZeroUsize,
    /// How often the database is searched for orders that did not come by the sink.
    #[serde(with = "humantime_serde")]
    pub scan_interval: Duration,
    /// First pause after an attempt that was proved not executed; doubles up to 10 s.
    #[serde(with = "humantime_serde")]
    pub resend_pause: Duration,
    /// How long the order list may lag: an order counts as absent only if a list asked for this
    /// long after the attempt does not show it.
    #[serde(with = "humantime_serde")]
    pub settle_delay: Duration,
    /// How far the broker's clock and ours may differ when an order is recognised by its time.
    #[serde(with = "humantime_serde")]
    pub match_slack: Duration,
    /// How long a full stop waits for the cancellation of a weaker order before it asks again.
    #[serde(with = "humantime_serde")]
    pub cancel_wait: Duration,
    /// Workers that store fills.
    pub fill_workers: NonZeroUsize,
    /// Notices that wait for each worker, and notices of orders not known yet.
    pub notice_queue: NonZeroUsize,
    /// How long a notice waits for its order to become known.
    #[serde(with = "humantime_serde")]
    pub notice_patience: Duration,
    /// Pause between order lists while orders are live.
    #[serde(with = "humantime_serde")]
    pub poll_live: Duration,
    /// Pause between order lists while none is.
    #[serde(with = "humantime_serde")]
    pub poll_idle: Duration,
    /// Shortest pause between order lists, whoever asks.
    #[serde(with = "humantime_serde")]
    pub poll_spacing: Duration,
    /// Which orders wait for the operator.
    pub approval: Approval,
    /// How long an order waits for the operator. It also ends with the session.
    #[serde(with = "humantime_serde")]
    pub approval_max: Duration,
    /// What take-profits are placed as.
    pub take_profit: TakeProfit,
    /// How long a take-profit with a limit rests while the bid is below it.
    #[serde(with = "humantime_serde")]
    pub take_profit_patience: Duration,
    /// Seoul time from which on, once the exchange is closed, open orders of the day have lapsed.
    pub lapse_at: Time,
    /// Pause between lists of holdings while the exchange is open.
    #[serde(with = "humantime_serde")]
    pub holdings_open: Duration,
    /// Pause between lists of holdings while it is closed.
    #[serde(with = "humantime_serde")]
    pub holdings_closed: Duration,
    /// How long after a fill holdings are compared.
    #[serde(with = "humantime_serde")]
    pub holdings_spacing: Duration,
    /// Age at which a market order that has not ended raises an alarm.
    #[serde(with = "humantime_serde")]
    pub market_order_max: Duration,
    /// How long a stop waits for calls under way.
    #[serde(with = "humantime_serde")]
    pub stop_grace: Duration,
}

const fn at_least_one(number: usize) -> NonZeroUsize {
    match NonZeroUsize::new(number) {
        Some(number) => number,
        None => NonZeroUsize::MIN,
    }
}

impl Default for ExecutionConfig {
    fn default() -> Self {
        Self {
            session: SessionKind::Simulator,
            holidays: default_holidays(),
            calendar_valid_until: date(2027, 12, 31),
            // 0.0140527 %, as published for KRX (KRX market rules, section 9).
            commission_rate: Decimal::from_parts(140_527, 0, 0, false, 9),
            sink_queue: at_least_one(4_096),
            sink_lanes: at_least_one(4),
            order_queue: at_least_one(4_096),
            waiting_max: at_least_one(50_000),
            parallel_orders: at_least_one(8),
            scan_interval: Duration::from_secs(1),
            resend_pause: Duration::from_secs(1),
            settle_delay: Duration::from_secs(5),
            match_slack: Duration::from_secs(60),
            cancel_wait: Duration::from_secs(5),
            fill_workers: at_least_one(4),
            notice_queue: at_least_one(4_096),
            notice_patience: Duration::from_secs(30),
            poll_live: Duration::from_secs(5),
            poll_idle: Duration::from_secs(60),
            poll_spacing: Duration::from_millis(500),
            approval: Approval::Auto,
            approval_max: Duration::from_secs(600),
            take_profit: TakeProfit::Market,
            take_profit_patience: Duration::from_secs(60),
            lapse_at: time(15, 35, 0, 0),
            holdings_open: Duration::from_secs(30),
            holdings_closed: Duration::from_secs(120),
            holdings_spacing: Duration::from_secs(2),
            market_order_max: Duration::from_secs(30),
            stop_grace: Duration::from_secs(10),
        }
    }
}

/// Settings that cannot be used, each with its key.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{}", .0.join("; "))]
pub struct ConfigFaults(Vec<String>);

impl ExecutionConfig {
    /// Returns whether the settings can be used.
    ///
    /// # Errors
    /// Every fault with its key.
    pub fn validate(&self) -> Result<(), ConfigFaults> {
        let mut faults = Vec::new();
        if self.commission_rate < Decimal::ZERO || self.commission_rate >= Decimal::new(1, 1) {
            let rate = self.commission_rate;
            faults.push(format!(
                "execution.commission_rate must be a fraction below 0.1, was {rate}"
            ));
        }
        let durations = [
            ("scan_interval", self.scan_interval),
            ("resend_pause", self.resend_pause),
            ("settle_delay", self.settle_delay),
            ("cancel_wait", self.cancel_wait),
            ("notice_patience", self.notice_patience),
            ("poll_live", self.poll_live),
            ("poll_idle", self.poll_idle),
            ("poll_spacing", self.poll_spacing),
            ("approval_max", self.approval_max),
            ("take_profit_patience", self.take_profit_patience),
            ("holdings_open", self.holdings_open),
            ("holdings_closed", self.holdings_closed),
            ("holdings_spacing", self.holdings_spacing),
            ("market_order_max", self.market_order_max),
        ];
        let zero = durations.iter().filter(|(_, duration)| duration.is_zero());
        faults.extend(zero.map(|(key, _)| format!("execution.{key} must be longer than zero")));
        if faults.is_empty() {
            Ok(())
        } else {
            Err(ConfigFaults(faults))
        }
    }

    /// Returns the calendar of trading days.
    pub fn calendar(&self) -> Calendar {
        Calendar::new(self.holidays.iter().copied(), self.calendar_valid_until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_usable_and_every_fault_is_named() {
        assert_eq!(ExecutionConfig::default().validate(), Ok(()));
        let config: ExecutionConfig =
            toml::from_str("commission_rate = 0.5\npoll_live = \"0s\"").unwrap();
        let faults = config.validate().unwrap_err().to_string();
        assert!(
            faults.contains("commission_rate") && faults.contains("poll_live"),
            "{faults}"
        );
    }

    #[test]
    fn an_unknown_key_is_refused() {
        assert!(toml::from_str::<ExecutionConfig>("pol_live = \"1s\"").is_err());
    }
}
