//! One live position under its plan: its own state, and the judging of it.
//!
//! A position is judged when something could come of it. In between, [`Quiet`] says within which
//! prices, and until when, judging again would change nothing; the book of the symbol touches the
//! position only outside of that. Results are those of judging at every tick (decision contract,
//! 2.0).

use std::sync::Arc;

use crate::model::{
    Floor, LogicalTime, ManualSale, Mark, Phase, PositionMode, PositionRow, Price, Quantity, Tick,
    floor_after, split_of,
};

use super::Fills;
use super::decision::{ExitDecision, Run, Runs};
use super::orders::Orders;
use super::output::{ExitOutput, Withheld};
use super::permit::{Active, Permit, permit};
use super::quiet::{Quiet, is_in_window};
use super::rule::Terms;
use super::trigger::{Reach, Subject, Trigger, When, compile};

/// A live position.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub(super) row: Arc<PositionRow>,
    pub(super) terms: Arc<Terms>,
    /// Whether a rule serves it.
    pub(super) is_ruled: bool,
    pub(super) qty: Quantity,
    pub(super) phase: Phase,
    pub(super) floor: Option<Floor>,
    /// What the operator asks to sell of it.
    pub(super) manual: Vec<ManualSale>,
    pub(super) orders: Orders,
    /// The mark from before `entered`, where it is above the one since.
    pub(super) mark: Option<Mark>,
    /// Ticks from here on count for the mark; none do while it is not evaluated.
    pub(super) entered: LogicalTime,
    pub(super) runs: Runs,
    /// Hits that were told as withheld, as bits of [`Held::bit`].
    withheld: u64,
    pub(super) quiet: Quiet,
    /// Whether its levels have changed since they were told.
    pub(super) is_dirty: bool,
}

/// What a position is judged by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Judgement<'t> {
    /// Time of the event.
    pub(super) now: LogicalTime,
    /// The tick that gives the price.
    pub(super) tick: &'t Tick,
    /// Whether the event is that tick. Only ticks move runs.
    pub(super) is_tick: bool,
    /// The high-water mark, with the price of the tick.
    pub(super) mark: Option<Mark>,
}

impl Judgement<'_> {
    pub(super) fn price(&self) -> Price {
        self.tick.evaluation_price()
    }

    /// Returns where a trailing stop with `gap` lies.
    pub(super) fn trail(&self, gap: crate::model::Threshold) -> Option<Reach> {
        Reach::below(self.mark?.price, gap)
    }
}

/// A trigger that hit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hit {
    pub(super) level: Price,
}

/// What is used again from one judgement to the next.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    pub(super) triggers: Vec<Trigger>,
}

impl Held {
    /// Returns the position under its plan, unjudged.
    pub(super) fn new(row: Arc<PositionRow>, terms: Option<Arc<Terms>>) -> Self {
        Self {
            qty: row.position.qty,
            phase: row.state.phase,
            floor: row.state.floor,
            mark: row.state.mark,
            row,
            is_ruled: terms.is_some(),
            terms: terms.unwrap_or_else(Terms::nothing),
            manual: Vec::new(),
            orders: Orders::default(),
            entered: LogicalTime::MAX,
            runs: Runs::default(),
            withheld: 0,
            quiet: Quiet::NEVER,
            is_dirty: true,
        }
    }

    /// Puts another plan in force. A change of phase or cycle ends the runs of breaches.
    pub(super) fn replan(&mut self, row: Arc<PositionRow>, terms: Option<Arc<Terms>>) {
        // The same row again: what fills have made of the position stays.
        if !Arc::ptr_eq(&self.row, &row) {
            let (old, new) = (&self.row.position, &row.position);
            if row.state.phase != self.phase || new.cycle != old.cycle {
                self.runs = Runs::default();
            }
            if new.cycle != old.cycle {
                self.mark = None;
            } else if let Some(split) = split_of(old, new) {
                self.mark = self.mark.map(|mark| split.rescale(mark));
            }
            self.qty = new.qty;
            self.phase = row.state.phase;
            self.floor = row.state.floor;
            self.row = row;
        }
        self.is_ruled = terms.is_some();
        self.terms = terms.unwrap_or_else(Terms::nothing);
        self.withheld = 0;
        self.quiet = Quiet::NEVER;
        self.is_dirty = true;
    }

