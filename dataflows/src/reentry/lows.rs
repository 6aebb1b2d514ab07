//! The lows of a symbol: what its prices have made of levels, asked only when somebody wants to know.
//!
//! Whether a price has fallen below a level, and since when every price has been at it or above,
//! follows from the lowest prices since each time. They are one stack with rising prices: a price pops
//! those that are not below it. So a crossing moves nobody, however many levels there are. Amortised
//! cost per price: constant. Size: at most one entry a step of the price.

use crate::model::{LogicalTime, Price};

/// The prices below which none has been since.
#[derive(Debug, Default)]
pub(super) struct Lows {
    /// The last price that was taken in.
    top: Option<Price>,
    /// Those below it; they rise from each to the next.
    stack: Vec<Low>,
    /// Prices taken in.
    turn: Turn,
    /// How many will want to know.
    asking: usize,
}

/// How many prices had been taken in.
pub(super) type Turn = u64;

#[derive(Clone, Copy, Debug)]
struct Low {
    price: Price,
    /// The first price above it, by time and turn.
    left: (LogicalTime, Turn),
}

/// What has become of a level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Run {
    /// No price has been below it.
    Unbroken,
    /// The last price was below it.
    Below,
    /// Every price has been at it or above since then, and the one before was below.
    Since(LogicalTime),
}

impl Lows {
    /// Returns whether anybody will want to know.
    pub(super) fn is_asked(&self) -> bool {
        self.asking > 0
    }

    /// Begins to keep the prices for one more who will ask, the last one and all that follow. Returns
    /// since when.
    pub(super) fn ask(&mut self, last: Option<(Price, LogicalTime)>) -> Turn {
        if self.asking == 0 {
            self.top = None;
            self.stack.clear();
        }
        self.asking += 1;
        match last {
            Some((price, time)) => self.take(time, price),
            // Each asking has a turn of its own, also before the first price.
            None => self.turn += 1,
        }
        self.turn
    }

    /// Ends what one [`Lows::ask`] began.
    pub(super) fn end(&mut self) {
        self.asking -= 1;
    }

    /// Ends what every [`Lows::ask`] began.
    pub(super) fn end_all(&mut self) {
        self.asking = 0;
    }

    /// Takes in the price of a tick.
    pub(super) fn take(&mut self, time: LogicalTime, price: Price) {
        self.turn += 1;
        match self.top.replace(price) {
            Some(top) if top < price => self.stack.push(Low {
                price: top,
                left: (time, self.turn),
            }),
            _ => while self.stack.pop_if(|low| low.price >= price).is_some() {},
        }
    }

    /// Returns what the prices since `turn` have made of `level`, the last one before them among
    /// them where that was below.
    pub(super) fn run(&self, level: Price, turn: Turn) -> Run {
        if self.top.is_some_and(|top| top < level) {
            return Run::Below;
        }
        let above = self.stack.partition_point(|low| low.price < level);
        let last = above.checked_sub(1).and_then(|place| self.stack.get(place));
        match last.map(|low| low.left) {
            Some((time, left)) if turn < left => Run::Since(time),
            Some(_) | None => Run::Unbroken,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_asking_ends_once_also_before_the_first_price() {
        let mut lows = Lows::default();
        let turns = [lows.ask(None), lows.ask(None)];
        assert!(turns[0] < turns[1]);
        lows.end();
        assert!(lows.is_asked());
        lows.end();
        assert!(!lows.is_asked());
    }

    proptest! {
        #[test]
        fn runs_equal_a_scan_over_all_prices(
            prices in proptest::collection::vec(1_i64..12, 1..60),
            levels in proptest::collection::vec(1_i64..12, 1..4),
            from in 0_usize..60,
        ) {
            let [prices, levels] = [prices, levels].map(|all| -> Vec<Price> {
                all.into_iter().map(|units| Price::from_units(units).unwrap()).collect()
            });
            let time = |at: usize| LogicalTime::from_micros(u64::try_from(at).unwrap());
            let from = from.min(prices.len() - 1);
            let (mut lows, mut turn) = (Lows::default(), 0);
            for (at, price) in prices.iter().enumerate() {
                if at == from {
                    turn = lows.ask(Some((*price, time(at))));
                } else if lows.is_asked() {
                    lows.take(time(at), *price);
                }
            }
            for level in levels {
                let below = (from..prices.len()).rev().find(|at| prices[*at] < level);
                let expected = match below {
                    None => Run::Unbroken,
                    Some(last) if last + 1 == prices.len() => Run::Below,
                    Some(last) => Run::Since(time(last + 1)),
                };
                prop_assert_eq!(lows.run(level, turn), expected);
            }
            prop_assert!(lows.stack.is_sorted_by(|a, b| a.price < b.price));
        }
    }
}
