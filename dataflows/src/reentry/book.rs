//! The book of one symbol: its candidates, its tape, and which of them a price can change.

mod held;

use std::collections::BTreeSet;

use crate::model::{ExitEventId, LogicalTime, Symbol, Tick};

use super::candidate::{Candidate, Moment};
use super::plan::CandidatePlan;
use super::scene::{Judged, Room, Scene};
use super::tape::Tape;
use super::verdict::ReentryVerdict;
use held::{Held, Place, Quiet};

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
    /// The number of the outlook that they were all judged under; 0 before there was one.
    pub(super) judged: u64,
    held: Box<Held>,
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
    /// Takes a tick in. Returns whether it touches a candidate: all of them under another outlook than
    /// the last.
    #[inline]
    pub(super) fn take(&mut self, tick: &Tick, outlook: u64) -> bool {
        let price = tick.evaluation_price();
        let last = self.tape.last_price();
        self.tape.add(tick, price);
        if self.judged != outlook {
            return true;
        }
        if last != Some(price) && self.held.lows.is_asked() {
            self.held.lows.take(tick.time, price);
        }
        !self.quiet.holds(price)
    }

    /// Returns the candidates that a tick that was taken in touches, in order.
    pub(super) fn touched(&mut self, tick: &Tick, outlook: u64) -> Vec<ExitEventId> {
        if self.judged == outlook {
            return self.held.touched(tick.evaluation_price());
        }
        self.judged = outlook;
        self.held.wake();
        self.quiet = self.held.quiet();
        self.ids().cloned().collect()
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
        (now, judged, cause): (LogicalTime, Judged, Cause<'_>),
        said: &mut Vec<ReentryVerdict>,
    ) {
        // What it waits for under this outlook may be over under that of the others, unseen: the next
        // tick that finds theirs looks only at whom it touches.
        let is_settled = self.judged == judged.number;
        let held = &mut *self.held;
        held.catch_up(id);
        let is_bought = held.ready.iter().any(|other| other != id);
        let Some((candidate, _place)) = held.candidates.get_mut(id) else {
            return;
        };
        let moment = Moment {
            now,
            scene,
            in_force: judged.in_force,
            tape: &self.tape,
            is_bought,
            reserved: across.reserved,
        };
        said.extend(match cause {
            Cause::Tick(tick) => candidate.tick(moment, tick),
            Cause::Facts => candidate.judge(moment),
            Cause::Time => candidate.advance(moment),
        });
        if held.settle(across, id, (now, self.tape.last(), is_settled)) {
            self.quiet = held.quiet();
        }
    }
}
