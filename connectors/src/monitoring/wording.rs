//! Alarms in words.

#![expect(clippy::float_arithmetic, reason = "percent for people")]

use std::time::Duration;

use super::hysteresis::Step;
use super::reading::Reading;
use super::rules::{Rule, Unit};

/// Says what a value is, and beyond which limit.
pub(super) fn beyond(rule: &Rule, value: f64, step: Step) -> String {
    let (title, side) = (rule.title, if rule.is_below { "below" } else { "above" });
    let (value, limit) = (shown(rule.unit, value), shown(rule.unit, step.limit));
    format!("{title} is {value}, {side} {limit}{}", window(rule))
}

/// Says that a value is well again.
pub(super) fn well(rule: &Rule, value: Option<f64>) -> String {
    let title = rule.title;
    match value {
        Some(value) => format!(
            "{title} is {} again{}",
            shown(rule.unit, value),
            window(rule)
        ),
        None => format!("{title}: too little happens to tell, which counts as well"),
    }
}

fn window(rule: &Rule) -> String {
    match rule.reading {
        Reading::Gauge(_) | Reading::Ratio(..) => String::new(),
        Reading::Mean(_)
        | Reading::Share(..)
        | Reading::Rise(_)
        | Reading::Quantile(..)
        | Reading::Average(_) => format!(" (over {})", span(rule.window)),
    }
}

fn span(window: Duration) -> String {
    let seconds = window.as_secs();
    match seconds {
        0 => format!("{} ms", window.as_millis()),
        60.. if seconds.is_multiple_of(60) => format!("{} min", seconds / 60),
        _ => format!("{seconds} s"),
    }
}

fn shown(unit: Unit, value: f64) -> String {
    match unit {
        Unit::Seconds if value < 1.0 => format!("{:.0} ms", value * 1_000.0),
        Unit::Seconds => format!("{value:.1} s"),
        Unit::Share => format!("{:.1} %", value * 100.0),
        Unit::Percent => format!("{value:.1} %"),
        Unit::Count => format!("{value:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitoring::rules::RULES;
    use crate::postgres::LogLevel;

    #[test]
    fn an_alarm_says_value_limit_and_window() {
        let rule = |name| RULES.iter().find(|rule| rule.name == name).unwrap();
        let step = |limit| Step {
            level: LogLevel::Warning,
            limit,
        };
        assert_eq!(
            beyond(rule("db_query_time"), 0.2504, step(0.1)),
            "database query time (p95) is 250 ms, above 100 ms (over 1 min)"
        );
        assert_eq!(
            beyond(rule("cache_hit_rate"), 0.497, step(0.5)),
            "cache hit rate is 49.7 %, below 50.0 % (over 1 min)"
        );
        assert_eq!(
            beyond(rule("risk_day_result"), -2.04, step(-2.0)),
            "realised result of the day is -2.0 %, below -2.0 %"
        );
        assert_eq!(
            well(rule("engine_silent"), Some(1.02)),
            "time since the engine's last evaluation is 1.0 s again"
        );
    }
}
