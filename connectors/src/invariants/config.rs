//! Settings of the standing invariants.

use std::time::Duration;

use serde::Deserialize;
use turnstile_dataflows::invariants::GraceTimes;

/// Section `[invariants]` of the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct InvariantsConfig {
    /// How long a decision may be without its order and without a reason.
    #[serde(with = "humantime_serde")]
    pub breach_grace: Duration,
    /// How long positions may differ from holdings, from the second complete answer that says so on.
    #[serde(with = "humantime_serde")]
    pub holdings_grace: Duration,
    /// How often keys of the cache are compared with PostgreSQL.
    #[serde(with = "humantime_serde")]
    pub sample_every: Duration,
    /// Keys compared at one go, about.
    pub sample_keys: usize,
}

impl Default for InvariantsConfig {
    fn default() -> Self {
        Self {
            breach_grace: Duration::from_secs(30),
            holdings_grace: Duration::from_secs(30),
            sample_every: Duration::from_secs(1),
            sample_keys: 50,
        }
    }
}

impl InvariantsConfig {
    /// Returns every fault, with the path of its key.
    pub fn validate(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if self.sample_every.is_zero() {
            faults.push("invariants.sample_every: time above zero expected".to_owned());
        }
        if !(1..=1_000).contains(&self.sample_keys) {
            faults.push(format!(
                "invariants.sample_keys: 1 to 1000 expected, was {}",
                self.sample_keys
            ));
        }
        faults
    }

    /// Returns how long something may be on its way.
    pub fn grace(&self) -> GraceTimes {
        GraceTimes {
            breach: self.breach_grace,
            holdings: self.holdings_grace,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_told_with_its_key() {
        let config: InvariantsConfig =
            toml::from_str("sample_every = \"0s\"\nsample_keys = 1001").unwrap();
        let faults = config.validate().join("\n");
        assert!(faults.contains("invariants.sample_every"), "{faults}");
        assert!(faults.contains("invariants.sample_keys"), "{faults}");
        assert!(InvariantsConfig::default().validate().is_empty());
    }
}
