//! Books: all live positions of one symbol, in the order of the prices that concern them.
//!
//! A tick touches only the positions whose quiet range it leaves. Cost per tick: logarithmic in the
//! positions of the symbol, plus the positions touched. Memory: four index entries a position and
//! the orders of each.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{ExitOrder, LogicalTime, PositionId, PositionMode, Price, Tick};

use super::Alert;
use super::decision::ExitDecision;
use super::held::{Held, Judgement, Orders};
use super::marks::Marks;
use super::plan::Plan;
use super::quiet::Quiet;

/// A tick older than this is not judged by any other event (decision contract, 2.1).
const TICK_AGE_MAX_US: u64 = 10_000_000;

/// What happened to one symbol at one logical time.
#[derive(Debug, Default)]
pub(crate) struct Happening {
    /// Facts about orders.
    pub(crate) orders: Vec<ExitOrder>,
    /// The plan of each position now; none where it has no plan any more.
    pub(crate) plans: BTreeMap<PositionId, Option<Plan>>,
    /// Positions that are closed for good.
    pub(crate) closed: BTreeSet<PositionId>,
    /// Trades.
    pub(crate) ticks: Vec<Tick>,
}

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) decisions: Vec<ExitDecision>,
    pub(crate) alerts: Vec<Alert>,
}

/// All live positions of one symbol.
#[derive(Debug, Default)]
pub(crate) struct Book {
    positions: BTreeMap<PositionId, Held>,
    orders: BTreeMap<PositionId, Orders>,
    lows: BTreeSet<(Price, PositionId)>,
    highs: BTreeSet<(Price, PositionId)>,
    wakes: BTreeSet<(LogicalTime, PositionId)>,
    always: BTreeSet<PositionId>,
    marks: Marks,
    last_tick: Option<Tick>,
}

impl Book {
    /// Takes in what happened at `now`: plans and orders first, then the positions that a plan
    /// change concerns are judged by the last tick, then the ticks.
    pub(crate) fn apply(&mut self, now: LogicalTime, happening: Happening) -> Outcome {
        let mut outcome = Outcome::default();
        let mut replanned = self.replan(now, happening.plans, &mut outcome);
        for order in happening.orders {
            // Fills and order results judge nothing.
            replanned.remove(&order.position);
            self.take_order(order);
        }
        for id in happening.closed {
            self.orders.remove(&id);
        }
        self.judge_by_last_tick(now, replanned, &mut outcome);
        for tick in happening.ticks {
            self.tick(tick, &mut outcome);
        }
        outcome
    }

    fn replan(
        &mut self,
        now: LogicalTime,
        plans: BTreeMap<PositionId, Option<Plan>>,
        outcome: &mut Outcome,
    ) -> BTreeSet<PositionId> {
        let mut replanned = BTreeSet::new();
        for (id, plan) in plans {
            let Some(plan) = plan else {
                if let Some(held) = self.positions.remove(&id) {
                    self.unindex(&id, held.quiet);
                }
                continue;
            };
            self.put(now, &id, plan);
            let held = &self.positions[&id];
            if let Some(message) = held
                .fault()
                .filter(|_| held.plan.position.mode == PositionMode::Enabled)
            {
                outcome.alerts.push(Alert {
                    time: now,
                    position: id.clone(),
                    message,
                });
            }
            replanned.insert(id);
        }
        if self.positions.is_empty() {
            self.marks.clear();
        }
        replanned
    }

    fn put(&mut self, now: LogicalTime, id: &PositionId, plan: Plan) {
        let known = self.positions.remove(id);
        let held = match known {
            Some(mut held) => {
                self.unindex(id, held.quiet);
                let was_judged = held.is_judged();
                let is_new_cycle = held.plan.position.cycle != plan.position.cycle;
                if was_judged {
                    held.mark = held.mark.max(self.marks.since(held.entered));
                }
                held.replan(plan);
                if is_new_cycle {
                    held.mark = None;
                }
                // Ticks count for the mark while the position is judged.
                held.entered = now;
                held
            }
            None => Held::new(plan, now),
        };
        if held.entered == now {
            self.marks.enter(now);
        }
        self.index(id, held.quiet);
        self.positions.insert(id.clone(), held);
    }

