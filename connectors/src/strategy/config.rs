//! Settings of the daily strategy, section `[strategy]`.

use std::num::NonZeroU32;
use std::time::Duration;

use jiff::civil::{Time, time};
use rust_decimal::Decimal;
use serde::Deserialize;
use turnstile_strategy::{Settings, bounds};

use super::id::{StrategyId, StrategyIdError};

/// Millionths of equity.
const WHOLE: i64 = 1_000_000;
/// Points of strength, conviction and total.
const POINTS: std::ops::RangeInclusive<i64> = 0..=100;
/// Furthest that a purchase may go after the price, a ratio.
const LIMIT_ABOVE_MAX: Decimal = Decimal::from_parts(5, 0, 0, false, 2);

/// A week of trading days.
const CATCH_UP: NonZeroU32 = NonZeroU32::MIN.saturating_add(4);
/// Most days that are made up for: what stands of listings and holdings says less and less of them.
const CATCH_UP_MAX: u32 = 30;

/// Settings of the daily strategy.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StrategyConfig {
    /// Name of the strategy: of its runs, portfolios and positions.
    pub strategy_id: String,
    /// Whether the stream job runs it each trading day.
    pub daily: bool,
    /// When it does, in Seoul.
    pub at: Time,
    /// How many of the last trading days it makes up for.
    pub catch_up: NonZeroU32,
    /// When the universe of the morning is stored, in Seoul.
    pub universe_at: Time,
    /// Whether the portfolio of such a run is activated at once; else somebody has to.
    pub auto_activate: bool,
    /// Limits and counts, section `[strategy.limits]`.
    pub limits: Settings,
    /// Trading of the portfolio in force, section `[strategy.rebalance]`.
    pub rebalance: RebalanceConfig,
}

/// How the portfolio in force becomes positions.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RebalanceConfig {
    /// Whether it does at all.
    pub enabled: bool,
    /// From when on, in Seoul.
    pub at: Time,
    /// On which days.
    pub on: RebalanceDays,
    /// How long sales are waited for before the cash that is there is spent.
    #[serde(with = "humantime_serde")]
    pub sell_wait: Duration,
    /// How far the limit of a purchase is above the last price, a ratio.
    pub limit_above: Decimal,
}

/// Days of a rebalance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RebalanceDays {
    /// The first trading day of each week.
    FirstOfWeek,
    /// Each trading day.
    EveryDay,
}

impl Default for RebalanceConfig {
    fn default() -> Self {
        Self {
            enabled: false,
            at: time(9, 10, 0, 0), // Domain 6.5.
            on: RebalanceDays::FirstOfWeek,
            sell_wait: Duration::from_secs(20 * 60),
            limit_above: Decimal::new(5, 3),
        }
    }
}

impl Default for StrategyConfig {
    fn default() -> Self {
        Self {
            strategy_id: StrategyId::default().into(),
            daily: true,
            at: time(16, 30, 0, 0), // Prices after hours end at 16:00; bars and flows follow.
            catch_up: CATCH_UP,
            universe_at: time(8, 0, 0, 0), // Domain 6.1; the listings are asked for before.
            auto_activate: false,
            limits: Settings::default(),
            rebalance: RebalanceConfig::default(),
        }
    }
}

impl StrategyConfig {
    /// Returns the strategy that is configured.
    ///
    /// # Errors
    /// What is wrong with it, with the path of its key.
    pub fn id(&self) -> Result<StrategyId, String> {
        let id = self.strategy_id.parse();
        id.map_err(|fault: StrategyIdError| format!("strategy.strategy_id: {fault}"))
    }

