//! The crossing: prices and time meet candidates.
//!
//! Keeps per symbol its candidates, its tape, and which of them the price can change: those below
//! their level, by level, and those above it. Keeps their deadlines: the ends of cooldowns and
//! watches. Facts and deadlines of one time are applied together, before a tick of that time. Cost
//! per tick: the candidates whose level the price has reached and that have not bought, and one
//! lookup; of a symbol without candidates only the lookup.

use std::collections::{BTreeMap, BTreeSet};

use differential_dataflow::consolidation::consolidate;
use rustc_hash::FxHashMap;

use crate::model::{ExitEventId, LogicalTime, Price, Symbol, Tick};
use crate::ordered::{self, Beat, Branch, Machine, Routed, Signal};
use crate::{Rows, Time};

use super::candidate::{Candidate, Moment};
use super::plan::{CandidatePlan, Fact};
use super::scene::{InForce, Scene, SceneFact};
use super::tape::Tape;
use super::verdict::ReentryVerdict;

impl Routed for Fact {
    fn route(&self) -> u64 {
        match self {
            Self::Plan(plan) => plan.event.symbol.route(),
            Self::Scene(worker, _fact) => *worker,
        }
    }
}

/// Renders the crossing of `beats` with candidates and scene.
pub(super) fn render<'s>(beats: Rows<'s, Beat>, facts: Rows<'s, Fact>) -> Rows<'s, ReentryVerdict> {
    ordered::render(
        beats,
        facts,
        Branch::Reentries,
        "re-entry: crossing by symbol",
        Watch::default(),
    )
}

type Deadlines = BTreeSet<(LogicalTime, Symbol, ExitEventId)>;

/// All candidates of this worker.
#[derive(Default)]
struct Watch {
    scene: Scene,
    /// In no order: what is said is put in order by symbol.
    books: FxHashMap<Symbol, Book>,
    deadlines: Deadlines,
}

/// The candidates of one symbol.
#[derive(Default)]
struct Book {
    candidates: BTreeMap<ExitEventId, (Candidate, Place)>,
    tape: Tape,
    /// Those whose level the price may reach, by level.
    below: BTreeSet<(Price, ExitEventId)>,
    /// The lowest of these levels.
    lowest: Option<Price>,
    /// Those whose level the last tick reached.
    above: BTreeSet<ExitEventId>,
    /// Those that are buying.
    ready: BTreeSet<ExitEventId>,
    /// The regime, and the day in Seoul, that they were all judged under.
    judged: Option<(InForce, u64)>,
}

/// Where a candidate stands in the indexes.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Place {
    deadline: Option<LogicalTime>,
    level: Option<Price>,
    is_above: bool,
    is_ready: bool,
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
        let Some(book) = self.books.get_mut(&tick.symbol) else {
            return;
        };
        book.tape.add(tick);
        let (price, in_force) = (tick.evaluation_price(), self.scene.in_force(tick.time));
        let judged = Some((in_force, tick.time.seoul_day()));
        let ids: Vec<ExitEventId> = if book.judged == judged {
            if book.above.is_empty() && book.lowest.is_none_or(|lowest| price < lowest) {
                return;
            }
            book.touched(price)
        } else {
            book.judged = judged;
            book.candidates.keys().cloned().collect()
        };
        for id in ids {
            let at = (tick.time, in_force, Cause::Tick(tick));
            book.look(&self.scene, &mut self.deadlines, &id, at, said);
        }
    }

    fn signal(&mut self, _time: Time, _signal: Signal, _said: &mut Vec<ReentryVerdict>) {}

    fn facts(&mut self, time: Time, mut facts: Vec<(Fact, isize)>, said: &mut Vec<ReentryVerdict>) {
        let now = LogicalTime::from_micros(time);
        consolidate(&mut facts);
        let mut scene = Vec::new();
        let mut plans: BTreeMap<(Symbol, ExitEventId), Option<CandidatePlan>> = BTreeMap::new();
        for (fact, diff) in facts {
            match fact {
                Fact::Scene(_worker, fact) => scene.push((fact, diff)),
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
                book.candidates
                    .keys()
                    .map(|id| ((*symbol, id.clone()), true))
            });
            due = all.collect();
        }
        let in_force = self.scene.in_force(now);
        for ((symbol, id), is_changed) in due {
            let cause = if is_changed {
                Cause::Facts
            } else {
                Cause::Time
            };
            if let Some(book) = self.books.get_mut(&symbol) {
                let at = (now, in_force, cause);
                book.look(&self.scene, &mut self.deadlines, &id, at, said);
            }
        }
    }

    fn deadline(&self) -> Option<Time> {
        self.deadlines.first().map(|(time, _, _)| time.micros())
    }
}

