//! The best prices against a naive evaluation from scratch, over random histories.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use proptest::prelude::*;
use turnstile_dataflows::engine::{self, EngineConfig, Event, Feed, Output, Timed};
use turnstile_dataflows::model::{LogicalTime, Price, Symbol, Tick};
use turnstile_dataflows::price::{
    Apart, Best, BestPrice, Discrepancy, Quote, Session, Source, Stale, Taken,
};

const BEGIN: u64 = 1_795_482_000_000_000;
const SYMBOLS: [&str; 3] = ["005930", "000660", "035720"];

/// One thing that happens, at a time of its own.
#[derive(Clone, Copy, Debug)]
enum News {
    Trade { symbol: Symbol, last: Price },
    Quote(Quote),
    Session(Session),
    Clock,
}

type History = Vec<(LogicalTime, News)>;

fn news() -> impl Strategy<Value = (u64, u8, usize, i64, u64)> {
    // Steps of up to 4 s, so that limits are met from both sides; prices around levels of discrepancy.
    let step = prop_oneof![
        1_u64..50_000,
        1_u64..4_000_000,
        Just(1_000_000),
        Just(2_000_000)
    ];
    let late = prop_oneof![3 => Just(0_u64), 1 => 1_u64..3_000_000, 1 => 1_u64..40_000_000];
    (step, 0_u8..10, 0_usize..3, 0_i64..6, late)
}

fn history() -> impl Strategy<Value = History> {
    proptest::collection::vec(news(), 1..80).prop_map(|drawn| {
        let mut now = BEGIN;
        let mut history = Vec::new();
        for (step, kind, symbol, price, late) in drawn {
            now += step;
            let symbol = SYMBOLS[symbol].parse().unwrap();
            let won =
                [9_880, 9_940, 9_985, 10_000, 10_001, 10_070][usize::try_from(price).unwrap()];
            let last = Price::from_won(won).unwrap();
            let quote = |source| {
                News::Quote(Quote {
                    symbol,
                    source,
                    last,
                    received: LogicalTime::from_micros(now - late),
                })
            };
            let news = match kind {
                0..=2 => News::Trade { symbol, last },
                3..=4 => quote(Source::KisRest),
                5..=6 => quote(Source::Naver),
                7 => News::Session(if price < 3 {
                    Session::Regular
                } else {
                    Session::Off
                }),
                _ => News::Clock,
            };
            history.push((LogicalTime::from_micros(now), news));
        }
        history
    })
}

/// A price that counted when it came.
#[derive(Clone, Copy)]
struct Said {
    quote: Quote,
    session: Session,
    is_distrusted: bool,
}

/// The rules over all that was said, from scratch.
struct Naive<'h>(&'h [(LogicalTime, News)]);

fn limit_us(source: Source, session: Session) -> u64 {
    let seconds = match (source, session) {
        (Source::KisWs, Session::Regular) => 2,
        (Source::KisWs, Session::Off) => 10,
        (Source::KisRest, Session::Regular) => 10,
        (Source::KisRest, Session::Off) => 30,
        (Source::Naver, Session::Regular) => 30,
        (Source::Naver, Session::Off) => 60,
    };
    seconds * 1_000_000
}

fn is_fresh(said: &Said, now: LogicalTime) -> bool {
    now.micros() <= said.quote.received.micros() + limit_us(said.quote.source, said.session)
}

/// What stands of each source: the last that it said, unless something at least as new of a better
/// source came after it.
fn standing(said: &[Said]) -> Vec<Said> {
    let mut standing = Vec::new();
    for source in [Source::KisWs, Source::KisRest, Source::Naver] {
        let Some(place) = said.iter().rposition(|said| said.quote.source == source) else {
            continue;
        };
        let is_superseded = said[place + 1..].iter().any(|later| {
            later.quote.source < source && later.quote.received >= said[place].quote.received
        });
        if !is_superseded {
            standing.push(said[place]);
        }
    }
    standing
}

