//! The entry of a candidate: its trigger, the gates that ask for a price, and what it buys.

use std::sync::Arc;

use crate::model::{ActionKey, LogicalTime, Price, Quantity};

use super::super::gate::{self, Reason, Refusal};
use super::super::rule::ReentryRule;
use super::super::scene::Room;
use super::super::verdict::{EntryExplanation, Verdict};
use super::{Attention, Candidate, Held, Moment, Stage};

/// Age beyond which a price is not bought at (gate G5, domain 5.2).
const PRICE_AGE_US_MAX: u64 = 5_000_000;
/// How long nothing is bought after the risk gate refused: what it looks at moves slowly, and each
/// refusal is an alarm.
const REST_US: u64 = 60_000_000;

/// The gate of mode and windows.
const PAUSED: &str = "CONTROL";
/// Why a symbol is not bought a second time.
const TAKEN: &str = "the symbol is held or being bought";

impl Candidate {
    /// Buys where the trigger holds at `price` and no gate refuses.
    pub(super) fn try_enter(
        &mut self,
        moment: Moment<'_>,
        price: Price,
        tick: LogicalTime,
    ) -> Option<Verdict> {
        // A second entry adds to what is held; there is none where that was sold.
        if self.stage != Stage::Watch || (self.entries > 0 && !self.plan.facts.is_held) {
            return None;
        }
        if moment.now < self.rest_until {
            return None;
        }
        let since = self.since.filter(|_| self.is_open)?;
        let (_reach, level) = self.terms(moment).level?;
        let rule = self.rule(moment)?;
        let is_stable = moment.now.micros_since(since) >= rule.trigger.stable_us;
        let facts = &self.plan.facts;
        let is_ranked = !rule.trigger.ranking_held || facts.is_ranked(moment.now);
        let tape = moment.tape;
        if !is_stable || !is_ranked || !tape.allows(&rule.trigger, price, facts.volatility) {
            return None;
        }
        let n = self.entries + 1;
        let qty = rule.size_of(n, self.plan.event.original_qty)?;
        if let Some(refusal) = self.refusal(moment, price, tick, qty) {
            return self.hold(refusal);
        }
        let explanation = self.explain(moment, rule, since);
        let reason = rule.trigger.kind.reason().into();
        self.stage = Stage::Ready;
        self.entries = n;
        self.order = Some((qty, price));
        self.submitted = Some(moment.now);
        self.blocked = None;
        Some(Verdict::Submit {
            qty,
            level,
            reason,
            action_key: ActionKey::entry(&self.id(), n),
            explanation: Box::new(explanation),
        })
    }

    /// Notes which ticks it has to see, now that it has been judged. A tick under PAUSE_ALL ends its
    /// run, so it has to see that one.
    pub(super) fn note_attention(&mut self, moment: Moment<'_>) {
        let is_mute = moment.is_judged() && self.is_mute(moment);
        let last = moment.tape.last().zip(self.reach);
        let has_reached = last.map(|((price, _time), reach)| reach <= price);
        self.attention = if is_mute && has_reached == Some(self.is_above()) {
            Attention::Nothing
        } else if self.is_spent && moment.is_judged() {
            Attention::Fall
        } else {
            Attention::Level
        };
    }

    /// Returns whether plan and outlook alone keep it from buying, at any price, and that is said.
    fn is_mute(&mut self, moment: Moment<'_>) -> bool {
        let facts = &self.plan.facts;
        if !self.is_open || (self.entries > 0 && !facts.is_held) {
            return true;
        }
        let asks = |rule: &Arc<ReentryRule>| rule.trigger.ranking_held;
        if self.rule(moment).is_some_and(asks) && !facts.is_ranked(moment.now) {
            return true;
        }
        let refusal = self.standing_refusal(moment);
        refusal.is_some_and(|Refusal { gate, reason, .. }| {
            let held = self.blocked.as_mut();
            held.is_some_and(|held| held.is_same(gate, &reason))
        })
    }

