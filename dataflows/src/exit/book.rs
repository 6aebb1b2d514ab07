//! Books: all live positions of one symbol, in the order of the prices that concern them.
//!
//! A tick touches only the positions whose quiet range it leaves: comparing it with four numbers
//! says that there are none, which is so for nearly all ticks. Cost per tick: constant, plus, where
//! a level is reached, logarithmic in the positions of the symbol for each position touched. Memory:
//! the positions, three index entries each at most, and the orders of each.

mod index;
mod view;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::model::{
    ExitOrder, LogicalTime, ManualSale, Mark, PositionId, PositionMode, PositionRow, Tick, split_of,
};

use super::Fills;
use super::held::{Held, Judgement, Scratch};
use super::marks::{Marks, Slot};
use super::orders::Orders;
use super::output::{Alert, ExitOutput, PreviewHit};
use super::quiet::Quiet;
use super::rule::Terms;
pub(super) use index::Bounds;
use index::Index;

/// A tick older than this is not judged by any other event (decision contract, 2.1), and the price
/// is stale (2.12).
const TICK_AGE_MAX_US: u64 = 10_000_000;

/// What a position is planned to be; none where it is live no more. Without terms no rule serves it.
pub(super) type Planned = Option<(Arc<PositionRow>, Option<Arc<Terms>>)>;

/// A plan that is asked about, with the request.
pub(super) type Asked = (Arc<str>, Arc<PositionRow>, Option<Arc<Terms>>);

/// What happened to one symbol at one logical time.
#[derive(Debug, Default)]
pub(super) struct Happening {
    /// Facts about orders.
    pub(super) orders: Vec<ExitOrder>,
    /// Requests of the operator that begin or, without a sale, end.
    pub(super) manual: Vec<(ManualSale, bool)>,
    /// The plan of each position now.
    pub(super) plans: BTreeMap<PositionId, Planned>,
    /// Plans that are asked about.
    pub(super) previews: Vec<Asked>,
    /// Positions that are closed for good.
    pub(super) closed: BTreeSet<PositionId>,
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
    /// When it was last confirmed unchanged.
    pub(super) confirmed: LogicalTime,
}

impl LastPrice {
    /// Returns when the price was last seen or confirmed.
    fn seen(&self) -> Option<LogicalTime> {
        self.tick.map(|tick| tick.time.max(self.confirmed))
    }

    /// Returns the last tick, if it is young enough to be judged by another event.
    fn fresh(&self, now: LogicalTime) -> Option<Tick> {
        let age_us = now.micros_since(self.seen()?);
        self.tick.filter(|_| age_us <= TICK_AGE_MAX_US)
    }
}

/// Facts about a position that came before it.
#[derive(Debug, Default)]
struct Early {
    orders: Orders,
    manual: Vec<ManualSale>,
}