fn best(said: &[Said], now: LogicalTime) -> Option<Best> {
    let trusted: Vec<Said> = standing(said)
        .into_iter()
        .filter(|said| !said.is_distrusted)
        .collect();
    let fresh = trusted.iter().find(|said| is_fresh(said, now));
    let newest = trusted
        .iter()
        .max_by_key(|said| (said.quote.received, said.quote.source));
    let chosen = fresh.or(newest)?;
    let stale = match (fresh, trusted.len()) {
        (Some(_), _) => None,
        (None, 1) => Some(Stale::Timeout(chosen.quote.source)),
        (None, _) => Some(Stale::AllSources),
    };
    Some(Best {
        received: chosen.quote.received,
        last: chosen.quote.last,
        source: chosen.quote.source,
        session: chosen.session,
        stale,
    })
}

fn level(best: Price, other: Price) -> Discrepancy {
    let percent = (best.units() - other.units()).abs() * 1_000;
    match percent {
        apart if apart > best.units() * 10 => Discrepancy::High,
        apart if apart >= best.units() * 5 => Discrepancy::Medium,
        apart if apart >= best.units() => Discrepancy::Low,
        _ => Discrepancy::None,
    }
}

fn are_of_one_moment(best: LogicalTime, other: LogicalTime) -> bool {
    other.micros() <= best.micros() + 1_000_000
}

impl Naive<'_> {
    /// Returns everything that counted up to `now`.
    fn said(&self, symbol: Symbol, now: LogicalTime) -> Vec<Said> {
        let mut session = Session::Regular;
        let mut said: Vec<Said> = Vec::new();
        for (time, news) in self.0.iter().filter(|(time, _)| *time <= now) {
            match *news {
                News::Session(begun) => session = begun,
                News::Trade { symbol: of, last } if of == symbol => said.push(Said {
                    quote: Quote {
                        symbol,
                        source: Source::KisWs,
                        last,
                        received: *time,
                    },
                    session,
                    is_distrusted: false,
                }),
                News::Quote(quote) if quote.symbol == symbol => {
                    let stands = best(&said, *time);
                    let is_late = stands.is_some_and(|best| best.received > quote.received)
                        || standing(&said).iter().any(|other| {
                            other.quote.source <= quote.source
                                && other.quote.received > quote.received
                        });
                    let asked = Said {
                        quote,
                        session,
                        is_distrusted: false,
                    };
                    if is_late || !is_fresh(&asked, *time) {
                        continue;
                    }
                    let is_distrusted = quote.source == Source::Naver
                        && stands.is_some_and(|best| {
                            best.source != Source::Naver
                                && best.stale.is_none()
                                && are_of_one_moment(best.received, quote.received)
                                && level(best.last, quote.last) == Discrepancy::High
                        });
                    said.push(Said {
                        is_distrusted,
                        ..asked
                    });
                }
                News::Trade { .. } | News::Quote(_) | News::Clock => {}
            }
        }
        said
    }

    fn row(&self, symbol: Symbol, now: LogicalTime) -> Option<BestPrice> {
        let said = self.said(symbol, now);
        let best = best(&said, now)?;
        let mut apart: Option<Apart> = None;
        for other in standing(&said) {
            let Quote {
                source,
                last,
                received,
                ..
            } = other.quote;
            let level = level(best.last, last);
            let counts = best.stale.is_none()
                && source > best.source
                && are_of_one_moment(best.received, received)
                && level > Discrepancy::None;
            if counts && apart.is_none_or(|apart| apart.level <= level) {
                apart = Some(Apart {
                    level,
                    source,
                    last,
                });
            }
        }
        Some(BestPrice {
            symbol,
            best,
            apart,
        })
    }
}

struct ListFeed(std::vec::IntoIter<Timed>);

impl Feed for ListFeed {
    fn next(&mut self, limit: usize, events: &mut Vec<Timed>) -> bool {
        events.extend(self.0.by_ref().take(limit));
        self.0.len() > 0
    }
}

