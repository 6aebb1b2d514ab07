//! The crossing: prices and time meet candidates.
//!
//! Keeps per symbol its candidates, its tape, and which of them the price can change: those below
//! their level, by level, and those above it. Keeps their deadlines: the ends of cooldowns and
//! watches; and what orders take of the room that nobody has told of yet. Facts and deadlines of one
//! time are applied together, before a tick of that time. Cost per tick: one lookup, the running
//! minute and one comparison, and the candidates whose level the price has reached and that have
//! not bought; of a symbol without candidates only the lookup.
//!
//! It is one machine, on one worker, so that of two candidates that want the last room the second is
//! refused. Where both are judged at one time, the one whose symbol has the higher score (rising
//! minutes of the last ten) goes first, then the lower symbol, then the lower id.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use differential_dataflow::consolidation::consolidate;
use rustc_hash::FxHashMap;

use crate::model::{ExitEventId, LogicalTime, Price, Symbol, Tick};
use crate::ordered::{self, Beat, Branch, Machine, Routed, Signal};
use crate::{Rows, Time};

use super::candidate::{Candidate, Moment};
use super::plan::{CandidatePlan, Fact};
use super::scene::{InForce, Room, Scene, SceneFact};
use super::tape::Tape;
use super::verdict::ReentryVerdict;

impl Routed for Fact {
    fn route(&self) -> u64 {
        0 // Where the beats of this branch go.
    }
}

/// Renders the crossing of `beats` with candidates and scene.
pub(super) fn render<'s>(beats: Rows<'s, Beat>, facts: Rows<'s, Fact>) -> Rows<'s, ReentryVerdict> {
    ordered::render(
        beats,
        facts,
        Branch::Reentries,
        "re-entry: crossing, in one place",
        Watch::default(),
    )
}

type Key = (Symbol, ExitEventId);
/// Candidates that are looked at together, and whether something changed that decides about them.
type Due = BTreeMap<Key, bool>;
/// The regime, and the day in Seoul, that candidates are judged under.
type Judged = (InForce, u64);

/// When candidates move on by themselves.
#[derive(Default)]
struct Deadlines {
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

    fn pop(&mut self, now: LogicalTime) -> Option<Key> {
        self.first.filter(|first| *first <= now)?;
        let (_time, symbol, id) = self.all.pop_first()?;
        self.note_first();
        Some((symbol, id))
    }

    fn note_first(&mut self) {
        self.first = self.all.first().map(|(time, _, _)| *time);
    }
}

/// What is kept of all symbols together.
#[derive(Default)]
struct Across {
    deadlines: Deadlines,
    /// What orders take that have no row yet.
    reserved: Room,
}

/// All candidates.
#[derive(Default)]
struct Watch {
    scene: Scene,
    /// What ticks are judged under, and the first time at which that may be another.
    judged: Option<(Judged, LogicalTime)>,
    /// In no order: what is said is put in order by symbol.
    books: FxHashMap<Symbol, Book>,
    across: Across,
}

/// One symbol: what each tick asks for, and the candidates behind it.
#[derive(Default)]
struct Book {
    tape: Tape,
    /// The lowest price that touches a candidate, in units.
    wakes_at: i64,
    /// What they were all judged under.
    judged: Option<Judged>,
    held: Box<Held>,
}

/// The candidates of one symbol.
#[derive(Default)]
struct Held {
    candidates: BTreeMap<ExitEventId, (Candidate, Place)>,
    /// Those whose level the price may reach, by level.
    below: BTreeSet<(Price, ExitEventId)>,
    /// Those whose level the last tick reached.
    above: BTreeSet<ExitEventId>,
    /// Those that are buying.
    ready: BTreeSet<ExitEventId>,
}

/// Where a candidate stands in the indexes.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Place {
    deadline: Option<LogicalTime>,
    level: Option<Price>,
    is_above: bool,
    is_ready: bool,
    reserved: Room,
}

impl Place {
    fn of(candidate: &Candidate, now: LogicalTime) -> Self {
        let level = candidate.reach();
        Self {
            // One that has come and moved nothing waits for the event that lets it.
            deadline: candidate.deadline().filter(|deadline| *deadline > now),
            level,
            is_above: level.is_some() && candidate.is_above(),
            is_ready: candidate.is_ready(),
            reserved: candidate.reserved(),
        }
    }
}

