//! Books: all live positions of one symbol, in the order of the prices that concern them.
//!
//! A tick touches only the positions whose quiet range it leaves: comparing it with four numbers
//! says that there are none, which is so for nearly all ticks. Cost per tick: constant, plus, where
//! a level is reached, logarithmic in the positions of the symbol for each position touched. Memory:
//! the positions, three index entries each at most, and the orders of each.

mod index;
mod plans;
mod view;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::model::{
    ExitOrder, LogicalTime, ManualSale, Mark, PositionId, PositionMode, Tick, split_of,
};

use super::Fills;
use super::held::{Held, Judgement, Scratch};
use super::marks::{Marks, Slot};
use super::orders::Orders;
use super::output::{Alert, ExitOutput};
use super::plan::Plan;
use super::quiet::Quiet;
pub(super) use index::Bounds;
use index::{Index, Indexed};
use plans::Planned;

/// A price older than this is not judged by any other event (decision contract, 2.1), and is stale
/// (2.12).
pub(crate) const PRICE_AGE_MAX_US: u64 = 10_000_000;

/// What happened to one symbol at one logical time.
#[derive(Debug, Default)]
pub(super) struct Happening {
    /// Facts about orders.
    pub(super) orders: Vec<ExitOrder>,
    /// Requests of the operator that begin or, without a sale, end.
    pub(super) manual: Vec<(ManualSale, bool)>,
    /// Changes of plans, of positions and of previews.
    pub(super) plans: Vec<(Plan, isize)>,
    /// Positions that are closed for good.
    pub(super) closed: Vec<PositionId>,
}

/// What the books of a worker share.
#[derive(Debug, Default)]
pub(super) struct Desk {
    pub(super) fills: Fills,
    pub(super) scratch: Scratch,
    pub(super) work: super::Work,
    /// Positions that a tick concerns; kept for its memory.
    pub(super) due: Vec<Slot>,
}

/// The price of a symbol as it was last seen.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LastPrice {
    pub(super) tick: Option<Tick>,
    /// When its price was last received, also unchanged.
    pub(super) received: LogicalTime,
}

impl LastPrice {
    /// Returns when the price was last seen or confirmed.
    fn seen(&self) -> Option<LogicalTime> {
        self.tick.map(|_tick| self.received)
    }

    /// Returns the last tick, if it is young enough to be judged by another event.
    fn fresh(&self, now: LogicalTime) -> Option<Tick> {
        let age_us = now.micros_since(self.seen()?);
        self.tick.filter(|_| age_us <= PRICE_AGE_MAX_US)
    }
}

/// Facts about a position that came before it.
#[derive(Debug, Default)]
struct Early {
    orders: Orders,
    manual: Vec<ManualSale>,
}

/// A position that something happened to.
#[derive(Clone, Copy, Debug)]
struct Touched {
    /// Where the index has it.
    indexed: Indexed,
    /// Whether it must be judged.
    is_concerned: bool,
}

/// All live positions of one symbol.
#[derive(Debug, Default)]
pub(super) struct Book {
    /// In place by slot; a slot is used again after its position has gone.
    held: Vec<Option<Held>>,
    free: Vec<Slot>,
    slots: FxHashMap<PositionId, Slot>,
    early: BTreeMap<PositionId, Early>,
    index: Index,
    marks: Marks,
    dirty: Vec<Slot>,
    have_marks_moved: bool,
    is_stale: bool,
}

impl Book {
    /// Takes in what happened at `now`: plans, orders and requests first; then the positions that
    /// this concerns are judged by the last tick.
    pub(super) fn apply(
        &mut self,
        now: LogicalTime,
        happening: Happening,
        last: &LastPrice,
        desk: &mut Desk,
        said: &mut Vec<ExitOutput>,
    ) {
        let mut touched = BTreeMap::new();
        let settled = self.settle(happening.plans);
        for (slot, plan) in settled.plans {
            self.plan(now, slot, plan, &mut touched, said);
        }
        self.forget_unbegun(settled.begun);
        for (sale, stands) in happening.manual {
            self.ask(sale, stands, &mut touched);
        }
        for order in happening.orders {
            self.take_order(order, &mut touched);
        }
        for id in happening.closed {
            self.close(&id, &mut touched, said);
        }
        let tick = last.fresh(now);
        for (slot, touched) in touched {
            if let Some(tick) = tick.filter(|_| touched.is_concerned) {
                self.judge_by_last_tick(now, slot, &tick, desk, said);
            }
            self.reindex(slot, touched.indexed);
        }
        self.tidy_marks();
        for asked in settled.previews {
            said.extend(tick.and_then(|tick| self.preview(now, &tick, asked)));
        }
    }

