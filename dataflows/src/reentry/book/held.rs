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
    /// Prices that touch none of all these, as of the last move.
    apart: Quiet,
    /// Levels of those whom no tick makes say anything, in order: [`Held::lows`] know what it changes.
    silent: Vec<Price>,
    lows: Lows,
    /// Those that are buying.
    pub(super) ready: BTreeSet<ExitEventId>,
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
    /// With the lows since then.
    Silent(Price, Turn),
}

impl Held {
    /// Returns the prices that touch no candidate, nor anything that the lows know, where the last
    /// one was `last`; none where each does.
    pub(super) fn quiet(&mut self, last: Option<Price>) -> Quiet {
        self.apart = if self.above.is_empty() {
            let (spent, below) = (self.spent.last(), self.below.first());
            Quiet {
                low: spent.map_or(0, |(level, _id)| level.units()),
                high: below.map_or(i64::MAX, |(level, _id)| level.units()),
            }
        } else {
            Quiet::default()
        };
        last.map_or(self.apart, |last| self.between(last))
    }

    /// Returns the prices around `last` that touch no candidate and cross no level of the silent.
    fn between(&self, last: Price) -> Quiet {
        let passed = self.silent.partition_point(|level| *level <= last);
        let under = passed.checked_sub(1).map(|place| self.silent[place]);
        let over = self.silent.get(passed);
        Quiet {
            low: under.map_or(0, Price::units).max(self.apart.low),
            high: over
                .map_or(i64::MAX, |level| level.units())
                .min(self.apart.high),
        }
    }

    /// Takes in the price of a tick that is not quiet. Returns the candidates that it touches, in
    /// order, and the prices that are quiet after it.
    pub(super) fn touched(&mut self, time: LogicalTime, price: Price) -> (Vec<ExitEventId>, Quiet) {
        if !self.silent.is_empty() {
            self.lows.take(time, price);
        }
        let quiet = self.between(price);
        if self.apart.holds(price) {
            return (Vec::new(), quiet);
        }
        let reached = self.below.iter().take_while(|(level, _id)| *level <= price);
        let mut touched: Vec<_> = reached.map(|(_level, id)| id.clone()).collect();
        touched.extend(self.above.iter().cloned());
        let left = self.spent.iter().rev();
        let left = left.take_while(|(level, _id)| price < *level);
        touched.extend(left.map(|(_level, id)| id.clone()));
        touched.sort_unstable();
        (touched, quiet)
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
                if self.silent.is_empty() {
                    self.lows.clear();
                }
                if let Some((price, time)) = last {
                    self.lows.take(time, price);
                }
                Spot::Silent(level, self.lows.turn())
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
            Spot::Silent(level, _turn) => {
                if let Ok(place) = self.silent.binary_search(&level) {
                    self.silent.remove(place);
                }
            }
        }
    }

    fn enter(&mut self, id: &ExitEventId, spot: Spot) {
        match spot {
            Spot::Nowhere => {}
            Spot::Below(level) => drop(self.below.insert((level, id.clone()))),
            Spot::Above => drop(self.above.insert(id.clone())),
            Spot::Spent(level) => drop(self.spent.insert((level, id.clone()))),
            Spot::Silent(level, _turn) => {
                let place = self.silent.partition_point(|other| *other < level);
                self.silent.insert(place, level);
            }
        }
    }

    /// Lets ticks touch those who had nothing to say, as of what they have missed: what kept them
    /// may be over.
    pub(super) fn wake(&mut self) {
        if self.silent.is_empty() {
            return;
        }
        for (id, (candidate, place)) in &mut self.candidates {
            if let Spot::Silent(level, turn) = place.spot {
                candidate.catch_up(self.lows.run(level, turn));
                place.spot = spot_of(candidate, level);
                match place.spot {
                    Spot::Below(level) => drop(self.below.insert((level, id.clone()))),
                    _ => drop(self.above.insert(id.clone())),
                }
            }
        }
        self.silent.clear();
        self.lows.clear();
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