    /// Returns whether the rules judge the position: ticks count for its mark.
    pub(super) fn is_evaluated(&self) -> bool {
        let mode = self.row.position.mode;
        mode == PositionMode::Enabled && self.can_be_sold()
    }

    fn can_be_sold(&self) -> bool {
        self.is_ruled && self.phase != Phase::Exited && self.fault().is_none()
    }

    /// Returns why a position cannot be judged although it should be.
    pub(super) fn fault(&self) -> Option<&'static str> {
        if self.row.position.avg_price.is_none() {
            Some("average price is not above zero")
        } else if self.qty.is_zero() {
            Some("quantity is zero while the position is live")
        } else {
            None
        }
    }

    pub(super) fn subject(&self) -> Option<Subject<'_>> {
        let position = &self.row.position;
        let by_hand = position.mode == PositionMode::ManualOnly && !self.manual.is_empty();
        let is_judged = self.can_be_sold() && (position.mode == PositionMode::Enabled || by_hand);
        let avg = position.avg_price.filter(|_| is_judged)?;
        Some(Subject {
            position,
            terms: &self.terms,
            phase: self.phase,
            floor: self.floor,
            avg,
            manual: &self.manual,
        })
    }

    /// Judges the position and says what comes of it.
    pub(super) fn judge(
        &mut self,
        by: Judgement<'_>,
        fills: Fills,
        scratch: &mut Scratch,
        said: &mut Vec<ExitOutput>,
    ) {
        let Some(subject) = self.subject() else {
            self.quiet = Quiet::default();
            return;
        };
        let triggers = &mut scratch.triggers;
        compile(&subject, triggers);
        if by.is_tick && self.is_evaluated() {
            self.runs = self.moved_runs(by, triggers);
        }
        if let Some(decision) = self.first_hit(by, triggers, said) {
            self.runs.end(decision.reason);
            self.take(&decision, fills);
            said.push(ExitOutput::Decision(Box::new(decision)));
            if fills == Fills::Immediate {
                // Quantity and phase have moved: the next tick finds other triggers.
                let is_over = self.phase == Phase::Exited;
                self.quiet = if is_over {
                    Quiet::default()
                } else {
                    Quiet::NEVER
                };
                return;
            }
        }
        self.quiet = self.silence(by, triggers);
    }

    fn moved_runs(&self, by: Judgement<'_>, triggers: &[Trigger]) -> Runs {
        let breaches = |reach: Option<Reach>| reach.is_some_and(|reach| by.price() <= reach.price);
        let (mut floor, mut trail) = (false, false);
        for trigger in triggers {
            match trigger.when {
                When::Floor(reach) => floor = breaches(Some(reach)),
                When::Trail { gap } => trail = breaches(by.trail(gap)),
                _ => {}
            }
        }
        let slot = by.now.breach_slot();
        Runs {
            floor: Run::after(self.runs.floor, floor, slot),
            trail: Run::after(self.runs.trail, trail, slot),
        }
    }

    /// Returns the decision of the first trigger that hits and may be decided; tells what is
    /// withheld before it.
    fn first_hit(
        &mut self,
        by: Judgement<'_>,
        triggers: &[Trigger],
        said: &mut Vec<ExitOutput>,
    ) -> Option<ExitDecision> {
        let active = Active::of(&self.orders);
        for trigger in triggers {
            let bit = Self::bit(trigger);
            let Some(hit) = self.hit(trigger, by) else {
                self.withheld &= !bit;
                continue;
            };
            let why = match permit(self, trigger, by.now, &active) {
                Permit::Now { attempt } => {
                    self.withheld &= !bit;
                    return Some(self.decide(trigger, hit, attempt, &active, by));
                }
                Permit::Spent | Permit::Underway => {
                    self.withheld &= !bit;
                    continue;
                }
                Permit::No(why) | Permit::Later(why, _) => why,
            };
            if self.withheld & bit == 0 {
                self.withheld |= bit;
                let subject = self.subject()?;
                said.push(ExitOutput::Withheld(Box::new(Withheld {
                    time: by.now,
                    position: subject.position.id.clone(),
                    symbol: subject.position.symbol,
                    reason: trigger.reason,
                    rule_id: trigger.rule_id(&subject),
                    why,
                    price: by.price(),
                    level: hit.level,
                })));
            }
        }
        None
    }

    /// Returns the decision that would be made now, without making it.
    pub(super) fn would_decide(&self, by: Judgement<'_>) -> Option<ExitDecision> {
        let mut triggers = Vec::new();
        compile(&self.subject()?, &mut triggers);
        let active = Active::of(&self.orders);
        triggers.iter().find_map(|trigger| {
            let hit = self.hit(trigger, by)?;
            match permit(self, trigger, by.now, &active) {
                Permit::Now { attempt } => Some(self.decide(trigger, hit, attempt, &active, by)),
                Permit::Spent | Permit::Underway | Permit::No(_) | Permit::Later(..) => None,
            }
        })
    }

    /// Returns the bit that stands for a trigger. Custom rules beyond the 47th share one.
    fn bit(trigger: &Trigger) -> u64 {
        1 << match trigger.reason {
            crate::model::ExitReason::CustomLoss | crate::model::ExitReason::CustomProfit => {
                16 + trigger.item.min(47)
            }
            reason => reason.rank(),
        }
    }

    pub(super) fn is_told(&self, trigger: &Trigger) -> bool {
        self.withheld & Self::bit(trigger) != 0
    }

    /// Returns the level that `trigger` hits, if it does.
    fn hit(&self, trigger: &Trigger, by: Judgement<'_>) -> Option<Hit> {
        let price = by.price();
        let at = |reach: Reach, holds: bool| holds.then(|| reach.level());
        let debounced = |reach: Reach, run: Option<Run>| {
            run.filter(|run| run.is_confirmed).map(|_run| reach.level())
        };
        let level = match trigger.when {
            When::Now => Some(price),
            When::Below(reach) => at(reach, price <= reach.price),
            When::Above(reach) => at(reach, price >= reach.price),
            When::Floor(reach) => debounced(reach, self.runs.floor),
            When::Gap { reach, window_s } => at(
                reach,
                price <= reach.price && is_in_window(by.now, window_s),
            ),
            When::BreakEven { arm, reach } => {
                let is_armed = by.mark.is_some_and(|mark| mark.price >= arm);
                at(reach, is_armed && price <= reach.price)
            }
            When::Trail { gap } => debounced(by.trail(gap)?, self.runs.trail),
            When::Held { limit, idle } => {
                let too_long = limit.is_some_and(|limit| by.now >= limit);
                let no_momentum = idle.is_some_and(|(from, need)| {
                    by.now >= from && by.mark.is_none_or(|mark| mark.price < need)
                });
                (too_long || no_momentum).then_some(price)
            }
        };
        level.map(|level| Hit { level })
    }

    /// Lets the decision take its effect on the position.
    fn take(&mut self, decision: &ExitDecision, fills: Fills) {
        self.orders.decided(decision, fills);
        if fills != Fills::Immediate {
            return;
        }
        self.qty = self.qty.saturating_sub(decision.qty);
        if self.qty.is_zero() {
            self.phase = Phase::Exited;
            self.orders = Orders::default();
            return;
        }
        let profile = &self.terms.rule.profile;
        let next = self.phase.after(decision.reason, profile);
        if next != self.phase
            && let Some(avg) = self.row.position.avg_price
        {
            self.floor = floor_after(self.floor, decision.reason, avg, profile);
            self.phase = next;
            self.runs = Runs::default();
            self.withheld = 0;
        }
        self.is_dirty = true;
    }
}
