//! Value: what earnings, book value and sales cost.
#![expect(clippy::float_arithmetic, reason = "factors are computed with doubles")]

use super::{blend, nearest, newest};
use crate::{Day, Fundamental, Score};

/// `.5·PER + .3·PBR + .2·PSR` of the newest fundamentals, known on `day`, that have one of them.
pub(crate) fn value(day: Day, rows: &[(Day, Fundamental)]) -> Option<Score> {
    let row = newest(day, rows, |row| {
        row.per.is_some() || row.pbr.is_some() || row.psr.is_some()
    })?;
    let score = blend([
        (0.5, row.per.and_then(nearest).map(per_score)),
        (0.3, row.pbr.and_then(nearest).map(pbr_score)),
        (0.2, row.psr.and_then(nearest).map(psr_score)),
    ])?;
    Score::rounded(score)
}

/// Price by earnings. A loss, or more than 100, is neither good nor bad.
fn per_score(x: f64) -> f64 {
    if x <= 0.0 || x > 100.0 {
        0.0
    } else if x < 5.0 {
        1.0
    } else if x < 10.0 {
        0.5 + (10.0 - x) / 10.0
    } else if x < 20.0 {
        (20.0 - x) / 20.0
    } else {
        (-(x - 20.0) / 40.0).tanh()
    }
}

/// Price by book value. Nothing left of it, or more than 10, is neither good nor bad.
fn pbr_score(x: f64) -> f64 {
    if x <= 0.0 || x > 10.0 {
        0.0
    } else if x < 0.5 {
        1.0
    } else if x < 1.0 {
        0.5 + (1.0 - x)
    } else if x < 2.0 {
        (2.0 - x) / 2.0
    } else {
        (-(x - 2.0) / 4.0).tanh()
    }
}

/// Price by sales. None, or more than 20, is neither good nor bad.
fn psr_score(x: f64) -> f64 {
    if x <= 0.0 || x > 20.0 {
        0.0
    } else if x < 0.5 {
        1.0
    } else if x < 1.0 {
        0.5 + (1.0 - x)
    } else if x < 3.0 {
        (3.0 - x) / 4.0
    } else {
        (-(x - 3.0) / 6.0).tanh()
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use rust_decimal::Decimal;

    use super::*;

    #[rstest]
    #[case(per_score, &[(-1.0, 0.0), (0.0, 0.0), (4.99, 1.0), (5.0, 1.0), (7.5, 0.75), (10.0, 0.5), (15.0, 0.25), (20.0, 0.0), (60.0, -0.761_594_155_955_764_9), (100.0, -0.964_027_580_075_816_8), (100.1, 0.0)])]
    #[case(pbr_score, &[(-1.0, 0.0), (0.0, 0.0), (0.49, 1.0), (0.5, 1.0), (0.75, 0.75), (1.0, 0.5), (1.5, 0.25), (2.0, 0.0), (6.0, -0.761_594_155_955_764_9), (10.0, -0.964_027_580_075_816_8), (10.1, 0.0)])]
    #[case(psr_score, &[(-1.0, 0.0), (0.0, 0.0), (0.49, 1.0), (0.5, 1.0), (0.75, 0.75), (1.0, 0.5), (2.0, 0.25), (3.0, 0.0), (9.0, -0.761_594_155_955_764_9), (20.0, -0.993_105_097_396_872_9), (20.1, 0.0)])]
    fn scores_are_those_of_the_table(
        #[case] score: fn(f64) -> f64,
        #[case] expected: &[(f64, f64)],
    ) {
        for &(x, expected) in expected {
            assert!((score(x) - expected).abs() < 1e-12, "{x}: {}", score(x));
        }
    }

    fn row(per: Option<&str>, pbr: Option<&str>, psr: Option<&str>) -> Fundamental {
        let decimal = |text: &str| text.parse::<Decimal>().unwrap();
        Fundamental {
            per: per.map(decimal),
            pbr: pbr.map(decimal),
            psr: psr.map(decimal),
            ..Fundamental::default()
        }
    }

    #[rstest]
    // .5·.75 + .3·.25 + .2·.25
    #[case(row(Some("7.5"), Some("1.5"), Some("2")), Some(5_000_000_000))]
    // (.3·.25 + .2·.75)/.5
    #[case(row(None, Some("1.5"), Some("0.75")), Some(4_500_000_000))]
    #[case(row(Some("-3"), None, None), Some(0))]
    #[case(row(None, None, None), None)]
    fn weights_of_missing_parts_go_to_the_others(
        #[case] row: Fundamental,
        #[case] expected: Option<i64>,
    ) {
        let score = value(Day(100), &[(Day(100), row)]);
        assert_eq!(score.map(Score::units), expected);
    }
}
