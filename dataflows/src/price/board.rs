//! The board at the door: what becomes a tick.

use std::collections::BTreeMap;

use super::{Discrepancy, Quote, Session, Source, Standing, Taken};
use crate::exit::PRICE_AGE_MAX_US;
use crate::model::{LogicalTime, Price, Symbol};

/// What stands of each symbol, and what was judged last. Memory: three quotes a symbol.
#[derive(Clone, Debug, Default)]
pub struct Board {
    session: Session,
    symbols: BTreeMap<Symbol, Known>,
}

#[derive(Clone, Debug, Default)]
struct Known {
    standing: Standing,
    /// The last tick, whatever its source.
    judged: Option<Price>,
}

impl Board {
    /// Begins a session: what is received from now on grows old by its limits. Returns whether it is
    /// another one than before.
    pub fn begin(&mut self, session: Session) -> bool {
        std::mem::replace(&mut self.session, session) != session
    }

    /// Takes in a trade of the stream: always a tick.
    pub fn tick(&mut self, symbol: Symbol, time: LogicalTime, last: Price) {
        let known = self.symbols.entry(symbol).or_default();
        known.standing.tick(time, last, self.session);
        known.judged = Some(last);
    }

    /// Takes in a price that was asked for, at `now`. A price to which the best one has fallen by time
    /// has to be settled before.
    pub fn take(&mut self, quote: &Quote, now: LogicalTime) -> Taken {
        let known = self.symbols.entry(quote.symbol).or_default();
        if !known.standing.take(quote, now, self.session) {
            return Taken::Late;
        }
        let best = known.standing.best(now).filter(|best| best.stale.is_none());
        match best {
            _ if known.judged == Some(quote.last) => Taken::Confirmed,
            Some(best) if best.source == quote.source => {
                known.judged = Some(quote.last);
                Taken::Tick
            }
            Some(best) => Taken::Behind(Discrepancy::between(best.last, quote.last)),
            None => Taken::Late,
        }
    }

    /// Returns the price to which the best one has fallen by time, if it is another one than was judged
    /// last and young enough to be judged: a tick of its source.
    pub fn settle(&mut self, symbol: Symbol, now: LogicalTime) -> Option<Quote> {
        let known = self.symbols.get_mut(&symbol)?;
        let best = known.standing.best(now)?;
        let is_due = best.stale.is_none()
            && best.source != Source::KisWs
            && now.micros_since(best.received) <= PRICE_AGE_MAX_US
            && known.judged != Some(best.last);
        if !is_due {
            return None;
        }
        known.judged = Some(best.last);
        Some(Quote {
            symbol,
            source: best.source,
            last: best.last,
            received: best.received,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> LogicalTime {
        LogicalTime::from_micros(ms * 1_000)
    }

    fn symbol() -> Symbol {
        "005930".parse().unwrap()
    }

    fn ask(board: &mut Board, source: Source, won: i64, ms: u64) -> Taken {
        let quote = Quote {
            symbol: symbol(),
            source,
            last: Price::from_won(won).unwrap(),
            received: at(ms),
        };
        board.take(&quote, at(ms))
    }

    fn trade(board: &mut Board, won: i64, ms: u64) {
        board.tick(symbol(), at(ms), Price::from_won(won).unwrap());
    }

    #[test]
    fn a_better_source_counts_while_it_is_fresh() {
        let mut board = Board::default();
        trade(&mut board, 1_000, 0);
        assert_eq!(ask(&mut board, Source::KisRest, 990, 2_001), Taken::Tick);
        trade(&mut board, 1_000, 2_100);
        let behind = Taken::Behind(Discrepancy::Medium);
        assert_eq!(ask(&mut board, Source::KisRest, 1_010, 4_100), behind);
        assert_eq!(
            ask(&mut board, Source::KisRest, 1_000, 4_100),
            Taken::Confirmed
        );
        assert_eq!(
            ask(&mut board, Source::KisRest, 1_000, 4_101),
            Taken::Confirmed
        );
        assert_eq!(ask(&mut board, Source::Naver, 1_010, 14_101), behind);
        assert_eq!(ask(&mut board, Source::Naver, 1_010, 14_102), Taken::Tick);
        let late = Quote {
            symbol: symbol(),
            source: Source::KisRest,
            last: Price::from_won(1_000).unwrap(),
            received: at(14_000),
        };
        assert_eq!(board.take(&late, at(14_200)), Taken::Late);
    }

    #[test]
    fn a_price_that_the_best_one_falls_to_is_a_tick_once() {
        let mut board = Board::default();
        trade(&mut board, 1_000, 0);
        let behind = Taken::Behind(Discrepancy::Medium);
        assert_eq!(ask(&mut board, Source::KisRest, 991, 500), behind);
        assert_eq!(board.settle(symbol(), at(2_000)), None);
        let fallen = board.settle(symbol(), at(2_001)).unwrap();
        assert_eq!((fallen.source, fallen.received), (Source::KisRest, at(500)));
        assert_eq!(board.settle(symbol(), at(2_002)), None);
    }

    #[test]
    fn a_price_too_old_to_be_judged_is_no_tick() {
        let mut board = Board::default();
        assert_eq!(ask(&mut board, Source::KisRest, 1_000, 0), Taken::Tick);
        let behind = Taken::Behind(Discrepancy::Medium);
        assert_eq!(ask(&mut board, Source::Naver, 991, 0), behind);
        assert_eq!(board.settle(symbol(), at(10_001)), None);
    }
}
