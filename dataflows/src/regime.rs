//! The regime of the market, judged from the daily closes of its index funds: trend against moving
//! averages, realised volatility, drawdown. Whole numbers throughout; nothing is rounded but daily
//! returns, to millionths.
//!
//! | regime of one index | when |
//! |---|---|
//! | PANIC | price ≤ 90 % of the highest of 20 closes and itself, or volatility ≥ 45 % a year |
//! | RISK_OFF | price below the average of 60 closes, or ≤ 95 % of that high, or volatility ≥ 30 % |
//! | RISK_ON | price ≥ average of 20 closes ≥ average of 60, and volatility < 25 % |
//! | NEUTRAL | otherwise |
//!
//! The first that holds counts. The regime of the market is the worst of its indices.

use serde::Serialize;

use crate::model::{Price, Regime};

/// Closes that it takes.
pub const CLOSES: usize = 60;
const SHORT: usize = 20;
/// Sessions of a year, by convention (domain 10).
const YEAR: i128 = 252;
const MILLION: i128 = 1_000_000;
/// Yearly volatilities, millionths.
const PANIC_VOLATILITY: i128 = 450_000;
const NERVOUS_VOLATILITY: i128 = 300_000;
const CALM_VOLATILITY: i128 = 250_000;
/// Parts of the high, percent.
const PANIC_PERCENT: i128 = 90;
const FALLEN_PERCENT: i128 = 95;

/// What one index says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Assessment {
    /// The regime.
    pub regime: Regime,
    /// Present price.
    pub price: Price,
    /// Whether it is not below the average of 20 closes.
    pub is_above_short: bool,
    /// Whether it is not below the average of 60 closes.
    pub is_above_long: bool,
    /// Price against the highest of 20 closes and itself, millionths, zero or below, cut off.
    pub drawdown_millionths: i64,
    /// Variance of a year, in 1e-12, cut off: the square of the volatility in millionths.
    pub variance: i64,
}

/// Judges an index by its last closes, the newest at the end, and its present price. None where there
/// are less than [`CLOSES`].
pub fn assess(closes: &[Price], price: Price) -> Option<Assessment> {
    let closes = closes.get(closes.len().checked_sub(CLOSES)?..)?;
    let units = |price: &Price| i128::from(price.units());
    let now = units(&price);
    let short = &closes[CLOSES - SHORT..];
    let sum = |closes: &[Price]| closes.iter().map(units).sum::<i128>();
    let (short_sum, long_sum) = (sum(short), sum(closes));
    let (short_len, long_len) = (count(SHORT), count(CLOSES));
    let is_above_short = now * short_len >= short_sum;
    let is_above_long = now * long_len >= long_sum;
    let is_rising = short_sum * long_len >= long_sum * short_len;
    let high = short.iter().map(units).max()?.max(now);
    // Twenty returns need twenty-one closes.
    let variance = variance(&closes[CLOSES - SHORT - 1..]);
    let is_volatile = |least: i128| variance >= least * least * short_len * short_len;
    let regime = if now * 100 <= high * PANIC_PERCENT || is_volatile(PANIC_VOLATILITY) {
        Regime::Panic
    } else if !is_above_long
        || now * 100 <= high * FALLEN_PERCENT
        || is_volatile(NERVOUS_VOLATILITY)
    {
        Regime::RiskOff
    } else if is_above_short && is_rising && !is_volatile(CALM_VOLATILITY) {
        Regime::RiskOn
    } else {
        Regime::Neutral
    };
    Some(Assessment {
        regime,
        price,
        is_above_short,
        is_above_long,
        drawdown_millionths: i64::try_from((now - high) * MILLION / high).ok()?,
        variance: i64::try_from(variance / (short_len * short_len)).ok()?,
    })
}

fn count(len: usize) -> i128 {
    i128::try_from(len).unwrap_or_default()
}

/// Returns `252 × n² × population variance` of the daily returns in millionths.
fn variance(closes: &[Price]) -> i128 {
    let returns = closes.windows(2).map(|two| {
        let (before, after) = (i128::from(two[0].units()), i128::from(two[1].units()));
        crate::model::half_even((after - before) * MILLION, before)
    });
    let (mut n, mut sum, mut squares) = (0, 0, 0);
    for value in returns {
        n += 1;
        sum += value;
        squares += value * value;
    }
    YEAR * (n * squares - sum * sum)
}

/// Returns the regime of the market: the worst of its indices; none where there is none.
pub fn worst(indices: impl IntoIterator<Item = Regime>) -> Option<Regime> {
    indices.into_iter().max()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn won(won: i64) -> Price {
        Price::from_won(won).unwrap()
    }

    fn regime(closes: impl Fn(i64) -> i64, price: i64) -> Option<Regime> {
        let closes: Vec<Price> = (0..60).map(|day| won(closes(day))).collect();
        assess(&closes, won(price)).map(|found| found.regime)
    }

    #[test]
    fn trend_volatility_and_drawdown_make_the_regime() {
        let rising = |day: i64| 30_000 + day * 20;
        assert_eq!(regime(rising, 31_300), Some(Regime::RiskOn));
        // Below the short average, above the long one.
        assert_eq!(regime(rising, 30_800), Some(Regime::Neutral));
        assert_eq!(regime(rising, 30_589), Some(Regime::RiskOff));
        let flat = |_day| 30_000;
        assert_eq!(regime(flat, 30_000), Some(Regime::RiskOn));
        assert_eq!(regime(flat, 27_001), Some(Regime::RiskOff));
        assert_eq!(regime(flat, 27_000), Some(Regime::Panic));
        // A swing of 2 % a day is about 32 % a year, one of 3 % about 48 %.
        let swinging = |size: i64| move |day: i64| 30_000 + day % 2 * size;
        assert_eq!(regime(swinging(600), 30_700), Some(Regime::RiskOff));
        assert_eq!(regime(swinging(900), 31_000), Some(Regime::Panic));
        assert_eq!(regime(swinging(480), 30_500), Some(Regime::Neutral));
    }

    #[test]
    fn too_few_closes_say_nothing_and_the_worst_index_counts() {
        assert_eq!(assess(&[won(1); 59], won(1)), None);
        assert_eq!(
            worst([Regime::RiskOn, Regime::Panic, Regime::Neutral]),
            Some(Regime::Panic)
        );
        assert_eq!(worst([]), None);
    }
}
