//! High-water marks, shared by all positions of a symbol, and the trailing levels below them.
//!
//! The mark of a position is the highest evaluation price since it entered. So positions need no
//! mark of their own: one stack of segments, each a (time, price), with falling prices, answers for
//! all of them. A price above the top pops what it exceeds and merges it into one segment; the
//! segment at or after the position's own entry holds its mark. Amortised cost per tick: constant.
//! Size: at most one segment more than there are positions.
//!
//! Positions that trail their mark are kept with its segment, ordered by gap: all of a segment move
//! with one new high, whatever their number. Merging moves the fewer into the more, so a position is
//! moved at most logarithmically often.

use std::collections::BTreeSet;

use crate::model::{LogicalTime, Mark, Price, Threshold};

/// Index of a position in its book.
pub(super) type Slot = u32;

/// The falling sequence of highest prices of one symbol.
#[derive(Debug, Default)]
pub(super) struct Marks {
    stack: Vec<Segment>,
    /// The highest trailing level of each segment that has one, with its place in the stack.
    levels: BTreeSet<(Price, usize)>,
    last_entered: Option<LogicalTime>,
}

#[derive(Debug)]
struct Segment {
    time: LogicalTime,
    price: Price,
    /// By gap (a negative threshold): the last one has the highest level.
    trailers: BTreeSet<(Threshold, Slot)>,
    level: Option<Price>,
}

impl Segment {
    fn highest_level(&self) -> Option<Price> {
        let (gap, _slot) = self.trailers.last()?;
        gap.at_or_below(self.price)
    }
}

impl Marks {
    /// Notes that a position entered at `time`: its mark counts from here.
    pub(super) fn enter(&mut self, time: LogicalTime) {
        self.last_entered = self.last_entered.max(Some(time));
    }

    /// Forgets everything, since no position is left.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Takes in the evaluation price of a tick. Times must not fall. Returns whether trailing
    /// levels have moved.
    pub(super) fn raise(&mut self, time: LogicalTime, price: Price) -> bool {
        let Some(last_entered) = self.last_entered else {
            return false;
        };
        if self.ceiling() >= Some(price) {
            return false;
        }
        let mut trailers = BTreeSet::new();
        while let Some(top) = self.stack.pop_if(|top| top.price <= price) {
            if let Some(level) = top.level {
                self.levels.remove(&(level, self.stack.len()));
            }
            let mut fewer = top.trailers;
            if fewer.len() > trailers.len() {
                std::mem::swap(&mut fewer, &mut trailers);
            }
            trailers.extend(fewer);
        }
        let is_covered = self
            .stack
            .last()
            .is_some_and(|segment| segment.time >= last_entered);
        if !is_covered {
            let has_moved = !trailers.is_empty();
            self.stack.push(Segment {
                time,
                price,
                trailers,
                level: None,
            });
            self.relevel(self.stack.len() - 1);
            return has_moved;
        }
        debug_assert!(
            trailers.is_empty(),
            "who trails has entered, so nothing covers it"
        );
        false
    }

    /// Returns the price up to which a tick changes nothing here: the top, where it holds the mark
    /// of the latest entry. None where every tick does.
    pub(super) fn ceiling(&self) -> Option<Price> {
        let top = self.stack.last()?;
        (Some(top.time) >= self.last_entered).then_some(top.price)
    }

    /// Returns [`Marks::ceiling`] in units of a price, the largest number where no mark is kept.
    pub(super) fn ceiling_units(&self) -> i64 {
        match (self.last_entered, self.ceiling()) {
            (None, _) => i64::MAX,
            (Some(_), ceiling) => ceiling.map_or(0, Price::units),
        }
    }

    /// Returns the highest price at or after `entered`, and the time of a tick that had it.
    pub(super) fn since(&self, entered: LogicalTime) -> Option<Mark> {
        let segment = self.stack.get(self.place(entered))?;
        Some(Mark {
            price: segment.price,
            tick: Some(segment.time),
        })
    }

    /// Lets the position in `slot`, entered at `entered`, trail its mark by `gap`.
    pub(super) fn trail(&mut self, entered: LogicalTime, gap: Threshold, slot: Slot) {
        let place = self.place(entered);
        if let Some(segment) = self.stack.get_mut(place) {
            segment.trailers.insert((gap, slot));
            self.relevel(place);
        }
    }

    /// Ends what [`Marks::trail`] began.
    pub(super) fn untrail(&mut self, entered: LogicalTime, gap: Threshold, slot: Slot) {
        let place = self.place(entered);
        if let Some(segment) = self.stack.get_mut(place) {
            segment.trailers.remove(&(gap, slot));
            self.relevel(place);
        }
    }

    /// Returns the highest trailing level.
    pub(super) fn highest_level(&self) -> Option<Price> {
        self.levels.last().map(|(level, _place)| *level)
    }