/// Why a candidate is looked at.
#[derive(Clone, Copy)]
enum Cause<'t> {
    Tick(&'t Tick),
    /// Something changed that decides about it.
    Facts,
    /// A time has come.
    Time,
}

impl Machine<Fact, ReentryVerdict> for Watch {
    fn tick(&mut self, tick: &Tick, said: &mut Vec<ReentryVerdict>) {
        if self.books.is_empty() {
            return;
        }
        let judged = self.judged_at(tick.time);
        let Some(book) = self.books.get_mut(&tick.symbol) else {
            return;
        };
        let price = tick.evaluation_price();
        book.tape.add(tick, price);
        let ids = if book.judged == Some(judged) {
            if price.units() < book.wakes_at {
                return;
            }
            book.held.touched(price)
        } else {
            book.judged = Some(judged);
            book.held.candidates.keys().cloned().collect()
        };
        for id in ids {
            let at = (tick.time, judged.0, Cause::Tick(tick));
            book.look(&self.scene, &mut self.across, &id, at, said);
        }
    }

    fn signal(&mut self, _time: Time, _signal: Signal, _said: &mut Vec<ReentryVerdict>) {}

    fn facts(&mut self, time: Time, mut facts: Vec<(Fact, isize)>, said: &mut Vec<ReentryVerdict>) {
        let now = LogicalTime::from_micros(time);
        consolidate(&mut facts);
        let mut scene = Vec::new();
        let mut plans: BTreeMap<Key, Option<CandidatePlan>> = BTreeMap::new();
        for (fact, diff) in facts {
            match fact {
                Fact::Scene(fact) => scene.push((fact, diff)),
                Fact::Plan(plan) => {
                    let slot = plans.entry((plan.event.symbol, plan.event.id.clone()));
                    let slot = slot.or_default();
                    if diff > 0 {
                        *slot = Some(*plan);
                    }
                }
            }
        }
        let mut due = self.take_due(now);
        due.extend(plans.keys().map(|key| (key.clone(), true)));
        plans
            .into_iter()
            .for_each(|((symbol, id), plan)| self.replan(symbol, id, plan));
        if self.has_changed(now, scene) {
            let all = self.books.iter();
            let all = all.flat_map(|(symbol, book)| {
                let ids = book.held.candidates.keys();
                ids.map(|id| ((*symbol, id.clone()), true))
            });
            due = all.collect();
        }
        let in_force = self.scene.in_force(now);
        for ((symbol, id), is_changed) in self.ranked(due) {
            let cause = if is_changed {
                Cause::Facts
            } else {
                Cause::Time
            };
            if let Some(book) = self.books.get_mut(&symbol) {
                let at = (now, in_force, cause);
                book.look(&self.scene, &mut self.across, &id, at, said);
            }
        }
    }

    fn deadline(&self) -> Option<Time> {
        self.across.deadlines.first.map(LogicalTime::micros)
    }
}

impl Watch {
    /// Takes the candidates whose time has come.
    fn take_due(&mut self, now: LogicalTime) -> Due {
        let mut due = BTreeMap::new();
        while let Some(key) = self.across.deadlines.pop(now) {
            due.insert(key, false);
        }
        due
    }

    /// Returns what ticks are judged under at `now`.
    fn judged_at(&mut self, now: LogicalTime) -> Judged {
        match self.judged {
            Some((judged, until)) if now < until => judged,
            _ => {
                let (in_force, until) = self.scene.outlook(now);
                let judged = (in_force, now.seoul_day());
                self.judged = Some((judged, until.min(now.next_seoul_day())));
                judged
            }
        }
    }

    /// Returns candidates that are looked at together in the order in which room goes to them.
    fn ranked(&self, due: Due) -> Vec<(Key, bool)> {
        let mut score = None;
        let mut ranked: Vec<(Option<u32>, (Key, bool))> = Vec::with_capacity(due.len());
        for (key, is_changed) in due {
            let symbol = key.0;
            let known = score.filter(|(of, _rising)| *of == symbol);
            let (_, rising) = known.unwrap_or_else(|| {
                let book = self.books.get(&symbol);
                (symbol, book.and_then(|book| book.tape.rising()))
            });
            score = Some((symbol, rising));
            ranked.push((rising, (key, is_changed)));
        }
        // Stable: those of one score stay by symbol and id.
        ranked.sort_by_key(|(rising, _candidate)| Reverse(*rising));
        ranked
            .into_iter()
            .map(|(_rising, candidate)| candidate)
            .collect()
    }

