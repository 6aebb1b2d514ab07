//! The candidates of one symbol, and which of them a price can change.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{ExitEventId, LogicalTime, Price, Symbol};

use super::super::candidate::{Attention, Candidate};
use super::super::lows::{Lows, Turn};
use super::super::plan::CandidatePlan;
use super::super::quiet::Quiet;
use super::super::scene::Room;
use super::Across;

/// The number of a candidate among those of its symbol, as long as it is one of them.
pub(super) type Seat = usize;

/// A candidate and where it stands.
#[derive(Debug)]
pub(super) struct Seated {
    id: ExitEventId,
    pub(super) candidate: Candidate,
    place: Place,
}

/// The candidates of one symbol. Ids are looked up where facts name them; ticks go by seats.
#[derive(Default)]
pub(super) struct Held {
    by_id: BTreeMap<ExitEventId, Seat>,
    seats: Vec<Option<Seated>>,
    free: Vec<Seat>,
    /// Those whose level the price may reach, by level.
    below: BTreeSet<(Price, Seat)>,
    /// Those whose level the last tick reached.
    above: BTreeSet<Seat>,
    /// Those of them that only a tick below their level changes.
    spent: BTreeSet<(Price, Seat)>,
    /// Those that are buying.
    ready: BTreeSet<Seat>,
    /// What prices have made of levels of which nobody is told.
    pub(super) lows: Lows,
}

/// Where a candidate stands in the indexes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Place {
    deadline: Option<LogicalTime>,
    spot: Spot,
    is_ready: bool,
    reserved: Room,
}

