//! High-water marks, shared by all positions of a symbol.
//!
//! The mark of a position is the highest evaluation price since it entered. So positions need no
//! mark of their own: one stack of (time, price), with falling prices, answers for all of them. A
//! price above the top pops what it exceeds; the entry at or after the position's own entry is its
//! mark. Amortised cost per tick: constant. Size: at most one entry more than there are positions.

use crate::model::{LogicalTime, Price};

/// The falling sequence of highest prices of one symbol.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    stack: Vec<(LogicalTime, Price)>,
    last_entered: Option<LogicalTime>,
}

impl Marks {
    /// Notes that a position entered at `time`: its mark counts from here.
    pub(crate) fn enter(&mut self, time: LogicalTime) {
        self.last_entered = self.last_entered.max(Some(time));
    }

    /// Forgets everything, since no position is left.
    pub(crate) fn clear(&mut self) {
        self.stack.clear();
        self.last_entered = None;
    }

    /// Takes in the evaluation price of a tick. Times must not fall.
    pub(crate) fn raise(&mut self, time: LogicalTime, price: Price) {
        let Some(last_entered) = self.last_entered else {
            return;
        };
        while self.stack.last().is_some_and(|(_, top)| *top <= price) {
            self.stack.pop();
        }
        let covered = self.stack.last().is_some_and(|(at, _)| *at >= last_entered);
        if !covered {
            self.stack.push((time, price));
        }
    }

    /// Returns the highest price at or after `entered`.
    pub(crate) fn since(&self, entered: LogicalTime) -> Option<Price> {
        let first = self.stack.partition_point(|(at, _)| *at < entered);
        self.stack.get(first).map(|(_, price)| *price)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn marks_equal_a_scan_over_all_ticks(
            steps in proptest::collection::vec((proptest::bool::ANY, 1i64..20), 1..60),
        ) {
            let (mut marks, mut ticks, mut entries) = (Marks::default(), Vec::new(), Vec::new());
            for (index, (enters, units)) in steps.into_iter().enumerate() {
                let now = LogicalTime::from_micros(u64::try_from(index).unwrap());
                if enters {
                    marks.enter(now);
                    entries.push(now);
                } else {
                    let price = Price::from_units(units).unwrap();
                    marks.raise(now, price);
                    ticks.push((now, price));
                }
                for entered in &entries {
                    let naive = ticks.iter().filter(|(at, _)| at >= entered).map(|(_, p)| *p).max();
                    prop_assert_eq!(marks.since(*entered), naive);
                }
                prop_assert!(marks.stack.len() <= entries.len() + 1);
            }
        }
    }
}