    /// Puts a plan in force. What cannot be judged is told once.
    fn plan(
        &mut self,
        now: LogicalTime,
        slot: Slot,
        plan: Planned,
        touched: &mut BTreeMap<Slot, Touched>,
        said: &mut Vec<ExitOutput>,
    ) {
        let before = self.fault(slot);
        match (plan, self.held[place(slot)].is_some()) {
            (None, false) => return,
            (None, true) => self.change(now, slot, touched, |held| {
                held.is_ruled = false;
                held.is_dirty = true;
            }),
            (Some((row, terms)), true) => {
                self.change(now, slot, touched, |held| held.replan(row, terms));
            }
            (Some((row, terms)), false) => {
                self.insert(now, slot, Held::new(row, terms));
                let indexed = Indexed::NOWHERE;
                let is_concerned = true;
                touched.insert(
                    slot,
                    Touched {
                        indexed,
                        is_concerned,
                    },
                );
            }
        }
        let fault = self.fault(slot).filter(|fault| Some(*fault) != before);
        said.extend(fault.zip(self.id(slot)).map(|(fault, id)| {
            ExitOutput::Alert(Alert {
                time: now,
                position: id.clone(),
                message: fault.to_owned(),
            })
        }));
    }

    fn insert(&mut self, now: LogicalTime, slot: Slot, mut held: Held) {
        if let Some(early) = self.early.remove(&held.row.position.id) {
            held.orders = early.orders;
            held.manual = early.manual;
        }
        if held.is_evaluated() {
            held.entered = now;
            self.marks.enter(now);
        }
        self.dirty.push(slot);
        *self.entry(slot) = Some(held);
    }

    /// Lets `change` alter the plan of a position, and keeps its mark.
    fn change(
        &mut self,
        now: LogicalTime,
        slot: Slot,
        touched: &mut BTreeMap<Slot, Touched>,
        change: impl FnOnce(&mut Held),
    ) {
        let Some(held) = &mut self.held[place(slot)] else {
            return;
        };
        touch(touched, slot, held).is_concerned = true;
        let (was_evaluated, cycle) = (held.is_evaluated(), held.row.position.cycle);
        let (own, shared) = (held.mark, self.marks.since(held.entered));
        let was_dirty = held.is_dirty;
        let old = held.row.clone();
        held.mark = higher(own, shared);
        change(held);
        let is_same_scale =
            Arc::ptr_eq(&old, &held.row) || split_of(&old.position, &held.row.position).is_none();
        let is_same_cycle = cycle == held.row.position.cycle;
        if held.is_evaluated() {
            if was_evaluated && is_same_cycle && is_same_scale {
                held.mark = own; // It goes on sharing the mark of its segment.
            } else {
                held.entered = now;
                self.marks.enter(now);
            }
        } else {
            held.entered = LogicalTime::MAX;
        }
        if held.is_dirty && !was_dirty {
            self.dirty.push(slot);
        }
    }

    fn ask(&mut self, sale: ManualSale, stands: bool, touched: &mut BTreeMap<Slot, Touched>) {
        let Some((slot, held)) = self.held_mut(&sale.position) else {
            let early = self.early.entry(sale.position.clone()).or_default();
            put(&mut early.manual, sale, stands);
            return;
        };
        touch(touched, slot, held).is_concerned |= stands;
        put(&mut held.manual, sale, stands);
        held.quiet = Quiet::NEVER;
    }

    fn take_order(&mut self, order: ExitOrder, touched: &mut BTreeMap<Slot, Touched>) {
        let Some((slot, held)) = self.held_mut(&order.position) else {
            let early = self.early.entry(order.position.clone()).or_default();
            early.orders.put(order);
            return;
        };
        // Fills and order results judge nothing.
        touch(touched, slot, held).is_concerned = false;
        held.orders.put(order);
        // What may be decided has changed; the next tick judges anew.
        held.quiet = Quiet::NEVER;
        if !std::mem::replace(&mut held.is_dirty, true) {
            self.dirty.push(slot);
        }
    }

    fn close(
        &mut self,
        id: &PositionId,
        touched: &mut BTreeMap<Slot, Touched>,
        said: &mut Vec<ExitOutput>,
    ) {
        self.early.remove(id);
        let Some(slot) = self.slots.remove(id) else {
            return;
        };
        if let Some(held) = self.entry(slot).take() {
            let touched = touched.remove(&slot);
            let indexed = touched.map_or(Indexed::of(&held), |touched| touched.indexed);
            self.index
                .shift(slot, indexed, Indexed::NOWHERE, &mut self.marks);
            said.push(ExitOutput::Levels(Box::new(held.no_levels())));
        }
        self.free.push(slot);
        if self.slots.is_empty() {
            self.marks.clear();
        }
    }

    /// Drops what holds the mark of no position, where that has become much.
    fn tidy_marks(&mut self) {
        if self.marks.is_long(self.slots.len()) {
            let held = self.held.iter().flatten();
            let entered: BTreeSet<_> = held.map(|held| held.entered).collect();
            self.marks.compact(entered.into_iter());
        }
    }

