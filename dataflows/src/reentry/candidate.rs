//! One candidate: the state machine from cooldown to entry, without any dataflow.

use std::sync::Arc;

use crate::model::{ActionKey, CandidateId, LogicalTime, Price, Quantity, ReentryMode, Tick};

use super::plan::{CandidatePlan, CandidateState, ReentryRule, ReentryTrigger, reason_class};
use super::verdict::{EntryExplanation, ReentryVerdict, Verdict};

/// A candidate under its plan.
#[derive(Debug)]
pub(super) struct Candidate {
    plan: CandidatePlan,
    stage: Stage,
    /// The last transient refusal, so that it is written once per change.
    blocked: Option<Arc<str>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    New,
    Cooldown,
    Watch,
    Over,
}

/// A refusal: gate and reason.
type Refusal = (&'static str, String);

impl Candidate {
    /// Returns the candidate of `plan`, not yet begun. A stored state is where it goes on.
    pub(super) fn new(plan: CandidatePlan) -> Self {
        let stage = match plan.stored {
            None => Stage::New,
            Some(CandidateState::Cooldown) => Stage::Cooldown,
            Some(CandidateState::Watch) => Stage::Watch,
            Some(CandidateState::Ready | CandidateState::Over) => Stage::Over,
        };
        Self {
            plan,
            stage,
            blocked: None,
        }
    }

    /// Puts another plan in force.
    pub(super) fn replan(&mut self, plan: CandidatePlan) {
        self.plan = plan;
    }

    /// Returns when something happens without any event.
    pub(super) fn deadline(&self) -> Option<LogicalTime> {
        let rule = self.plan.rule.as_ref()?;
        match self.stage {
            Stage::New | Stage::Over => None,
            Stage::Cooldown => Some(self.cooldown_until(rule)),
            Stage::Watch => Some(self.watch_until(rule)),
        }
    }

    /// Moves on as far as time and plan allow, without a price.
    pub(super) fn advance(&mut self, now: LogicalTime) -> Vec<ReentryVerdict> {
        let mut verdicts = Vec::new();
        while let Some(verdict) = self.step(now) {
            verdicts.push(self.say(now, None, verdict));
        }
        verdicts
    }

    /// Judges the candidate by a tick.
    pub(super) fn tick(&mut self, tick: &Tick) -> Vec<ReentryVerdict> {
        let mut verdicts = self.advance(tick.time);
        let Some(rule) = self
            .plan
            .rule
            .clone()
            .filter(|_| self.stage == Stage::Watch)
        else {
            return verdicts;
        };
        let price = tick.evaluation_price();
        let Some((_, level)) = self.level(&rule).filter(|(reach, _)| price >= *reach) else {
            return verdicts;
        };
        if let Some((gate, reason)) = self.final_refusal(tick.time) {
            self.stage = Stage::Over;
            let verdict = Verdict::Blocked {
                gate: gate.into(),
                reason: reason.into(),
                is_final: true,
            };
            verdicts.push(self.say(tick.time, Some(tick), verdict));
        } else if let Some((gate, reason)) = self.transient_refusal() {
            let reason: Arc<str> = reason.into();
            if self.blocked.as_ref() != Some(&reason) {
                self.blocked = Some(reason.clone());
                let verdict = Verdict::Blocked {
                    gate: gate.into(),
                    reason,
                    is_final: false,
                };
                verdicts.push(self.say(tick.time, Some(tick), verdict));
            }
        } else {
            let verdict = self.submit(&rule, tick.time, level);
            self.stage = Stage::Over;
            verdicts.push(self.say(tick.time, Some(tick), verdict));
        }
        verdicts
    }

    fn step(&mut self, now: LogicalTime) -> Option<Verdict> {
        if matches!(self.stage, Stage::Over) {
            return None;
        }
        if self.stage == Stage::New && self.plan.mode == ReentryMode::PauseAll {
            // Exit events that arrive while everything is paused are skipped, not queued.
            return Some(self.block(("CONTROL", "re-entry is paused (PAUSE_ALL)".to_owned())));
        }
        if let Some(refusal) = self.policy_refusal() {
            return Some(self.block(refusal));
        }
        let rule = self.plan.rule.clone()?;
        let until = self.cooldown_until(&rule);
        match self.stage {
            Stage::New => {
                self.stage = Stage::Cooldown;
                Some(Verdict::Cooldown { until })
            }
            Stage::Cooldown if now >= until => match self.final_refusal(now) {
                Some(refusal) => Some(self.block(refusal)),
                None => {
                    self.stage = Stage::Watch;
                    Some(Verdict::Watch)
                }
            },
            Stage::Watch if now >= self.watch_until(&rule) => {
                self.stage = Stage::Over;
                Some(Verdict::Expired)
            }
            Stage::Cooldown | Stage::Watch | Stage::Over => None,
        }
    }

    fn block(&mut self, (gate, reason): Refusal) -> Verdict {
        self.stage = Stage::Over;
        Verdict::Blocked {
            gate: gate.into(),
            reason: reason.into(),
            is_final: true,
        }
    }

    /// Gate G0.5: the exit reason may lead to a re-entry at all.
    fn policy_refusal(&self) -> Option<Refusal> {
        let reason = &self.plan.event.reason;
        match &self.plan.rule {
            _ if reason_class(reason).is_none() => Some((
                "G0.5",
                format!("exit reason {reason} never leads to a re-entry"),
            )),
            None => Some(("G0.5", format!("no re-entry rule for exit reason {reason}"))),
            Some(rule) if !rule.is_allowed => {
                Some(("G0.5", format!("rule {} allows no re-entry", rule.id)))
            }
            Some(_) => None,
        }
    }

    /// Gate G2: the number of entries of the symbol today.
    fn final_refusal(&self, now: LogicalTime) -> Option<Refusal> {
        let rule = self.plan.rule.as_ref()?;
        let count = self.entries_on(now.seoul_day());
        (count >= rule.per_day_max).then(|| {
            let most = rule.per_day_max;
            (
                "G2",
                format!("{count} re-entries of the symbol today, at most {most} allowed"),
            )
        })
    }

    fn transient_refusal(&self) -> Option<Refusal> {
        if self.plan.mode != ReentryMode::Running {
            Some((
                "CONTROL",
                format!("re-entry is paused ({})", self.plan.mode),
            ))
        } else if self.plan.is_busy {
            Some(("G3", "the symbol is held or being bought".to_owned()))
        } else {
            None
        }
    }

    fn submit(&self, rule: &ReentryRule, now: LogicalTime, level: Price) -> Verdict {
        let event = &self.plan.event;
        Verdict::Submit {
            qty: rule.size.floor_of(event.original_qty).max(Quantity::ONE),
            level,
            reason: "REENTRY_REBOUND".into(),
            action_key: ActionKey::entry(&self.id(), 1),
            explanation: EntryExplanation {
                exit_price: event.exit_price,
                exit: event.exit,
                original_qty: event.original_qty,
                rule: rule.id.clone(),
                entries_today: self.entries_on(now.seoul_day()),
                cooldown_until: self.cooldown_until(rule),
            },
        }
    }

    fn entries_on(&self, day: u64) -> u32 {
        self.plan
            .entries
            .iter()
            .find(|(at, _)| *at == day)
            .map_or(0, |(_, count)| *count)
    }

    /// Returns the lowest price that triggers, and the level as it is printed.
    fn level(&self, rule: &ReentryRule) -> Option<(Price, Price)> {
        let ReentryTrigger::Rebound(rebound) = rule.trigger;
        let (threshold, base) = (rebound.threshold(), self.plan.event.exit_price);
        Some((threshold.at_or_above(base)?, threshold.rounded(base)?))
    }

    fn cooldown_until(&self, rule: &ReentryRule) -> LogicalTime {
        self.plan.event.exit.plus_micros(rule.cooldown_us)
    }

    fn watch_until(&self, rule: &ReentryRule) -> LogicalTime {
        self.cooldown_until(rule).plus_micros(rule.watch_us)
    }

    fn id(&self) -> CandidateId {
        CandidateId::from(&self.plan.event.id)
    }

    fn say(&self, now: LogicalTime, tick: Option<&Tick>, verdict: Verdict) -> ReentryVerdict {
        ReentryVerdict {
            time: now,
            candidate: self.id(),
            exit_event: self.plan.event.id.clone(),
            symbol: self.plan.event.symbol,
            rule_id: self.plan.rule.as_ref().map(|rule| rule.id.clone()),
            price: tick.map(Tick::evaluation_price),
            tick: tick.map(|tick| tick.time),
            verdict,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ExitEventId, Ratio};
    use crate::reentry::plan::ExitEvent;
    use rust_decimal::Decimal;

    fn ratio(text: &str) -> Ratio {
        Decimal::from_str_exact(text).unwrap().try_into().unwrap()
    }

    fn at(micros: u64) -> LogicalTime {
        LogicalTime::from_micros(micros)
    }

    fn plan() -> CandidatePlan {
        CandidatePlan {
            event: ExitEvent {
                id: "e1".parse::<ExitEventId>().unwrap(),
                symbol: "005930".parse().unwrap(),
                reason: "SL1".into(),
                exit: at(1_000),
                exit_price: Price::from_won(100).unwrap(),
                original_qty: Quantity::new(7).unwrap(),
            },
            rule: Some(ReentryRule {
                id: "r".into(),
                symbol: None,
                exit_reason: "SL".into(),
                is_allowed: true,
                cooldown_us: 500,
                watch_us: 1_000,
                per_day_max: 1,
                size: ratio("0.6"),
                trigger: ReentryTrigger::Rebound(ratio("0.02")),
                priority: 0,
            }),
            stored: None,
            entries: Vec::new(),
            is_busy: false,
            mode: ReentryMode::Running,
        }
    }

    fn tick(micros: u64, won: i64) -> Tick {
        let symbol = "005930".parse().unwrap();
        Tick {
            time: at(micros),
            symbol,
            last: Price::from_won(won).unwrap(),
            bid: None,
        }
    }

    fn verdicts(said: Vec<ReentryVerdict>) -> Vec<Verdict> {
        said.into_iter().map(|said| said.verdict).collect()
    }

    #[test]
    fn a_rebound_before_the_end_of_the_cooldown_buys_nothing() {
        let mut candidate = Candidate::new(plan());
        assert_eq!(
            verdicts(candidate.advance(at(1_100))),
            [Verdict::Cooldown { until: at(1_500) }]
        );
        assert_eq!(verdicts(candidate.tick(&tick(1_499, 110))), []);
        assert_eq!(candidate.deadline(), Some(at(1_500)));
    }

    #[test]
    fn a_rebound_to_the_level_buys_the_floor_of_the_share_once() {
        let mut candidate = Candidate::new(plan());
        candidate.advance(at(1_100));
        assert_eq!(verdicts(candidate.advance(at(1_500))), [Verdict::Watch]);
        assert_eq!(verdicts(candidate.tick(&tick(1_600, 101))), []);
        let said = verdicts(candidate.tick(&tick(1_700, 102)));
        let [
            Verdict::Submit {
                qty,
                level,
                action_key,
                ..
            },
        ] = said.as_slice()
        else {
            panic!("{said:?}")
        };
        assert_eq!(
            (qty.shares(), level.to_string(), action_key.as_str()),
            (4, "102".into(), "e1:ENTRY:1")
        );
        assert_eq!(verdicts(candidate.tick(&tick(1_800, 103))), []);
    }

    #[test]
    fn the_daily_count_blocks_for_good() {
        let mut plan = plan();
        plan.entries = vec![(at(1_500).seoul_day(), 1)];
        let mut candidate = Candidate::new(plan);
        let said = verdicts(candidate.advance(at(1_500)));
        assert!(
            matches!(&said[1], Verdict::Blocked { gate, is_final: true, .. } if &**gate == "G2")
        );
    }

    #[test]
    fn a_pause_of_entries_is_written_once_and_passes() {
        let mut paused = plan();
        paused.mode = ReentryMode::PauseEntry;
        let mut candidate = Candidate::new(paused);
        candidate.advance(at(1_500));
        assert_eq!(candidate.tick(&tick(1_600, 102)).len(), 1);
        assert_eq!(candidate.tick(&tick(1_601, 102)).len(), 0);
        candidate.replan(plan());
        assert!(matches!(
            verdicts(candidate.tick(&tick(1_602, 102)))[..],
            [Verdict::Submit { .. }]
        ));
    }

    #[test]
    fn the_watch_expires_and_manual_exits_are_refused() {
        let mut candidate = Candidate::new(plan());
        candidate.advance(at(1_500));
        assert_eq!(verdicts(candidate.advance(at(2_500))), [Verdict::Expired]);
        let mut manual = plan();
        manual.event.reason = "MANUAL".into();
        let said = verdicts(Candidate::new(manual).advance(at(1_100)));
        assert!(matches!(&said[..], [Verdict::Blocked { gate, .. }] if &**gate == "G0.5"));
    }
}
