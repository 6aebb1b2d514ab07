//! The book of one symbol: its candidates, its tape, and which of them a price can change.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{ExitEventId, LogicalTime, Price, Symbol, Tick};

use super::candidate::{Candidate, Moment};
use super::plan::CandidatePlan;
use super::scene::{Outlook, Room, Scene};
use super::tape::Tape;
use super::verdict::ReentryVerdict;

/// A candidate, under its symbol.
pub(super) type Key = (Symbol, ExitEventId);

/// When candidates move on by themselves.
#[derive(Default)]
pub(super) struct Deadlines {
    all: BTreeSet<(LogicalTime, Symbol, ExitEventId)>,
    /// The first of them, which is asked for at each tick.
    first: Option<LogicalTime>,
}

impl Deadlines {
    fn insert(&mut self, time: LogicalTime, symbol: Symbol, id: ExitEventId) {
        self.all.insert((time, symbol, id));
        self.note_first();
    }

    fn remove(&mut self, time: LogicalTime, symbol: Symbol, id: ExitEventId) {
        self.all.remove(&(time, symbol, id));
        self.note_first();
    }

    pub(super) fn pop(&mut self, now: LogicalTime) -> Option<Key> {
        self.first.filter(|first| *first <= now)?;
        let (_time, symbol, id) = self.all.pop_first()?;
        self.note_first();
        Some((symbol, id))
    }

    pub(super) fn first(&self) -> Option<LogicalTime> {
        self.first
    }

    fn note_first(&mut self) {
        self.first = self.all.first().map(|(time, _, _)| *time);
    }
}

/// What is kept of all symbols together.
#[derive(Default)]
pub(super) struct Across {
    pub(super) deadlines: Deadlines,
    /// What orders take that have no row yet.
    reserved: Room,
}

/// One symbol: what each tick asks for, and the candidates behind it.
#[derive(Default)]
pub(super) struct Book {
    tape: Tape,
    /// Prices that touch no candidate.
    quiet: Quiet,
    /// What they were all judged under.
    pub(super) judged: Option<Outlook>,
    held: Box<Held>,
}

/// From `low` on, and below `high`, in units: prices that touch no candidate.
#[derive(Clone, Copy, Default)]
struct Quiet {
    low: i64,
    high: i64,
}

impl Quiet {
    fn holds(self, price: Price) -> bool {
        (self.low..self.high).contains(&price.units())
    }
}

/// The candidates of one symbol.
#[derive(Default)]
struct Held {
    candidates: BTreeMap<ExitEventId, (Candidate, Place)>,
    /// Those whose level the price may reach, by level.
    below: BTreeSet<(Price, ExitEventId)>,
    /// Those whose level the last tick reached.
    above: BTreeSet<ExitEventId>,
    /// Those of them that only facts let buy: no tick changes anything for them that does not fall
    /// below their level.
    waiting: BTreeSet<(Price, ExitEventId)>,
    /// Those that are buying.
    ready: BTreeSet<ExitEventId>,
}

/// Where a candidate stands in the indexes.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Place {
    deadline: Option<LogicalTime>,
    spot: Spot,
    is_ready: bool,
    reserved: Room,
}

/// The index of prices that has a candidate.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Spot {
    /// No price changes anything for it.
    #[default]
    Nowhere,
    Below(Price),
    Above,
    Waiting(Price),
}

impl Place {
    /// Returns where `candidate` stands, whom the next tick touches anyway unless it `is_settled`.
    fn of(candidate: &Candidate, now: LogicalTime, is_settled: bool) -> Self {
        let spot = match candidate.reach() {
            Some(level) if is_settled && candidate.is_waiting() => Spot::Waiting(level),
            Some(_) if candidate.is_above() => Spot::Above,
            Some(level) => Spot::Below(level),
            None => Spot::Nowhere,
        };
        Self {
            // One that has come and moved nothing waits for the event that lets it.
            deadline: candidate.deadline().filter(|deadline| *deadline > now),
            spot,
            is_ready: candidate.is_ready(),
            reserved: candidate.reserved(),
        }
    }
}

/// Why a candidate is looked at.
#[derive(Clone, Copy)]
pub(super) enum Cause<'t> {
    Tick(&'t Tick),
    /// Something changed that decides about it.
    Facts,
    /// A time has come.
    Time,
}

impl Book {
    /// Takes a tick in and returns the candidates that it touches, in order: all of them under another
    /// outlook than the last.
    pub(super) fn touched(&mut self, tick: &Tick, outlook: Outlook) -> Vec<ExitEventId> {
        let price = tick.evaluation_price();
        self.tape.add(tick, price);
        if self.judged != Some(outlook) {
            self.judged = Some(outlook);
            return self.ids().cloned().collect();
        }
        if self.quiet.holds(price) {
            return Vec::new();
        }
        self.held.touched(price)
    }

    /// Returns all candidates, in order.
    pub(super) fn ids(&self) -> impl Iterator<Item = &ExitEventId> {
        self.held.candidates.keys()
    }

    /// Returns whether there is no candidate.
    pub(super) fn is_empty(&self) -> bool {
        self.held.candidates.is_empty()
    }

