//! Which judgements are signals, and which of them come first.
//!
//! Source: `docs/strategy.md`, section 3.

use crate::limits::{SignalLimits, is_at_least, is_at_most};
use crate::{Figure, SignalKind};

/// What a judgement is a signal for, if it is one.
pub(crate) fn signal_kind(
    limits: &SignalLimits,
    strength: Figure,
    conviction: Figure,
) -> Option<SignalKind> {
    if !is_at_least(conviction, limits.conviction_min) {
        return None;
    }
    if is_at_least(strength, limits.buy_min) {
        Some(SignalKind::Buy)
    } else if is_at_most(strength, limits.sell_max) {
        Some(SignalKind::Sell)
    } else {
        None
    }
}

/// Ten times `.7·strength + .3·conviction`, of a SELL `.7·(100 − strength) + .3·conviction`; the
/// higher comes first.
pub(crate) fn urgency(kind: SignalKind, strength: Figure, conviction: Figure) -> i64 {
    let force = match kind {
        SignalKind::Buy => strength.units(),
        SignalKind::Sell => 100 * Figure::ONE - strength.units(),
    };
    7 * force + 3 * conviction.units()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const LIMITS: SignalLimits = SignalLimits {
        buy_min: 65,
        sell_max: 35,
        conviction_min: 50,
    };

    #[rstest]
    #[case(65 * Figure::ONE, 50 * Figure::ONE, Some(SignalKind::Buy))]
    #[case(65 * Figure::ONE - 1, 50 * Figure::ONE, None)]
    #[case(65 * Figure::ONE, 50 * Figure::ONE - 1, None)]
    #[case(35 * Figure::ONE, 50 * Figure::ONE, Some(SignalKind::Sell))]
    #[case(35 * Figure::ONE + 1, 100 * Figure::ONE, None)]
    fn limits_are_inclusive(
        #[case] strength: i64,
        #[case] conviction: i64,
        #[case] expected: Option<SignalKind>,
    ) {
        let [strength, conviction] = [strength, conviction].map(Figure::from_units);
        assert_eq!(signal_kind(&LIMITS, strength, conviction), expected);
    }

    #[test]
    fn the_stronger_comes_first_on_both_sides() {
        let [weak, strong, conviction] = [20, 80, 60].map(Figure::whole);
        let buy = |strength| urgency(SignalKind::Buy, strength, conviction);
        let sell = |strength| urgency(SignalKind::Sell, strength, conviction);
        assert_eq!(buy(strong), 740 * Figure::ONE); // 7·80 + 3·60
        assert_eq!(sell(weak), buy(strong));
        assert!(buy(weak) < buy(strong));
    }
}
