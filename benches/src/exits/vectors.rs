//! The hand-written loop: one thread, and for each symbol a vector of its positions.
//!
//! A tick finds its symbol in a table, raises the symbol's highest price, and compares the price
//! with two bounds of each position, which lie side by side; so the compiler compares several at
//! once. Only a position whose bounds the price reaches is judged. Nothing is allocated by a tick.

use turnstile_dataflows::model::{Phase, Tick};

use super::decided::Decided;
use super::judge::{Desk, Held, Quiet};
use super::table::Table;
use crate::input::Input;

/// What a tick needs of a symbol.
#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    /// Its positions lie at `first` and after.
    first: usize,
    count: usize,
    /// The highest price since the load: the mark of every position that had no higher one.
    high: i64,
    /// When a position wants to be judged for the time.
    wake_us: u64,
}

/// All positions of all symbols.
#[derive(Debug)]
pub(crate) struct Vectors {
    desk: Desk,
    slots: Table<Slot>,
    /// Of each position `[-low, high]`: it is judged at or below `low` and at or above `high`.
    bounds: Vec<[i64; 2]>,
    wakes: Vec<u64>,
    held: Vec<Held>,
}

impl Vectors {
    /// Returns the loop with the positions of `input` loaded.
    pub(crate) fn new(input: &Input) -> Self {
        let desk = Desk::new(input);
        let mut rows: Vec<_> = input.positions.iter().collect();
        rows.sort_by_key(|row| (row.symbol, row.number));
        let mut slots = Table::new(input.listed.len());
        let mut held = Vec::with_capacity(rows.len());
        let mut rows = rows.into_iter().peekable();
        for (index, listed) in (0..).zip(&input.listed) {
            let first = held.len();
            while let Some(row) = rows.next_if(|row| row.symbol == index) {
                held.push(desk.hold(row));
            }
            let place = slots.place(listed.symbol);
            *slots.at(place) = Slot {
                first,
                count: held.len() - first,
                ..Slot::default()
            };
        }
        Self {
            desk,
            slots,
            bounds: vec![[0, 0]; held.len()],
            wakes: vec![0; held.len()], // The first tick judges all.
            held,
        }
    }

    /// Takes in one tick.
    pub(crate) fn tick(&mut self, tick: &Tick, decided: &mut Vec<Decided>) {
        let place = self.slots.place(tick.symbol);
        let price = tick.evaluation_price().units();
        let now_us = tick.time.micros();
        let slot = self.slots.at(place);
        slot.high = slot.high.max(price);
        let slot = *slot;
        let bounds = &self.bounds[slot.first..slot.first + slot.count];
        if now_us >= slot.wake_us || is_any_reached(bounds, price) {
            self.judge_due(place, now_us, price, decided);
        }
    }

    #[cold]
    fn judge_due(&mut self, place: usize, now_us: u64, price: i64, decided: &mut Vec<Decided>) {
        let slot = *self.slots.at(place);
        let mut wake_us = u64::MAX;
        let mut has_left = false;
        for index in slot.first..slot.first + slot.count {
            if is_any_reached(&[self.bounds[index]], price) || now_us >= self.wakes[index] {
                let held = &mut self.held[index];
                held.mark = held.mark.max(slot.high);
                decided.extend(held.judge(&self.desk, now_us, price));
                has_left |= held.phase == Phase::Exited;
                let Quiet { low, high, wake_us } = held.quiet(&self.desk, now_us);
                self.bounds[index] = [-low, high];
                self.wakes[index] = wake_us;
            }
            wake_us = wake_us.min(self.wakes[index]);
        }
        self.slots.at(place).wake_us = wake_us;
        if has_left {
            self.close_up(place);
        }
    }

    /// Removes the positions that have left and keeps the others in order.
    fn close_up(&mut self, place: usize) {
        let Slot { first, count, .. } = *self.slots.at(place);
        let mut kept = first;
        for index in first..first + count {
            if self.held[index].phase != Phase::Exited {
                self.held.swap(kept, index);
                self.bounds.swap(kept, index);
                self.wakes.swap(kept, index);
                kept += 1;
            }
        }
        self.slots.at(place).count = kept - first;
    }
}

/// Returns whether the price lies at or beyond a bound of any position: a difference of one below
/// zero shows in its sign, and signs are gathered without branching.
fn is_any_reached(bounds: &[[i64; 2]], price: i64) -> bool {
    let (below, above) = (price - 1, -1 - price);
    let mut signs = [0_i64; 2];
    for [low, high] in bounds {
        signs[0] |= below + low;
        signs[1] |= above + high;
    }
    signs[0] | signs[1] < 0
}
