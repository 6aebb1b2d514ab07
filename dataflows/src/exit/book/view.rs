//! What a book shows of itself: levels, the freshness of its price, and answers to previews.

use crate::exit::held::{Held, Judgement};
use crate::exit::marks::Slot;
use crate::exit::output::{ExitOutput, Freshness, PreviewHit};
use crate::model::{LogicalTime, Mark, Price, Tick};
use crate::slots::Nearness;

use super::plans::Asked;
use super::{Book, LastPrice, PRICE_AGE_MAX_US, higher, place};

impl Book {
    /// Returns what has become of the freshness of the price, if it has changed.
    pub(in crate::exit) fn freshness(
        &mut self,
        now: LogicalTime,
        last: &LastPrice,
    ) -> Option<Freshness> {
        let held = self.held.iter().flatten().next()?;
        let symbol = held.row.position.symbol;
        let seen = last.seen();
        let is_stale = seen.is_none_or(|seen| now.micros_since(seen) > PRICE_AGE_MAX_US);
        (std::mem::replace(&mut self.is_stale, is_stale) != is_stale).then_some(Freshness {
            time: now,
            symbol,
            seen,
            is_stale,
        })
    }

    /// Returns the decision that would follow at once if a position had this plan.
    pub(super) fn preview(
        &self,
        now: LogicalTime,
        tick: &Tick,
        (request, row, terms): Asked,
    ) -> Option<ExitOutput> {
        let slot = self.slots.get(&row.position.id);
        let known = slot.and_then(|slot| self.held[place(*slot)].as_ref());
        let mut held = known.map_or_else(|| Held::new(row.clone(), terms.clone()), Held::clone);
        held.replan(row, terms);
        let of_tick = Mark {
            price: tick.evaluation_price(),
            tick: Some(tick.time),
        };
        let mark = higher(held.mark, self.marks.since(held.entered));
        let decision = held.would_decide(Judgement {
            now,
            tick,
            is_tick: false,
            mark: higher(mark, Some(of_tick)),
        })?;
        Some(ExitOutput::Preview(Box::new(PreviewHit {
            request,
            decision,
        })))
    }

    /// Returns whether levels have changed since they were told.
    pub(in crate::exit) fn is_dirty(&self) -> bool {
        self.have_marks_moved || !self.dirty.is_empty()
    }

    /// Tells the levels that have changed, those nearest to `last` first, about `rows` of them.
    /// Returns how many rows it told.
    pub(in crate::exit) fn tell_levels(
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

    /// Returns whether there are positions.
    pub(in crate::exit) fn is_held(&self) -> bool {
        !self.slots.is_empty()
    }

    /// Returns [`Self::distance`] in steps that grow with it, so that what hardly moves is not told
    /// again: three binary digits of it.
    pub(in crate::exit) fn nearness(&self, price: Price) -> Nearness {
        let far = u32::try_from(self.distance(price)).unwrap_or(u32::MAX);
        let digits = u32::BITS - far.leading_zeros();
        let cut = digits.saturating_sub(3);
        Nearness(far >> cut << cut)
    }

    /// Returns how far the price is from the nearest price that concerns a position, as a share of
    /// the price in millionths.
    pub(in crate::exit) fn distance(&self, price: Price) -> i64 {
        self.bounds().distance(price)
    }
}
