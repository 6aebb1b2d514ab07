//! Settings of picks, section `[picks]`.

use std::time::Duration;

use rust_decimal::Decimal;
use serde::Deserialize;
use turnstile_dataflows::picks::{Confidence, Limits, Mode, Rules};

/// Longest list, and the longest age of a run: what `trade.pick_runs_newest` shows.
const TOP_MAX: usize = 100;
const AGE_MAX: Duration = Duration::from_secs(24 * 3_600);
/// Furthest that a purchase may go after the price, a ratio.
const LIMIT_ABOVE_MAX: Decimal = Decimal::from_parts(5, 0, 0, false, 2);
/// Limits of the domain (6.6): they may be stricter, never looser. Millionths of the equity.
const EXPOSURE_MAX: u32 = 800_000;
const SYMBOL_MAX: u32 = 30_000;
const DAILY_LOSS_MAX: u32 = 50_000;
const ENTRIES_MAX: u32 = 3;
const SPACING_MIN: Duration = Duration::from_secs(30 * 60);
const PRICE_AGE_MAX: Duration = Duration::from_secs(5);

/// Settings of picks.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PicksConfig {
    /// Whether the stream job decides on picks at all; they are taken all the same.
    pub enabled: bool,
    /// How picks of several producers are merged.
    pub mode: Mode,
    /// Symbols of the merged list that are decided on.
    pub top: usize,
    /// Least confidence of a pick that counts.
    pub confidence_min: Confidence,
    /// Oldest run that counts, by what it was computed from.
    #[serde(with = "humantime_serde")]
    pub age_max: Duration,
    /// Age from which on a price is not fresh.
    #[serde(with = "humantime_serde")]
    pub price_age_max: Duration,
    /// What one pick may cost, millionths of the equity.
    pub size: u32,
    /// How far the limit of a purchase is above the last price, a ratio.
    pub limit_above: Decimal,
    /// How often is looked although nothing is known to have arrived.
    #[serde(with = "humantime_serde")]
    pub sweep: Duration,
    /// Limits, section `[picks.limits]`.
    pub limits: PickLimits,
}

/// Limits of purchases of picks; millionths of the equity.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PickLimits {
    /// What is held and being bought after it.
    pub exposure_max: u32,
    /// Of that, what is of its symbol.
    pub symbol_max: u32,
    /// Realised loss of the day.
    pub daily_loss_max: u32,
    /// Purchases of a symbol in a day.
    pub entries_max: u32,
    /// Least time between two of them.
    #[serde(with = "humantime_serde")]
    pub spacing: Duration,
}

impl Default for PickLimits {
    fn default() -> Self {
        Self {
            exposure_max: EXPOSURE_MAX,
            symbol_max: SYMBOL_MAX,
            daily_loss_max: DAILY_LOSS_MAX,
            entries_max: ENTRIES_MAX,
            spacing: SPACING_MIN,
        }
    }
}

impl Default for PicksConfig {
    fn default() -> Self {
        Self {
            enabled: false,
            mode: Mode::Priority,
            top: 10,
            confidence_min: Confidence::Medium,
            age_max: Duration::from_secs(3_600), // News of the last hour.
            price_age_max: PRICE_AGE_MAX,
            size: SYMBOL_MAX,
            limit_above: Decimal::new(5, 3),
            sweep: Duration::from_secs(60), // Domain 6.6.
            limits: PickLimits::default(),
        }
    }
}

impl PicksConfig {
    /// Returns everything that is wrong, one line each, with the path of its key.
    pub fn validate(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let mut whole = |key: &str, value: usize, least: usize, most: usize| {
            if !(least..=most).contains(&value) {
                faults.push(format!(
                    "picks.{key}: {least} to {most} expected, was {value}"
                ));
            }
        };
        let wide = |value: u32| usize::try_from(value).unwrap_or(usize::MAX);
        let limits = &self.limits;
        whole("top", self.top, 1, TOP_MAX);
        for (key, value, most) in [
            ("size", self.size, limits.symbol_max.min(SYMBOL_MAX)),
            ("limits.exposure_max", limits.exposure_max, EXPOSURE_MAX),
            ("limits.symbol_max", limits.symbol_max, SYMBOL_MAX),
            (
                "limits.daily_loss_max",
                limits.daily_loss_max,
                DAILY_LOSS_MAX,
            ),
            ("limits.entries_max", limits.entries_max, ENTRIES_MAX),
        ] {
            whole(key, wide(value), 1, wide(most));
        }
        let second = Duration::from_secs(1);
        for (key, value, least, most) in [
            ("age_max", self.age_max, second, AGE_MAX),
            (
                "price_age_max",
                self.price_age_max,
                Duration::from_millis(1),
                PRICE_AGE_MAX,
            ),
            ("sweep", self.sweep, second, AGE_MAX),
            ("limits.spacing", limits.spacing, SPACING_MIN, AGE_MAX),
        ] {
            if !(least..=most).contains(&value) {
                faults.push(format!(
                    "picks.{key}: {least:?} to {most:?} expected, was {value:?}"
                ));
            }
        }
        let above = self.limit_above;
        if above.is_sign_negative() || above > LIMIT_ABOVE_MAX {
            faults.push(format!(
                "picks.limit_above: 0 to {LIMIT_ABOVE_MAX} expected, was {above}"
            ));
        }
        faults
    }

    pub(super) fn rules(&self) -> Rules {
        Rules {
            mode: self.mode,
            top: self.top,
            confidence_min: self.confidence_min,
            age_us_max: micros(self.age_max),
        }
    }

    pub(super) fn limits(&self) -> Limits {
        let limits = &self.limits;
        Limits {
            size: self.size,
            exposure_max: limits.exposure_max,
            symbol_max: limits.symbol_max,
            daily_loss_max: limits.daily_loss_max,
            entries_max: limits.entries_max,
            spacing_us: micros(limits.spacing),
        }
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_usable_and_every_fault_is_named() {
        assert_eq!(PicksConfig::default().validate(), Vec::<String>::new());
        let config: PicksConfig = toml::from_str(
            "top = 0\nsize = 20001\nage_max = \"25h\"\nprice_age_max = \"6s\"\nsweep = \"0s\"\n\
             limit_above = 0.06\n[limits]\nexposure_max = 800001\nsymbol_max = 20000\n\
             daily_loss_max = 50001\nentries_max = 4\nspacing = \"29m\"",
        )
        .unwrap();
        let faults = config.validate().join("\n");
        for key in [
            "top",
            "size",
            "age_max",
            "price_age_max",
            "sweep",
            "limit_above",
            "limits.exposure_max",
            "limits.daily_loss_max",
            "limits.entries_max",
            "limits.spacing",
        ] {
            assert!(faults.contains(&format!("picks.{key}:")), "{key}: {faults}");
        }
        assert!(!faults.contains("limits.symbol_max"), "{faults}");
    }

    #[test]
    fn unknown_words_are_refused() {
        for text in ["mode = \"best\"", "confidence_min = \"HIGH\"", "tops = 3"] {
            assert!(toml::from_str::<PicksConfig>(text).is_err(), "{text}");
        }
        let config: PicksConfig = toml::from_str("mode = \"consensus\"").unwrap();
        assert_eq!(config.mode, Mode::Consensus);
    }
}
