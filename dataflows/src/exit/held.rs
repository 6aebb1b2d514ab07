//! One live position under its plan: judged at a price, and silent between two prices.
//!
//! A position is judged when something could come of it. In between, [`Quiet`] says within which
//! prices, and until when, judging again would change nothing; the book of the symbol touches the
//! position only outside of that. Results are those of judging at every tick (decision contract,
//! 2.0).
//!
//! Invariants:
//! 1. A trigger that may not be decided now can only become so by an event (order, plan, control)
//!    or at a known time, so it need not be watched for a price.
//! 2. Runs of breaches are state that shows later, so they are watched whether or not they may be
//!    decided.

use std::collections::BTreeMap;

use crate::model::{
    ActionKey, ExitOrder, ExitReason, LogicalTime, PositionMode, Price, Quantity, Threshold, Tick,
};

use super::decision::{ExitDecision, Explanation};
use super::plan::Plan;
use super::quiet::{Quiet, is_in_window, next_above, next_open};
use super::trigger::{Reach, Trigger, When, compile};

/// Attempts for reasons that are not full stops (decision contract, section 4).
const ATTEMPTS_MAX: u32 = 3;
/// From the fourth attempt of a full stop on, one each this long.
const LATE_ATTEMPT_EVERY_US: u64 = 30_000_000;

/// Orders of one position by action key.
pub(crate) type Orders = BTreeMap<ActionKey, ExitOrder>;

/// A live position.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) plan: Plan,
    triggers: Vec<Trigger>,
    /// The mark before `entered`.
    pub(crate) mark: Option<Price>,
    /// Ticks from here on count for the mark.
    pub(crate) entered: LogicalTime,
    floor_run: Option<Run>,
    trail_run: Option<Run>,
    pub(crate) quiet: Quiet,
}

/// An unbroken run of breaching ticks.
#[derive(Clone, Copy, Debug)]
struct Run {
    slot: u64,
    /// A breaching tick has come in a later slot.
    is_confirmed: bool,
}

/// What a position is judged by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Judgement<'t> {
    /// Time of the event.
    pub(crate) now: LogicalTime,
    /// The tick that gives the price.
    pub(crate) tick: &'t Tick,
    /// Whether the event is that tick. Only ticks move runs.
    pub(crate) is_tick: bool,
    /// The high-water mark, with the price of the tick.
    pub(crate) mark: Option<Price>,
}

impl Held {
    /// Returns the position under `plan`, unjudged.
    pub(crate) fn new(plan: Plan, entered: LogicalTime) -> Self {
        let mark = plan.state.mark;
        let triggers = triggers_of(&plan);
        Self {
            plan,
            triggers,
            mark,
            entered,
            floor_run: None,
            trail_run: None,
            quiet: Quiet::NEVER,
        }
    }

    /// Puts another plan in force. A change of the phase ends the runs of breaches.
    pub(crate) fn replan(&mut self, plan: Plan) {
        if plan.state.phase != self.plan.state.phase
            || plan.position.cycle != self.plan.position.cycle
        {
            self.floor_run = None;
            self.trail_run = None;
        }
        self.triggers = triggers_of(&plan);
        self.plan = plan;
        self.quiet = Quiet::NEVER;
    }

    /// Returns whether the position can be judged at all.
    pub(crate) fn is_judged(&self) -> bool {
        self.plan.position.mode == PositionMode::Enabled && self.fault().is_none()
    }

    /// Returns why an enabled position cannot be judged.
    pub(crate) fn fault(&self) -> Option<String> {
        let position = &self.plan.position;
        if position.avg_price.is_none() {
            Some("average price is not above zero".to_owned())
        } else if position.qty.is_zero() {
            Some("quantity is zero while the position is live".to_owned())
        } else {
            None
        }
    }

    /// Judges the position and returns the decision, if there is one. The decision joins `orders`.
    pub(crate) fn judge(&mut self, by: Judgement<'_>, orders: &mut Orders) -> Option<ExitDecision> {
        let Some(avg) = self.plan.position.avg_price.filter(|_| self.is_judged()) else {
            self.quiet = Quiet::default();
            return None;
        };
        let price = by.tick.evaluation_price();
        if by.is_tick {
            self.move_runs(by.now, price, by.mark);
        }
        let decision = self.first_hit(by, price, avg, orders);
        if let Some(decision) = &decision {
            match decision.reason {
                ExitReason::StopFloor => self.floor_run = None,
                ExitReason::Trail | ExitReason::TrailPartial => self.trail_run = None,
                _ => {}
            }
            orders.insert(decision.action_key.clone(), order_of(decision));
        }
        self.quiet = self.silence(by, orders);
        decision
    }

