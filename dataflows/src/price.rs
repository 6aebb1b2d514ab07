//! The best price of a symbol, of several sources.
//!
//! A source of better rank counts while it is fresh (domain 2.2, rule 1). What a worse one says then
//! only confirms, or differs and is told. Freshness is by the time of receipt.

use crate::model::{LogicalTime, Price};

/// Where a price comes from, the best first (domain 2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// Trades streamed by the broker.
    KisWs,
    /// Prices asked of the broker.
    KisRest,
    /// Prices asked of Naver Finance.
    Naver,
}

impl Source {
    /// Returns the name in `market.prices`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::KisWs => "KIS_WS",
            Self::KisRest => "KIS_REST",
            Self::Naver => "NAVER",
        }
    }

    /// Returns how long a price of it is fresh in session, microseconds (domain 2.1).
    const fn fresh_us(self) -> u64 {
        match self {
            Self::KisWs => 2_000_000,
            Self::KisRest => 10_000_000,
            Self::Naver => 30_000_000,
        }
    }
}

/// How far a worse source is from the best price (domain 2.2, rule 7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Discrepancy {
    /// Below 0.1 %: none to speak of.
    None,
    /// From 0.1 %.
    Low,
    /// From 0.5 %.
    Medium,
    /// Above 1 %.
    High,
}

impl Discrepancy {
    /// Returns how far `other` is from `best`.
    pub fn between(best: Price, other: Price) -> Self {
        let (best, other) = (i128::from(best.units()), i128::from(other.units()));
        let (apart, whole) = ((best - other).abs() * 1_000, best);
        match () {
            () if apart > 10 * whole => Self::High,
            () if apart >= 5 * whole => Self::Medium,
            () if apart >= whole => Self::Low,
            () => Self::None,
        }
    }

    /// Returns the level as a label.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::Low => "LOW",
            Self::Medium => "MEDIUM",
            Self::High => "HIGH",
        }
    }
}

/// The best price of a symbol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Best {
    /// Last price.
    pub last: Price,
    /// Who said so.
    pub source: Source,
    /// When it was received.
    pub seen: LogicalTime,
}

/// What a price of a source comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It is the best price now, and another one than before: a tick.
    Tick,
    /// It confirms the best price.
    Confirmed,
    /// A better source is fresh and says otherwise.
    Behind(Discrepancy),
}

impl Best {
    /// Takes in a price that was asked for, `best` being what stands.
    pub fn take(best: &mut Option<Self>, quote: Self) -> Taken {
        let Some(stands) = best else {
            *best = Some(quote);
            return Taken::Tick;
        };
        let age_us = quote.seen.micros().saturating_sub(stands.seen.micros());
        let is_fresh = age_us <= stands.source.fresh_us();
        let is_same = stands.last == quote.last;
        if stands.source < quote.source && is_fresh && !is_same {
            return Taken::Behind(Discrepancy::between(stands.last, quote.last));
        }
        *stands = if is_same && is_fresh && stands.source < quote.source {
            // The better source keeps its place until it is stale.
            *stands
        } else {
            quote
        };
        if is_same {
            Taken::Confirmed
        } else {
            Taken::Tick
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(source: Source, won: i64, ms: u64) -> Best {
        Best {
            last: Price::from_won(won).unwrap(),
            source,
            seen: LogicalTime::from_micros(ms * 1_000),
        }
    }

    #[test]
    fn a_better_source_counts_while_it_is_fresh() {
        let mut best = None;
        assert_eq!(
            Best::take(&mut best, at(Source::KisWs, 100, 0)),
            Taken::Tick
        );
        let rest = |won, ms| at(Source::KisRest, won, ms);
        let behind = Taken::Behind(Discrepancy::Medium);
        assert_eq!(
            Best::take(&mut best, at(Source::KisRest, 99, 2_001)),
            Taken::Tick
        );
        assert_eq!(
            Best::take(&mut best, at(Source::KisWs, 100, 2_100)),
            Taken::Tick
        );
        assert_eq!(
            Best::take(&mut best, rest(101, 4_100)),
            Taken::Behind(Discrepancy::Medium)
        );
        assert_eq!(Best::take(&mut best, rest(100, 4_100)), Taken::Confirmed);
        assert_eq!(best.unwrap().source, Source::KisWs);
        assert_eq!(Best::take(&mut best, rest(100, 4_101)), Taken::Confirmed);
        assert_eq!(best.unwrap().source, Source::KisRest);
        assert_eq!(
            Best::take(&mut best, at(Source::Naver, 101, 14_101)),
            behind
        );
        assert_eq!(
            Best::take(&mut best, at(Source::Naver, 101, 14_102)),
            Taken::Tick
        );
    }

    #[test]
    fn levels_of_discrepancy_begin_where_the_domain_says() {
        let won = |won| Price::from_won(won).unwrap();
        let level = |other| Discrepancy::between(won(100_000), won(other));
        assert_eq!(level(100_099), Discrepancy::None);
        assert_eq!(level(99_900), Discrepancy::Low);
        assert_eq!(level(100_500), Discrepancy::Medium);
        assert_eq!(level(101_000), Discrepancy::Medium);
        assert_eq!(level(98_999), Discrepancy::High);
    }
}
