//! Settings of monitoring, section `[monitoring]`.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::rules::{RULES, Rule};
use crate::postgres::LogLevel;

/// Section `[monitoring]` of the configuration.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MonitoringConfig {
    /// Whether limits are looked at, alarms sent and histories kept.
    pub enabled: bool,
    /// Name of the process in alarms and histories. Absent: what it is, such as `stream`. Two processes
    /// of one kind on one database need names of their own.
    pub instance: Option<String>,
    /// How often limits are looked at.
    #[serde(with = "humantime_serde")]
    pub look_every: Duration,
    /// Longest window of any limit: shorter ones keep theirs.
    #[serde(with = "humantime_serde")]
    pub window_max: Duration,
    /// How long a value has to be well before its alarm is cleared.
    #[serde(with = "humantime_serde")]
    pub clear_after: Duration,
    /// How long the same alarm is not sent again, unless it has become worse (domain 8).
    #[serde(with = "humantime_serde")]
    pub quiet: Duration,
    /// How often PostgreSQL is probed.
    #[serde(with = "humantime_serde")]
    pub probe_every: Duration,
    /// How long a probe may take.
    #[serde(with = "humantime_serde")]
    pub probe_timeout: Duration,
    /// How often samples are kept in `system.metrics`.
    #[serde(with = "humantime_serde")]
    pub history_every: Duration,
    /// Days that they are kept.
    pub history_days: u32,
    /// A webhook that takes messages in Slack's format.
    pub webhook: WebhookConfig,
    /// A chat of Telegram.
    pub telegram: TelegramConfig,
    /// Limits that are others than the table's, by the name of the alarm.
    pub limits: BTreeMap<String, RuleSettings>,
}

/// Section `[monitoring.webhook]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WebhookConfig {
    /// Its address, which is a secret; absent: nothing is sent.
    pub url: Option<SecretString>,
    /// Least level that is sent: INFO, WARNING, CRITICAL or P0.
    #[serde(deserialize_with = "level")]
    pub level: LogLevel,
}

/// Section `[monitoring.telegram]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TelegramConfig {
    /// Address of the API, without a path.
    pub base_url: String,
    /// Token of the bot; absent: nothing is sent.
    pub token: Option<SecretString>,
    /// The chat.
    pub chat_id: String,
    /// Least level that is sent: INFO, WARNING, CRITICAL or P0.
    #[serde(deserialize_with = "level")]
    pub level: LogLevel,
}

/// Section `[monitoring.limits.<name>]`: what is absent is the table's.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RuleSettings {
    /// Whether the limit is looked at.
    pub enabled: Option<bool>,
    /// Limit of the milder level, in seconds, as a share, or a number.
    pub warning: Option<f64>,
    /// Limit of the severer level.
    pub danger: Option<f64>,
    /// What the value looks back on.
    #[serde(with = "humantime_serde")]
    pub window: Option<Duration>,
    /// Observations in the window below which there is no value.
    pub least: Option<f64>,
}

impl Default for MonitoringConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            instance: None,
            look_every: Duration::from_secs(1),
            window_max: Duration::from_secs(86_400),
            clear_after: Duration::from_secs(60),
            quiet: Duration::from_secs(300),
            // An outage is to be told within two seconds: two probes and a message.
            probe_every: Duration::from_millis(500),
            probe_timeout: Duration::from_millis(600),
            history_every: Duration::from_secs(15),
            history_days: 7,
            webhook: WebhookConfig::default(),
            telegram: TelegramConfig::default(),
            limits: BTreeMap::new(),
        }
    }
}

impl Default for WebhookConfig {
    fn default() -> Self {
        Self {
            url: None,
            level: LogLevel::Warning,
        }
    }
}

impl Default for TelegramConfig {
    fn default() -> Self {
        Self {
            base_url: "https://api.telegram.org".to_owned(),
            token: None,
            chat_id: String::new(),
            level: LogLevel::Warning,
        }
    }
}

impl MonitoringConfig {
    /// Returns every fault, with the path of its key.
    pub fn validate(&self) -> Vec<String> {
        let mut faults = Vec::new();
        for (key, value) in [
            ("look_every", self.look_every),
            ("window_max", self.window_max),
            ("probe_every", self.probe_every),
            ("probe_timeout", self.probe_timeout),
            ("history_every", self.history_every),
        ] {
            if value.is_zero() {
                faults.push(format!("monitoring.{key}: time above zero expected"));
            }
        }
        if self.history_days == 0 {
            faults.push("monitoring.history_days: at least 1 expected, was 0".to_owned());
        }
        if self.instance.as_deref().is_some_and(str::is_empty) {
            faults.push("monitoring.instance: a name expected, was empty".to_owned());
        }
        if let Some(url) = &self.webhook.url
            && !is_address(url.expose_secret())
        {
            // The address itself is a secret.
            faults.push("monitoring.webhook.url: http or https address expected".to_owned());
        }
        if !is_address(&self.telegram.base_url) {
            let url = &self.telegram.base_url;
            faults.push(format!(
                "monitoring.telegram.base_url: http or https address expected, was {url:?}"
            ));
        }
        if self.telegram.token.is_some() && self.telegram.chat_id.is_empty() {
            faults.push("monitoring.telegram.chat_id: needed beside a token".to_owned());
        }
        for (name, settings) in &self.limits {
            self.check_limit(name, settings, &mut faults);
        }
        faults
    }

