//! The book of one symbol: its candidates, its tape, and which of them a price can change.

mod held;

use std::collections::BTreeSet;

use crate::model::{ExitEventId, LogicalTime, Price, Symbol, Tick};

use super::candidate::Moment;
use super::plan::CandidatePlan;
use super::quiet::{Hush, Touch};
use super::scene::{Judged, Room, Scene};
use super::tape::Tape;
use super::verdict::ReentryVerdict;
use held::{Held, Seat};

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

/// One symbol: what each tick asks for, and the candidates behind it. A tick that touches no candidate
/// asks for the first 64 bytes only, which are one line of the processor's cache: the quiet range and the
/// running minute.
#[derive(Default)]
#[repr(C, align(64))]
pub(super) struct Book {
    /// Prices that touch no candidate: none where these have not all been judged under the last outlook.
    quiet: Hush,
    tape: Tape,
    /// The number of the outlook that they were all judged under; 0 where there was none.
    judged: u64,
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
    /// Takes a tick in. Returns whom it touches.
    #[inline]
    pub(super) fn touch(&mut self, tick: &Tick) -> Touch {
        let price = tick.evaluation_price();
        self.tape.add(tick, price);
        self.quiet.touch(price)
    }

    /// Tells the lows of the price of a tick that was taken in and touched only them. They have to be told
    /// of all before candidates are looked at.
    pub(super) fn tell_lows(&mut self, time: LogicalTime, price: Price) {
        self.held.lows.take(time, price);
    }

    /// Looks at the candidates that a tick that was taken in touches, in order: all of them under
    /// another outlook than the last.
    pub(super) fn tick(
        &mut self,
        scene: &Scene,
        across: &mut Across,
        tick: &Tick,
        judged: Judged,
        said: &mut Vec<ReentryVerdict>,
    ) {
        let price = tick.evaluation_price();
        let touched = if self.judged == judged.number {
            if self.held.lows.is_asked() {
                self.tell_lows(tick.time, price);
            }
            self.held.touched(price)
        } else {
            self.judged = judged.number;
            self.held.wake();
            self.held.all()
        };
        let at = (tick.time, judged, Cause::Tick(tick));
        for seat in touched {
            self.look_at(scene, across, seat, at, said);
        }
        self.note_quiet();
    }

    /// Returns all candidates, in order.
    pub(super) fn ids(&self) -> impl Iterator<Item = &ExitEventId> {
        self.held.ids()
    }

    /// Returns whether there is no candidate.
    pub(super) fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// Returns the score of the symbol: rising minutes of the last ten.
    pub(super) fn rising(&self) -> Option<u32> {
        self.tape.rising()
    }

    /// Notes that there is another outlook: the next tick touches all candidates.
    pub(super) fn doubt(&mut self) {
        self.judged = 0;
        self.quiet = Hush::NONE;
    }

    /// Notes that all candidates are about to be judged under the outlook of this number.
    pub(super) fn trust(&mut self, outlook: u64) {
        self.judged = outlook;
    }

    /// Returns the number of the outlook that the candidates were judged under.
    #[cfg(test)]
    pub(super) fn judged(&self) -> u64 {
        self.judged
    }

    fn note_quiet(&mut self) {
        self.quiet = match self.judged {
            0 => Hush::NONE,
            _ => Hush::of(self.held.quiet(), self.held.lows.is_asked()),
        };
    }

    /// Puts `plan` in force, or forgets the candidate where there is none any more.
    pub(super) fn replan(
        &mut self,
        across: &mut Across,
        symbol: Symbol,
        id: ExitEventId,
        plan: Option<CandidatePlan>,
    ) {
        self.held.replan(across, symbol, id, plan);
        self.note_quiet();
    }

    /// Looks at one candidate, not because of a tick, and puts it in its place.
    pub(super) fn look(
        &mut self,
        scene: &Scene,
        across: &mut Across,
        id: &ExitEventId,
        at: (LogicalTime, Judged, Cause<'_>),
        said: &mut Vec<ReentryVerdict>,
    ) {
        if let Some(seat) = self.held.seat(id) {
            self.look_at(scene, across, seat, at, said);
            self.note_quiet();
        }
    }

    fn look_at(
        &mut self,
        scene: &Scene,
        across: &mut Across,
        seat: Seat,
        (now, judged, cause): (LogicalTime, Judged, Cause<'_>),
        said: &mut Vec<ReentryVerdict>,
    ) {
        // What it waits for under this outlook may be over under that of the others, unseen: the next
        // tick that finds theirs looks only at whom it touches.
        let is_settled = self.judged == judged.number;
        let held = &mut *self.held;
        let is_bought = held.is_bought_beside(seat);
        let Some(candidate) = held.caught_up(seat) else {
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
        held.settle(across, seat, (now, self.tape.last(), is_settled));
    }
}