    fn move_runs(&mut self, now: LogicalTime, price: Price, mark: Option<Price>) {
        for trigger in &self.triggers {
            let (run, reach) = match &trigger.when {
                When::Floor(reach) => (&mut self.floor_run, Some(*reach)),
                When::Trail { gap } => (&mut self.trail_run, trail_reach(*gap, mark)),
                _ => continue,
            };
            let is_breach = reach.is_some_and(|reach| price <= reach.price);
            let slot = now.breach_slot();
            *run = match *run {
                _ if !is_breach => None,
                None => Some(Run {
                    slot,
                    is_confirmed: false,
                }),
                Some(run) => Some(Run {
                    is_confirmed: run.is_confirmed || slot > run.slot,
                    ..run
                }),
            };
        }
    }

    fn first_hit(
        &self,
        by: Judgement<'_>,
        price: Price,
        avg: Price,
        orders: &Orders,
    ) -> Option<ExitDecision> {
        for trigger in &self.triggers {
            let Some(hit) = self.hit(trigger, by, price) else {
                continue;
            };
            let Permit::Now { attempt } = self.permit(trigger, by.now, orders) else {
                continue;
            };
            let available = self.available(trigger, orders);
            let quantity = trigger.sells.quantity(&self.plan, available);
            return Some(self.decide(trigger, hit, attempt, quantity, available, by, avg, orders));
        }
        None
    }

    /// Returns the level that `trigger` hits, if it does.
    fn hit(&self, trigger: &Trigger, by: Judgement<'_>, price: Price) -> Option<Hit> {
        let at = |reach: Reach, holds: bool| {
            holds.then_some(Hit {
                level: reach.level,
                slot: None,
            })
        };
        let debounced = |reach: Reach, run: Option<Run>| {
            let run = run.filter(|run| run.is_confirmed)?;
            Some(Hit {
                level: reach.level,
                slot: Some(run.slot),
            })
        };
        match &trigger.when {
            When::Now => Some(Hit {
                level: price,
                slot: None,
            }),
            When::Below(reach) => at(*reach, price <= reach.price),
            When::Above(reach) => at(*reach, price >= reach.price),
            When::Floor(reach) => debounced(*reach, self.floor_run),
            When::Gap { reach, window_s } => at(
                *reach,
                price <= reach.price && is_in_window(by.now, *window_s),
            ),
            When::BreakEven { arm, reach } => {
                let is_armed = by.mark.is_some_and(|mark| mark >= *arm);
                at(*reach, is_armed && price <= reach.price)
            }
            When::Trail { gap } => debounced(trail_reach(*gap, by.mark)?, self.trail_run),
            When::Held { limit, idle } => {
                let too_long = limit.is_some_and(|limit| by.now >= limit);
                let no_momentum = idle.is_some_and(|(from, need)| {
                    by.now >= from && by.mark.is_none_or(|mark| mark < need)
                });
                (too_long || no_momentum).then_some(Hit {
                    level: price,
                    slot: None,
                })
            }
        }
    }

    /// Returns whether a hit of `trigger` may be decided (decision contract, 2.9).
    fn permit(&self, trigger: &Trigger, now: LogicalTime, orders: &Orders) -> Permit {
        let is_stronger = orders
            .values()
            .filter(|order| !order.status.is_terminal())
            .all(|order| trigger.reason.severity() > order.reason.severity());
        let passes = is_stronger
            && !self.available(trigger, orders).is_zero()
            && self.plan.mode.lets_through(trigger.reason);
        if !passes {
            return Permit::No;
        }
        let earlier = orders
            .values()
            .filter(|order| self.is_same_action(trigger, order));
        let Some(last) = earlier.max_by_key(|order| order.attempt) else {
            return Permit::Now { attempt: 1 };
        };
        let is_spent = !last.status.is_terminal()
            || last.filled >= last.qty
            || (trigger.reason.is_spent_by_any_fill() && !last.filled.is_zero());
        let attempt = last.attempt + 1;
        if is_spent || (attempt > ATTEMPTS_MAX && !trigger.reason.is_full_stop()) {
            return Permit::No;
        }
        let due = last.decided.plus_micros(LATE_ATTEMPT_EVERY_US);
        if attempt > ATTEMPTS_MAX && now < due {
            return Permit::Later(due);
        }
        Permit::Now { attempt }
    }

    /// Returns whether `order` was an attempt of what `trigger` would do. A custom rule is decided
    /// once per cycle, whatever the phase.
    fn is_same_action(&self, trigger: &Trigger, order: &ExitOrder) -> bool {
        order.cycle == self.plan.position.cycle
            && order.reason.name() == trigger.reason.name()
            && order.rule_id == trigger.rule_id
            && (trigger.rule_id.is_some() || order.phase == self.plan.state.phase)
    }

