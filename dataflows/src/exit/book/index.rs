//! The prices and times at which the positions of a book must be judged again, in order.

use std::collections::BTreeSet;

use crate::exit::held::Held;
use crate::exit::marks::{Marks, Slot};
use crate::exit::quiet::Quiet;
use crate::model::{LogicalTime, Price};

/// Positions by the limits of their quiet ranges. Trailing levels are kept with the marks.
#[derive(Debug, Default)]
pub(super) struct Index {
    lows: BTreeSet<(Price, Slot)>,
    highs: BTreeSet<(Price, Slot)>,
    wakes: BTreeSet<(LogicalTime, Slot)>,
    always: BTreeSet<Slot>,
}

/// What the index knows of a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Indexed {
    entered: LogicalTime,
    quiet: Quiet,
}

impl Indexed {
    /// The index has no entry.
    pub(super) const NOWHERE: Self = Self {
        entered: LogicalTime::MAX,
        quiet: Quiet::NOTHING,
    };

    pub(super) fn of(held: &Held) -> Self {
        Self {
            entered: held.entered,
            quiet: held.quiet,
        }
    }
}

/// Within which prices, and until when, a tick concerns no position of a book.
#[derive(Clone, Copy, Debug)]
pub(in crate::exit) struct Bounds {
    /// A price at or below it concerns one; zero where none does.
    low: i64,
    /// A price at or above it does.
    high: i64,
    /// A price above it changes marks.
    top: i64,
    /// A time from here on concerns one.
    wake: LogicalTime,
}

impl Bounds {
    /// Nothing concerns a book without positions.
    pub(in crate::exit) const NOTHING: Self = Self {
        low: 0,
        high: i64::MAX,
        top: i64::MAX,
        wake: LogicalTime::MAX,
    };

    /// How many limits one look compares.
    pub(in crate::exit) const LIMITS: u64 = 4;

    /// Returns how far `price` is from the nearer limit, as a share of it in millionths.
    pub(in crate::exit) fn distance(&self, price: Price) -> i64 {
        let units = price.units();
        let near = (units - self.low)
            .min(self.high.saturating_sub(units))
            .max(0);
        near / (units / 1_000_000).max(1)
    }

    /// Returns whether a tick concerns nobody.
    pub(in crate::exit) fn hold(&self, now: LogicalTime, price: Price) -> bool {
        let units = price.units();
        self.low < units && units < self.high && units <= self.top && now < self.wake
    }
}

impl Index {
    pub(super) fn bounds(&self, marks: &Marks) -> Bounds {
        let low = self.lows.last().map(|(low, _slot)| *low);
        let low = low.max(marks.highest_level());
        let wake = self
            .wakes
            .first()
            .map_or(LogicalTime::MAX, |(at, _slot)| *at);
        let is_always = !self.always.is_empty();
        Bounds {
            low: low.map_or(0, Price::units),
            high: self
                .highs
                .first()
                .map_or(i64::MAX, |(high, _slot)| high.units()),
            top: marks.ceiling_units(),
            wake: if is_always {
                LogicalTime::default()
            } else {
                wake
            },
        }
    }

    /// Moves the entries of a position from `old` to `new`.
    pub(super) fn shift(&mut self, slot: Slot, old: Indexed, new: Indexed, marks: &mut Marks) {
        replace(&mut self.lows, slot, old.quiet.low, new.quiet.low);
        replace(&mut self.highs, slot, old.quiet.high, new.quiet.high);
        replace(&mut self.wakes, slot, old.quiet.wake, new.quiet.wake);
        let trails = [old, new].map(|at| at.quiet.trail.map(|gap| (at.entered, gap)));
        if trails[0] != trails[1] {
            if let Some((entered, gap)) = trails[0] {
                marks.untrail(entered, gap, slot);
            }
            if let Some((entered, gap)) = trails[1] {
                marks.trail(entered, gap, slot);
            }
        }
        match (old.quiet.never, new.quiet.never) {
            (false, true) => _ = self.always.insert(slot),
            (true, false) => _ = self.always.remove(&slot),
            (true, true) | (false, false) => {}
        }
    }

    /// Appends the positions whose quiet range the price or the time leaves, some of them twice.
    /// Returns how many levels were looked at.
    pub(super) fn reached(
        &self,
        now: LogicalTime,
        price: Price,
        marks: &Marks,
        reached: &mut Vec<Slot>,
    ) -> u64 {
        reached.extend(&self.always);
        let lows = self.lows.iter().rev();
        reached.extend(
            lows.take_while(|(low, _)| *low >= price)
                .map(|(_, slot)| *slot),
        );
        let highs = self.highs.iter();
        reached.extend(
            highs
                .take_while(|(high, _)| *high <= price)
                .map(|(_, slot)| *slot),
        );
        let wakes = self.wakes.iter();
        reached.extend(
            wakes
                .take_while(|(at, _)| *at <= now)
                .map(|(_, slot)| *slot),
        );
        // Each walk looked at one level that was not reached.
        let walked = u64::try_from(reached.len()).unwrap_or_default() + 3;
        walked + marks.reached(price, reached)
    }
}

fn replace<T: Ord>(limits: &mut BTreeSet<(T, Slot)>, slot: Slot, old: Option<T>, new: Option<T>) {
    if old == new {
        return;
    }
    if let Some(old) = old {
        limits.remove(&(old, slot));
    }
    if let Some(new) = new {
        limits.insert((new, slot));
    }
}
