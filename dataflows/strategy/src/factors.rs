//! The factors: what each says of a symbol, −1…+1, or nothing where it has too little to go by.
//!
//! Source: `docs/strategy.md`, section 2. They are computed with doubles and rounded once.

mod event;
mod flow;
mod momentum;
mod quality;
mod technical;
mod value;

pub(crate) use event::{DisclosureKind, event};
pub(crate) use flow::{FLOWS, flow};
pub(crate) use momentum::momentum;
pub(crate) use quality::quality;
pub(crate) use technical::{BARS as TECHNICAL_BARS, technical};
pub(crate) use value::value;

use rust_decimal::Decimal;

use crate::bar::DayBar;
use crate::figure::double;
use crate::{Day, Fundamental};

/// Days after which fundamentals are too old.
const FUNDAMENTAL_AGE_MAX: u32 = 450;

/// The mean of the parts that are there, by weight; none where there are none. A missing part counts
/// neither as good nor as bad.
#[expect(clippy::float_arithmetic, reason = "factors are computed with doubles")]
fn blend<const N: usize>(parts: [(f64, Option<f64>); N]) -> Option<f64> {
    let (mut sum, mut weights) = (0.0, 0.0);
    for (weight, part) in parts {
        if let Some(part) = part.filter(|part| part.is_finite()) {
            sum += weight * part;
            weights += weight;
        }
    }
    (weights > 0.0).then(|| sum / weights)
}

/// The double that is nearest to a decimal.
fn nearest(decimal: Decimal) -> Option<f64> {
    // Its own conversion may be one bit off; reading its text is not.
    decimal.to_string().parse().ok()
}

/// The newest row, of those that are known on `day` and young enough, that has what is wanted.
fn newest(
    day: Day,
    rows: &[(Day, Fundamental)],
    has: impl Fn(&Fundamental) -> bool,
) -> Option<&Fundamental> {
    let (known, row) = rows.iter().find(|(_known, row)| has(row))?;
    (day.0.saturating_sub(known.0) <= FUNDAMENTAL_AGE_MAX).then_some(row)
}

/// Closes of the newest `count` bars; none where there are fewer, or one is no price.
pub(crate) fn closes(bars: &[(Day, DayBar)], count: usize) -> Option<Vec<f64>> {
    let bars = bars.get(..count)?;
    let close = |(_day, bar): &(Day, DayBar)| (bar.close > 0).then(|| double(bar.close.into()));
    bars.iter().map(close).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_of_missing_parts_go_to_the_others() {
        assert_eq!(blend([(0.5, Some(1.0)), (0.5, Some(0.0))]), Some(0.5));
        assert_eq!(blend([(0.5, None), (0.3, Some(-1.0))]), Some(-1.0));
        assert_eq!(blend([(0.5, None), (0.5, None)]), None);
    }

    #[test]
    fn what_is_not_finite_counts_as_missing() {
        let parts = [
            (0.5, Some(f64::NAN)),
            (0.4, Some(f64::INFINITY)),
            (0.1, Some(0.25)),
        ];
        assert_eq!(blend(parts), Some(0.25));
    }

    #[test]
    fn decimals_become_the_nearest_double() {
        for text in ["0.15", "1.1", "123456.789", "0.3", "-0.05"] {
            let decimal: Decimal = text.parse().unwrap();
            assert_eq!(nearest(decimal), Some(text.parse().unwrap()));
        }
    }

    #[test]
    fn fundamentals_count_for_450_days() {
        let row = Fundamental {
            per: Some(Decimal::ONE),
            ..Fundamental::default()
        };
        let rows = [(Day(1_000), row)];
        let at = |day| newest(Day(day), &rows, |row| row.per.is_some());
        assert_eq!(at(1_000), Some(&row));
        assert_eq!(at(1_450), Some(&row));
        assert_eq!(at(1_451), None);
    }

    #[test]
    fn the_newest_that_has_it_counts() {
        let with = |per| Fundamental {
            per,
            ..Fundamental::default()
        };
        let rows = [
            (Day(30), with(None)),
            (Day(20), with(Some(Decimal::TWO))),
            (Day(10), with(Some(Decimal::ONE))),
        ];
        let found = newest(Day(40), &rows, |row| row.per.is_some());
        assert_eq!(found.and_then(|row| row.per), Some(Decimal::TWO));
    }
}
