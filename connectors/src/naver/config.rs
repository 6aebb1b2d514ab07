//! Configuration of the reference prices, section `[naver]`.

use std::time::Duration;

use reqwest::Url;
use serde::Deserialize;

/// Most symbols that one call may be told to ask for: the address stays below 1 kB.
const SYMBOLS_PER_CALL_MAX: usize = 100;
/// Longest pause between rounds that an answer may ask for. It says 70 s out of session; a wrong
/// number must not silence the source for a day.
const INTERVAL_MAX: Duration = Duration::from_secs(600);

/// The reference prices as a configuration file has them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NaverConfig {
    /// Whether the source may be asked at all.
    pub enabled: bool,
    /// Address without a path.
    pub url: String,
    /// One call, from sending to the whole answer.
    #[serde(with = "humantime_serde")]
    pub timeout: Duration,
    /// Least time from the start of one call to the start of the next.
    #[serde(with = "humantime_serde")]
    pub spacing: Duration,
    /// Symbols that one call asks for.
    pub symbols_per_call: usize,
    /// Time between rounds; an answer may lengthen it.
    #[serde(with = "humantime_serde")]
    pub interval: Duration,
    /// How long it is left alone after a price far from the broker's at the same moment.
    #[serde(with = "humantime_serde")]
    pub distrust_pause: Duration,
}

impl Default for NaverConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            url: "https://polling.finance.naver.com".to_owned(),
            timeout: Duration::from_secs(10),
            spacing: Duration::from_millis(100),
            symbols_per_call: 20, // The source's own bound is not known.
            interval: Duration::from_secs(7), // What answers ask for in session.
            distrust_pause: Duration::from_secs(300), // Longer than its prices are usually delayed.
        }
    }
}

impl NaverConfig {
    /// Returns everything that is wrong, one line each, with the path of its key.
    pub fn validate(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let is_address = Url::parse(&self.url).is_ok_and(|url| {
            matches!(url.scheme(), "http" | "https")
                && url.has_host()
                && url.path() == "/"
                && url.query().is_none()
                && url.fragment().is_none()
        });
        if !is_address {
            let url = &self.url;
            faults.push(format!(
                "naver.url: http or https address without a path expected, was {url:?}"
            ));
        }
        for (key, value) in [
            ("timeout", self.timeout),
            ("interval", self.interval),
            ("distrust_pause", self.distrust_pause),
        ] {
            if value.is_zero() {
                faults.push(format!("naver.{key}: time above zero expected"));
            }
        }
        if !(1..=SYMBOLS_PER_CALL_MAX).contains(&self.symbols_per_call) {
            let symbols = self.symbols_per_call;
            faults.push(format!(
                "naver.symbols_per_call: 1 to {SYMBOLS_PER_CALL_MAX} expected, was {symbols}"
            ));
        }
        faults
    }

    /// Returns the time from one round to the next, where the last answer asked for `asked`:
    /// never less than the configured interval, and not much more than the source is known to ask.
    pub fn round_interval(&self, asked: Option<Duration>) -> Duration {
        asked
            .unwrap_or_default()
            .min(INTERVAL_MAX)
            .max(self.interval)
    }
}
