//! Keys of `system.config`: which there are, what they may hold, and what holds without a row.
//!
//! `alarms.<name>` are the limits of an alarm: `{"warning": 0.1, "critical": 0.5}`, just the levels that it
//! has, in seconds, as shares of one, in percent, or numbers. A row takes the place of the table's limits and of those
//! of the configuration file, in every process.

use std::fmt;

use serde_json::{Map, Value, json};

use crate::monitoring::rules::{RULES, Rule, Unit};

/// Begins the keys of limits.
const ALARMS: &str = "alarms.";

/// A key that is known.
#[derive(Clone, Copy, Debug)]
pub struct Setting(&'static Rule);

/// What is wrong with a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingFault {
    /// Key within the value; empty where it is the value as a whole.
    pub path: String,
    /// What was expected, and what it was.
    pub message: String,
}

impl fmt::Display for SettingFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.as_str() {
            "" => f.write_str(&self.message),
            path => write!(f, "{path} {}", self.message),
        }
    }
}

/// Returns all that is wrong with a value, in one line.
pub fn in_words(faults: &[SettingFault]) -> String {
    let faults = faults.iter().map(SettingFault::to_string);
    faults.collect::<Vec<_>>().join("; ")
}

/// Limits of an alarm; none of a level that it does not have.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AlarmLimits {
    /// Of the milder level.
    pub warning: Option<f64>,
    /// Of the severer level.
    pub critical: Option<f64>,
}

impl Setting {
    /// Returns all of them, by key.
    pub fn all() -> Vec<Self> {
        let mut all: Vec<_> = RULES.iter().map(Self).collect();
        all.sort_by_key(|setting| setting.0.name);
        all
    }

    /// Returns that of `key`.
    pub fn find(key: &str) -> Option<Self> {
        let name = key.strip_prefix(ALARMS)?;
        RULES.iter().find(|rule| rule.name == name).map(Self)
    }

    /// Returns the key.
    pub fn key(self) -> String {
        format!("{ALARMS}{}", self.0.name)
    }

    /// Says what it is about.
    pub fn title(self) -> &'static str {
        self.0.title
    }

    /// Returns what its numbers count: SECONDS, SHARE (a part of one), PERCENT (of a limit or
    /// of the equity, signed) or COUNT.
    pub fn unit(self) -> &'static str {
        match self.0.unit {
            Unit::Seconds => "SECONDS",
            Unit::Share => "SHARE",
            Unit::Count => "COUNT",
            Unit::Percent => "PERCENT",
        }
    }

    /// Returns what holds without a row.
    pub fn default_value(self) -> Value {
        let levels = levels(self.0).into_iter();
        let levels = levels.filter_map(|(name, limit)| Some((name.to_owned(), json!(limit?))));
        Value::Object(levels.collect())
    }

    /// Returns the limits that `value` gives.
    ///
    /// # Errors
    /// Every fault, where it is none that may stand under this key.
    pub fn limits(self, value: &Value) -> Result<AlarmLimits, Vec<SettingFault>> {
        let Some(given) = value.as_object() else {
            return Err(vec![fault("", format!("must be an object, was {value}"))]);
        };
        let levels = levels(self.0);
        let mut faults = Vec::new();
        let is_level = |key: &String| levels.iter().any(|(name, of)| name == key && of.is_some());
        for key in given.keys().filter(|key| !is_level(key)) {
            faults.push(fault(key, "is no level of this alarm".to_owned()));
        }
        let [warning, critical] = levels.map(|(name, default)| {
            default.and_then(|_| match self.limit(given, name) {
                Ok(limit) => Some(limit),
                Err(message) => {
                    faults.push(fault(name, message));
                    None
                }
            })
        });
        let changed = Rule {
            warning,
            danger: critical,
            ..*self.0
        };
        if !changed.is_in_order() {
            let message = "must not be milder than warning".to_owned();
            faults.push(fault("critical", message));
        }
        match faults.is_empty() {
            true => Ok(AlarmLimits { warning, critical }),
            false => Err(faults),
        }
    }

    fn limit(self, given: &Map<String, Value>, name: &str) -> Result<f64, String> {
        let value = given.get(name).ok_or("is required")?;
        let (least, most) = self.0.bounds();
        let number = value
            .as_f64()
            .filter(|number| (least..=most).contains(number));
        number.ok_or_else(|| format!("must be a number from {least} to {most}, was {value}"))
    }
}

/// Returns the limits of `rule` by the names of their levels, the milder first.
fn levels(rule: &Rule) -> [(&'static str, Option<f64>); 2] {
    [("warning", rule.warning), ("critical", rule.danger)]
}

fn fault(path: &str, message: String) -> SettingFault {
    let path = path.to_owned();
    SettingFault { path, message }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_is_one_that_may_be_set() {
        let all = Setting::all();
        assert_eq!(all.len(), RULES.len());
        for setting in all {
            let key = setting.key();
            let found = Setting::find(&key).unwrap();
            assert_eq!(found.0.name, setting.0.name);
            let limits = setting.limits(&setting.default_value()).unwrap();
            let expected = (setting.0.warning, setting.0.danger);
            assert_eq!((limits.warning, limits.critical), expected, "{key}");
        }
        assert!(Setting::find("db_query_time").is_none());
        assert!(Setting::find("alarms.nothing").is_none());
    }

    #[test]
    fn every_fault_is_told_with_its_path() {
        let of = |key: &str, value: Value| -> Vec<String> {
            let setting = Setting::find(key).unwrap();
            let faults = setting.limits(&value).err().unwrap_or_default();
            faults.into_iter().map(|fault| fault.path).collect()
        };
        let both = "alarms.db_query_time";
        assert_eq!(of(both, json!({"warning": 0.2, "critical": 0.2})), [""; 0]);
        assert_eq!(of(both, json!([])), [""]);
        assert_eq!(of(both, json!({})), ["warning", "critical"]);
        assert_eq!(of(both, json!({"warning": 0.1})), ["critical"]);
        assert_eq!(
            of(both, json!({"warning": 0.3, "critical": 0.2})),
            ["critical"]
        );
        assert_eq!(
            of(both, json!({"warning": "1", "critical": -1, "danger": 1})),
            ["danger", "warning", "critical"]
        );
        let below = "alarms.cache_hit_rate";
        assert_eq!(of(below, json!({"warning": 0.9, "critical": 0.2})), [""; 0]);
        assert_eq!(
            of(below, json!({"warning": 0.1, "critical": 0.2})),
            ["critical"]
        );
        assert_eq!(
            of(below, json!({"warning": 1.1, "critical": 0.2})),
            ["warning"]
        );
        let one = "alarms.price_lag";
        assert_eq!(of(one, json!({"warning": 1e9})), [""; 0]);
        assert_eq!(of(one, json!({"warning": 1e10})), ["warning"]);
        assert_eq!(of(one, json!({"warning": 1, "critical": 2})), ["critical"]);
        let signed = "alarms.risk_day_result";
        assert_eq!(of(signed, json!({"warning": -1.5})), [""; 0]);
        assert_eq!(of(signed, json!({"warning": -1e10})), ["warning"]);
        let unsigned = "alarms.risk_usage";
        assert_eq!(of(unsigned, json!({"warning": -1})), ["warning"]);
    }
}