    /// Returns the score of the symbol: rising minutes of the last ten.
    pub(super) fn rising(&self) -> Option<u32> {
        self.tape.rising()
    }

    /// Puts `plan` in force, or forgets the candidate where there is none any more.
    pub(super) fn replan(
        &mut self,
        across: &mut Across,
        symbol: Symbol,
        id: ExitEventId,
        plan: Option<CandidatePlan>,
    ) {
        let held = &mut *self.held;
        match (held.candidates.get_mut(&id), plan) {
            (Some((candidate, place)), Some(plan)) => {
                candidate.replan(plan);
                // The row of an order takes the place of what was reserved for it, at once.
                let reserved = candidate.reserved();
                across.reserved.change(place.reserved, reserved);
                place.reserved = reserved;
            }
            (None, Some(plan)) => {
                let candidate = (Candidate::new(plan), Place::default());
                held.candidates.insert(id, candidate);
            }
            (_, None) => {
                if let Some((_candidate, place)) = held.candidates.remove(&id) {
                    held.put(across, (symbol, &id), place, Place::default());
                }
            }
        }
        self.quiet = held.quiet();
    }

    /// Looks at one candidate and puts it in its place.
    pub(super) fn look(
        &mut self,
        scene: &Scene,
        across: &mut Across,
        id: &ExitEventId,
        (now, outlook, cause): (LogicalTime, Outlook, Cause<'_>),
        said: &mut Vec<ReentryVerdict>,
    ) {
        // What it waits for under this outlook may be over under that of the others, unseen: the next
        // tick that finds theirs looks only at whom it touches.
        let is_settled = self.judged == Some(outlook);
        let held = &mut *self.held;
        let is_bought = held.ready.iter().any(|other| other != id);
        let Some((candidate, place)) = held.candidates.get_mut(id) else {
            return;
        };
        let moment = Moment {
            now,
            scene,
            in_force: outlook.in_force,
            tape: &self.tape,
            is_bought,
            reserved: across.reserved,
        };
        said.extend(match cause {
            Cause::Tick(tick) => candidate.tick(moment, tick),
            Cause::Facts => candidate.judge(moment),
            Cause::Time => candidate.advance(moment),
        });
        let (symbol, next) = (candidate.symbol(), Place::of(candidate, now, is_settled));
        if next != *place {
            let old = std::mem::replace(place, next);
            held.put(across, (symbol, id), old, next);
            self.quiet = held.quiet();
        }
    }
}

impl Held {
    /// Returns the prices that touch no candidate; none where each does.
    fn quiet(&self) -> Quiet {
        if !self.above.is_empty() {
            return Quiet::default();
        }
        let (waiting, below) = (self.waiting.last(), self.below.first());
        Quiet {
            low: waiting.map_or(0, |(level, _id)| level.units()),
            high: below.map_or(i64::MAX, |(level, _id)| level.units()),
        }
    }

    /// Returns the candidates that a tick at `price` touches, in order.
    fn touched(&self, price: Price) -> Vec<ExitEventId> {
        let reached = self.below.iter().take_while(|(level, _id)| *level <= price);
        let mut touched: Vec<_> = reached.map(|(_level, id)| id.clone()).collect();
        touched.extend(self.above.iter().cloned());
        let left = self.waiting.iter().rev();
        let left = left.take_while(|(level, _id)| price < *level);
        touched.extend(left.map(|(_level, id)| id.clone()));
        touched.sort_unstable();
        touched
    }

    /// Moves a candidate from one place to another. Only what differs is touched.
    fn put(
        &mut self,
        across: &mut Across,
        (symbol, id): (Symbol, &ExitEventId),
        old: Place,
        new: Place,
    ) {
        across.reserved.change(old.reserved, new.reserved);
        if old.deadline != new.deadline {
            if let Some(deadline) = old.deadline {
                across.deadlines.remove(deadline, symbol, id.clone());
            }
            if let Some(deadline) = new.deadline {
                across.deadlines.insert(deadline, symbol, id.clone());
            }
        }
        if old.spot != new.spot {
            match old.spot {
                Spot::Nowhere => {}
                Spot::Below(level) => drop(self.below.remove(&(level, id.clone()))),
                Spot::Above => drop(self.above.remove(id)),
                Spot::Waiting(level) => drop(self.waiting.remove(&(level, id.clone()))),
            }
            match new.spot {
                Spot::Nowhere => {}
                Spot::Below(level) => drop(self.below.insert((level, id.clone()))),
                Spot::Above => drop(self.above.insert(id.clone())),
                Spot::Waiting(level) => drop(self.waiting.insert((level, id.clone()))),
            }
        }
        match (old.is_ready, new.is_ready) {
            (false, true) => drop(self.ready.insert(id.clone())),
            (true, false) => {
                self.ready.remove(id);
                self.wake();
            }
            (false, false) | (true, true) => {}
        }
    }

    /// Lets the next tick look at those that wait: what they wait for may be over.
    fn wake(&mut self) {
        for (_level, id) in std::mem::take(&mut self.waiting) {
            if let Some((_candidate, place)) = self.candidates.get_mut(&id) {
                place.spot = Spot::Above;
            }
            self.above.insert(id);
        }
    }
}
