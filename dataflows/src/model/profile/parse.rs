//! Reading a profile, with every fault named by the path of its key.

use std::collections::BTreeSet;
use std::fmt;

use rust_decimal::Decimal;
use serde_json::{Map, Value};
use thiserror::Error;

use super::{
    AtrScaling, BreakEven, CustomCondition, CustomRule, GapDown, MILLION, Profile, Scaled,
    TimeLimit, Trail,
};
use crate::model::Ratio;

/// One fault of a profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProfileFault {
    /// Path of the key, such as `sl1.pnl` or `custom[2].id`.
    pub path: String,
    /// What is wrong, with the value and what was expected.
    pub message: String,
}

impl fmt::Display for ProfileFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.message)
    }
}

/// Everything wrong with a profile. Never empty.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
pub struct ProfileFaults(pub Vec<ProfileFault>);

/// Range of a ratio.
#[derive(Clone, Copy)]
enum Range {
    /// −0.5 < x ≤ 0.
    Stop,
    /// 0 ≤ x < 0.5.
    Profit,
    /// |x| < 0.5.
    Either,
    /// 0 ≤ x ≤ 1.
    Share,
}

impl Range {
    fn holds(self, value: Decimal) -> bool {
        let half = Decimal::new(5, 1);
        match self {
            Self::Stop => -half < value && value <= Decimal::ZERO,
            Self::Profit => Decimal::ZERO <= value && value < half,
            Self::Either => value.abs() < half,
            Self::Share => (Decimal::ZERO..=Decimal::ONE).contains(&value),
        }
    }

    const fn text(self) -> &'static str {
        match self {
            Self::Stop => "-0.5 < x <= 0",
            Self::Profit => "0 <= x < 0.5",
            Self::Either => "-0.5 < x < 0.5",
            Self::Share => "0 <= x <= 1",
        }
    }
}

impl Profile {
    /// Reads a profile from its JSON object.
    ///
    /// # Errors
    /// Every unknown key, wrong type and value out of range, with the path of its key.
    pub fn from_value(value: &Value) -> Result<Self, ProfileFaults> {
        let mut reader = Reader::default();
        let profile = reader.profile(value);
        if reader.faults.is_empty() {
            Ok(profile)
        } else {
            Err(ProfileFaults(reader.faults))
        }
    }
}

#[derive(Default)]
struct Reader {
    faults: Vec<ProfileFault>,
}

impl Reader {
    fn fault(&mut self, path: &str, message: impl Into<String>) {
        self.faults.push(ProfileFault {
            path: path.to_owned(),
            message: message.into(),
        });
    }

    fn profile(&mut self, value: &Value) -> Profile {
        const SECTIONS: [&str; 12] = [
            "atr",
            "hard_stop",
            "gap_down",
            "sl1",
            "sl2",
            "break_even",
            "tp1",
            "tp2",
            "tp3",
            "trail",
            "time",
            "custom",
        ];
        let Some(root) = value.as_object() else {
            self.fault("rules", format!("object expected, was {value}"));
            return Profile::default();
        };
        self.refuse_unknown(root, "", &SECTIONS);
        let tp1 = self.section(root, "tp1", &["pnl", "min", "max", "qty", "floor"]);
        let tp3 = self.section(root, "tp3", &["pnl", "min", "max", "qty", "start_trailing"]);
        let hard_stop = self.section(root, "hard_stop", &["pnl"]);
        Profile {
            atr: self.atr(root),
            hard_stop: self.ratio_in(hard_stop, "hard_stop", "pnl", Range::Stop),
            gap_down: self.gap_down(root),
            sl1: self.stop(root, "sl1", Ratio::ZERO),
            sl2: self.stop(root, "sl2", Ratio::ONE),
            break_even: self.break_even(root),
            floor: self.ratio_in(tp1, "tp1", "floor", Range::Profit),
            tp1: self.scaled(tp1, "tp1", Range::Profit, Ratio::ZERO),
            tp2: {
                let tp2 = self.section(root, "tp2", &["pnl", "min", "max", "qty"]);
                self.scaled(tp2, "tp2", Range::Profit, Ratio::ZERO)
            },
            start_trailing: tp3.map(|tp3| self.flag(tp3, "tp3", "start_trailing").unwrap_or(true)),
            tp3: self.scaled(tp3, "tp3", Range::Profit, Ratio::ZERO),
            trail: self.trail(root),
            time: self.time(root),
            custom: self.custom(root),
        }
    }

