//! The course of a candidate without a price: its cooldown, its watch, and how both end.

use std::sync::Arc;

use crate::model::ReentryMode;

use super::super::gate::{self, Reason, Refusal};
use super::super::plan::CandidateState;
use super::super::verdict::Verdict;
use super::{Candidate, Held, Moment, Stage, WATCH_US};

impl Candidate {
    /// Takes in that an order has ended with shares: there may be a second entry.
    pub(super) fn note_entry(&mut self, moment: Moment<'_>) {
        let stored = self.plan.stored.as_ref();
        let has_entered = stored.is_some_and(|stored| stored.state == CandidateState::Entered);
        if self.stage != Stage::Ready || !has_entered {
            return;
        }
        let made = gate::entries_of(&self.plan);
        if made < self.entries {
            return; // What the candidate was told is older than its last entry.
        }
        self.entries = made.max(1);
        // Under whatever regime: the one of now may pass, and may be only assumed.
        let (n, original) = (self.entries + 1, self.plan.event.original_qty);
        let mut rules = self.plan.rules.all();
        let has_next = rules.any(|rule| rule.size_of(n, original).is_some());
        let is_refused = stored
            .and_then(|stored| stored.blocked.as_ref())
            .is_some_and(|(gate, _reason)| gate::is_final(gate));
        self.stage = if has_next && !is_refused && moment.now < self.watch_until {
            Stage::Watch
        } else {
            Stage::Over
        };
        (self.since, self.is_spent) = (None, true);
    }

    /// Moves on by one state, where time, plan and scene ask for it. Returns the verdict, and whether
    /// it is the first one on the exit event.
    pub(super) fn step(&mut self, moment: Moment<'_>) -> Option<(Verdict, bool)> {
        let now = moment.now;
        if let Some(by) = &self.plan.expired_by
            && matches!(self.stage, Stage::New | Stage::Cooldown | Stage::Watch)
        {
            let reason = format!("asked by {by}").into();
            let is_first = self.stage == Stage::New;
            return self.expire(Some(reason)).map(|verdict| (verdict, is_first));
        }
        match (self.stage, moment.scene.mode?) {
            (Stage::Ready | Stage::Over, _) => None,
            // Exit events that arrive while everything is paused are skipped, not queued.
            (Stage::New, ReentryMode::PauseAll) => {
                let refusal = Refusal::last("CONTROL", Reason::Mode(ReentryMode::PauseAll));
                Some((self.block(refusal), true))
            }
            (_, ReentryMode::PauseAll) => None,
            (Stage::New, _) => Some((self.begin(moment), true)),
            (Stage::Cooldown, _) if now < self.until => None,
            (Stage::Cooldown, _) => Some((self.end_cooldown(moment), false)),
            (Stage::Watch, _) if now >= self.watch_until => {
                self.expire(None).map(|verdict| (verdict, false))
            }
            (Stage::Watch, _) => self.look(moment).map(|verdict| (verdict, false)),
        }
    }

    /// What comes after the cooldown.
    fn end_cooldown(&mut self, moment: Moment<'_>) -> Verdict {
        let gates = self.gates(moment);
        let counts = match gates.policy() {
            Err(refusal) if refusal.is_final => return self.block(refusal),
            Err(_) => Ok(()),
            Ok(rule) => gates.counts(rule, self.entries),
        };
        if let Some(longer) = self.longer(moment) {
            return longer;
        }
        match counts {
            Err(refusal) if refusal.is_final => self.block(refusal),
            _ => self.watch(moment),
        }
    }

    /// The gates before the trigger, for a candidate that watches.
    fn look(&mut self, moment: Moment<'_>) -> Option<Verdict> {
        self.is_open = false;
        let gates = self.gates(moment);
        let counts = match gates.policy() {
            Err(refusal) => return self.refuse(refusal),
            Ok(rule) => gates.counts(rule, self.entries),
        };
        if self.entries == 0
            && let Some(longer) = self.longer(moment)
        {
            return Some(longer);
        }
        self.is_open = counts.is_ok();
        match counts {
            Err(refusal) => self.refuse(refusal),
            Ok(()) => self.clear(),
        }
    }

    fn refuse(&mut self, refusal: Refusal) -> Option<Verdict> {
        if refusal.is_final {
            Some(self.block(refusal))
        } else {
            self.hold(refusal)
        }
    }

    /// The first verdict on an exit event.
    fn begin(&mut self, moment: Moment<'_>) -> Verdict {
        if let Err(refusal) = self.gates(moment).check_new() {
            return self.block(refusal);
        }
        self.stage = Stage::Cooldown;
        self.until = self.terms(moment).cooldown_end;
        Verdict::Cooldown { until: self.until }
    }

    /// Gate G1: the cooldown of the rule in force may be longer, never shorter.
    fn longer(&mut self, moment: Moment<'_>) -> Option<Verdict> {
        let until = self.terms(moment).cooldown_end;
        if until <= self.until || moment.now >= until {
            return None;
        }
        self.stage = Stage::Cooldown;
        self.until = until;
        self.blocked = None;
        (self.since, self.is_spent) = (None, false);
        Some(Verdict::Cooldown { until })
    }

    fn watch(&mut self, moment: Moment<'_>) -> Verdict {
        let watch_us = self.rule(moment).map_or(WATCH_US, |rule| rule.watch_us);
        self.stage = Stage::Watch;
        self.watch_until = self.until.plus_micros(watch_us);
        self.blocked = None;
        Verdict::Watch {
            until: self.watch_until,
        }
    }

    /// Says once that gate G0 no longer refuses. Other passing refusals stand until something else
    /// is said.
    fn clear(&mut self) -> Option<Verdict> {
        self.blocked.take_if(|held| &*held.gate == "G0")?;
        Some(Verdict::Watch {
            until: self.watch_until,
        })
    }

    /// Says a passing refusal once.
    pub(super) fn hold(&mut self, refusal: Refusal) -> Option<Verdict> {
        let Refusal { gate, reason, .. } = refusal;
        if let Some(held) = &mut self.blocked
            && held.is_same(gate, &reason)
        {
            return None;
        }
        let (gate, words): (Arc<str>, Arc<str>) = (gate.into(), reason.words());
        self.blocked = Some(Held {
            gate: gate.clone(),
            words: words.clone(),
            reason: Some(reason),
        });
        Some(Verdict::Blocked {
            gate,
            reason: words,
            is_final: false,
        })
    }

    fn block(&mut self, refusal: Refusal) -> Verdict {
        self.stage = Stage::Over;
        Verdict::Blocked {
            gate: refusal.gate.into(),
            reason: refusal.reason.words(),
            is_final: true,
        }
    }

    /// Ends the candidate. One that has bought ends silently.
    fn expire(&mut self, reason: Option<Arc<str>>) -> Option<Verdict> {
        self.stage = Stage::Over;
        (self.entries == 0).then_some(Verdict::Expired { reason })
    }
}