/// The index of prices that has a candidate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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
    /// Returns all candidates, in order.
    pub(super) fn ids(&self) -> impl Iterator<Item = &ExitEventId> {
        self.by_id.keys()
    }

    /// Returns all seats, in the order of the candidates.
    pub(super) fn all(&self) -> Vec<Seat> {
        self.by_id.values().copied().collect()
    }

    /// Returns whether there is no candidate.
    pub(super) fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// Returns the seat of a candidate.
    pub(super) fn seat(&self, id: &ExitEventId) -> Option<Seat> {
        self.by_id.get(id).copied()
    }

    /// Returns whether a candidate other than that of `seat` is buying.
    pub(super) fn is_bought_beside(&self, seat: Seat) -> bool {
        self.ready.iter().any(|other| *other != seat)
    }

    /// Returns the prices that touch no candidate; none where each does.
    pub(super) fn quiet(&self) -> Quiet {
        if !self.above.is_empty() {
            return Quiet::NONE;
        }
        let low = self.spent.last().map(|(level, _seat)| Quiet::from(*level));
        let high = self.below.first();
        let high = high.map(|(level, _seat)| Quiet::below(*level));
        low.unwrap_or(Quiet::ALL).and(high.unwrap_or(Quiet::ALL))
    }

    /// Returns the candidates that a tick at `price` touches, in order.
    pub(super) fn touched(&self, price: Price) -> Vec<Seat> {
        let reached = self.below.iter();
        let reached = reached.take_while(|(level, _seat)| *level <= price);
        let mut touched: Vec<Seat> = reached.map(|(_level, seat)| *seat).collect();
        touched.extend(&self.above);
        let left = self.spent.iter().rev();
        let left = left.take_while(|(level, _seat)| price < *level);
        touched.extend(left.map(|(_level, seat)| *seat));
        touched.sort_unstable_by(|a, b| self.id(*a).cmp(&self.id(*b)));
        touched
    }

    fn id(&self, seat: Seat) -> Option<&ExitEventId> {
        let seated = self.seats.get(seat)?.as_ref()?;
        Some(&seated.id)
    }

    /// Returns the candidate of a seat, who now knows what the prices have made of its level
    /// meanwhile.
    pub(super) fn caught_up(&mut self, seat: Seat) -> Option<&mut Candidate> {
        let seated = self.seats.get_mut(seat)?.as_mut()?;
        if let Spot::Silent(level, turn) = seated.place.spot {
            seated.candidate.catch_up(self.lows.run(level, turn));
        }
        Some(&mut seated.candidate)
    }

    /// Puts `plan` in force, or forgets the candidate where there is none any more.
    pub(super) fn replan(
        &mut self,
        across: &mut Across,
        symbol: Symbol,
        id: ExitEventId,
        plan: Option<CandidatePlan>,
    ) {
        let seated = match self.seat(&id) {
            Some(seat) => self.seats[seat].as_mut(),
            None => None,
        };
        match (seated, plan) {
            (
                Some(Seated {
                    candidate, place, ..
                }),
                Some(plan),
            ) => {
                candidate.replan(plan);
                // The row of an order takes the place of what was reserved for it, at once.
                let reserved = candidate.reserved();
                across.reserved.change(place.reserved, reserved);
                place.reserved = reserved;
            }
            (None, Some(plan)) => self.sit(id, Candidate::new(plan)),
            (_, None) => {
                if let Some(seat) = self.by_id.remove(&id)
                    && let Some(seated) = self.seats[seat].take()
                {
                    let of = (symbol, &id, seat);
                    self.put(across, of, seated.place, Place::default());
                    self.free.push(seat);
                }
            }
        }
    }

    fn sit(&mut self, id: ExitEventId, candidate: Candidate) {
        let seat = self.free.pop().unwrap_or_else(|| {
            self.seats.push(None);
            self.seats.len() - 1
        });
        self.by_id.insert(id.clone(), seat);
        self.seats[seat] = Some(Seated {
            id,
            candidate,
            place: Place::default(),
        });
    }

    /// Puts the candidate of a seat in its place, now that it has been looked at; `last` is the last
    /// tick. The next one touches it anyway unless it `is_settled`.
    pub(super) fn settle(
        &mut self,
        across: &mut Across,
        seat: Seat,
        (now, last, is_settled): (LogicalTime, Option<(Price, LogicalTime)>, bool),
    ) {
        let Some(Seated {
            id,
            candidate,
            place,
        }) = self.seats.get_mut(seat).and_then(Option::as_mut)
        else {
            return;
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
            let id = id.clone();
            self.put(across, (symbol, &id, seat), old, new);
        }
    }

    /// Moves a candidate from one place to another. Only what differs is touched.
    fn put(
        &mut self,
        across: &mut Across,
        (symbol, id, seat): (Symbol, &ExitEventId, Seat),
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
            self.leave(seat, old.spot);
            self.enter(seat, new.spot);
        }
        match (old.is_ready, new.is_ready) {
            (false, true) => _ = self.ready.insert(seat),
            (true, false) => {
                self.ready.remove(&seat);
                self.wake();
            }
            (false, false) | (true, true) => {}
        }
    }

    fn leave(&mut self, seat: Seat, spot: Spot) {
        match spot {
            Spot::Nowhere => {}
            Spot::Below(level) => _ = self.below.remove(&(level, seat)),
            Spot::Above => _ = self.above.remove(&seat),
            Spot::Spent(level) => _ = self.spent.remove(&(level, seat)),
            Spot::Silent(..) => self.lows.end(),
        }
    }

    fn enter(&mut self, seat: Seat, spot: Spot) {
        match spot {
            Spot::Nowhere | Spot::Silent(..) => {}
            Spot::Below(level) => _ = self.below.insert((level, seat)),
            Spot::Above => _ = self.above.insert(seat),
            Spot::Spent(level) => _ = self.spent.insert((level, seat)),
        }
    }

    /// Lets ticks touch those who had nothing to say, as of what they have missed: what kept them
    /// may be over.
    pub(super) fn wake(&mut self) {
        if !self.lows.is_asked() {
            return;
        }
        for (seat, seated) in self.seats.iter_mut().enumerate() {
            let Some(Seated {
                candidate, place, ..
            }) = seated
            else {
                continue;
            };
            if let Spot::Silent(level, turn) = place.spot {
                candidate.catch_up(self.lows.run(level, turn));
                place.spot = spot_of(candidate, level);
                match place.spot {
                    Spot::Below(level) => _ = self.below.insert((level, seat)),
                    _ => _ = self.above.insert(seat),
                }
            }
        }
        self.lows.end_all();
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
