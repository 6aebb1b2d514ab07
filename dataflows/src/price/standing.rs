//! The rules of the best price, for one symbol.
//!
//! 1. The best source counts while it is fresh, then the next one (domain 2.2, rule 1). With none fresh
//!    the last price stays and is stale.
//! 2. What was received before the price that stands is dropped: a late answer replaces no newer price.
//!    So what stands of worse sources is never older than what stands of better ones.
//! 3. Limits grow with the rank, so by rule 2 a better source never outlives a worse one: the best price
//!    changes by time only when its own quote grows old, and the last to grow old is the newest one.
//! 4. A price of Naver that is far from a fresh one of the broker at the same moment is shown and never
//!    becomes the best (domain 2.2, rule 7).

use serde::{Deserialize, Serialize};

use super::{Discrepancy, Quote, Session, Source};
use crate::model::{LogicalTime, Price};

/// How far apart in receipt two prices may be to be compared, microseconds. Over a longer time the
/// market itself moves; above all, Naver takes over from a broker that has been away for longer than
/// this, and what happened meanwhile must not be taken for an error of Naver.
const MOMENT_US: u64 = 1_000_000;

/// Why no price is fresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Stale {
    /// Only one source has spoken since the last better one, and it has grown old.
    Timeout(Source),
    /// Several sources had a price; all have grown old.
    AllSources,
}

impl Stale {
    /// Returns the name in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Timeout(Source::KisWs) => "WS_TIMEOUT",
            Self::Timeout(Source::KisRest) => "REST_TIMEOUT",
            Self::Timeout(Source::Naver) => "NAVER_TIMEOUT",
            Self::AllSources => "ALL_SOURCES_STALE",
        }
    }
}

/// The best price of a symbol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Best {
    /// When it was received.
    pub received: LogicalTime,
    /// Last price.
    pub last: Price,
    /// Who said so.
    pub source: Source,
    /// The session in which it was received.
    pub session: Session,
    /// Why it is stale; none while it is fresh.
    pub stale: Option<Stale>,
}

impl Best {
    /// Returns until when it is fresh, inclusive.
    pub const fn fresh_until(&self) -> LogicalTime {
        let limit_us = self.source.fresh_us(self.session);
        self.received.plus_micros(limit_us)
    }

    /// Returns when it changes by itself; none where it is stale already.
    pub fn deadline(&self) -> Option<LogicalTime> {
        let is_fresh = self.stale.is_none();
        is_fresh.then(|| self.fresh_until().plus_micros(1))
    }
}

/// A worse source that says otherwise at the same moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Apart {
    /// How far it is from the best price.
    pub level: Discrepancy,
    /// Who says otherwise.
    pub source: Source,
    /// What it says.
    pub last: Price,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    last: Price,
    received: LogicalTime,
    session: Session,
    /// Too far from the broker's price to count.
    is_distrusted: bool,
}

/// What the sources say of one symbol.
#[derive(Clone, Debug, Default)]
pub struct Standing {
    /// By rank of the source; times of receipt do not fall.
    entries: [Option<Entry>; 3],
}

impl Standing {
    /// Takes in a trade of the stream, received at `time`. It is never late: every trade is judged.
    pub fn tick(&mut self, time: LogicalTime, last: Price, session: Session) {
        let entry = Entry {
            last,
            received: time,
            session,
            is_distrusted: false,
        };
        self.put(Source::KisWs, entry);
    }

    /// Takes in a price that was asked for, at `now` in `session`. Returns whether it counts; one that
    /// is late or too old leaves everything as it was.
    pub fn take(&mut self, quote: &Quote, now: LogicalTime, session: Session) -> bool {
        let Quote {
            source,
            last,
            received,
            ..
        } = *quote;
        let best = self.best(now);
        let is_newer = |standing: LogicalTime| standing > received;
        let is_late = best.is_some_and(|best| is_newer(best.received))
            || self.entries[..=source.rank()]
                .iter()
                .flatten()
                .any(|entry| is_newer(entry.received));
        if is_late || now.micros_since(received) > source.fresh_us(session) {
            return false;
        }
        let is_distrusted = source == Source::Naver
            && best.is_some_and(|best| {
                best.source < source
                    && best.stale.is_none()
                    && received.micros_since(best.received) <= MOMENT_US
                    && Discrepancy::between(best.last, last) == Discrepancy::High
            });
        let entry = Entry {
            last,
            received,
            session,
            is_distrusted,
        };
        self.put(source, entry);
        true
    }

    /// Puts an entry in place; older ones of worse sources go.
    fn put(&mut self, source: Source, entry: Entry) {
        let rank = source.rank();
        self.entries[rank] = Some(entry);
        for worse in &mut self.entries[rank + 1..] {
            if worse.is_some_and(|worse| worse.received <= entry.received) {
                *worse = None;
            }
        }
    }

    fn spoken(&self) -> impl DoubleEndedIterator<Item = (Source, Entry)> {
        let sources = Source::ALL.into_iter().zip(self.entries);
        sources.filter_map(|(source, entry)| Some((source, entry?)))
    }

    /// Returns the best price at `now`; none where nobody has said one.
    pub fn best(&self, now: LogicalTime) -> Option<Best> {
        let trusted = || self.spoken().filter(|(_, entry)| !entry.is_distrusted);
        let best = |(source, entry): (Source, Entry), stale| Best {
            received: entry.received,
            last: entry.last,
            source,
            session: entry.session,
            stale,
        };
        let fresh = trusted().find(|(source, entry)| entry.is_fresh(*source, now));
        if let Some(fresh) = fresh {
            return Some(best(fresh, None));
        }
        let last = trusted().next_back()?;
        let stale = match trusted().count() {
            1 => Stale::Timeout(last.0),
            _ => Stale::AllSources,
        };
        Some(best(last, Some(stale)))
    }

