//! The crossing: prices and time meet candidates.
//!
//! Keeps per symbol its candidates, its tape, and which of them the price can change: those below
//! their level, by level; those at or above it; those of them that only a price below it changes, by
//! level; and those that have nothing to say at any price, since another one buys or entries pause.
//! These are moved by no crossing: the lows of the symbol tell them, once they are looked at again,
//! what prices have made of their levels. Keeps their deadlines: the ends of cooldowns and watches; and
//! what orders take of the room that nobody has told of yet. Facts and deadlines of one time are
//! applied together, before a tick of that time.
//!
//! Cost per tick: one lookup, the running minute and two comparisons; where somebody wants to know, a
//! note of the price, which the lows take in later, many together; the candidates whose level it has
//! come to reach, and those above theirs that a price may let buy; all of a symbol at its first tick
//! under another outlook, which costs a store a symbol. Of a symbol without candidates only the
//! lookup.
//!
//! It is one machine, on one worker, so that of two candidates that want the last room the second is
//! refused. Where both are judged at one time, the one whose symbol has the higher score (rising
//! minutes of the last ten) goes first, then the lower symbol, then the lower id.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use differential_dataflow::consolidation::consolidate;

use crate::model::{ExitEventId, LogicalTime, Price, Symbol, Tick};
use crate::ordered::{self, Beat, Branch, Machine, Routed, Signal};
use crate::{Rows, Time};

use super::book::{Across, Book, Cause, Key};
use super::plan::{CandidatePlan, Fact};
use super::quiet::Touch;
use super::scene::{Judged, Outlook, Scene, SceneFact};
use super::shelf::{Place, Shelf};
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

/// Prices that are noted for the lows at most: whoever may buy waits until they have been told.
const NOTED_MAX: usize = 128;

/// Candidates that are looked at together, and whether something changed that decides about them.
type Due = BTreeMap<Key, bool>;

/// All candidates.
#[derive(Default)]
struct Watch {
    scene: Scene,
    /// The last outlook, and how many there have been.
    outlook: (Option<Outlook>, u64),
    /// What ticks are judged under, and the first time at which that may be another.
    judged: Option<(Judged, LogicalTime)>,
    /// In no order: what is said is put in order by symbol.
    books: Shelf,
    across: Across,
    /// Prices that only the lows want to know of, and have not been told yet: together, since each one alone
    /// would wait for memory.
    noted: Vec<(Place, LogicalTime, Price)>,
}

impl Machine<Fact, ReentryVerdict> for Watch {
    fn tick(&mut self, tick: &Tick, said: &mut Vec<ReentryVerdict>) {
        if self.books.is_empty() {
            return;
        }
        let judged = self.judged_at(tick.time);
        let Some(place) = self.books.place(tick.symbol) else {
            return;
        };
        match self.books.at_mut(place).touch(tick) {
            Touch::Nobody => {}
            Touch::Lows => self.note(place, tick),
            Touch::Candidates => {
                self.tell_lows();
                let book = self.books.at_mut(place);
                book.tick(&self.scene, &mut self.across, tick, judged, said);
            }
        }
    }

    fn signal(&mut self, _time: Time, _signal: Signal, _said: &mut Vec<ReentryVerdict>) {}

    fn facts(&mut self, time: Time, mut facts: Vec<(Fact, isize)>, said: &mut Vec<ReentryVerdict>) {
        let now = LogicalTime::from_micros(time);
        self.tell_lows();
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
            let all = all
                .flat_map(|(symbol, book)| book.ids().map(move |id| ((symbol, id.clone()), true)));
            due = all.collect();
        }
        let judged = self.judged_at(now);
        for ((symbol, id), is_changed) in self.ranked(due) {
            let cause = if is_changed {
                Cause::Facts
            } else {
                Cause::Time
            };
            if let Some(book) = self.books.get_mut(symbol) {
                let at = (now, judged, cause);
                book.look(&self.scene, &mut self.across, &id, at, said);
            }
        }
    }

    fn deadline(&self) -> Option<Time> {
        self.across.deadlines.first().map(LogicalTime::micros)
    }
}

impl Watch {
    #[inline]
    fn note(&mut self, place: Place, tick: &Tick) {
        let price = tick.evaluation_price();
        self.noted.push((place, tick.time, price));
        if self.noted.len() == NOTED_MAX {
            self.tell_lows();
        }
    }

    /// Tells the lows of all prices that were noted for them.
    fn tell_lows(&mut self) {
        for (place, time, price) in self.noted.drain(..) {
            self.books.at_mut(place).tell_lows(time, price);
        }
    }

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
            _ => self.look_out(now),
        }
    }

    #[cold]
    fn look_out(&mut self, now: LogicalTime) -> Judged {
        let (outlook, until) = self.scene.outlook(now);
        let (last, number) = &mut self.outlook;
        if last.replace(outlook) != Some(outlook) {
            *number += 1;
            self.books.all_mut().for_each(Book::doubt);
        }
        let judged = Judged {
            number: *number,
            in_force: outlook.in_force,
        };
        self.judged = Some((judged, until));
        judged
    }

    /// Returns candidates that are looked at together in the order in which room goes to them.
    fn ranked(&self, due: Due) -> Vec<(Key, bool)> {
        let mut score = None;
        let mut ranked: Vec<(Option<u32>, (Key, bool))> = Vec::with_capacity(due.len());
        for (key, is_changed) in due {
            let symbol = key.0;
            let known = score.filter(|(of, _rising)| *of == symbol);
            let (_, rising) = known.unwrap_or_else(|| {
                let book = self.books.get(symbol);
                (symbol, book.and_then(Book::rising))
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
        let judged = self.judged_at(now).number;
        self.books.all_mut().for_each(|book| book.trust(judged));
        true
    }

    /// Puts `plan` in force, or forgets the candidate where there is none any more.
    fn replan(&mut self, symbol: Symbol, id: ExitEventId, plan: Option<CandidatePlan>) {
        let book = self.books.of(symbol);
        book.replan(&mut self.across, symbol, id, plan);
        if book.is_empty() {
            self.books.remove(symbol);
        }
    }
}

#[cfg(test)]
mod tests;
