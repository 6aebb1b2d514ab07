//! The candidates of one symbol, and which of them a price can change.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{ExitEventId, LogicalTime, Price, Symbol};

use super::super::candidate::{Attention, Candidate};
use super::super::lows::{Lows, Turn};
use super::super::scene::Room;
use super::Across;

/// From `low` on, and below `high`, in units: prices that touch no candidate.
#[derive(Clone, Copy, Default)]
pub(super) struct Quiet {
    low: i64,
    high: i64,
}

impl Quiet {
    pub(super) fn holds(self, price: Price) -> bool {
        (self.low..self.high).contains(&price.units())
    }
}

/// The candidates of one symbol.
#[derive(Default)]
pub(super) struct Held {
    pub(super) candidates: BTreeMap<ExitEventId, (Candidate, Place)>,
    /// Those whose level the price may reach, by level.
    below: BTreeSet<(Price, ExitEventId)>,
    /// Those whose level the last tick reached.
    above: BTreeSet<ExitEventId>,
    /// Those of them that only a tick below their level changes.
    spent: BTreeSet<(Price, ExitEventId)>,
    /// Those that are buying.
    pub(super) ready: BTreeSet<ExitEventId>,
    /// What prices have made of levels of which nobody is told.
    pub(super) lows: Lows,
}

/// Where a candidate stands in the indexes.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Place {
    deadline: Option<LogicalTime>,
    spot: Spot,
    is_ready: bool,
    pub(super) reserved: Room,
}

/// The index of prices that has a candidate.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Spot {
    /// No price changes anything for it.
    #[default]
    Nowhere,
    Below(Price),
    Above,
    Spent(Price),
    /// No tick makes it say anything; the lows since then know what they have made of its level.
    Silent(Price, Turn),
}

impl Held {
    /// Returns the prices that touch no candidate; none where each does.
    pub(super) fn quiet(&self) -> Quiet {
        if !self.above.is_empty() {
            return Quiet::default();
        }
        let (spent, below) = (self.spent.last(), self.below.first());
        Quiet {
            low: spent.map_or(0, |(level, _id)| level.units()),
            high: below.map_or(i64::MAX, |(level, _id)| level.units()),
        }
    }

    /// Returns the candidates that a tick at `price` touches, in order.
    pub(super) fn touched(&self, price: Price) -> Vec<ExitEventId> {
        let reached = self.below.iter().take_while(|(level, _id)| *level <= price);
        let mut touched: Vec<_> = reached.map(|(_level, id)| id.clone()).collect();
        touched.extend(self.above.iter().cloned());
        let left = self.spent.iter().rev();
        let left = left.take_while(|(level, _id)| price < *level);
        touched.extend(left.map(|(_level, id)| id.clone()));
        touched.sort_unstable();
        touched
    }

    /// Lets a candidate know what the prices have made of its level meanwhile.
    pub(super) fn catch_up(&mut self, id: &ExitEventId) {
        if let Some((candidate, place)) = self.candidates.get_mut(id)
            && let Spot::Silent(level, turn) = place.spot
        {
            candidate.catch_up(self.lows.run(level, turn));
        }
    }

    /// Puts the candidate `id` in its place, now that it has been looked at; `last` is the last tick.
    /// The next one touches it anyway unless it `is_settled`. Returns whether it has moved.
    pub(super) fn settle(
        &mut self,
        across: &mut Across,
        id: &ExitEventId,
        (now, last, is_settled): (LogicalTime, Option<(Price, LogicalTime)>, bool),
    ) -> bool {
        let Some((candidate, place)) = self.candidates.get_mut(id) else {
            return false;
        };
        let attention = candidate.attention();
        let spot = match (candidate.reach(), attention) {
            (None, _) => Spot::Nowhere,
            (Some(level), Attention::Nothing) if is_settled => {
                Spot::Silent(level, self.lows.ask(last))
            }
            (Some(level), Attention::Fall) if is_settled => Spot::Spent(level),
            (Some(level), _) => spot_of(candidate, level),
        };
        let symbol = candidate.symbol();
        let new = Place {
            // One that has come and moved nothing waits for the event that lets it.
            deadline: candidate.deadline().filter(|deadline| *deadline > now),
            spot,
            is_ready: candidate.is_ready(),
            reserved: candidate.reserved(),
        };
        let old = std::mem::replace(place, new);
        if old != new {
            self.put(across, (symbol, id), old, new);
        }
        old != new
    }

    /// Moves a candidate from one place to another. Only what differs is touched.
    pub(super) fn put(
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
            self.leave(id, old.spot);
            self.enter(id, new.spot);
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

    fn leave(&mut self, id: &ExitEventId, spot: Spot) {
        match spot {
            Spot::Nowhere => {}
            Spot::Below(level) => drop(self.below.remove(&(level, id.clone()))),
            Spot::Above => drop(self.above.remove(id)),
            Spot::Spent(level) => drop(self.spent.remove(&(level, id.clone()))),
            Spot::Silent(..) => self.lows.end(),
        }
    }

    fn enter(&mut self, id: &ExitEventId, spot: Spot) {
        match spot {
            Spot::Nowhere | Spot::Silent(..) => {}
            Spot::Below(level) => drop(self.below.insert((level, id.clone()))),
            Spot::Above => drop(self.above.insert(id.clone())),
            Spot::Spent(level) => drop(self.spent.insert((level, id.clone()))),
        }
    }

    /// Lets ticks touch those who had nothing to say, as of what they have missed: what kept them
    /// may be over.
    pub(super) fn wake(&mut self) {
        if !self.lows.is_asked() {
            return;
        }
        for (id, (candidate, place)) in &mut self.candidates {
            if let Spot::Silent(level, turn) = place.spot {
                candidate.catch_up(self.lows.run(level, turn));
                self.lows.end();
                place.spot = spot_of(candidate, level);
                match place.spot {
                    Spot::Below(level) => drop(self.below.insert((level, id.clone()))),
                    _ => drop(self.above.insert(id.clone())),
                }
            }
        }
    }
}

/// Returns the index of a candidate that looks out for its level.
fn spot_of(candidate: &Candidate, level: Price) -> Spot {
    if candidate.is_above() {
        Spot::Above
    } else {
        Spot::Below(level)
    }
}