    /// Returns the worse source that is farthest from `best`, where that is fresh, at the same moment; of
    /// two as far, the worse one.
    pub fn apart(&self, best: &Best) -> Option<Apart> {
        if best.stale.is_some() {
            return None;
        }
        let others = self.spoken().filter(|(source, entry)| {
            *source > best.source && entry.received.micros_since(best.received) <= MOMENT_US
        });
        let levels = others.map(|(source, entry)| Apart {
            level: Discrepancy::between(best.last, entry.last),
            source,
            last: entry.last,
        });
        let levels = levels.filter(|apart| apart.level > Discrepancy::None);
        levels.max_by_key(|apart| (apart.level, apart.source))
    }
}

impl Entry {
    fn is_fresh(&self, source: Source, now: LogicalTime) -> bool {
        now.micros_since(self.received) <= source.fresh_us(self.session)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> LogicalTime {
        LogicalTime::from_micros(ms * 1_000)
    }

    fn won(won: i64) -> Price {
        Price::from_won(won).unwrap()
    }

    fn quote(source: Source, last: i64, ms: u64) -> Quote {
        Quote {
            symbol: "005930".parse().unwrap(),
            source,
            last: won(last),
            received: at(ms),
        }
    }

    /// Takes in a quote at the time of its receipt.
    fn ask(standing: &mut Standing, source: Source, last: i64, ms: u64) -> bool {
        standing.take(&quote(source, last, ms), at(ms), Session::Regular)
    }

    fn seen(standing: &Standing, ms: u64) -> (Source, i64, Option<&'static str>) {
        let best = standing.best(at(ms)).unwrap();
        let won = best.last.units() / 10_000;
        (best.source, won, best.stale.map(Stale::name))
    }

    fn deadline(standing: &Standing, ms: u64) -> Option<u64> {
        let best = standing.best(at(ms)).unwrap();
        best.deadline().map(LogicalTime::micros)
    }

    #[test]
    fn the_best_price_falls_by_the_clock_from_source_to_source() {
        let mut standing = Standing::default();
        standing.tick(at(0), won(10_000), Session::Regular);
        assert!(ask(&mut standing, Source::KisRest, 9_990, 1_000));
        assert!(ask(&mut standing, Source::Naver, 9_980, 1_500));
        assert_eq!(seen(&standing, 2_000), (Source::KisWs, 10_000, None));
        assert_eq!(deadline(&standing, 1_500), Some(2_000_001));
        assert_eq!(seen(&standing, 2_001), (Source::KisRest, 9_990, None));
        assert_eq!(seen(&standing, 11_001), (Source::Naver, 9_980, None));
        let stale = (Source::Naver, 9_980, Some("ALL_SOURCES_STALE"));
        assert_eq!(seen(&standing, 31_501), stale);
        assert_eq!(deadline(&standing, 31_501), None);
    }

    #[test]
    fn a_stream_that_falls_silent_alone_is_a_timeout_of_the_stream() {
        let mut standing = Standing::default();
        standing.tick(at(0), won(10_000), Session::Regular);
        let stale = (Source::KisWs, 10_000, Some("WS_TIMEOUT"));
        assert_eq!(seen(&standing, 2_001), stale);
        standing.tick(at(3_000), won(10_000), Session::Off);
        assert_eq!(seen(&standing, 13_000), (Source::KisWs, 10_000, None));
        assert_eq!(seen(&standing, 13_001), stale);
    }

    #[test]
    fn a_late_answer_replaces_no_newer_price() {
        let mut standing = Standing::default();
        standing.tick(at(1_000), won(10_000), Session::Regular);
        let late = quote(Source::KisRest, 9_000, 999);
        assert!(!standing.take(&late, at(1_100), Session::Regular));
        // Nor does it come back once the stream is stale.
        assert_eq!(seen(&standing, 3_001).0, Source::KisWs);
        // What the broker said before its stream spoke again is gone.
        assert!(ask(&mut standing, Source::KisRest, 9_990, 3_500));
        standing.tick(at(4_000), won(10_010), Session::Regular);
        assert_eq!(
            seen(&standing, 6_001),
            (Source::KisWs, 10_010, Some("WS_TIMEOUT"))
        );
        // An answer that was under way too long is not fresh any more.
        let old = quote(Source::KisRest, 10_020, 7_000);
        assert!(!standing.take(&old, at(17_001), Session::Regular));
    }

    #[test]
    fn naver_far_from_the_broker_is_shown_and_never_the_best() {
        let mut standing = Standing::default();
        standing.tick(at(0), won(10_000), Session::Regular);
        assert!(ask(&mut standing, Source::Naver, 9_899, 1_000));
        let apart = |ms| standing.apart(&standing.best(at(ms)).unwrap());
        let then = apart(1_000).unwrap();
        assert_eq!(
            (then.level, then.source),
            (Discrepancy::High, Source::Naver)
        );
        let stale = (Source::KisWs, 10_000, Some("WS_TIMEOUT"));
        assert_eq!(seen(&standing, 2_001), stale);
        assert_eq!(apart(2_001), None);
        // Another time it may count again: prices of different moments prove nothing.
        assert!(ask(&mut standing, Source::Naver, 9_899, 2_100));
        assert_eq!(seen(&standing, 2_100), (Source::Naver, 9_899, None));
    }
}
