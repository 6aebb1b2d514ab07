//! The table of limits: what raises which alarm.
//!
//! Sources: `spec/data-flow.md` section 6 ("spec"), domain sections 7 and 8 ("domain"). What these leave open is
//! decided here: quantiles and windows, and how many observations there have to be. `docs/metrics.md`
//! lists every row; a test holds it to this table.

mod table;

use std::time::Duration;

use super::reading::Reading;
use crate::postgres::LogLevel;
pub use table::RULES;

/// What a value counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Seconds.
    Seconds,
    /// A part of one, shown in percent.
    Share,
    /// Percent.
    Percent,
    /// A number of things.
    Count,
}

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rule {
    /// Name of the alarm, and of its section in the configuration.
    pub name: &'static str,
    /// What is measured, in words.
    pub title: &'static str,
    /// What its value counts.
    pub unit: Unit,
    /// How its value comes about.
    pub reading: Reading,
    /// What the value looks back on. Of no meaning for values that simply stand.
    pub window: Duration,
    /// Observations in the window below which there is no value.
    pub least: f64,
    /// Limit of the milder level.
    pub warning: Option<f64>,
    /// What the milder level is.
    pub warning_level: LogLevel,
    /// Limit of the severer level, [`LogLevel::Critical`].
    pub danger: Option<f64>,
    /// Whether less is worse.
    pub is_below: bool,
    /// By how much of its limit a value has to be better to be well again, as a share.
    pub margin: f64,
    /// How long a value stands before it counts.
    pub hold: Duration,
}

const fn rule(name: &'static str, title: &'static str, unit: Unit, reading: Reading) -> Rule {
    Rule {
        name,
        title,
        unit,
        reading,
        window: Duration::from_secs(60),
        least: 0.0,
        warning: None,
        warning_level: LogLevel::Warning,
        danger: None,
        is_below: false,
        margin: 0.1,
        hold: Duration::ZERO,
    }
}

/// Largest limit that is no share: seconds of three decades, and more of anything than there is.
const LIMIT_MAX: f64 = 1e9;
const LIMIT_MIN: f64 = -1e9;

impl Rule {
    /// Returns the least and the largest value that a limit of it may have: below zero only where its own
    /// is.
    pub fn bounds(&self) -> (f64, f64) {
        let most = match self.unit {
            Unit::Share => 1.0,
            Unit::Seconds | Unit::Count | Unit::Percent => LIMIT_MAX,
        };
        let is_signed = [self.warning, self.danger]
            .into_iter()
            .flatten()
            .any(|limit| limit < 0.0);
        (if is_signed { LIMIT_MIN } else { 0.0 }, most)
    }

    /// Returns whether the severer limit, where there are two, is not milder than the other one.
    pub fn is_in_order(&self) -> bool {
        match (self.warning, self.danger) {
            (Some(warning), Some(danger)) if self.is_below => danger <= warning,
            (Some(warning), Some(danger)) => danger >= warning,
            (None, _) | (_, None) => true,
        }
    }

    const fn warning(mut self, limit: f64) -> Self {
        self.warning = Some(limit);
        self
    }

    const fn info(mut self, limit: f64) -> Self {
        self.warning_level = LogLevel::Info;
        self.warning(limit)
    }

    const fn danger(mut self, limit: f64) -> Self {
        self.danger = Some(limit);
        self
    }

    const fn below(mut self) -> Self {
        self.is_below = true;
        self
    }

    const fn over(mut self, window: Duration, least: f64) -> Self {
        self.window = window;
        self.least = least;
        self
    }

    /// Where the value counts things, one less is well.
    const fn exact(mut self) -> Self {
        self.margin = 0.0;
        self
    }

    const fn held(mut self, hold: Duration) -> Self {
        self.hold = hold;
        self
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_rule_has_a_name_of_its_own_and_limits_in_order() {
        let names: BTreeSet<_> = RULES.iter().map(|rule| rule.name).collect();
        assert_eq!(names.len(), RULES.len());
        for rule in RULES {
            assert!(
                rule.warning.is_some() || rule.danger.is_some(),
                "{}",
                rule.name
            );
            if let (Some(warning), Some(danger)) = (rule.warning, rule.danger) {
                assert_eq!(danger < warning, rule.is_below, "{}", rule.name);
            }
        }
    }
}
