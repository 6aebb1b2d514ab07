//! Settings of what the exits say beside decisions.

use std::time::Duration;

use serde::Deserialize;

/// Section `[exits]` of the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ExitsConfig {
    /// How often changed levels are written; a position is written once in this time at most.
    #[serde(with = "humantime_serde")]
    pub levels_every: Duration,
    /// Rows of levels told and written in that time at most, those nearest to firing first.
    pub levels_rows_max: usize,
    /// How often the engine is asked for a portion of them.
    #[serde(with = "humantime_serde")]
    pub levels_slice: Duration,
    /// Withheld hits that may wait for the database; more are counted as lost.
    pub withheld_queue: usize,
    /// How often every rule's verdict and distance is sampled.
    #[serde(with = "humantime_serde")]
    pub signals_every: Duration,
    /// Rows of one sample at most, those nearest to firing first.
    pub signals_rows_max: usize,
}

impl Default for ExitsConfig {
    fn default() -> Self {
        Self {
            levels_every: Duration::from_secs(1),
            levels_rows_max: 20_000,
            levels_slice: Duration::from_millis(20),
            withheld_queue: 10_000,
            signals_every: Duration::from_secs(60),
            signals_rows_max: 10_000,
        }
    }
}

impl ExitsConfig {
    /// Returns every fault, with the path of its key.
    pub fn validate(&self) -> Vec<String> {
        let mut faults = Vec::new();
        for (key, value) in [
            ("levels_every", self.levels_every),
            ("levels_slice", self.levels_slice),
            ("signals_every", self.signals_every),
        ] {
            if value.is_zero() {
                faults.push(format!("exits.{key}: time above zero expected"));
            }
        }
        if self.levels_slice > self.levels_every {
            faults.push("exits.levels_slice: at most levels_every expected".to_owned());
        }
        for (key, value) in [
            ("levels_rows_max", self.levels_rows_max),
            ("withheld_queue", self.withheld_queue),
            ("signals_rows_max", self.signals_rows_max),
        ] {
            if value == 0 {
                faults.push(format!("exits.{key}: at least 1 expected, was 0"));
            }
        }
        faults
    }

    /// Returns the rows of one portion, so that all portions together keep to the limit.
    pub fn levels_quota(&self) -> usize {
        let slices = self.levels_every.as_micros() / self.levels_slice.as_micros().max(1);
        let slices = usize::try_from(slices).unwrap_or(usize::MAX).max(1);
        (self.levels_rows_max / slices).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_portions_of_a_second_make_its_limit() {
        assert_eq!(ExitsConfig::default().levels_quota(), 400);
        let few = ExitsConfig {
            levels_rows_max: 10,
            ..ExitsConfig::default()
        };
        assert_eq!(few.levels_quota(), 1);
    }

    #[test]
    fn every_fault_is_told_with_its_key() {
        let config: ExitsConfig =
            toml::from_str("levels_every = \"1ms\"\nsignals_rows_max = 0").unwrap();
        let faults = config.validate().join("\n");
        assert!(faults.contains("exits.levels_slice"), "{faults}");
        assert!(faults.contains("exits.signals_rows_max"), "{faults}");
        assert!(ExitsConfig::default().validate().is_empty());
    }
}
