//! One limit in force: from samples to the alarm that stands.

use std::time::Duration;

use super::config::MonitoringConfig;
use super::episodes::{Ends, Episodes, Raise};
use super::exposition::Sample;
use super::hysteresis::{Limits, Standing, Step};
use super::reading::Reader;
use super::rules::Rule;
use super::wording;
use crate::postgres::LogLevel;
use crate::settings::AlarmLimits;

/// One rule, looked at again and again.
pub(super) struct Look {
    /// As the table and the file have it.
    own: Rule,
    /// As it is in force.
    rule: Rule,
    limits: Limits,
    /// What makes its alarm the same alarm.
    pub(super) key: String,
    reader: Reader,
    standing: Standing,
}

impl Look {
    pub(super) fn new(
        rule: Rule,
        config: &MonitoringConfig,
        instance: &str,
        episodes: &Episodes,
    ) -> Self {
        let key = format!("{}@{instance}", rule.name);
        let limits = limits(&rule, config.clear_after);
        let adopted = episodes.open(&key);
        let adopted = adopted.and_then(|episode| limits.step(episode.worst));
        Self {
            standing: Standing::at(adopted),
            own: rule,
            rule,
            limits,
            key,
            reader: Reader::default(),
        }
    }

    /// Returns the name of the alarm.
    pub(super) fn name(&self) -> &'static str {
        self.rule.name
    }

    /// Puts other limits in force, or its own. What stands is judged by them from now on. A level that only
    /// the file has stays, unless the others have passed it by.
    pub(super) fn set_limits(&mut self, set: Option<AlarmLimits>) {
        let own = self.own;
        self.rule = match set {
            Some(AlarmLimits { warning, critical }) => {
                let of = |warning, danger| Rule {
                    warning,
                    danger,
                    ..own
                };
                let both = of(warning.or(own.warning), critical.or(own.danger));
                match both.is_in_order() {
                    true => both,
                    false => of(warning, critical),
                }
            }
            None => own,
        };
        self.limits = limits(&self.rule, self.limits.clear_after);
        let standing = self.standing.step;
        let moved = standing.and_then(|step| self.limits.step(step.level));
        self.standing.step = moved.or(standing);
    }

    /// Looks at the samples of `now`, and returns the alarm that stands, or that it is over.
    pub(super) fn look(
        &mut self,
        now: Duration,
        samples: &[Sample],
    ) -> Option<Result<Raise, String>> {
        let rule = &self.rule;
        let asked = (rule.window, rule.least);
        let value = self.reader.read(&rule.reading, asked, now, samples);
        let has_changed = self.standing.take(now, value, &self.limits);
        let Some(step) = self.standing.step else {
            return has_changed.then(|| Err(wording::well(rule, value)));
        };
        // While it is within its limit again, what is said of it is what it was beyond it.
        let is_beyond = |value: &f64| match rule.is_below {
            true => *value < step.limit,
            false => *value > step.limit,
        };
        let value = value.filter(is_beyond)?;
        Some(Ok(Raise {
            key: self.key.clone(),
            name: rule.name.to_owned(),
            subject: None,
            level: step.level,
            message: wording::beyond(rule, value, step),
            value: Some(value),
            limit: Some(step.limit),
            ends: Ends::WhenCleared,
        }))
    }
}

fn limits(rule: &Rule, clear_after: Duration) -> Limits {
    let step = |level, limit: Option<f64>| limit.map(|limit| Step { level, limit });
    Limits {
        steps: [
            step(rule.warning_level, rule.warning),
            step(LogLevel::Critical, rule.danger),
        ],
        is_below: rule.is_below,
        margin: rule.margin,
        hold: rule.hold,
        clear_after,
    }
}
