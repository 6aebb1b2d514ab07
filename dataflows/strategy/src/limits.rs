//! The parts of the settings, one for each stage, so that a changed setting concerns its stage only.

use serde::{Deserialize, Serialize};

use crate::{Figure, Settings};

/// Of the filters of the universe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct ScreenLimits {
    /// KRW.
    pub(crate) market_cap_min: i64,
    /// KRW.
    pub(crate) value_min: i64,
    /// Shares.
    pub(crate) volume_min: i64,
}

/// Of the signals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct SignalLimits {
    /// Points.
    pub(crate) buy_min: i64,
    /// Points.
    pub(crate) sell_max: i64,
    /// Points.
    pub(crate) conviction_min: i64,
}

/// Of the ranking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct RankingLimits {
    pub(crate) selected_max: u32,
    /// Points.
    pub(crate) total_min: i64,
    /// Percent a year.
    pub(crate) volatility_max: i64,
    /// KRW.
    pub(crate) liquidity_min: i64,
}

/// Of the portfolio.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct PortfolioLimits {
    pub(crate) names_max: u32,
    pub(crate) names_min: u32,
    /// Millionths.
    pub(crate) name_cap: i64,
    /// Millionths.
    pub(crate) sector_cap: i64,
    /// Millionths.
    pub(crate) min_cash: i64,
}

impl From<&Settings> for ScreenLimits {
    fn from(settings: &Settings) -> Self {
        Self {
            market_cap_min: settings.market_cap_min,
            value_min: settings.value_min,
            volume_min: settings.volume_min,
        }
    }
}

impl From<&Settings> for SignalLimits {
    fn from(settings: &Settings) -> Self {
        Self {
            buy_min: settings.buy_min,
            sell_max: settings.sell_max,
            conviction_min: settings.conviction_min,
        }
    }
}

impl From<&Settings> for RankingLimits {
    fn from(settings: &Settings) -> Self {
        Self {
            selected_max: settings.selected_max,
            total_min: settings.total_min,
            volatility_max: settings.volatility_max,
            liquidity_min: settings.liquidity_min,
        }
    }
}

impl From<&Settings> for PortfolioLimits {
    fn from(settings: &Settings) -> Self {
        Self {
            names_max: settings.names_max,
            names_min: settings.names_min,
            name_cap: settings.name_cap,
            sector_cap: settings.sector_cap,
            min_cash: settings.min_cash,
        }
    }
}

/// Whether a figure is at least so many whole points.
pub(crate) fn is_at_least(figure: Figure, points: i64) -> bool {
    i128::from(figure.units()) >= i128::from(points) * i128::from(Figure::ONE)
}

/// Whether a figure is at most so many whole points.
pub(crate) fn is_at_most(figure: Figure, points: i64) -> bool {
    i128::from(figure.units()) <= i128::from(points) * i128::from(Figure::ONE)
}
