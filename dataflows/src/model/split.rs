//! Splits and reverse splits: the same holding in other units.

use super::ratio::half_even_div;
use super::{Mark, Position, Price};

/// How much the value of a holding may move in a split, in percent: rounding of the average and
/// cash paid for fractions.
const VALUE_SLACK_PCT: i128 = 1;

/// A change of units: each old share became `new ÷ old` shares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Split {
    old: i64,
    new: i64,
}

impl Split {
    /// Returns the mark in the new units, half to even.
    pub(crate) fn rescale(self, mark: Mark) -> Mark {
        let units = i128::from(mark.price.units()) * i128::from(self.old);
        let units = i64::try_from(half_even_div(units, i128::from(self.new)));
        let price = units.ok().and_then(|units| Price::from_units(units).ok());
        Mark {
            price: price.unwrap_or(mark.price),
            ..mark
        }
    }
}

/// Returns the split that made `new` of `old`: quantity and average moved inversely within one
/// percent, and one quantity is a whole multiple of the other (domain 3.7).
pub(crate) fn split_of(old: &Position, new: &Position) -> Option<Split> {
    let (Some(old_avg), Some(new_avg)) = (old.avg_price, new.avg_price) else {
        return None;
    };
    let (before, after) = (old.qty.shares(), new.qty.shares());
    if before == after || before == 0 || after == 0 || old.cycle != new.cycle {
        return None;
    }
    let is_whole = before % after == 0 || after % before == 0;
    let value = |shares: i64, avg: Price| i128::from(shares) * i128::from(avg.units());
    let (was, is) = (value(before, old_avg), value(after, new_avg));
    let is_same_value = (was - is).abs() * 100 <= was * VALUE_SLACK_PCT;
    (is_whole && is_same_value).then_some(Split {
        old: before,
        new: after,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{LogicalTime, PositionMode, Quantity};

    fn position(qty: i64, avg: &str) -> Position {
        let qty = Quantity::new(qty).unwrap();
        Position {
            id: "p".parse().unwrap(),
            symbol: "005930".parse().unwrap(),
            qty,
            original_qty: qty,
            avg_price: Some(avg.parse().unwrap()),
            entry: LogicalTime::default(),
            is_live: true,
            mode: PositionMode::Enabled,
            profile: None,
            strategy: "".into(),
            cycle: 1,
            version: 1,
        }
    }

    #[test]
    fn a_split_rescales_the_mark_and_a_sale_is_none() {
        let split = split_of(&position(10, "50000"), &position(500, "1000")).unwrap();
        let mark = Mark {
            price: "55000".parse().unwrap(),
            tick: None,
        };
        assert_eq!(split.rescale(mark).price, "1100".parse().unwrap());
        assert_eq!(
            split_of(&position(100, "1000"), &position(50, "1000")),
            None
        );
        assert_eq!(
            split_of(&position(100, "1000"), &position(200, "900")),
            None
        );
        let reverse = split_of(&position(100, "1000"), &position(10, "10000")).unwrap();
        assert_eq!(reverse.rescale(mark).price, "550000".parse().unwrap());
    }
}