    fn check_limit(&self, name: &str, settings: &RuleSettings, faults: &mut Vec<String>) {
        let Some(rule) = RULES.iter().find(|rule| rule.name == name) else {
            faults.push(format!(
                "monitoring.limits.{name}: no alarm has this name; docs/metrics.md lists them"
            ));
            return;
        };
        let limits = rule.bounds();
        for (key, value, (least, most)) in [
            ("warning", settings.warning, limits),
            ("danger", settings.danger, limits),
            ("least", settings.least, (0.0, f64::MAX)),
        ] {
            if value.is_some_and(|value| !(least..=most).contains(&value)) {
                let range = match key {
                    "least" => "finite number, not below zero,".to_owned(),
                    _ => format!("number from {least} to {most}"),
                };
                faults.push(format!("monitoring.limits.{name}.{key}: {range} expected"));
            }
        }
        if settings.window.is_some_and(|window| window.is_zero()) {
            faults.push(format!(
                "monitoring.limits.{name}.window: time above zero expected"
            ));
        }
        let applied = applied(rule, settings, self.window_max);
        if let (Some(warning), Some(danger)) = (applied.warning, applied.danger)
            && !applied.is_in_order()
        {
            faults.push(format!(
                "monitoring.limits.{name}.danger: worse than warning ({warning}) expected, was {danger}"
            ));
        }
    }

    /// Returns the limits in force.
    pub(super) fn rules(&self) -> Vec<Rule> {
        let settings = |rule: &Rule| self.limits.get(rule.name).copied().unwrap_or_default();
        RULES
            .iter()
            .filter(|rule| settings(rule).enabled.unwrap_or(true))
            .map(|rule| applied(rule, &settings(rule), self.window_max))
            .collect()
    }
}

fn applied(rule: &Rule, settings: &RuleSettings, window_max: Duration) -> Rule {
    Rule {
        warning: settings.warning.or(rule.warning),
        danger: settings.danger.or(rule.danger),
        window: settings.window.unwrap_or(rule.window).min(window_max),
        least: settings.least.unwrap_or(rule.least),
        ..*rule
    }
}

fn is_address(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

fn level<'de, D: serde::Deserializer<'de>>(source: D) -> Result<LogLevel, D::Error> {
    let name = String::deserialize(source)?;
    LogLevel::of_name(&name).ok_or_else(|| {
        serde::de::Error::custom(format!(
            "one of INFO, WARNING, CRITICAL, P0 expected, was {name:?}"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_told_with_its_key_and_no_secret() {
        let text = "instance = \"\"\nlook_every = \"0s\"\nhistory_days = 0\n\
            webhook = { url = \"hooks/T0/secret\" }\n\
            telegram = { token = \"123:secret\", base_url = \"nowhere\" }\n\
            [limits.db_query_time]\nwarning = 0.6\n[limits.cache_hit_rate]\nleast = -1\nwindow = \"0s\"\n\
            [limits.risk_usage]\nwarning = -1\n[limits.risk_day_result]\nleast = -1\nwarning = nan\n\
            [limits.nothing]\n";
        let config: MonitoringConfig = toml::from_str(text).unwrap();
        let faults = config.validate().join("\n");
        for key in [
            "monitoring.instance",
            "monitoring.look_every",
            "monitoring.history_days",
            "monitoring.webhook.url",
            "monitoring.telegram.base_url",
            "monitoring.telegram.chat_id",
            "monitoring.limits.db_query_time.danger",
            "monitoring.limits.cache_hit_rate.least",
            "monitoring.limits.cache_hit_rate.window",
            "monitoring.limits.risk_usage.warning",
            "monitoring.limits.risk_day_result.least",
            "monitoring.limits.risk_day_result.warning",
            "monitoring.limits.nothing",
        ] {
            assert!(faults.contains(key), "{key} in {faults}");
        }
        assert!(!faults.contains("secret"), "{faults}");
        assert!(!format!("{config:?}").contains("secret"));
        assert_eq!(MonitoringConfig::default().validate(), [""; 0]);
        let wrong = toml::from_str::<MonitoringConfig>("webhook = { level = \"LOUD\" }");
        assert!(wrong.unwrap_err().to_string().contains("LOUD"));
    }

    #[test]
    fn a_limit_is_replaced_or_left_out() {
        let text = "window_max = \"2s\"\n[limits.db_query_time]\nwarning = 0.05\nleast = 1\n\
            [limits.price_age]\nenabled = false\n[limits.risk_day_result]\nwarning = -1.5\n";
        let config: MonitoringConfig = toml::from_str(text).unwrap();
        let rules = config.rules();
        assert_eq!(rules.len(), RULES.len() - 1);
        assert_eq!(config.validate(), [""; 0]);
        let rule = rules
            .iter()
            .find(|rule| rule.name == "db_query_time")
            .unwrap();
        let expected = (Some(0.05), Some(0.5), 1.0, Duration::from_secs(2));
        assert_eq!(
            (rule.warning, rule.danger, rule.least, rule.window),
            expected
        );
    }
}
