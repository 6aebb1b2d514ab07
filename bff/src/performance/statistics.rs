//! Statistics of a row of days (formulas: domain section 10; each stands here once).

use super::outcomes::{Outcomes, Tally};
use super::returns::{Course, DayReturn, total_return};
use super::{count, held, ratio};

/// Trading days of a year.
const YEAR_DAYS: f64 = 252.0;
/// What money earns in a year without a risk.
const RISK_FREE: f64 = 0.03;
/// Of so many days one is among the worst five percent.
const ONE_OF_WORST: usize = 20;

/// What the returns of an account say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Statistics {
    /// Π(1+r)−1, at least −1.
    pub(crate) total: f64,
    /// (1+total)^(252/n)−1, at least −1.
    pub(crate) annual: f64,
    /// Sample standard deviation of r × √252, from 0 on; 0 of one day.
    pub(crate) volatility: f64,
    /// (annual − 3 %) ÷ volatility; 0 without volatility.
    pub(crate) sharpe: f64,
    /// (annual − 3 %) ÷ (√(mean of r² over the days below 0) × √252); 0 without such a day.
    pub(crate) sortino: f64,
    /// The deepest fall below a best day before, the beginning included; from −1 to 0.
    pub(crate) max_drawdown: f64,
    /// Wins and losses of days.
    pub(crate) outcomes: Outcomes,
    /// Value at risk, 95 %, historical: −r of the day on place ⌊n/20⌋ from the worst, counted from 0; 0
    /// where that day was not below 0.
    pub(crate) var_95: f64,
    /// Conditional value at risk, 95 %, historical: −mean of that day and those below; from 0 on.
    pub(crate) cvar_95: f64,
}

impl Statistics {
    /// Returns what `returns`, one a session in order, say; none of no day.
    pub(crate) fn of(returns: &[DayReturn]) -> Option<Self> {
        let ratios: Vec<f64> = returns.iter().map(|day| day.ratio()).collect();
        let outcomes = Outcomes::of(&Tally::of(ratios.iter().copied()))?;
        let mut course = Course::new();
        let mut max_drawdown = 0.0_f64;
        for day in returns {
            course.step(*day);
            max_drawdown = max_drawdown.min(course.drawdown());
        }
        let total = course.total_return();
        let annual = held((1.0 + total).powf(YEAR_DAYS / count(ratios.len())) - 1.0);
        let volatility = held(deviation(&ratios) * YEAR_DAYS.sqrt());
        let downside = downside(&ratios) * YEAR_DAYS.sqrt();
        let (var_95, cvar_95) = values_at_risk(ratios);
        Some(Self {
            total,
            annual,
            volatility,
            sharpe: ratio(annual - RISK_FREE, volatility),
            sortino: ratio(annual - RISK_FREE, downside),
            max_drawdown,
            outcomes,
            var_95,
            cvar_95,
        })
    }
}

/// An account beside a benchmark, over the days that both have a return of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Comparison {
    /// How many days that are.
    pub(crate) days: usize,
    /// Total return of the benchmark over them, Π(1+b)−1.
    pub(crate) benchmark: f64,
    /// Total return of the account − that of the benchmark.
    pub(crate) alpha: f64,
    /// Sample covariance of both ÷ sample variance of the benchmark; 0 where that did not move.
    pub(crate) beta: f64,
}

impl Comparison {
    /// Compares days, each with the return of the account and that of the benchmark; none of no day.
    pub(crate) fn of(days: &[(DayReturn, DayReturn)]) -> Option<Self> {
        if days.is_empty() {
            return None;
        }
        let own: Vec<f64> = days.iter().map(|(own, _)| own.ratio()).collect();
        let other: Vec<f64> = days.iter().map(|(_, other)| other.ratio()).collect();
        let benchmark = total_return(days.iter().map(|(_, other)| *other));
        let deviation = deviation(&other);
        Some(Self {
            days: days.len(),
            benchmark,
            alpha: held(total_return(days.iter().map(|(own, _)| *own)) - benchmark),
            beta: ratio(ratio(covariance(&own, &other), deviation), deviation),
        })
    }
}

/// Returns the mean; 0 of nothing.
fn mean(values: &[f64]) -> f64 {
    ratio(values.iter().sum(), count(values.len()))
}

/// Returns the sample covariance, of n−1; 0 of fewer than two.
fn covariance(one: &[f64], other: &[f64]) -> f64 {
    let (mean_one, mean_other) = (mean(one), mean(other));
    let pairs = one.iter().zip(other);
    let sum: f64 = pairs.map(|(x, y)| (x - mean_one) * (y - mean_other)).sum();
    ratio(sum, count(one.len().saturating_sub(1)))
}

/// Returns the sample standard deviation, of n−1; 0 of fewer than two.
fn deviation(values: &[f64]) -> f64 {
    covariance(values, values).sqrt()
}

/// Returns the root of the mean square of the days below 0; 0 without one.
fn downside(returns: &[f64]) -> f64 {
    let below = returns.iter().filter(|ratio| **ratio < 0.0);
    let squares: Vec<f64> = below.map(|ratio| ratio * ratio).collect();
    mean(&squares).sqrt()
}

/// Returns value at risk and conditional value at risk of 95 %.
fn values_at_risk(mut returns: Vec<f64>) -> (f64, f64) {
    returns.sort_by(f64::total_cmp);
    let place = returns.len() / ONE_OF_WORST;
    let worst = returns.get(..=place).unwrap_or_default();
    let var = -worst.last().copied().unwrap_or_default().min(0.0);
    // The mean of equal days may be a bit of rounding away from them.
    (var, (-mean(worst)).max(var))
}

#[cfg(test)]
mod tests;
