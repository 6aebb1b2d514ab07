//! Writing a profile as the object it is read from.

use rust_decimal::Decimal;
use serde_json::{Map, Number, Value, json};

use super::{AtrScaling, CustomCondition, CustomRule, Profile, ProfileFaults, Scaled};
use crate::model::Ratio;

impl From<Profile> for Value {
    /// Returns the object of the decision contract, with every key of each section that is there.
    fn from(profile: Profile) -> Self {
        let mut root = Map::new();
        let mut put = |name: &str, section: Option<Value>| {
            if let Some(section) = section {
                root.insert(name.to_owned(), section);
            }
        };
        put("atr", profile.atr.map(atr));
        put(
            "hard_stop",
            (!profile.hard_stop.is_zero()).then(|| json!({"pnl": ratio(profile.hard_stop)})),
        );
        put(
            "gap_down",
            profile
                .gap_down
                .map(|gap| json!({"change": ratio(gap.change), "window_s": gap.window_s})),
        );
        put("sl2", profile.sl2.map(scaled));
        put(
            "break_even",
            profile
                .break_even
                .map(|rule| json!({"trigger": ratio(rule.trigger), "buffer": ratio(rule.buffer)})),
        );
        put("sl1", profile.sl1.map(scaled));
        put("tp1", with(profile.tp1, "floor", ratio(profile.floor)));
        put("tp2", profile.tp2.map(scaled));
        put(
            "tp3",
            with(
                profile.tp3,
                "start_trailing",
                profile.start_trailing().into(),
            ),
        );
        put(
            "trail",
            profile.trail.map(|trail| {
                json!({
                    "pct": ratio(trail.pct),
                    "atr_k": millionths(trail.atr_k),
                    "qty": ratio(trail.qty),
                })
            }),
        );
        put(
            "time",
            profile.time.map(|time| {
                json!({
                    "max_hold_days": time.max_hold_days,
                    "no_momentum_days": time.no_momentum_days,
                    "no_momentum_profit": ratio(time.no_momentum_profit),
                })
            }),
        );
        let custom: Vec<Value> = profile.custom.iter().map(custom_rule).collect();
        put("custom", (!custom.is_empty()).then(|| custom.into()));
        Self::Object(root)
    }
}

impl TryFrom<Value> for Profile {
    type Error = ProfileFaults;

    fn try_from(value: Value) -> Result<Self, ProfileFaults> {
        Self::from_value(&value)
    }
}

fn atr(scaling: AtrScaling) -> Value {
    json!({
        "ref": millionths(scaling.reference),
        "factor_min": millionths(scaling.factor_min),
        "factor_max": millionths(scaling.factor_max),
    })
}

fn scaled(rule: Scaled) -> Value {
    json!({
        "pnl": ratio(rule.pnl),
        "min": ratio(rule.min),
        "max": ratio(rule.max),
        "qty": ratio(rule.qty),
    })
}

/// Returns a section with one more key.
fn with(rule: Option<Scaled>, key: &str, value: Value) -> Option<Value> {
    let mut section = scaled(rule?);
    section[key] = value;
    Some(section)
}

fn custom_rule(rule: &CustomRule) -> Value {
    let condition = match rule.condition {
        CustomCondition::ProfitAbove => "profit_above",
        CustomCondition::ProfitBelow => "profit_below",
    };
    let base = if rule.of_original {
        "ORIGINAL"
    } else {
        "REMAINING"
    };
    json!({
        "id": &*rule.id,
        "enabled": rule.enabled,
        "condition": condition,
        "pnl": ratio(rule.pnl),
        "qty": ratio(rule.qty),
        "base": base,
    })
}

fn ratio(ratio: Ratio) -> Value {
    number(ratio.to_decimal())
}

fn millionths(value: i64) -> Value {
    number(Decimal::new(value, 6).normalize())
}

/// Returns a number that reads back as the same decimal: at most twelve decimals and three digits
/// before them are within what the shortest text of a double keeps.
fn number(value: Decimal) -> Value {
    let number = value.to_string().parse::<Number>();
    number.map_or(Value::Null, Value::Number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_profile_reads_back_as_it_was_written(
            stop in 1i64..500_000_000_000, profit in 1i64..500_000_000_000, share in 1i64..=1_000_000,
            atr in 1i64..1_000_000_000, days in 0u32..100, flag in proptest::bool::ANY,
        ) {
            let stop = number(Decimal::new(-stop + 1, 12));
            let profit = number(Decimal::new(profit - 1, 12));
            let share = number(Decimal::new(share, 6));
            let value = json!({
                "atr": {"ref": millionths(atr), "factor_min": 0.7, "factor_max": 1.6},
                "hard_stop": {"pnl": stop},
                "gap_down": {"change": stop, "window_s": 30},
                "sl1": {"pnl": stop, "min": -0.02, "max": -0.06, "qty": share},
                "sl2": {"pnl": stop},
                "break_even": {"trigger": profit, "buffer": 0.01},
                "tp1": {"pnl": profit, "qty": share, "floor": profit},
                "tp2": {"pnl": profit, "qty": share},
                "tp3": {"pnl": profit, "qty": share, "start_trailing": flag},
                "trail": {"pct": profit, "atr_k": 2.3, "qty": share},
                "time": {"max_hold_days": days, "no_momentum_days": days},
                "custom": [{"id": "a", "enabled": flag, "condition": "profit_below",
                            "pnl": stop, "qty": share, "base": "ORIGINAL"}],
            });
            let profile = Profile::from_value(&value).unwrap();
            let written = Value::from(profile.clone());
            let text = serde_json::to_string(&written).unwrap();
            let read: Profile = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(read, profile);
        }
    }
}