    fn judge_by_last_tick(
        &mut self,
        now: LogicalTime,
        slot: Slot,
        tick: &Tick,
        desk: &mut Desk,
        said: &mut Vec<ExitOutput>,
    ) {
        let Some(held) = self.entry(slot) else {
            return;
        };
        if held.is_evaluated() {
            // Its mark is its own until the price passes it, so the index stays right.
            let of_tick = Mark {
                price: tick.evaluation_price(),
                tick: Some(tick.time),
            };
            held.mark = higher(held.mark, Some(of_tick));
        }
        self.judge(now, slot, tick, false, desk, said);
    }

    /// Takes in a tick that may leave the quiet range of the book.
    pub(super) fn tick(&mut self, tick: &Tick, desk: &mut Desk, said: &mut Vec<ExitOutput>) {
        let price = tick.evaluation_price();
        self.have_marks_moved |= self.marks.raise(tick.time, price);
        let mut due = std::mem::take(&mut desk.due);
        due.clear();
        let examined = self.index.reached(tick.time, price, &self.marks, &mut due);
        due.sort_unstable();
        due.dedup();
        desk.work.levels_examined += examined;
        desk.work.levels_reached += u64::try_from(due.len()).unwrap_or_default();
        if due.len() > 1 {
            due.sort_by(|a, b| self.id(*a).cmp(&self.id(*b)));
        }
        for slot in &due {
            let indexed = self.held[place(*slot)].as_ref().map(Indexed::of);
            self.judge(tick.time, *slot, tick, true, desk, said);
            self.reindex(*slot, indexed.unwrap_or(Indexed::NOWHERE));
        }
        desk.due = due;
    }

    /// Returns within what no tick concerns a position.
    pub(super) fn bounds(&self) -> Bounds {
        self.index.bounds(&self.marks)
    }

    fn judge(
        &mut self,
        now: LogicalTime,
        slot: Slot,
        tick: &Tick,
        is_tick: bool,
        desk: &mut Desk,
        said: &mut Vec<ExitOutput>,
    ) {
        let Some(held) = &mut self.held[place(slot)] else {
            return;
        };
        let shared = self.marks.since(held.entered);
        let (trail, was_dirty) = (held.quiet.trail, held.is_dirty);
        let mark = higher(held.mark, shared);
        if held.mark.map(|own| own.price) <= shared.map(|shared| shared.price) {
            held.mark = None;
        }
        let by = Judgement {
            now,
            tick,
            is_tick,
            mark,
        };
        held.judge(by, desk.fills, &mut desk.scratch, said);
        // Its trailing level stands or falls with the first mark, or moved with its own.
        held.is_dirty |= held.quiet.trail != trail;
        if held.is_dirty && !was_dirty {
            self.dirty.push(slot);
        }
    }

    /// Moves the index entries of a position to its present quiet range.
    fn reindex(&mut self, slot: Slot, old: Indexed) {
        if let Some(held) = &self.held[place(slot)] {
            self.index
                .shift(slot, old, Indexed::of(held), &mut self.marks);
        }
    }

    fn id(&self, slot: Slot) -> Option<&PositionId> {
        let held = self.held[place(slot)].as_ref()?;
        Some(&held.row.position.id)
    }

    /// Returns why a position that its rules should judge cannot be judged.
    fn fault(&self, slot: Slot) -> Option<&'static str> {
        let held = self.held[place(slot)].as_ref()?;
        let is_on = held.row.position.mode == PositionMode::Enabled;
        held.fault().filter(|_| is_on)
    }

    fn entry(&mut self, slot: Slot) -> &mut Option<Held> {
        &mut self.held[place(slot)]
    }

    fn held_mut(&mut self, id: &PositionId) -> Option<(Slot, &mut Held)> {
        let slot = *self.slots.get(id)?;
        Some((slot, self.held[place(slot)].as_mut()?))
    }
}

/// Notes where the index has a position, before it changes.
fn touch<'t>(touched: &'t mut BTreeMap<Slot, Touched>, slot: Slot, held: &Held) -> &'t mut Touched {
    touched.entry(slot).or_insert(Touched {
        indexed: Indexed::of(held),
        is_concerned: false,
    })
}

/// Returns the higher of two marks, the second where they tie.
fn higher(own: Option<Mark>, shared: Option<Mark>) -> Option<Mark> {
    if own.map(|own| own.price) > shared.map(|shared| shared.price) {
        own
    } else {
        shared
    }
}

fn put(sales: &mut Vec<ManualSale>, sale: ManualSale, stands: bool) {
    sales.retain(|known| known.request != sale.request);
    if stands {
        sales.push(sale);
        sales.sort();
    }
}

fn place(slot: Slot) -> usize {
    usize::try_from(slot).unwrap_or(usize::MAX) // A slot is an index that was made from a usize.
}
