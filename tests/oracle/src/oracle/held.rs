//! One live position: evaluated in full whenever an event says so.

use std::collections::BTreeMap;
use std::sync::Arc;

use turnstile_dataflows::model::{
    ActionKey, ExitMode, ExitOrder, ExitReason, LogicalTime, ManualSale, OrderStatus, Position,
    PositionMode, Price, ProfileId, Quantity, Tick,
};

use super::exact::Won;
use super::hits::{Hit, Runs, Sells, View};
use super::permit::{attempt, is_active, is_full_stop, obstacles, severity};
use super::rows::{Context, Decision, Fills, Inputs, State};
use super::rules::Rules;
use super::tally::Tally;
use super::transitions;

/// The rule in force for a position.
#[derive(Clone, Debug)]
pub(super) struct InForce {
    pub(super) id: ProfileId,
    pub(super) version: u32,
    /// What chose it.
    pub(super) level: &'static str,
    pub(super) rules: Arc<Rules>,
}

/// A live position.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub(super) position: Position,
    pub(super) state: State,
    pub(super) rule: Option<Arc<InForce>>,
    pub(super) mark: Option<Price>,
    pub(super) runs: Runs,
    pub(super) orders: BTreeMap<ActionKey, ExitOrder>,
}

/// What every evaluation of one event shares.
pub(super) struct Scene<'a> {
    pub(super) now: LogicalTime,
    pub(super) tick: &'a Tick,
    /// Whether the event is that tick.
    pub(super) is_tick: bool,
    pub(super) context: Context,
    pub(super) mode: ExitMode,
    pub(super) requests: &'a [ManualSale],
    pub(super) fills: Fills,
}

impl Held {
    pub(super) fn new(position: Position) -> Self {
        Self {
            position,
            state: State::default(),
            rule: None,
            mark: None,
            runs: Runs::default(),
            orders: BTreeMap::new(),
        }
    }

    /// Evaluates the position (contract, 2.2). `hits` is scratch space.
    pub(super) fn evaluate(
        &mut self,
        scene: &Scene<'_>,
        tally: &mut Tally,
        hits: &mut Vec<Hit>,
    ) -> Option<Decision> {
        let price = scene.tick.bid.unwrap_or(scene.tick.last);
        let avg = self.position.avg_price?;
        let rule = self.rule.clone()?;
        if self.position.qty.is_zero() || self.position.mode == PositionMode::Disabled {
            return None;
        }
        if self.position.mode == PositionMode::Enabled {
            self.mark = self.mark.max(Some(price));
            if scene.is_tick {
                self.runs = self.view(scene, price, avg, &rule).runs_after_tick();
            }
        }
        hits.clear();
        self.view(scene, price, avg, &rule).hits(hits);
        for hit in hits.iter() {
            let found = obstacles(hit, self, scene.mode, scene.now);
            tally.count(hit.reason, &found);
            if !found.is_any() {
                let decision = self.decision(hit, &rule, scene, price, avg);
                self.take(hit, &decision, &rule, scene.fills);
                return Some(decision);
            }
        }
        None
    }

    /// Returns prices at which something could happen.
    pub(super) fn levels(&self, context: Context, mode: ExitMode) -> Vec<Won> {
        let (Some(rule), Some(avg)) = (&self.rule, self.position.avg_price) else {
            return Vec::new();
        };
        let view = View {
            now: LogicalTime::default(),
            price: avg,
            avg,
            position: &self.position,
            state: &self.state,
            rules: &rule.rules,
            context,
            mode,
            mark: self.mark,
            runs: self.runs,
            requests: &[],
        };
        view.levels()
    }

