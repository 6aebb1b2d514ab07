//! Flow: who buys.
#![expect(clippy::float_arithmetic, reason = "factors are computed with doubles")]

use super::blend;
use crate::figure::double;
use crate::{Day, Flow, Score};

/// Rows that it takes.
pub(crate) const FLOWS: usize = 20;
/// Rows of the shorter sum.
const SHORT: usize = 5;

/// `.6·foreign + .4·institution` of rows, the newest first, which must be of `day` or of one of the
/// sessions `before`. A side that is missing on any day counts as missing as a whole.
pub(crate) fn flow(day: Day, before: &[Day], rows: &[(Day, Flow)]) -> Option<Score> {
    let rows = rows.get(..FLOWS)?;
    let (newest, _row) = rows.first()?;
    if *newest != day && !before.contains(newest) {
        return None;
    }
    let score = blend([
        (0.6, side_score(rows, |row| row.foreign)),
        (0.4, side_score(rows, |row| row.institution)),
    ])?;
    Score::rounded(score)
}

/// `.7·tanh(net5/500,000) + .3·tanh(net20/2,000,000)`, shares.
fn side_score(rows: &[(Day, Flow)], side: impl Fn(&Flow) -> Option<i64>) -> Option<f64> {
    let nets: Option<Vec<i64>> = rows.iter().map(|(_day, row)| side(row)).collect();
    let nets = nets?;
    let sum = |nets: &[i64]| double(nets.iter().copied().map(i128::from).sum());
    let (short, long) = (sum(&nets[..SHORT]), sum(&nets));
    Some(0.7 * (short / 500_000.0).tanh() + 0.3 * (long / 2_000_000.0).tanh())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(foreign: Option<i64>, institution: Option<i64>) -> Vec<(Day, Flow)> {
        (0..20)
            .map(|age| {
                let row = Flow {
                    foreign,
                    institution,
                };
                (Day(100 - age), row)
            })
            .collect()
    }

    fn units(rows: &[(Day, Flow)]) -> Option<i64> {
        flow(Day(100), &[], rows).map(Score::units)
    }

    #[test]
    fn both_sides_and_both_sums_are_weighted() {
        // net5 500,000, net20 2,000,000: each tanh 1.
        let tanh_1 = 7_615_941_560;
        assert_eq!(units(&rows(Some(100_000), Some(100_000))), Some(tanh_1));
        // .6·tanh 1 − .4·tanh 1
        let against = rows(Some(100_000), Some(-100_000));
        assert_eq!(units(&against), Some(1_523_188_312));
    }

    #[test]
    fn a_missing_side_leaves_its_weight_to_the_other() {
        assert_eq!(units(&rows(None, Some(100_000))), Some(7_615_941_560));
        assert_eq!(units(&rows(None, None)), None);
        let mut gap = rows(Some(0), Some(100_000));
        gap[19].1.foreign = None;
        assert_eq!(units(&gap), Some(7_615_941_560));
    }

    #[test]
    fn rows_must_be_enough_and_recent() {
        let rows = rows(Some(0), Some(0));
        assert_eq!(units(&rows[..19]), None);
        let before = [Day(103), Day(102), Day(101), Day(100)];
        assert!(flow(Day(104), &before, &rows).is_some());
        assert_eq!(flow(Day(105), &before[..3], &rows), None);
    }
}