    /// Takes in that the risk gate has refused its order.
    pub(super) fn note_refusal(&mut self, moment: Moment<'_>) {
        let Some(stored) = &self.plan.stored else {
            return;
        };
        let is_refused = self.submitted.is_some() && stored.refused == self.submitted;
        if self.stage != Stage::Ready || !is_refused {
            return;
        }
        self.stage = Stage::Watch;
        self.entries = self.entries.saturating_sub(1);
        (self.order, self.submitted) = (None, None);
        // A run of its trigger begins anew, with the next tick at or above the level.
        (self.since, self.is_spent) = (None, false);
        self.blocked = Held::of(stored);
        self.rest_until = moment.now.plus_micros(REST_US);
    }

    /// Returns what its order takes of the room, as long as nobody has told of the order: from then
    /// on its row counts, among all that is being bought.
    pub(in crate::reentry) fn reserved(&self) -> Room {
        let facts = &self.plan.facts;
        match self.order {
            Some((qty, price))
                if self.is_ready() && gate::entries_of(&self.plan) < self.entries =>
            {
                Room {
                    cost: i128::from(qty.shares()) * i128::from(price.units()),
                    positions: i64::from(!facts.is_held && !facts.is_bought),
                }
            }
            _ => Room::default(),
        }
    }

    /// The gates that ask for a price: CONTROL, G3, G4 and G5.
    fn refusal(
        &self,
        moment: Moment<'_>,
        price: Price,
        tick: LogicalTime,
        qty: Quantity,
    ) -> Option<Refusal> {
        if let Some(refusal) = self.standing_refusal(moment) {
            return Some(refusal);
        }
        let (scene, is_new) = (moment.scene, self.entries == 0);
        let (now, reserved) = (moment.now, moment.reserved);
        if let Some(words) = scene.exposure_refusal(now, qty, price, is_new, reserved) {
            return Some(Refusal::passing("G3", Reason::Words(words)));
        }
        if let Some(words) = scene.loss_refusal(now) {
            return Some(Refusal::passing("G4", Reason::Words(words)));
        }
        let is_old = now.micros_since(tick) > PRICE_AGE_US_MAX;
        let words = Reason::Words("the last price is older than 5 seconds");
        is_old.then(|| Refusal::passing("G5", words))
    }

    /// Those of them that refuse at any price, and until something else changes.
    fn standing_refusal(&self, moment: Moment<'_>) -> Option<Refusal> {
        if let Some(reason) = moment.scene.pause(moment.now) {
            return Some(Refusal::passing(PAUSED, reason));
        }
        let facts = &self.plan.facts;
        let is_taken = moment.is_bought || facts.is_bought || (self.entries == 0 && facts.is_held);
        is_taken.then(|| Refusal::passing("G3", Reason::Words(TAKEN)))
    }

    fn explain(
        &self,
        moment: Moment<'_>,
        rule: &ReentryRule,
        since: LogicalTime,
    ) -> EntryExplanation {
        let (event, facts) = (&self.plan.event, &self.plan.facts);
        let volatility = facts.volatility;
        let gates = self.gates(moment);
        EntryExplanation {
            exit_price: event.exit_price,
            exit: event.exit,
            exit_reason: event.reason.clone(),
            original_qty: event.original_qty,
            prior_hwm: event.prior_hwm,
            rule: rule.id.clone(),
            regime: moment.in_force.regime,
            is_regime_known: moment.in_force.is_known,
            entries_today: gates.entries_today(),
            entries_of_week: gates.entries_of_week(),
            cooldown_until: self.until,
            reached_since: since,
            atr_pct_millionths: volatility.map(|volatility| volatility.pct),
            prev_close: volatility.map(|volatility| volatility.close),
            ranked_as_of: facts.ranked_as_of,
            tape: moment.tape.figures(),
        }
    }
}
