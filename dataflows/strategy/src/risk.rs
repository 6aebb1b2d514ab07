//! How risky a symbol is.
//!
//! Source: `docs/strategy.md`, section 4.
#![expect(
    clippy::float_arithmetic,
    reason = "volatility is computed with doubles, and rounded once"
)]

use crate::bar::DayBar;
use crate::factors::closes;
use crate::{Day, Figure};

/// Daily returns of the volatility.
const RETURNS: usize = 60;
/// Sessions of a year, by convention.
const YEAR: f64 = 252.0;
/// Bars of the mean value.
const LIQUIDITY: usize = 20;
/// Risk where one part of it is missing, points: neither low nor high.
const UNKNOWN: Figure = Figure::whole(50);
/// KRW.
const BILLION: i64 = 1_000_000_000;

/// Sample standard deviation of the newest 60 simple daily returns, percent a year. `bars` begin with
/// the newest.
pub(crate) fn volatility(bars: &[(Day, DayBar)]) -> Option<Figure> {
    let closes = closes(bars, RETURNS + 1)?;
    let returns: Vec<f64> = closes
        .windows(2)
        .map(|pair| pair[0] / pair[1] - 1.0)
        .collect();
    let count = f64::from(u32::try_from(RETURNS).ok()?);
    let mean = returns.iter().sum::<f64>() / count;
    let squares: f64 = returns.iter().map(|x| (x - mean) * (x - mean)).sum();
    Figure::rounded((squares / (count - 1.0)).sqrt() * YEAR.sqrt() * 100.0)
}

/// Mean value of the newest 20 bars, KRW, cut off.
pub(crate) fn liquidity(bars: &[(Day, DayBar)]) -> Option<i64> {
    mean(bars.get(..LIQUIDITY)?, |bar| bar.value)
}

/// Mean of a number of bars, cut off.
pub(crate) fn mean(bars: &[(Day, DayBar)], number: impl Fn(&DayBar) -> i64) -> Option<i64> {
    let sum: i128 = bars.iter().map(|(_day, bar)| i128::from(number(bar))).sum();
    let count = i128::try_from(bars.len()).ok()?;
    sum.checked_div(count)?.try_into().ok()
}

/// `.6·volatility + .4·liquidity`, each scored 0…100 points; 50 where one of them is missing.
pub(crate) fn risk(volatility: Option<Figure>, liquidity: Option<i64>) -> Figure {
    let (Some(volatility), Some(liquidity)) = (volatility, liquidity) else {
        return UNKNOWN;
    };
    let volatility = i128::from(volatility_score(volatility).units());
    let liquidity = i128::from(liquidity_score(liquidity).units());
    Figure::quotient(6 * volatility + 4 * liquidity, 10)
}

/// Points: 1.5 for each percent up to 40, 2 up to 60, 100 above.
fn volatility_score(volatility: Figure) -> Figure {
    let units = i128::from(volatility.units());
    let whole = |number| i128::from(Figure::whole(number).units());
    if units <= whole(40) {
        // 1.5·v, and 30 + 1.5·(v − 20), are the same.
        Figure::quotient(3 * units, 2)
    } else if units <= whole(60) {
        Figure::quotient(whole(60) + 2 * (units - whole(40)), 1)
    } else {
        Figure::whole(100)
    }
}

/// Points by mean value, KRW: what is traded little is risky.
fn liquidity_score(value: i64) -> Figure {
    Figure::whole(if value >= 10 * BILLION {
        0
    } else if value >= 5 * BILLION {
        20
    } else if value >= BILLION {
        50
    } else {
        100
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn volatility_is_that_of_sixty_returns() {
        // Closes 100, 110, 100, …: 30 returns of +.1 and 30 of −1/11.
        let bars: Vec<_> = (0..61_u32)
            .map(|age| DayBar::at(1_000 - age, if age % 2 == 0 { 100 } else { 110 }))
            .collect();
        // Both lie .0954545… from the mean: .0954545·√(60/59)·√252·100 = 152.8081…
        assert_eq!(
            volatility(&bars).map(Figure::units),
            Some(1_528_081_449_981)
        );
        assert_eq!(volatility(&bars[..60]), None);
    }

    #[test]
    fn flat_prices_have_none() {
        let bars: Vec<_> = (0..61).map(|age| DayBar::at(1_000 - age, 100)).collect();
        assert_eq!(volatility(&bars), Some(Figure::default()));
    }

    #[test]
    fn mean_value_is_cut_off() {
        let mut bars: Vec<_> = (0..20).map(|age| DayBar::at(1_000 - age, 100)).collect();
        bars[0].1.value += 19;
        assert_eq!(liquidity(&bars), Some(10_000));
        bars[0].1.value += 1;
        assert_eq!(liquidity(&bars), Some(10_001));
        assert_eq!(liquidity(&bars[..19]), None);
    }

    #[rstest]
    // The worked case of domain 6.4 with its formula: 45·.6 at 30 %, nothing for 10 bn.
    #[case(Some(30 * Figure::ONE), Some(10 * BILLION), 27 * Figure::ONE)]
    #[case(Some(20 * Figure::ONE), Some(5 * BILLION), 26 * Figure::ONE)]
    #[case(Some(40 * Figure::ONE), Some(BILLION), 56 * Figure::ONE)]
    #[case(Some(50 * Figure::ONE), Some(BILLION - 1), 88 * Figure::ONE)]
    #[case(Some(60 * Figure::ONE), Some(10 * BILLION), 60 * Figure::ONE)]
    #[case(Some(60 * Figure::ONE + 1), Some(BILLION - 1), 100 * Figure::ONE)]
    #[case(Some(60 * Figure::ONE), None, 50 * Figure::ONE)]
    #[case(None, Some(10 * BILLION), 50 * Figure::ONE)]
    // 1.5 units are 2, .6 of which are 1.2.
    #[case(Some(1), Some(10 * BILLION), 1)]
    fn risk_is_of_both(
        #[case] volatility: Option<i64>,
        #[case] liquidity: Option<i64>,
        #[case] expected: i64,
    ) {
        let volatility = volatility.map(Figure::from_units);
        assert_eq!(risk(volatility, liquidity).units(), expected);
    }
}
