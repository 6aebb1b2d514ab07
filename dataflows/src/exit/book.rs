//! Books: all live positions of one symbol, in the order of the prices that concern them.
//!
//! A tick touches only the positions whose quiet range it leaves: comparing it with four numbers
//! says that there are none, which is so for nearly all ticks. Cost per tick: constant, plus, where
//! a level is reached, logarithmic in the positions of the symbol for each position touched. Memory:
//! the positions, three index entries each at most, and the orders of each.

mod index;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::model::{
    ExitOrder, LogicalTime, ManualSale, Mark, PositionId, PositionMode, PositionRow, Price, Tick,
    split_of,
};

use super::Fills;
use super::held::{Held, Judgement, Scratch};
use super::marks::{Marks, Slot};
use super::orders::Orders;
use super::output::{Alert, ExitOutput, Freshness, PreviewHit};
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
            self.plan(now, &id, plan, said);
            concerned.insert(id);
        }
        for (sale, stands) in happening.manual {
            if stands {
                concerned.insert(sale.position.clone());
            }
            self.ask(sale, stands);
        }
        for order in happening.orders {
            // Fills and order results judge nothing.
            concerned.remove(&order.position);
            self.take_order(order);
        }
        for id in happening.closed {
            concerned.remove(&id);
            self.close(&id, said);
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

    fn plan(
        &mut self,
        now: LogicalTime,
        id: &PositionId,
        plan: Planned,
        said: &mut Vec<ExitOutput>,
    ) {
        let Some((row, terms)) = plan else {
            self.change(now, id, |held| {
                held.is_ruled = false;
                held.is_dirty = true;
            });
            return;
        };
        let before = self.fault(id);
        if self.slots.contains_key(id) {
            self.change(now, id, |held| held.replan(row, terms));
        } else {
            self.insert(now, id, Held::new(row, terms));
        }
        let fault = self.fault(id).filter(|fault| Some(*fault) != before);
        said.extend(fault.map(|fault| {
            ExitOutput::Alert(Alert {
                time: now,
                position: id.clone(),
                message: fault.to_owned(),
            })
        }));
    }

    fn insert(&mut self, now: LogicalTime, id: &PositionId, mut held: Held) {
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
    }

    /// Lets `change` alter a position, and keeps its mark and its place in the index.
    fn change(&mut self, now: LogicalTime, id: &PositionId, change: impl FnOnce(&mut Held)) {
        let Some(slot) = self.slots.get(id).copied() else {
            return;
        };
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

    fn ask(&mut self, sale: ManualSale, stands: bool) {
        let Some(held) = self.held_mut(&sale.position) else {
            let early = self.early.entry(sale.position.clone()).or_default();
            put(&mut early.manual, sale, stands);
            return;
        };
        let (entered, quiet) = (held.entered, held.quiet);
        put(&mut held.manual, sale.clone(), stands);
        held.quiet = Quiet::NEVER;
        self.reindex(&sale.position, entered, quiet);
    }

    fn take_order(&mut self, order: ExitOrder) {
        let id = order.position.clone();
        let Some(held) = self.held_mut(&id) else {
            self.early.entry(id).or_default().orders.put(order);
            return;
        };
        let (entered, quiet) = (held.entered, held.quiet);
        held.orders.put(order);
        // What may be decided has changed; the next tick judges anew.
        held.quiet = Quiet::NEVER;
        let was_dirty = std::mem::replace(&mut held.is_dirty, true);
        self.reindex(&id, entered, quiet);
        if !was_dirty && let Some(slot) = self.slots.get(&id) {
            self.dirty.push(*slot);
        }
    }

    /// Moves the index entries of a position from `old` to its present quiet range.
    fn reindex(&mut self, id: &PositionId, entered: LogicalTime, old: Quiet) {
        let Some(slot) = self.slots.get(id).copied() else {
            return;
        };
        if let Some(held) = &self.held[place(slot)] {
            self.index.remove(slot, entered, old, &mut self.marks);
            self.index.add(slot, entered, held.quiet, &mut self.marks);
        }
    }

    fn close(&mut self, id: &PositionId, said: &mut Vec<ExitOutput>) {
        self.early.remove(id);
        let Some(slot) = self.slots.remove(id) else {
            return;
        };
        if let Some(held) = self.entry(slot).take() {
            self.index
                .remove(slot, held.entered, held.quiet, &mut self.marks);
            said.push(ExitOutput::Levels(Box::new(held.no_levels())));
        }
        self.free.push(slot);
        if self.slots.is_empty() {
            self.marks.clear();
        } else {
            self.tidy_marks();
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
        tick: &Tick,
        ids: &BTreeSet<PositionId>,
        desk: &mut Desk,
        said: &mut Vec<ExitOutput>,
    ) {
        for id in ids {
            let Some(slot) = self.slots.get(id).copied() else {
                continue;
            };
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

    /// Returns what has become of the freshness of the price, if it has changed.
    pub(super) fn freshness(&mut self, now: LogicalTime, last: &LastPrice) -> Option<Freshness> {
        let held = self.held.iter().flatten().next()?;
        let symbol = held.row.position.symbol;
        let seen = last.seen();
        let is_stale = seen.is_none_or(|seen| now.micros_since(seen) > TICK_AGE_MAX_US);
        (std::mem::replace(&mut self.is_stale, is_stale) != is_stale).then_some(Freshness {
            time: now,
            symbol,
            seen,
            is_stale,
        })
    }

    /// Returns the decision that would follow at once if a position had this plan.
    fn preview(
        &self,
        now: LogicalTime,
        tick: &Tick,
        row: Arc<PositionRow>,
        terms: Option<Arc<Terms>>,
    ) -> Option<super::ExitDecision> {
        let known = self
            .slot(&row.position.id)
            .and_then(|slot| self.held[slot].as_ref());
        let mut held = known.map_or_else(|| Held::new(row.clone(), terms.clone()), Held::clone);
        held.replan(row, terms);
        let of_tick = Mark {
            price: tick.evaluation_price(),
            tick: Some(tick.time),
        };
        let mark = higher(held.mark, self.marks.since(held.entered));
        held.would_decide(Judgement {
            now,
            tick,
            is_tick: false,
            mark: higher(mark, Some(of_tick)),
        })
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

    /// Returns whether levels have changed since they were told.
    pub(super) fn is_dirty(&self) -> bool {
        self.have_marks_moved || !self.dirty.is_empty()
    }

    /// Tells the levels that have changed, those nearest to `last` first, about `rows` of them.
    /// Returns how many rows it told.
    pub(super) fn tell_levels(
        &mut self,
        last: &LastPrice,
        rows: usize,
        said: &mut Vec<ExitOutput>,
    ) -> usize {
        if std::mem::take(&mut self.have_marks_moved) {
            for slot in self.marks.trailers() {
                if let Some(held) = &mut self.held[place(slot)]
                    && !std::mem::replace(&mut held.is_dirty, true)
                {
                    self.dirty.push(slot);
                }
            }
        }
        let price = last.tick.map(|tick| tick.evaluation_price());
        let distance = |slot: &Slot| {
            let held = self.held[place(*slot)].as_ref();
            held.zip(price)
                .map_or(0, |(held, price)| held.distance(price))
        };
        let mut dirty = std::mem::take(&mut self.dirty);
        dirty.sort_by_cached_key(|slot| std::cmp::Reverse(distance(slot)));
        let mut told = 0;
        while told < rows
            && let Some(slot) = dirty.pop()
        {
            let Some(held) = &mut self.held[place(slot)] else {
                continue;
            };
            if std::mem::take(&mut held.is_dirty) {
                let levels = held.levels(higher(held.mark, self.marks.since(held.entered)));
                told += levels.levels.len().max(1);
                said.push(ExitOutput::Levels(Box::new(levels)));
            }
        }
        self.dirty = dirty;
        told
    }

    /// Returns how far the price is from the nearest price that concerns a position, as a share of
    /// the price in millionths.
    pub(super) fn distance(&self, price: Price) -> i64 {
        self.bounds().distance(price)
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

    fn slot(&self, id: &PositionId) -> Option<usize> {
        self.slots.get(id).map(|slot| place(*slot))
    }

    /// Returns why a position that its rules should judge cannot be judged.
    fn fault(&self, id: &PositionId) -> Option<&'static str> {
        let held = self.held[self.slot(id)?].as_ref()?;
        let is_on = held.row.position.mode == PositionMode::Enabled;
        held.fault().filter(|_| is_on)
    }

    fn entry(&mut self, slot: Slot) -> &mut Option<Held> {
        &mut self.held[place(slot)]
    }

    fn held_mut(&mut self, id: &PositionId) -> Option<&mut Held> {
        let slot = self.slot(id)?;
        self.held[slot].as_mut()
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
