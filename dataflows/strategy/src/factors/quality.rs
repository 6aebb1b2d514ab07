//! Quality: return and debt.
#![expect(clippy::float_arithmetic, reason = "factors are computed with doubles")]

use super::{blend, nearest, newest};
use crate::{Day, Fundamental, Score};

/// `.6·ROE + .4·debt` of the newest fundamentals, known on `day`, that have one of them.
pub(crate) fn quality(day: Day, rows: &[(Day, Fundamental)]) -> Option<Score> {
    let row = newest(day, rows, |row| {
        row.roe.is_some() || row.debt_ratio.is_some()
    })?;
    let score = blend([
        (0.6, row.roe.and_then(nearest).map(roe_score)),
        (0.4, row.debt_ratio.and_then(nearest).map(debt_score)),
    ])?;
    Score::rounded(score)
}

/// Return on equity, as a ratio: 0.15 is 15 %.
fn roe_score(x: f64) -> f64 {
    if x < 0.0 {
        (5.0 * x).tanh().max(-1.0)
    } else if x <= 0.05 {
        10.0 * (x - 0.05)
    } else if x <= 0.15 {
        5.0 * (x - 0.05)
    } else if x <= 0.20 {
        0.5 + 10.0 * (x - 0.15)
    } else {
        1.0
    }
}

/// Debt by equity, as a ratio: 1.5 is 150 %. Below zero, where there is no equity, it says nothing.
fn debt_score(x: f64) -> f64 {
    if x < 0.0 {
        0.0
    } else if x < 0.5 {
        1.0
    } else if x < 1.0 {
        1.0 - (x - 0.5)
    } else if x < 1.5 {
        0.5 - (x - 1.0)
    } else if x < 3.0 {
        (-(x - 1.5)).tanh()
    } else {
        -1.0
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use rust_decimal::Decimal;

    use super::*;

    #[rstest]
    #[case(roe_score, &[(-0.2, -0.761_594_155_955_764_9), (-10.0, -1.0), (0.0, -0.5), (0.02, -0.3), (0.05, 0.0), (0.10, 0.25), (0.15, 0.5), (0.17, 0.7), (0.20, 1.0), (0.5, 1.0)])]
    #[case(debt_score, &[(-0.1, 0.0), (0.0, 1.0), (0.49, 1.0), (0.5, 1.0), (0.75, 0.75), (1.0, 0.5), (1.25, 0.25), (1.5, 0.0), (2.5, -0.761_594_155_955_764_9), (3.0, -1.0), (50.0, -1.0)])]
    fn scores_are_those_of_the_table(
        #[case] score: fn(f64) -> f64,
        #[case] expected: &[(f64, f64)],
    ) {
        for &(x, expected) in expected {
            assert!((score(x) - expected).abs() < 1e-12, "{x}: {}", score(x));
        }
    }

    #[rstest]
    // .6·.5 + .4·.75
    #[case(Some("0.15"), Some("0.75"), Some(6_000_000_000))]
    #[case(Some("0.15"), None, Some(5_000_000_000))]
    #[case(None, Some("3"), Some(-10_000_000_000))]
    #[case(None, None, None)]
    fn weights_of_missing_parts_go_to_the_others(
        #[case] roe: Option<&str>,
        #[case] debt: Option<&str>,
        #[case] expected: Option<i64>,
    ) {
        let decimal = |text: &str| text.parse::<Decimal>().unwrap();
        let row = Fundamental {
            roe: roe.map(decimal),
            debt_ratio: debt.map(decimal),
            ..Fundamental::default()
        };
        let score = quality(Day(100), &[(Day(100), row)]);
        assert_eq!(score.map(Score::units), expected);
    }
}
