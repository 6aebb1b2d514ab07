//! Levels of the loop as whole prices, exact (decision contract, 2.3 and 2.5).

use crate::input::{MILLION, Rules, Scaled};

/// One in the scale of thresholds: a ratio in millionths times a factor in millionths.
const ONE: i128 = 1_000_000_000_000;
/// A level that no price falls to.
pub(super) const OFF_BELOW: i64 = 0;
/// A level that no price rises to; half the range, so that differences fit.
pub(super) const OFF_ABOVE: i64 = i64::MAX / 2;

/// Returns whether neither threshold nor quantity is zero before scaling.
pub(super) fn is_on(rule: &Scaled) -> bool {
    rule.pnl != 0 && rule.qty != 0
}

/// Returns the threshold of a ratio that nothing scales.
pub(super) fn plain(ratio: i64) -> i128 {
    i128::from(ratio) * i128::from(MILLION)
}

/// Returns a threshold scaled by ATR and held between its bounds (contract 2.5).
pub(super) fn scaled(rules: &Rules, rule: &Scaled, atr: Option<i64>) -> i128 {
    let factor = match (atr, rules.atr_reference) {
        (None, _) | (_, 0) => MILLION,
        (Some(atr), reference) => {
            let exact = half_even(i128::from(atr) * i128::from(MILLION), i128::from(reference));
            i64::try_from(exact)
                .unwrap_or(i64::MAX)
                .clamp(rules.factor_min, rules.factor_max)
        }
    };
    let raw = i128::from(rule.pnl) * i128::from(factor);
    let (min, max) = (plain(rule.min).abs(), plain(rule.max).abs());
    let below = if max == 0 {
        raw.abs()
    } else {
        raw.abs().min(max)
    };
    below.max(min) * raw.signum()
}

/// Returns how far a trailing level lies below the mark; zero where trailing is off.
pub(super) fn trail_gap(rules: &Rules, atr: Option<i64>) -> i128 {
    if rules.trail_qty == 0 {
        return 0;
    }
    let by_atr = atr.map_or(0, |atr| i128::from(rules.trail_atr_k) * i128::from(atr));
    plain(rules.trail_pct).max(by_atr)
}

/// Returns the highest price at or below `base × (1 + threshold)`.
pub(super) fn at_or_below(base: i64, threshold: i128) -> i64 {
    let exact = i128::from(base) * (ONE + threshold);
    i64::try_from(exact.div_euclid(ONE)).map_or(OFF_BELOW, |price| price.max(OFF_BELOW))
}

/// Returns the lowest price at or above `base × (1 + threshold)`.
pub(super) fn at_or_above(base: i64, threshold: i128) -> i64 {
    let exact = i128::from(base) * (ONE + threshold);
    let price = exact.div_euclid(ONE) + i128::from(exact.rem_euclid(ONE) != 0);
    i64::try_from(price).map_or(OFF_ABOVE, |price| price.clamp(1, OFF_ABOVE))
}

/// Returns `base × (1 + threshold)` as it is printed.
pub(super) fn rounded(base: i64, threshold: i128) -> i64 {
    let exact = half_even(i128::from(base) * (ONE + threshold), ONE);
    i64::try_from(exact).unwrap_or(OFF_ABOVE)
}

fn half_even(value: i128, by: i128) -> i128 {
    let (whole, rest) = (value.div_euclid(by), value.rem_euclid(by));
    let is_up = rest * 2 > by || (rest * 2 == by && whole % 2 != 0);
    whole + i128::from(is_up)
}

/// Returns `ceil(of × ratio)`.
pub(super) fn share(of: i64, ratio: i64) -> i64 {
    (of * ratio + MILLION - 1) / MILLION
}
