//! What of the strategy is configured.

use serde::{Deserialize, Serialize};

/// Limits and counts. The defaults are those of domain section 6.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Least market capitalisation of the universe, KRW.
    pub market_cap_min: i64,
    /// Least average value of five days, KRW.
    pub value_min: i64,
    /// Least average volume of five days, shares.
    pub volume_min: i64,
    /// Symbols of each list.
    pub list_len: u32,
    /// Days after which a list that others keep (POPULAR) counts no more.
    pub popular_days: u32,
    /// Fewest symbols that make a universe.
    pub universe_min: u32,
    /// Strength from which a signal is BUY, whole points.
    pub buy_min: i64,
    /// Strength up to which a signal is SELL, whole points.
    pub sell_max: i64,
    /// Least conviction of a signal, whole points.
    pub conviction_min: i64,
    /// Signals of each kind that are kept.
    pub signals_max: u32,
    /// Most symbols that a ranking selects.
    pub selected_max: u32,
    /// Least total of a selected symbol, whole points.
    pub total_min: i64,
    /// Highest volatility of a selected symbol, percent a year.
    pub volatility_max: i64,
    /// Least mean value of a selected symbol, KRW.
    pub liquidity_min: i64,
    /// Most names of a portfolio.
    pub names_max: u32,
    /// Fewest names of a portfolio.
    pub names_min: u32,
    /// Most of equity in one name, millionths.
    pub name_cap: i64,
    /// Most of equity in one sector, millionths.
    pub sector_cap: i64,
    /// Least of equity that stays cash, millionths.
    pub min_cash: i64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            market_cap_min: 10_000_000_000,
            value_min: 1_000_000_000,
            volume_min: 100_000,
            list_len: 100,
            popular_days: 1, // Domain 6.1: 24 hours.
            universe_min: 100,
            buy_min: 65,
            sell_max: 35,
            conviction_min: 50,
            signals_max: 30,
            selected_max: 20,
            total_min: 60,
            volatility_max: 60,
            liquidity_min: 1_000_000_000,
            names_max: 15,
            names_min: 10,
            name_cap: 150_000,
            sector_cap: 400_000,
            min_cash: 200_000,
        }
    }
}
