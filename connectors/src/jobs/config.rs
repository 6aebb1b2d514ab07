//! Settings of the jobs, section `[jobs]`.

use std::num::NonZeroU32;
use std::time::Duration;

use jiff::civil::{Time, time};
use serde::Deserialize;

/// Days ahead that the calendar may be asked for: fewer show no holiday season, and more than a year
/// is not fixed.
const CALENDAR_DAYS: std::ops::RangeInclusive<u16> = 14..=366;
/// Longest pause between looks at what came to be followed.
const FOLLOWED_EVERY_MAX: Duration = Duration::from_secs(3_600);

/// Settings of the jobs. Times are those of Seoul.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct JobsConfig {
    /// Whether the broker is asked for the days of the exchange.
    pub calendar: bool,
    /// When it is, each day.
    pub calendar_at: Time,
    /// For how many days ahead.
    pub calendar_days: u16,
    /// Whether the broker is asked for the state of listings.
    pub stocks: bool,
    /// When it is, each trading day.
    pub stocks_at: Time,
    /// Symbols a day at most; what is followed counts, and is asked beyond that, too; absent: 5000
    /// in production, 300 on paper.
    pub stocks_per_day: Option<u32>,
    /// Shortest pause between two of them; absent: 200 ms in production, 3 s on paper.
    #[serde(with = "humantime_serde")]
    pub stocks_spacing: Option<Duration>,
    /// How often it is looked, in session, for symbols that came to be followed.
    #[serde(with = "humantime_serde")]
    pub stocks_followed_every: Duration,
    /// Whether the broker is asked for figures of companies.
    pub fundamentals: bool,
    /// When it is, each trading day.
    pub fundamentals_at: Time,
    /// Symbols a day at most; what is followed counts, and is asked beyond that, too; absent: 2000
    /// in production, 300 on paper.
    pub fundamentals_per_day: Option<u32>,
    /// Shortest pause between two of them; absent: 200 ms in production, 3 s on paper.
    #[serde(with = "humantime_serde")]
    pub fundamentals_spacing: Option<Duration>,
    /// Whether the days that are over are replayed and compared with what was decided.
    pub replay: bool,
    /// When they are, each day.
    pub replay_at: Time,
    /// Pause after a run that failed; it doubles.
    #[serde(with = "humantime_serde")]
    pub retry_min: Duration,
    /// Longest such pause.
    #[serde(with = "humantime_serde")]
    pub retry_max: Duration,
    /// Failures in a row that raise an alarm.
    pub alarm_after: NonZeroU32,
}

impl Default for JobsConfig {
    fn default() -> Self {
        Self {
            calendar: true,
            calendar_at: time(7, 30, 0, 0), // Before anything of the day depends on it.
            calendar_days: 150,
            stocks: true,
            stocks_at: time(7, 40, 0, 0), // Before the daily run of strategies at 08:00.
            stocks_per_day: None,
            stocks_spacing: None,
            stocks_followed_every: Duration::from_secs(60),
            fundamentals: true,
            fundamentals_at: time(15, 40, 0, 0), // Of the last prices of the day.
            fundamentals_per_day: None,
            fundamentals_spacing: None,
            replay: true,
            replay_at: time(1, 30, 0, 0), // The day before is stored, and nothing trades.
            retry_min: Duration::from_secs(30),
            retry_max: Duration::from_secs(1_800),
            alarm_after: NonZeroU32::MIN.saturating_add(2),
        }
    }
}

impl JobsConfig {
    /// Returns everything that is wrong, one line each, with the path of its key.
    pub fn validate(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if !CALENDAR_DAYS.contains(&self.calendar_days) {
            let (days, least, most) = (
                self.calendar_days,
                CALENDAR_DAYS.start(),
                CALENDAR_DAYS.end(),
            );
            faults.push(format!(
                "jobs.calendar_days: {least} to {most} expected, was {days}"
            ));
        }
        let every = self.stocks_followed_every;
        if every < Duration::from_secs(1) || every > FOLLOWED_EVERY_MAX {
            faults.push(format!(
                "jobs.stocks_followed_every: 1s to 1h expected, was {every:?}"
            ));
        }
        if self.retry_min.is_zero() {
            faults.push("jobs.retry_min: time above zero expected".to_owned());
        }
        if self.retry_max < self.retry_min {
            let (least, most) = (self.retry_min, self.retry_max);
            faults.push(format!(
                "jobs.retry_max: at least jobs.retry_min ({least:?}) expected, was {most:?}"
            ));
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_usable_and_every_fault_is_named() {
        assert_eq!(JobsConfig::default().validate(), Vec::<String>::new());
        let config: JobsConfig = toml::from_str(
            "calendar_days = 3\nstocks_followed_every = \"0s\"\nretry_min = \"1h\"\nretry_max = \"1m\"",
        )
        .unwrap();
        let faults = config.validate().join("\n");
        for key in ["calendar_days", "stocks_followed_every", "retry_max"] {
            assert!(faults.contains(&format!("jobs.{key}:")), "{faults}");
        }
        let config: JobsConfig = toml::from_str("retry_min = \"0s\"").unwrap();
        assert!(config.validate()[0].starts_with("jobs.retry_min:"));
        assert!(toml::from_str::<JobsConfig>("calender = true").is_err());
        assert!(toml::from_str::<JobsConfig>("alarm_after = 0").is_err());
        assert!(toml::from_str::<JobsConfig>("stocks_at = \"25:00:00\"").is_err());
    }
}