    fn take_order(&mut self, order: ExitOrder) {
        let id = order.position.clone();
        let orders = self.orders.entry(id.clone()).or_default();
        let is_over = order.status.is_terminal();
        orders.insert(order.action_key.clone(), order);
        if let Some(held) = self.positions.get_mut(&id) {
            // What may be decided has changed; the next tick judges anew.
            let (old, new) = (held.quiet, Quiet::NEVER);
            held.quiet = new;
            self.unindex(&id, old);
            self.index(&id, new);
        } else if is_over {
            self.orders.remove(&id);
        }
    }

    fn judge_by_last_tick(
        &mut self,
        now: LogicalTime,
        ids: BTreeSet<PositionId>,
        outcome: &mut Outcome,
    ) {
        let Some(tick) = self.last_tick else { return };
        if now.micros_since(tick.time) > TICK_AGE_MAX_US {
            return;
        }
        for id in ids {
            if let Some(held) = self.positions.get_mut(&id).filter(|held| held.is_judged()) {
                held.mark = held.mark.max(Some(tick.evaluation_price()));
            }
            self.judge(now, &id, &tick, false, outcome);
        }
    }

    /// Takes in one tick.
    pub(crate) fn tick(&mut self, tick: Tick, outcome: &mut Outcome) {
        let price = tick.evaluation_price();
        self.last_tick = Some(tick);
        self.marks.raise(tick.time, price);
        for id in self.due(tick.time, price) {
            self.judge(tick.time, &id, &tick, true, outcome);
        }
    }

    /// Returns the positions whose quiet range the price or the time leaves, by id.
    fn due(&self, now: LogicalTime, price: Price) -> BTreeSet<PositionId> {
        let mut due = self.always.clone();
        due.extend(
            self.lows
                .iter()
                .rev()
                .take_while(|(low, _)| *low >= price)
                .chain(self.highs.iter().take_while(|(high, _)| *high <= price))
                .map(|(_, id)| id.clone()),
        );
        due.extend(
            self.wakes
                .iter()
                .take_while(|(at, _)| *at <= now)
                .map(|(_, id)| id.clone()),
        );
        due
    }

    fn judge(
        &mut self,
        now: LogicalTime,
        id: &PositionId,
        tick: &Tick,
        is_tick: bool,
        outcome: &mut Outcome,
    ) {
        let Some(held) = self.positions.get_mut(id) else {
            return;
        };
        let mark = held.mark.max(self.marks.since(held.entered));
        let old = held.quiet;
        let orders = self.orders.entry(id.clone()).or_default();
        let decision = held.judge(
            Judgement {
                now,
                tick,
                is_tick,
                mark,
            },
            orders,
        );
        if orders.is_empty() {
            self.orders.remove(id);
        }
        let new = held.quiet;
        if new != old {
            self.unindex(id, old);
            self.index(id, new);
        }
        outcome.decisions.extend(decision);
    }

    fn index(&mut self, id: &PositionId, quiet: Quiet) {
        if let Some(low) = quiet.low {
            self.lows.insert((low, id.clone()));
        }
        if let Some(high) = quiet.high {
            self.highs.insert((high, id.clone()));
        }
        if let Some(wake) = quiet.wake {
            self.wakes.insert((wake, id.clone()));
        }
        if quiet.never {
            self.always.insert(id.clone());
        }
    }

    fn unindex(&mut self, id: &PositionId, quiet: Quiet) {
        if let Some(low) = quiet.low {
            self.lows.remove(&(low, id.clone()));
        }
        if let Some(high) = quiet.high {
            self.highs.remove(&(high, id.clone()));
        }
        if let Some(wake) = quiet.wake {
            self.wakes.remove(&(wake, id.clone()));
        }
        if quiet.never {
            self.always.remove(id);
        }
    }
}

#[cfg(test)]
mod tests;