    fn refuse_unknown(&mut self, object: &Map<String, Value>, at: &str, known: &[&str]) {
        for key in object.keys().filter(|key| !known.contains(&key.as_str())) {
            self.fault(
                &join(at, key),
                format!("unknown key, expected one of {}", known.join(", ")),
            );
        }
    }

    fn section<'v>(
        &mut self,
        root: &'v Map<String, Value>,
        name: &str,
        known: &[&str],
    ) -> Option<&'v Map<String, Value>> {
        let value = root.get(name).filter(|value| !value.is_null())?;
        let Some(section) = value.as_object() else {
            self.fault(name, format!("object expected, was {value}"));
            return None;
        };
        self.refuse_unknown(section, name, known);
        Some(section)
    }

    fn stop(&mut self, root: &Map<String, Value>, name: &str, qty: Ratio) -> Option<Scaled> {
        let section = self.section(root, name, &["pnl", "min", "max", "qty"]);
        self.scaled(section, name, Range::Stop, qty)
    }

    fn scaled(
        &mut self,
        section: Option<&Map<String, Value>>,
        name: &str,
        range: Range,
        qty: Ratio,
    ) -> Option<Scaled> {
        let section = section?;
        let rule = Scaled {
            pnl: self.ratio(section, name, "pnl", range, Ratio::ZERO),
            min: self.ratio(section, name, "min", Range::Either, Ratio::ZERO),
            max: self.ratio(section, name, "max", Range::Either, Ratio::ZERO),
            qty: self.ratio(section, name, "qty", Range::Share, qty),
        };
        let (min, max) = (rule.min.to_decimal().abs(), rule.max.to_decimal().abs());
        if min > max && !max.is_zero() {
            self.fault(
                &join(name, "min"),
                format!("|min| must not exceed |max|, was {min} > {max}"),
            );
        }
        Some(rule)
    }

    fn atr(&mut self, root: &Map<String, Value>) -> Option<AtrScaling> {
        let section = self.section(root, "atr", &["ref", "factor_min", "factor_max"])?;
        let scaling = AtrScaling {
            reference: self.millionths(section, "atr", "ref", 0),
            factor_min: self.millionths(section, "atr", "factor_min", MILLION),
            factor_max: self.millionths(section, "atr", "factor_max", MILLION),
        };
        if scaling.factor_min > scaling.factor_max {
            self.fault("atr.factor_min", "factor_min must not exceed factor_max");
        }
        Some(scaling)
    }

    fn gap_down(&mut self, root: &Map<String, Value>) -> Option<GapDown> {
        let section = self.section(root, "gap_down", &["change", "window_s"])?;
        Some(GapDown {
            change: self.ratio(section, "gap_down", "change", Range::Stop, Ratio::ZERO),
            window_s: self.whole(section, "gap_down", "window_s", 30),
        })
    }

    fn break_even(&mut self, root: &Map<String, Value>) -> Option<BreakEven> {
        let section = self.section(root, "break_even", &["trigger", "buffer"])?;
        Some(BreakEven {
            trigger: self.ratio(section, "break_even", "trigger", Range::Profit, Ratio::ZERO),
            buffer: self.ratio(section, "break_even", "buffer", Range::Profit, Ratio::ZERO),
        })
    }

    fn trail(&mut self, root: &Map<String, Value>) -> Option<Trail> {
        let section = self.section(root, "trail", &["pct", "atr_k", "qty"])?;
        Some(Trail {
            pct: self.ratio(section, "trail", "pct", Range::Profit, Ratio::ZERO),
            atr_k: self.millionths(section, "trail", "atr_k", 0),
            qty: self.ratio(section, "trail", "qty", Range::Share, Ratio::ZERO),
        })
    }

    fn time(&mut self, root: &Map<String, Value>) -> Option<TimeLimit> {
        let keys = ["max_hold_days", "no_momentum_days", "no_momentum_profit"];
        let section = self.section(root, "time", &keys)?;
        Some(TimeLimit {
            max_hold_days: self.whole(section, "time", keys[0], 0),
            no_momentum_days: self.whole(section, "time", keys[1], 0),
            no_momentum_profit: self.ratio(section, "time", keys[2], Range::Profit, Ratio::ZERO),
        })
    }

    fn custom(&mut self, root: &Map<String, Value>) -> Vec<CustomRule> {
        let Some(value) = root.get("custom").filter(|value| !value.is_null()) else {
            return Vec::new();
        };
        let Some(rules) = value.as_array() else {
            self.fault("custom", format!("array expected, was {value}"));
            return Vec::new();
        };
        let mut ids = BTreeSet::new();
        let mut parsed = Vec::new();
        for (index, value) in rules.iter().enumerate() {
            let at = format!("custom[{index}]");
            let Some(rule) = value.as_object() else {
                self.fault(&at, format!("object expected, was {value}"));
                continue;
            };
            if let Some(rule) = self.custom_rule(rule, &at) {
                if !ids.insert(rule.id.clone()) {
                    self.fault(&join(&at, "id"), format!("duplicate id {:?}", rule.id));
                }
                parsed.push(rule);
            }
        }
        parsed
    }

    fn custom_rule(&mut self, rule: &Map<String, Value>, at: &str) -> Option<CustomRule> {
        self.refuse_unknown(
            rule,
            at,
            &["id", "enabled", "condition", "pnl", "qty", "base"],
        );
        let id = rule.get("id").and_then(Value::as_str).filter(|id| {
            !id.is_empty() && id.len() <= 64 && !id.contains(|c: char| c == ':' || c.is_control())
        });
        if id.is_none() {
            self.fault(
                &join(at, "id"),
                "text of 1 to 64 characters without a colon expected",
            );
        }
        let condition = match rule.get("condition").and_then(Value::as_str) {
            Some("profit_above") => Some(CustomCondition::ProfitAbove),
            Some("profit_below") => Some(CustomCondition::ProfitBelow),
            _ => {
                self.fault(
                    &join(at, "condition"),
                    "profit_above or profit_below expected",
                );
                None
            }
        };
        let of_original = match rule.get("base") {
            None | Some(Value::Null) => false,
            Some(Value::String(base)) if base == "REMAINING" => false,
            Some(Value::String(base)) if base == "ORIGINAL" => true,
            Some(other) => {
                self.fault(
                    &join(at, "base"),
                    format!("REMAINING or ORIGINAL expected, was {other}"),
                );
                false
            }
        };
        let enabled = self.flag(rule, at, "enabled").unwrap_or(true);
        let pnl = self.ratio(rule, at, "pnl", Range::Either, Ratio::ZERO);
        let qty = self.ratio(rule, at, "qty", Range::Share, Ratio::ZERO);
        Some(CustomRule {
            id: id?.into(),
            enabled,
            condition: condition?,
            pnl,
            qty,
            of_original,
        })
    }

    fn flag(&mut self, section: &Map<String, Value>, at: &str, key: &str) -> Option<bool> {
        let value = section.get(key).filter(|value| !value.is_null())?;
        if value.as_bool().is_none() {
            self.fault(
                &join(at, key),
                format!("true or false expected, was {value}"),
            );
        }
        value.as_bool()
    }

    fn ratio_in(
        &mut self,
        section: Option<&Map<String, Value>>,
        at: &str,
        key: &str,
        range: Range,
    ) -> Ratio {
        section.map_or(Ratio::ZERO, |section| {
            self.ratio(section, at, key, range, Ratio::ZERO)
        })
    }

    fn ratio(
        &mut self,
        section: &Map<String, Value>,
        at: &str,
        key: &str,
        range: Range,
        absent: Ratio,
    ) -> Ratio {
        let Some(value) = self.decimal(section, at, key) else {
            return absent;
        };
        if !range.holds(value) {
            self.fault(
                &join(at, key),
                format!("{} expected, was {value}", range.text()),
            );
            return absent;
        }
        match Ratio::try_from(value) {
            Ok(ratio) => ratio,
            Err(error) => {
                self.fault(&join(at, key), error.to_string());
                absent
            }
        }
    }

    /// Reads a number of 0 to 1000 with at most six decimals.
    fn millionths(
        &mut self,
        section: &Map<String, Value>,
        at: &str,
        key: &str,
        absent: i64,
    ) -> i64 {
        let Some(value) = self.decimal(section, at, key) else {
            return absent;
        };
        let mut value = value.normalize();
        let fits = (Decimal::ZERO..=Decimal::ONE_THOUSAND).contains(&value) && value.scale() <= 6;
        if !fits {
            let path = join(at, key);
            self.fault(
                &path,
                format!("0 to 1000 with at most 6 decimals expected, was {value}"),
            );
            return absent;
        }
        value.rescale(6);
        i64::try_from(value.mantissa()).unwrap_or(absent)
    }

    fn whole(&mut self, section: &Map<String, Value>, at: &str, key: &str, absent: u32) -> u32 {
        let Some(value) = section.get(key).filter(|value| !value.is_null()) else {
            return absent;
        };
        let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
        match number.filter(|number| *number <= 100_000) {
            Some(number) => number,
            None => {
                self.fault(
                    &join(at, key),
                    format!("whole number of 0 to 100000 expected, was {value}"),
                );
                absent
            }
        }
    }

    fn decimal(&mut self, section: &Map<String, Value>, at: &str, key: &str) -> Option<Decimal> {
        let value = section.get(key).filter(|value| !value.is_null())?;
        // A JSON number is read by its text, so that 0.1 is one tenth.
        let parsed = match value {
            Value::Number(number) => {
                let text = number.to_string();
                Decimal::from_str_exact(&text)
                    .or_else(|_| Decimal::from_scientific(&text))
                    .ok()
            }
            _ => None,
        };
        if parsed.is_none() {
            self.fault(&join(at, key), format!("number expected, was {value}"));
        }
        parsed
    }
}