    /// Appends the positions whose trailing level is at or above `price`, and returns how many
    /// levels were looked at.
    pub(super) fn reached(&self, price: Price, reached: &mut Vec<Slot>) -> u64 {
        let mut examined = 0;
        for (level, place) in self.levels.iter().rev() {
            examined += 1;
            if *level < price {
                break;
            }
            let segment = &self.stack[*place];
            for (gap, slot) in segment.trailers.iter().rev() {
                examined += 1;
                if gap
                    .at_or_below(segment.price)
                    .is_none_or(|level| level < price)
                {
                    break;
                }
                reached.push(*slot);
            }
        }
        examined
    }

    /// Returns every position that trails its mark.
    pub(super) fn trailers(&self) -> impl Iterator<Item = Slot> {
        let segments = self.stack.iter().flat_map(|segment| &segment.trailers);
        segments.map(|(_gap, slot)| *slot)
    }

    /// Returns whether the stack is much longer than `positions` positions need.
    pub(super) fn is_long(&self, positions: usize) -> bool {
        self.stack.len() > 2 * positions + 16
    }

    /// Drops the segments that hold the mark of no position. `entered` are the entries of all
    /// positions, in rising order.
    pub(super) fn compact(&mut self, entered: impl Iterator<Item = LogicalTime>) {
        let needed: BTreeSet<usize> = entered.map(|entered| self.place(entered)).collect();
        let mut place = 0;
        self.stack.retain(|_segment| {
            place += 1;
            needed.contains(&(place - 1))
        });
        self.levels = (0..)
            .zip(&self.stack)
            .filter_map(|(place, segment)| Some((segment.level?, place)))
            .collect();
    }

    fn place(&self, entered: LogicalTime) -> usize {
        self.stack.partition_point(|segment| segment.time < entered)
    }

    fn relevel(&mut self, place: usize) {
        let segment = &mut self.stack[place];
        let (old, new) = (segment.level, segment.highest_level());
        if old == new {
            return;
        }
        segment.level = new;
        if let Some(old) = old {
            self.levels.remove(&(old, place));
        }
        if let Some(new) = new {
            self.levels.insert((new, place));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Clone, Debug)]
    enum Step {
        Enter,
        Tick(i64),
        Trail(usize, i64),
        Untrail(usize),
        Compact,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            2 => Just(Step::Enter),
            6 => (1i64..20).prop_map(Step::Tick),
            2 => (0usize..30, 1i64..9).prop_map(|(at, gap)| Step::Trail(at, gap)),
            1 => (0usize..30).prop_map(Step::Untrail),
            1 => Just(Step::Compact),
        ]
    }

    fn gap(tenths: i64) -> Threshold {
        Threshold::product(tenths * 100_000, 1_000_000).negated()
    }

    proptest! {
        #[test]
        fn marks_and_trailing_levels_equal_a_scan_over_all_ticks(
            steps in proptest::collection::vec(step(), 1..80),
        ) {
            let (mut marks, mut ticks) = (Marks::default(), Vec::new());
            let mut entries: Vec<(LogicalTime, Option<Threshold>)> = Vec::new();
            for (index, step) in steps.into_iter().enumerate() {
                let now = LogicalTime::from_micros(u64::try_from(index).unwrap());
                let since = |entered: LogicalTime, ticks: &[(LogicalTime, Price)]| {
                    ticks.iter().filter(|(at, _)| *at >= entered).map(|(_, p)| *p).max()
                };
                match step {
                    Step::Enter => {
                        marks.enter(now);
                        entries.push((now, None));
                    }
                    Step::Tick(units) => {
                        let price = Price::from_units(units).unwrap();
                        marks.raise(now, price);
                        ticks.push((now, price));
                    }
                    Step::Trail(at, tenths) => {
                        let place = Slot::try_from(at).unwrap();
                        if let Some((entered, trailing)) = entries.get_mut(at)
                            && trailing.is_none() && since(*entered, &ticks).is_some()
                        {
                            marks.trail(*entered, gap(tenths), place);
                            *trailing = Some(gap(tenths));
                        }
                    }
                    Step::Untrail(at) => {
                        let place = Slot::try_from(at).unwrap();
                        if let Some((entered, trailing)) = entries.get_mut(at)
                            && let Some(gap) = trailing.take()
                        {
                            marks.untrail(*entered, gap, place);
                        }
                    }
                    Step::Compact => marks.compact(entries.iter().map(|(entered, _)| *entered)),
                }
                let mut naive = Vec::new();
                for (slot, (entered, trailing)) in (0..).zip(&entries) {
                    let mark = since(*entered, &ticks);
                    prop_assert_eq!(marks.since(*entered).map(|mark| mark.price), mark);
                    if let (Some(mark), Some(gap)) = (mark, trailing) {
                        naive.extend(gap.at_or_below(mark).map(|level| (level, slot)));
                    }
                }
                prop_assert!(marks.stack.len() <= entries.len() + 1);
                prop_assert_eq!(marks.highest_level(), naive.iter().map(|(l, _)| *l).max());
                for units in 1..20 {
                    let price = Price::from_units(units).unwrap();
                    let mut reached = Vec::new();
                    marks.reached(price, &mut reached);
                    reached.sort_unstable();
                    let due = naive.iter().filter(|(level, _)| *level >= price);
                    prop_assert_eq!(reached, due.map(|(_, slot)| *slot).collect::<Vec<_>>());
                }
            }
        }
    }
}