/// Runs the engine over a history and returns every row it told, in order.
fn told(history: &History, workers: usize, batch: usize) -> Vec<(LogicalTime, BestPrice)> {
    let events = history.iter().map(|(time, news)| Timed {
        time: *time,
        event: match *news {
            News::Trade { symbol, last } => Event::Tick(Tick {
                time: *time,
                symbol,
                last,
                bid: None,
                volume: 0,
            }),
            // What it came to at the door does not concern the view.
            News::Quote(quote) => Event::Quote(quote, Taken::Confirmed),
            News::Session(session) => Event::Session(session),
            News::Clock => Event::Clock,
        },
    });
    let events: Vec<Timed> = events.collect();
    let told = Arc::new(Mutex::new(Vec::new()));
    let sink = told.clone();
    let config = EngineConfig {
        workers,
        batch,
        ..EngineConfig::default()
    };
    engine::run(&config, ListFeed(events.into_iter()), move |batch| {
        let rows = batch
            .outputs
            .into_iter()
            .filter_map(|(time, output)| match output {
                Output::Price(row) => Some((time, row)),
                _ => None,
            });
        sink.lock().unwrap().extend(rows);
    })
    .unwrap();
    std::mem::take(&mut *told.lock().unwrap())
}

fn check(history: &History, told: &[(LogicalTime, BestPrice)]) {
    let naive = Naive(history);
    let end = history.last().unwrap().0;
    // Every event, and every moment at which something may grow old by itself.
    let mut probes: Vec<LogicalTime> = history.iter().map(|(time, _)| *time).collect();
    for (time, news) in history {
        let (source, received) = match news {
            News::Trade { .. } => (Source::KisWs, *time),
            News::Quote(quote) => (quote.source, quote.received),
            News::Session(_) | News::Clock => continue,
        };
        for session in [Session::Regular, Session::Off] {
            let limit = limit_us(source, session);
            probes.extend([limit, limit + 1].map(|after| received.plus_micros(after)));
        }
    }
    probes.retain(|probe| *probe <= end);
    probes.sort_unstable();
    let (mut rows, mut next) = (BTreeMap::new(), told.iter().peekable());
    for probe in probes {
        while let Some((_time, row)) = next.next_if(|(time, _)| *time <= probe) {
            rows.insert(row.symbol, *row);
        }
        let is_clock = history
            .iter()
            .any(|(time, news)| *time == probe && matches!(news, News::Clock));
        for symbol in SYMBOLS.map(|symbol| symbol.parse().unwrap()) {
            let (row, expected) = (rows.get(&symbol).copied(), naive.row(symbol, probe));
            let verdict =
                |row: BestPrice| (row.best.source, row.best.session, row.best.stale, row.apart);
            assert_eq!(
                row.map(verdict),
                expected.map(verdict),
                "{symbol} at {probe}"
            );
            if is_clock || expected.is_some_and(|row| row.best.source != Source::KisWs) {
                assert_eq!(row, expected, "{symbol} at {probe}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn the_view_is_what_a_naive_evaluation_finds(history in history()) {
        let one = told(&history, 1, 1_000);
        check(&history, &one);
        for (workers, batch) in [(1, 1), (2, 7), (4, 1), (4, 1_000)] {
            prop_assert_eq!(&told(&history, workers, batch), &one, "{} workers, {}", workers, batch);
        }
    }
}

#[test]
fn nothing_is_told_of_a_quiet_stream_but_its_end() {
    let symbol: Symbol = SYMBOLS[0].parse().unwrap();
    let at = |ms: u64| LogicalTime::from_micros(BEGIN + ms * 1_000);
    let trade = |won| News::Trade {
        symbol,
        last: Price::from_won(won).unwrap(),
    };
    let mut history: History = (0..100)
        .map(|step| (at(step * 10), trade(10_000)))
        .collect();
    history.push((at(1_000), News::Clock));
    history.push((at(5_000), News::Clock));
    let told: Vec<_> = told(&history, 1, 1_000)
        .into_iter()
        .map(|(time, row)| (time, row.best.received, row.best.stale))
        .collect();
    let stale_from = LogicalTime::from_micros(at(2_990).micros() + 1);
    let expected = [
        (at(0), at(0), None),
        (at(1_000), at(990), None),
        (stale_from, at(990), Some(Stale::Timeout(Source::KisWs))),
    ];
    assert_eq!(told, expected);
}
