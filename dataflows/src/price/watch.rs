//! The watch: the best price of each symbol in logical time.
//!
//! Keeps per symbol what its sources say, the row that was told, and one timer. A tick of the stream on
//! a fresh stream changes nothing that has to be told at once: it costs a look-up and a store. Timers
//! are not moved by ticks; one that goes off too early is set anew, so each costs at most once in the
//! time for which a price is fresh.

use std::collections::BTreeSet;

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::{Apart, Best, Quote, Session, Source, Standing, Taken};
use crate::Time;
use crate::model::{LogicalTime, Price, Symbol, Tick};
use crate::ordered::{Machine, Routed, Signal};

/// The best price of a symbol, as it is shown. Of two rows of one symbol, that of the later receipt is
/// the newer one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct BestPrice {
    /// The symbol.
    pub symbol: Symbol,
    /// Its price, source and age.
    pub best: Best,
    /// A worse source that says otherwise.
    pub apart: Option<Apart>,
}

/// There are no facts about prices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(super) enum NoFact {}

impl Routed for NoFact {
    fn route(&self) -> u64 {
        match *self {}
    }
}

struct Watched {
    symbol: Symbol,
    standing: Standing,
    told: Option<BestPrice>,
    /// When the timer goes off.
    timer: Option<LogicalTime>,
    /// Whether it may have changed since it was told.
    is_dirty: bool,
}

/// All symbols of this worker.
#[derive(Default)]
pub(super) struct Watch {
    session: Session,
    places: FxHashMap<Symbol, usize>,
    watched: Vec<Watched>,
    timers: BTreeSet<(LogicalTime, usize)>,
    dirty: Vec<usize>,
}

/// A row that comes, or goes.
type Told = (BestPrice, isize);

impl Watch {
    fn place(&mut self, symbol: Symbol) -> usize {
        let next = self.watched.len();
        let place = *self.places.entry(symbol).or_insert(next);
        if place == next {
            self.watched.push(Watched {
                symbol,
                standing: Standing::default(),
                told: None,
                timer: None,
                is_dirty: false,
            });
        }
        place
    }

    fn trade(&mut self, symbol: Symbol, time: LogicalTime, last: Price, said: &mut Vec<Told>) {
        let place = self.place(symbol);
        let watched = &mut self.watched[place];
        watched.standing.tick(time, last, self.session);
        let is_known = watched.told.is_some_and(|told| {
            told.apart.is_none()
                && told.best.stale.is_none()
                && told.best.source == Source::KisWs
                && told.best.session == self.session
        });
        if !is_known || watched.timer.is_none() {
            self.tell(place, time, said);
        } else if !std::mem::replace(&mut watched.is_dirty, true) {
            self.dirty.push(place);
        }
    }

    /// Tells the row of a symbol where it has changed, and sets its timer.
    fn tell(&mut self, place: usize, now: LogicalTime, said: &mut Vec<Told>) {
        let watched = &mut self.watched[place];
        let row = watched.standing.best(now).map(|best| BestPrice {
            symbol: watched.symbol,
            best,
            apart: watched.standing.apart(&best),
        });
        if row != watched.told {
            said.extend(watched.told.map(|told| (told, -1)));
            said.extend(row.map(|row| (row, 1)));
            watched.told = row;
        }
        let due = row.and_then(|row| row.best.deadline());
        // One that is set earlier goes off and is set anew; it is only moved to come earlier.
        if let Some(due) = due
            && watched.timer.is_none_or(|timer| due < timer)
        {
            let old = watched.timer.replace(due);
            old.map(|old| self.timers.remove(&(old, place)));
            self.timers.insert((due, place));
        }
    }
}

impl Machine<NoFact, Told> for Watch {
    fn tick(&mut self, tick: &Tick, said: &mut Vec<Told>) {
        self.trade(tick.symbol, tick.time, tick.last, said);
    }

    fn quote(&mut self, time: Time, quote: &Quote, _taken: Taken, said: &mut Vec<Told>) {
        let now = LogicalTime::from_micros(time);
        let place = self.place(quote.symbol);
        if self.watched[place].standing.take(quote, now, self.session) {
            self.tell(place, now, said);
        }
    }

    fn signal(&mut self, time: Time, signal: Signal, said: &mut Vec<Told>) {
        match signal {
            Signal::Clock { .. } => {
                for place in std::mem::take(&mut self.dirty) {
                    self.watched[place].is_dirty = false;
                    self.tell(place, LogicalTime::from_micros(time), said);
                }
            }
            Signal::Session { session, .. } => self.session = session,
            Signal::Levels { .. } => {}
        }
    }

    /// Timers that are due: there are no facts.
    fn facts(&mut self, time: Time, _facts: Vec<(NoFact, isize)>, said: &mut Vec<Told>) {
        let now = LogicalTime::from_micros(time);
        while let Some((due, place)) = self.timers.first().copied() {
            if due > now {
                return;
            }
            self.timers.pop_first();
            self.watched[place].timer = None;
            self.tell(place, now, said);
        }
    }

    fn deadline(&self) -> Option<Time> {
        self.timers.first().map(|(due, _place)| due.micros())
    }
}