impl Watch {
    /// Takes the candidates whose time has come.
    fn take_due(&mut self, now: LogicalTime) -> BTreeMap<(Symbol, ExitEventId), bool> {
        let mut due = BTreeMap::new();
        while let Some((time, _, _)) = self.deadlines.first()
            && *time <= now
            && let Some((_time, symbol, id)) = self.deadlines.pop_first()
        {
            due.insert((symbol, id), false);
        }
        due
    }

    /// Takes in what concerns all. Returns whether they have to be judged for it.
    fn has_changed(&mut self, now: LogicalTime, facts: Vec<(SceneFact, isize)>) -> bool {
        if facts.is_empty() || !self.scene.apply(now, facts) {
            return false;
        }
        let judged = Some((self.scene.in_force(now), now.seoul_day()));
        for book in self.books.values_mut() {
            book.judged = judged;
        }
        true
    }

    /// Puts `plan` in force, or forgets the candidate where there is none any more.
    fn replan(&mut self, symbol: Symbol, id: ExitEventId, plan: Option<CandidatePlan>) {
        let book = self.books.entry(symbol).or_default();
        match (book.candidates.get_mut(&id), plan) {
            (Some((candidate, _place)), Some(plan)) => candidate.replan(plan),
            (None, Some(plan)) => {
                let candidate = (Candidate::new(plan), Place::default());
                book.candidates.insert(id, candidate);
            }
            (_, None) => {
                if let Some((_candidate, place)) = book.candidates.remove(&id) {
                    book.take_out(&mut self.deadlines, symbol, &id, place);
                }
                if book.candidates.is_empty() {
                    self.books.remove(&symbol);
                }
            }
        }
    }
}

impl Book {
    /// Returns the candidates that a tick at `price` changes, in order.
    fn touched(&self, price: Price) -> Vec<ExitEventId> {
        let reached = self.below.iter().take_while(|(level, _id)| *level <= price);
        let mut touched: Vec<_> = reached.map(|(_level, id)| id.clone()).collect();
        touched.extend(self.above.iter().cloned());
        touched.sort_unstable();
        touched
    }

    /// Looks at one candidate and puts it in its place.
    fn look(
        &mut self,
        scene: &Scene,
        deadlines: &mut Deadlines,
        id: &ExitEventId,
        (now, in_force, cause): (LogicalTime, InForce, Cause<'_>),
        said: &mut Vec<ReentryVerdict>,
    ) {
        let is_bought = self.ready.iter().any(|other| other != id);
        let Some((candidate, place)) = self.candidates.get_mut(id) else {
            return;
        };
        let moment = Moment {
            now,
            scene,
            in_force,
            tape: &self.tape,
            is_bought,
        };
        said.extend(match cause {
            Cause::Tick(tick) => candidate.tick(moment, tick),
            Cause::Facts => candidate.judge(moment),
            Cause::Time => candidate.advance(moment),
        });
        let (symbol, next) = (candidate.symbol(), Place::of(candidate, now));
        if next != *place {
            let old = std::mem::replace(place, next);
            self.take_out(deadlines, symbol, id, old);
            self.put_in(deadlines, symbol, id, next);
        }
    }

    fn take_out(&mut self, deadlines: &mut Deadlines, symbol: Symbol, id: &ExitEventId, at: Place) {
        if let Some(deadline) = at.deadline {
            deadlines.remove(&(deadline, symbol, id.clone()));
        }
        if let Some(level) = at.level {
            self.below.remove(&(level, id.clone()));
        }
        self.lowest = self.below.first().map(|(level, _id)| *level);
        self.above.remove(id);
        self.ready.remove(id);
    }

    fn put_in(&mut self, deadlines: &mut Deadlines, symbol: Symbol, id: &ExitEventId, at: Place) {
        if let Some(deadline) = at.deadline {
            deadlines.insert((deadline, symbol, id.clone()));
        }
        if at.is_above {
            self.above.insert(id.clone());
        } else if let Some(level) = at.level {
            self.below.insert((level, id.clone()));
            self.lowest = self.below.first().map(|(level, _id)| *level);
        }
        if at.is_ready {
            self.ready.insert(id.clone());
        }
    }
}