    /// Returns everything that is wrong, one line each, with the path of its key.
    pub fn validate(&self) -> Vec<String> {
        let mut faults = Vec::new();
        faults.extend(self.id().err());
        if self.catch_up.get() > CATCH_UP_MAX {
            let days = self.catch_up;
            faults.push(format!(
                "strategy.catch_up: 1 to {CATCH_UP_MAX} expected, was {days}"
            ));
        }
        let above = self.rebalance.limit_above;
        if above.is_sign_negative() || above > LIMIT_ABOVE_MAX {
            faults.push(format!(
                "strategy.rebalance.limit_above: 0 to {LIMIT_ABOVE_MAX} expected, was {above}"
            ));
        }
        let limits = &self.limits;
        let (least, most) = bounds::NAMES.into_inner();
        for (key, value, range) in [
            ("market_cap_min", limits.market_cap_min, 0..=i64::MAX),
            ("value_min", limits.value_min, 0..=i64::MAX),
            ("volume_min", limits.volume_min, 0..=i64::MAX),
            ("liquidity_min", limits.liquidity_min, 0..=i64::MAX),
            ("list_len", limits.list_len.into(), 0..=10_000),
            ("popular_days", limits.popular_days.into(), 0..=366),
            ("universe_min", limits.universe_min.into(), 1..=100_000),
            ("buy_min", limits.buy_min, POINTS),
            ("sell_max", limits.sell_max, POINTS),
            ("conviction_min", limits.conviction_min, POINTS),
            ("signals_max", limits.signals_max.into(), 1..=10_000),
            ("selected_max", limits.selected_max.into(), 1..=10_000),
            (
                "total_min",
                limits.total_min,
                bounds::TOTAL_MIN..=*POINTS.end(),
            ),
            ("volatility_max", limits.volatility_max, 1..=10_000),
            (
                "names_max",
                limits.names_max.into(),
                least.into()..=most.into(),
            ),
            (
                "names_min",
                limits.names_min.into(),
                least.into()..=limits.names_max.clamp(least, most).into(),
            ),
            ("name_cap", limits.name_cap, 1..=bounds::NAME_CAP),
            ("sector_cap", limits.sector_cap, 1..=bounds::SECTOR_CAP),
            ("min_cash", limits.min_cash, 0..=WHOLE),
        ] {
            if !range.contains(&value) {
                let (least, most) = (range.start(), range.end());
                faults.push(format!(
                    "strategy.limits.{key}: {least} to {most} expected, was {value}"
                ));
            }
        }
        if limits.sell_max >= limits.buy_min {
            let (sell, buy) = (limits.sell_max, limits.buy_min);
            faults.push(format!(
                "strategy.limits.sell_max: less than buy_min ({buy}) expected, was {sell}"
            ));
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_usable_and_every_fault_is_named() {
        assert_eq!(StrategyConfig::default().validate(), Vec::<String>::new());
        let config: StrategyConfig = toml::from_str(
            "strategy_id = \"a b\"\ncatch_up = 31\n[limits]\nnames_min = 20\nname_cap = 0\nsell_max = 65\nbuy_min = 65\n\
             [rebalance]\nlimit_above = 0.06",
        )
        .unwrap();
        let faults = config.validate().join("\n");
        for key in [
            "strategy_id",
            "catch_up",
            "limits.names_min",
            "limits.name_cap",
            "limits.sell_max",
            "rebalance.limit_above",
        ] {
            assert!(faults.contains(&format!("strategy.{key}:")), "{faults}");
        }
        assert!(toml::from_str::<StrategyConfig>("[limits]\nname_min = 3").is_err());
        // The widest that is taken, and a step beyond each bound.
        let with = |limits: &str| {
            let config: StrategyConfig = toml::from_str(&format!("[limits]\n{limits}")).unwrap();
            config.validate()
        };
        let widest =
            "names_min = 5\nnames_max = 20\nname_cap = 300000\nsector_cap = 600000\ntotal_min = 40";
        assert_eq!(with(widest), Vec::<String>::new());
        for (limits, told) in [
            ("names_min = 4", "names_min: 5 to 15 expected, was 4"),
            ("names_max = 21", "names_max: 5 to 20 expected, was 21"),
            (
                "name_cap = 300001",
                "name_cap: 1 to 300000 expected, was 300001",
            ),
            (
                "sector_cap = 600001",
                "sector_cap: 1 to 600000 expected, was 600001",
            ),
            ("total_min = 39", "total_min: 40 to 100 expected, was 39"),
        ] {
            assert_eq!(with(limits), [format!("strategy.limits.{told}")]);
        }
        assert!(toml::from_str::<StrategyConfig>("at = \"25:00:00\"").is_err());
    }
}