/// All live positions of one symbol.
#[derive(Debug, Default)]
pub(super) struct Book {
    /// In place by slot; a slot is used again after its position has gone.
    held: Vec<Option<Held>>,
    free: Vec<Slot>,
    slots: BTreeMap<PositionId, Slot>,
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
        let mut concerned = BTreeSet::new();
        for (id, plan) in happening.plans {
            concerned.extend(self.plan(now, &id, plan, said));
        }
        for (sale, stands) in happening.manual {
            let slot = self.ask(sale, stands);
            concerned.extend(slot.filter(|_| stands));
        }
        for order in happening.orders {
            // Fills and order results judge nothing.
            if let Some(slot) = self.take_order(order) {
                concerned.remove(&slot);
            }
        }
        for id in happening.closed {
            if let Some(slot) = self.close(&id) {
                concerned.remove(&slot);
            }
        }
        let Some(tick) = last.fresh(now) else { return };
        self.judge_by_last_tick(now, &tick, &concerned, desk, said);
        for (request, row, terms) in happening.previews {
            let hit = self.preview(now, &tick, row, terms);
            said.extend(
                hit.map(|decision| ExitOutput::Preview(Box::new(PreviewHit { request, decision }))),
            );
        }
    }

    /// Puts a plan in force, and returns whom it concerns. What cannot be judged is told once.
    fn plan(
        &mut self,
        now: LogicalTime,
        id: &PositionId,
        plan: Planned,
        said: &mut Vec<ExitOutput>,
    ) -> Option<Slot> {
        let known = self.slots.get(id).copied();
        let Some((row, terms)) = plan else {
            let slot = known?;
            self.change(now, slot, |held| held.is_ruled = false);
            return Some(slot);
        };
        let before = known.and_then(|slot| self.fault(slot));
        let slot = match known {
            Some(slot) => {
                self.change(now, slot, |held| held.replan(row, terms));
                slot
            }
            None => self.insert(now, id, Held::new(row, terms)),
        };
        let fault = self.fault(slot).filter(|fault| Some(*fault) != before);
        said.extend(fault.map(|fault| {
            ExitOutput::Alert(Alert {
                time: now,
                position: id.clone(),
                message: fault.to_owned(),
            })
        }));
        Some(slot)
    }

    fn insert(&mut self, now: LogicalTime, id: &PositionId, mut held: Held) -> Slot {
        if let Some(early) = self.early.remove(id) {
            held.orders = early.orders;
            held.manual = early.manual;
        }
        if held.is_evaluated() {
            held.entered = now;
            self.marks.enter(now);
        }
        let slot = self.free.pop().unwrap_or_else(|| {
            self.held.push(None);
            Slot::try_from(self.held.len() - 1).expect("fewer than 2^32 positions of a symbol")
        });
        self.index
            .add(slot, held.entered, held.quiet, &mut self.marks);
        self.dirty.push(slot);
        self.slots.insert(id.clone(), slot);
        *self.entry(slot) = Some(held);
        slot
    }

    /// Lets `change` alter a position, and keeps its mark and its place in the index.
    fn change(&mut self, now: LogicalTime, slot: Slot, change: impl FnOnce(&mut Held)) {
        let Some(mut held) = self.entry(slot).take() else {
            return;
        };
        self.index
            .remove(slot, held.entered, held.quiet, &mut self.marks);
        let (was_evaluated, cycle) = (held.is_evaluated(), held.row.position.cycle);
        let (own, shared) = (held.mark, self.marks.since(held.entered));
        let was_dirty = held.is_dirty;
        let price_scale = held.row.clone();
        held.mark = higher(own, shared);
        change(&mut held);
        let is_same_scale = Arc::ptr_eq(&price_scale, &held.row)
            || split_of(&price_scale.position, &held.row.position).is_none();
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
        self.index
            .add(slot, held.entered, held.quiet, &mut self.marks);
        *self.entry(slot) = Some(held);
        self.tidy_marks();
    }

    fn ask(&mut self, sale: ManualSale, stands: bool) -> Option<Slot> {
        let Some(slot) = self.slots.get(&sale.position).copied() else {
            let early = self.early.entry(sale.position.clone()).or_default();
            put(&mut early.manual, sale, stands);
            return None;
        };
        self.rouse(slot, |held| put(&mut held.manual, sale, stands));
        Some(slot)
    }

    fn take_order(&mut self, order: ExitOrder) -> Option<Slot> {
        let Some(slot) = self.slots.get(&order.position).copied() else {
            let early = self.early.entry(order.position.clone()).or_default();
            early.orders.put(order);
            return None;
        };
        // What may be decided has changed; the next tick judges anew.
        self.rouse(slot, |held| held.orders.put(order));
        Some(slot)
    }

    /// Lets `change` alter what leaves the marks alone, and the next tick judge the position.
    fn rouse(&mut self, slot: Slot, change: impl FnOnce(&mut Held)) {
        let Some(held) = &mut self.held[place(slot)] else {
            return;
        };
        let (entered, old) = (held.entered, held.quiet);
        change(held);
        held.quiet = Quiet::NEVER;
        self.index.remove(slot, entered, old, &mut self.marks);
        self.index.add(slot, entered, Quiet::NEVER, &mut self.marks);
    }

    fn close(&mut self, id: &PositionId) -> Option<Slot> {
        self.early.remove(id);
        let slot = self.slots.remove(id)?;
        if let Some(held) = self.entry(slot).take() {
            self.index
                .remove(slot, held.entered, held.quiet, &mut self.marks);
        }
        self.free.push(slot);
        if self.slots.is_empty() {
            self.marks.clear();
        } else {
            self.tidy_marks();
        }
        Some(slot)
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
        tick: &Tick,
        slots: &BTreeSet<Slot>,
        desk: &mut Desk,
        said: &mut Vec<ExitOutput>,
    ) {
        for slot in slots.iter().copied() {
            let Some(held) = self.entry(slot) else {
                continue;
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
            self.judge(tick.time, *slot, tick, true, desk, said);
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
        let (old, was_dirty) = (held.quiet, held.is_dirty);
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
        held.is_dirty |= held.quiet.trail != old.trail;
        if held.is_dirty && !was_dirty {
            self.dirty.push(slot);
        }
        if held.quiet != old {
            let (entered, new) = (held.entered, held.quiet);
            self.index.remove(slot, entered, old, &mut self.marks);
            self.index.add(slot, entered, new, &mut self.marks);
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