    /// Returns what an evaluation looks at.
    pub(super) fn view<'a>(
        &'a self,
        scene: &Scene<'a>,
        price: Price,
        avg: Price,
        rule: &'a InForce,
    ) -> View<'a> {
        View {
            now: scene.now,
            price,
            avg,
            position: &self.position,
            state: &self.state,
            rules: &rule.rules,
            context: scene.context,
            mode: scene.mode,
            mark: self.mark,
            runs: self.runs,
            requests: scene.requests,
        }
    }

    /// Returns the shares that a decision for `reason` may sell: what active orders do not hold. A
    /// full stop cancels the weaker orders; since a decision is stronger than every active order,
    /// those are all.
    pub(super) fn available(&self, reason: ExitReason) -> i64 {
        let mut available = self.position.qty.shares();
        for order in self.orders.values().filter(|order| is_active(order)) {
            let is_freed = is_full_stop(reason) && severity(order.reason) < severity(reason);
            if !is_freed {
                available -= order.qty.shares() - order.filled.shares();
            }
        }
        available
    }

    fn decision(
        &self,
        hit: &Hit,
        rule: &InForce,
        scene: &Scene<'_>,
        price: Price,
        avg: Price,
    ) -> Decision {
        let available = self.available(hit.reason);
        let wanted = match hit.sells {
            Sells::All => available,
            Sells::Shares(shares) => shares,
        };
        let attempt = attempt(hit, self)
            .expect("a decision has an attempt")
            .number;
        let active = self.orders.values().filter(|order| is_active(order));
        let cancels = active.map(|order| order.action_key.to_string());
        let (position, phase) = (&self.position, self.state.phase);
        let key = ActionKey::exit(
            &position.id,
            position.cycle,
            phase.name(),
            hit.reason.name(),
            hit.rule_id.as_deref(),
            attempt,
        );
        let level = hit.level.map_or(Some(price), |level| level.rounded());
        Decision {
            time: scene.now,
            position: position.id.clone(),
            symbol: position.symbol,
            reason: hit.reason.code(),
            phase,
            qty: wanted.max(1).min(available),
            price,
            level: level.expect("a level that was reached is a price"),
            action_key: key.to_string(),
            cancels: if is_full_stop(hit.reason) {
                cancels.collect()
            } else {
                Vec::new()
            },
            inputs: Inputs {
                rule_id: hit.rule_id.clone(),
                cycle: position.cycle,
                attempt,
                tick: scene.tick.time,
                position_version: position.version,
                remaining: position.qty.shares(),
                available,
                avg,
                rule: (rule.id.clone(), rule.version, rule.level),
                context: scene.context,
                mark: self.mark,
                floor: self.state.floor,
                slot: hit.slot,
                mode: scene.mode,
            },
        }
    }

    /// Takes the decision in: it is an active order now, ends its run, and fills as `fills` says.
    fn take(&mut self, hit: &Hit, decision: &Decision, rule: &InForce, fills: Fills) {
        match hit.reason {
            ExitReason::StopFloor => self.runs.floor = None,
            ExitReason::TrailPartial => self.runs.trail_partial = None,
            ExitReason::Trail => self.runs.trail = None,
            _ => {}
        }
        let mut order = order_of(hit, decision);
        match fills {
            Fills::Reported => {}
            Fills::None => {
                for key in &decision.cancels {
                    let cancelled = self.orders.get_mut(&ActionKey::stored(key));
                    cancelled.expect("it was active").status = OrderStatus::Cancelled;
                }
            }
            Fills::Immediate => {
                order.status = OrderStatus::Filled;
                order.filled = order.qty;
                self.position.qty = self.position.qty.saturating_sub(order.qty);
                let next =
                    transitions::after(self.state, hit.reason, decision.inputs.avg, &rule.rules);
                self.set_state(next);
            }
        }
        self.orders.insert(order.action_key.clone(), order);
    }

    /// Puts another state in force. A change of the phase ends the runs.
    pub(super) fn set_state(&mut self, state: State) {
        if state.phase != self.state.phase {
            self.runs = Runs::default();
        }
        self.state = state;
    }

    /// Puts another row in force. A change of the cycle empties the mark and ends the runs; a split
    /// tells the mark in the new units.
    pub(super) fn set_position(&mut self, position: Position) {
        if position.cycle != self.position.cycle {
            self.mark = None;
            self.runs = Runs::default();
        } else if transitions::is_split(&self.position, &position) {
            let (before, after) = (self.position.qty.shares(), position.qty.shares());
            self.mark = self
                .mark
                .map(|mark| transitions::in_other_units(mark, before, after));
        }
        self.position = position;
    }
}

/// Returns the order that a decision becomes.
fn order_of(hit: &Hit, decision: &Decision) -> ExitOrder {
    ExitOrder {
        action_key: ActionKey::stored(&decision.action_key),
        position: decision.position.clone(),
        symbol: decision.symbol,
        reason: hit.reason,
        rule_id: hit.rule_id.clone(),
        phase: decision.phase,
        cycle: decision.inputs.cycle,
        attempt: decision.inputs.attempt,
        qty: Quantity::new(decision.qty).expect("a decision sells shares"),
        filled: Quantity::ZERO,
        status: OrderStatus::New,
        decided: decision.time,
    }
}
