use proptest::prelude::*;

use super::super::FIGURE_MAX;
use super::*;

fn returns(ratios: &[f64]) -> Vec<DayReturn> {
    ratios.iter().copied().map(DayReturn::exactly).collect()
}

fn statistics(ratios: &[f64]) -> Statistics {
    Statistics::of(&returns(ratios)).unwrap()
}

/// Asserts that two figures are equal up to rounding.
fn assert_near(found: f64, expected: f64) {
    let bound = 1e-12 * expected.abs().max(1.0);
    assert!((found - expected).abs() <= bound, "{found} {expected}");
}

#[test]
fn four_days_by_hand() {
    // 1.10 · 0.95 · 1.02 · 0.98 = 1.0445820.
    let found = statistics(&[0.10, -0.05, 0.02, -0.02]);
    assert_near(found.total, 0.044_582);
    // 252 / 4 = 63 times as long.
    assert_near(found.annual, 1.044_582_f64.powi(63) - 1.0);
    // Mean 0.0125; squares 0.00765625 + 0.00390625 + 0.00005625 + 0.00105625 = 0.012675; of three.
    assert_near(found.volatility, (0.004_225_f64 * 252.0).sqrt());
    assert_near(found.volatility, 0.065 * 252.0_f64.sqrt());
    assert_near(found.sharpe, (found.annual - 0.03) / found.volatility);
    // (0.0025 + 0.0004) / 2 = 0.00145.
    let downside = (0.001_45_f64 * 252.0).sqrt();
    assert_near(found.sortino, (found.annual - 0.03) / downside);
    // From 1.10 to 1.045; the 1.04458 of the end is less than half a percent below it.
    assert_near(found.max_drawdown, 1.044_582 / 1.10 - 1.0);
    assert_eq!(found.outcomes.win_rate, 0.5);
    assert_near(found.outcomes.profit_factor, 0.12 / 0.07);
    assert_near(found.outcomes.average_win, 0.06);
    assert_near(found.outcomes.average_loss, -0.035);
    assert_eq!((found.var_95, found.cvar_95), (0.05, 0.05));
}

#[test]
fn the_worst_five_percent_are_a_day_more_with_each_twenty() {
    // 40 days: −0.40, −0.39 and so on; place 2 from the worst is −0.38.
    let ratios: Vec<f64> = (1..=40).map(|n| -f64::from(n) / 100.0).collect();
    let found = statistics(&ratios);
    assert_near(found.var_95, 0.38);
    assert_near(found.cvar_95, 0.39);
    let found = statistics(&ratios[..39]);
    assert_near(found.var_95, 0.38);
    assert_near(found.cvar_95, 0.385);
}

#[test]
fn what_cannot_be_divided_is_zero() {
    let one = statistics(&[0.01]);
    assert_eq!((one.volatility, one.sharpe, one.sortino), (0.0, 0.0, 0.0));
    assert_eq!((one.var_95, one.cvar_95, one.max_drawdown), (0.0, 0.0, 0.0));
    assert_near(one.annual, 1.01_f64.powi(252) - 1.0);
    let equal = statistics(&[0.01; 7]);
    assert_eq!((equal.sharpe, equal.outcomes.profit_factor), (0.0, 999.99));
    assert_eq!(Statistics::of(&[]), None);
    assert_eq!(Comparison::of(&[]), None);
}

#[test]
fn everything_lost_stays_lost() {
    let found = statistics(&[0.5, -1.0, 0.5]);
    assert_eq!(found.total, -1.0);
    assert_eq!((found.annual, found.max_drawdown), (-1.0, -1.0));
}

#[test]
fn a_benchmark_by_hand() {
    let own = returns(&[0.02, -0.01, 0.03]);
    let other = returns(&[0.01, -0.01, 0.03]);
    let days: Vec<_> = own.into_iter().zip(other).collect();
    let found = Comparison::of(&days).unwrap();
    assert_eq!(found.days, 3);
    assert_near(found.benchmark, 1.01 * 0.99 * 1.03 - 1.0);
    assert_near(found.alpha, 0.99 * 1.03 * (1.02 - 1.01));
    // Means 0.04/3 and 0.01: covariance (0 + 7/15000 + 5/15000)/2, variance 0.0008/2.
    assert_near(found.beta, (12.0 / 15_000.0) / 0.000_8);
    let still: Vec<_> = days
        .iter()
        .map(|(own, _)| (*own, DayReturn::exactly(0.0)))
        .collect();
    assert_eq!(Comparison::of(&still).unwrap().beta, 0.0);
}

/// Any return that a day may have, the extremes more often than by chance.
fn any_return() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => -0.3..0.3,
        1 => -1.0..1e6,
        1 => prop_oneof![Just(-1.0), Just(0.0), Just(-0.0), Just(1e6), Just(5e-324), Just(-5e-324)],
    ]
}

proptest! {
    #[test]
    fn no_figure_is_ever_not_a_number_or_out_of_bounds(
        days in prop::collection::vec((any_return(), any_return()), 1..400),
    ) {
        let pairs: Vec<_> = days
            .iter()
            .map(|(own, other)| (DayReturn::exactly(*own), DayReturn::exactly(*other)))
            .collect();
        let own: Vec<_> = pairs.iter().map(|(own, _)| *own).collect();
        let found = Statistics::of(&own).unwrap();
        let beside = Comparison::of(&pairs).unwrap();
        let Outcomes { win_rate, profit_factor, average_win, average_loss } = found.outcomes;
        for figure in [
            found.total, found.annual, found.volatility, found.sharpe, found.sortino,
            found.max_drawdown, found.var_95, found.cvar_95, win_rate, profit_factor, average_win,
            average_loss, beside.benchmark, beside.alpha, beside.beta,
        ] {
            prop_assert!(figure.is_finite() && figure.abs() <= FIGURE_MAX, "{found:?} {beside:?}");
        }
        prop_assert!(found.total >= -1.0 && found.annual >= -1.0);
        prop_assert!((-1.0..=0.0).contains(&found.max_drawdown));
        prop_assert!(found.volatility >= 0.0 && profit_factor >= 0.0);
        prop_assert!(found.cvar_95 >= found.var_95 && found.var_95 >= 0.0);
        prop_assert!((0.0..=1.0).contains(&win_rate) && average_win >= 0.0 && average_loss <= 0.0);
    }

    #[test]
    fn the_total_is_the_product(ratios in prop::collection::vec(-0.3..0.3, 1..300)) {
        let product: f64 = ratios.iter().map(|ratio| 1.0 + ratio).product();
        let total = statistics(&ratios).total;
        prop_assert!((total - (product - 1.0)).abs() <= 1e-9 * product.max(1.0));
    }

    #[test]
    fn a_benchmark_that_is_the_account_itself_has_beta_one_and_no_alpha(
        ratios in prop::collection::vec(-0.3..0.3, 2..300),
    ) {
        let days: Vec<_> = returns(&ratios).into_iter().map(|day| (day, day)).collect();
        let found = Comparison::of(&days).unwrap();
        prop_assert_eq!(found.alpha, 0.0);
        prop_assert!((found.beta - 1.0).abs() < 1e-9 || deviation(&ratios) < 1e-9);
    }
}