    /// Takes in what concerns all. Returns whether they have to be judged for it.
    fn has_changed(&mut self, now: LogicalTime, facts: Vec<(SceneFact, isize)>) -> bool {
        if facts.is_empty() {
            return false;
        }
        self.judged = None;
        if !self.scene.apply(now, facts) {
            return false;
        }
        let judged = Some(self.judged_at(now));
        for book in self.books.values_mut() {
            book.judged = judged;
        }
        true
    }

    /// Puts `plan` in force, or forgets the candidate where there is none any more.
    fn replan(&mut self, symbol: Symbol, id: ExitEventId, plan: Option<CandidatePlan>) {
        let book = self.books.entry(symbol).or_default();
        match (book.held.candidates.get_mut(&id), plan) {
            (Some((candidate, place)), Some(plan)) => {
                candidate.replan(plan);
                // The row of an order takes the place of what was reserved for it, at once.
                let reserved = candidate.reserved();
                self.across.reserved.change(place.reserved, reserved);
                place.reserved = reserved;
            }
            (None, Some(plan)) => {
                let candidate = (Candidate::new(plan), Place::default());
                book.held.candidates.insert(id, candidate);
                book.wakes_at = book.held.wakes_at();
            }
            (_, None) => {
                if let Some((_candidate, place)) = book.held.candidates.remove(&id) {
                    book.held.take_out(&mut self.across, symbol, &id, place);
                    book.wakes_at = book.held.wakes_at();
                }
                if book.held.candidates.is_empty() {
                    self.books.remove(&symbol);
                }
            }
        }
    }
}

impl Book {
    /// Looks at one candidate and puts it in its place.
    fn look(
        &mut self,
        scene: &Scene,
        across: &mut Across,
        id: &ExitEventId,
        (now, in_force, cause): (LogicalTime, InForce, Cause<'_>),
        said: &mut Vec<ReentryVerdict>,
    ) {
        let held = &mut *self.held;
        let is_bought = held.ready.iter().any(|other| other != id);
        let Some((candidate, place)) = held.candidates.get_mut(id) else {
            return;
        };
        let moment = Moment {
            now,
            scene,
            in_force,
            tape: &self.tape,
            is_bought,
            reserved: across.reserved,
        };
        said.extend(match cause {
            Cause::Tick(tick) => candidate.tick(moment, tick),
            Cause::Facts => candidate.judge(moment),
            Cause::Time => candidate.advance(moment),
        });
        let (symbol, next) = (candidate.symbol(), Place::of(candidate, now));
        if next != *place {
            let old = std::mem::replace(place, next);
            held.take_out(across, symbol, id, old);
            held.put_in(across, symbol, id, next);
            self.wakes_at = held.wakes_at();
        }
    }
}

impl Held {
    /// Returns the lowest price that touches a candidate, in units.
    fn wakes_at(&self) -> i64 {
        if !self.above.is_empty() {
            return 0;
        }
        let lowest = self.below.first();
        lowest.map_or(i64::MAX, |(level, _id)| level.units())
    }

    /// Returns the candidates that a tick at `price` touches, in order.
    fn touched(&self, price: Price) -> Vec<ExitEventId> {
        let reached = self.below.iter().take_while(|(level, _id)| *level <= price);
        let mut touched: Vec<_> = reached.map(|(_level, id)| id.clone()).collect();
        touched.extend(self.above.iter().cloned());
        touched.sort_unstable();
        touched
    }

    fn take_out(&mut self, across: &mut Across, symbol: Symbol, id: &ExitEventId, at: Place) {
        across.reserved.change(at.reserved, Room::default());
        if let Some(deadline) = at.deadline {
            across.deadlines.remove(deadline, symbol, id.clone());
        }
        if let Some(level) = at.level {
            self.below.remove(&(level, id.clone()));
        }
        self.above.remove(id);
        self.ready.remove(id);
    }

    fn put_in(&mut self, across: &mut Across, symbol: Symbol, id: &ExitEventId, at: Place) {
        across.reserved.change(Room::default(), at.reserved);
        if let Some(deadline) = at.deadline {
            across.deadlines.insert(deadline, symbol, id.clone());
        }
        if at.is_above {
            self.above.insert(id.clone());
        } else if let Some(level) = at.level {
            self.below.insert((level, id.clone()));
        }
        if at.is_ready {
            self.ready.insert(id.clone());
        }
    }
}