    /// Returns the shares that no active order holds. For a full stop the weaker orders count as
    /// free, since it cancels them.
    fn available(&self, trigger: &Trigger, orders: &Orders) -> Quantity {
        let held = orders
            .values()
            .filter(|order| !order.status.is_terminal())
            .filter(|order| {
                !(trigger.reason.is_full_stop()
                    && order.reason.severity() < trigger.reason.severity())
            })
            .fold(Quantity::ZERO, |sum, order| {
                sum.saturating_add(order.qty.saturating_sub(order.filled))
            });
        self.plan.position.qty.saturating_sub(held)
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "one place gathers every input of a decision"
    )]
    fn decide(
        &self,
        trigger: &Trigger,
        hit: Hit,
        attempt: u32,
        qty: Quantity,
        available: Quantity,
        by: Judgement<'_>,
        avg_price: Price,
        orders: &Orders,
    ) -> ExitDecision {
        let (plan, position) = (&self.plan, &self.plan.position);
        let phase = plan.state.phase;
        let active = orders.values().filter(|order| !order.status.is_terminal());
        let cancels = if trigger.reason.is_full_stop() {
            active.map(|order| order.action_key.clone()).collect()
        } else {
            Vec::new()
        };
        ExitDecision {
            time: by.now,
            position: position.id.clone(),
            symbol: position.symbol,
            reason: trigger.reason,
            rule_id: trigger.rule_id.clone(),
            phase,
            cycle: position.cycle,
            attempt,
            qty,
            price: by.tick.evaluation_price(),
            level: hit.level,
            action_key: ActionKey::exit(
                &position.id,
                position.cycle,
                phase,
                trigger.reason,
                trigger.rule_id.as_deref(),
                attempt,
            ),
            cancels,
            explanation: Explanation {
                tick: by.tick.time,
                last: by.tick.last,
                bid: by.tick.bid,
                position_version: position.version,
                remaining: position.qty,
                available,
                original_qty: position.original_qty,
                avg_price,
                profile: plan.rule.id.clone(),
                profile_version: plan.rule.version,
                profile_level: plan.level.name().into(),
                atr_pct_millionths: plan.context.atr_pct_millionths,
                prev_close: plan.context.prev_close,
                high_water_mark: by.mark,
                floor: plan.state.floor,
                breach_slot: hit.slot,
                mode: plan.mode,
            },
        }
    }

    /// Returns within what the position stays silent after having been judged.
    fn silence(&self, by: Judgement<'_>, orders: &Orders) -> Quiet {
        let mut quiet = Quiet::default();
        for trigger in &self.triggers {
            let may_be_decided = match self.permit(trigger, by.now, orders) {
                Permit::Now { .. } => true,
                Permit::Later(due) => {
                    quiet.from(due);
                    false
                }
                Permit::No => false,
            };
            match &trigger.when {
                When::Floor(_) if self.floor_run.is_some() => quiet.never = true,
                When::Trail { .. } if self.trail_run.is_some() => quiet.never = true,
                When::Floor(reach) => quiet.below(reach.price),
                When::Trail { gap } => match (by.mark, trail_reach(*gap, by.mark)) {
                    // Above the mark the level moves with the price.
                    (Some(mark), reach) => {
                        quiet.above(next_above(mark));
                        if let Some(reach) = reach {
                            quiet.below(reach.price);
                        }
                    }
                    (None, _) => quiet.never = true,
                },
                _ if !may_be_decided => {}
                When::Now => quiet.never = true,
                When::Below(reach) => quiet.below(reach.price),
                When::Above(reach) => quiet.above(reach.price),
                When::Gap { reach, window_s } => {
                    if is_in_window(by.now, *window_s) {
                        quiet.below(reach.price);
                    }
                    quiet.from(next_open(by.now));
                }
                When::BreakEven { arm, reach } => {
                    if by.mark.is_some_and(|mark| mark >= *arm) {
                        quiet.below(reach.price);
                    } else {
                        quiet.above(*arm);
                    }
                }
                When::Held { limit, idle } => {
                    for time in limit.iter().chain(idle.iter().map(|(from, _need)| from)) {
                        if *time > by.now {
                            quiet.from(*time);
                        }
                    }
                }
            }
        }
        quiet
    }
}

/// Whether a hit may be decided.
enum Permit {
    /// As this attempt.
    Now { attempt: u32 },
    /// Not before this time.
    Later(LogicalTime),
    /// Not until an event says otherwise.
    No,
}

/// A trigger that hit.
#[derive(Clone, Copy)]
struct Hit {
    level: Price,
    slot: Option<u64>,
}

fn triggers_of(plan: &Plan) -> Vec<Trigger> {
    plan.position
        .avg_price
        .map_or_else(Vec::new, |avg| compile(plan, avg))
}

fn order_of(decision: &ExitDecision) -> ExitOrder {
    ExitOrder {
        action_key: decision.action_key.clone(),
        position: decision.position.clone(),
        symbol: decision.symbol,
        reason: decision.reason,
        rule_id: decision.rule_id.clone(),
        phase: decision.phase,
        cycle: decision.cycle,
        attempt: decision.attempt,
        qty: decision.qty,
        filled: Quantity::ZERO,
        status: crate::model::OrderStatus::New,
        decided: decision.time,
    }
}

fn trail_reach(gap: Threshold, mark: Option<Price>) -> Option<Reach> {
    let mark = mark?;
    let price = gap.at_or_below(mark)?;
    Some(Reach {
        price,
        level: gap.rounded(mark).unwrap_or(price),
    })
}