fn join(at: &str, key: &str) -> String {
    if at.is_empty() {
        key.to_owned()
    } else {
        format!("{at}.{key}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn faults(value: Value) -> Vec<String> {
        Profile::from_value(&value)
            .unwrap_err()
            .0
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn an_empty_profile_has_everything_off() {
        assert_eq!(Profile::from_value(&json!({})).unwrap(), Profile::default());
    }

    #[test]
    fn faults_name_the_path_of_the_key() {
        let found = faults(json!({
            "sl1": {"pnl": 0.03, "qyt": 1},
            "tp1": {"pnl": 0.6},
            "custom": [{"id": "a", "condition": "profit_above"}, {"id": "a", "condition": "x"}],
            "nonsense": 1,
        }));
        let starts = [
            "nonsense: unknown key",
            "tp1.pnl: 0 <= x < 0.5",
            "sl1.pnl: -0.5 < x <= 0",
        ];
        for start in starts {
            assert!(
                found.iter().any(|fault| fault.starts_with(start)),
                "{start} in {found:?}"
            );
        }
        assert!(
            found
                .iter()
                .any(|fault| fault.starts_with("sl1.qyt: unknown key")),
            "{found:?}"
        );
        assert!(
            found
                .iter()
                .any(|fault| fault.starts_with("custom[1].condition")),
            "{found:?}"
        );
    }

    #[test]
    fn a_lower_bound_above_the_upper_one_is_refused() {
        assert_eq!(
            faults(json!({"sl1": {"pnl": -0.03, "min": -0.06, "max": -0.02}})).len(),
            1
        );
    }

    #[test]
    fn sl2_sells_all_unless_it_says_otherwise() {
        let profile = Profile::from_value(&json!({"sl2": {"pnl": -0.05}})).unwrap();
        assert!(profile.sl2.unwrap().is_on());
        let profile = Profile::from_value(&json!({"sl1": {"pnl": -0.05}})).unwrap();
        assert!(!profile.sl1.unwrap().is_on());
    }

    proptest! {
        #[test]
        fn reading_never_panics(text in "\\{\"(sl1|tp1|atr|custom|trail)\": ?[\\[{]?.{0,40}") {
            if let Ok(value) = serde_json::from_str::<Value>(&text) {
                drop(Profile::from_value(&value));
            }
        }
    }
}
