//! The entry of a candidate: its run, its conditions and the last gates.

use turnstile_dataflows::model::{ReentryMode, Symbol};
use turnstile_dataflows::reentry::TriggerKind;

use super::course::name;
use super::{Candidate, Oracle, SECOND, Said, Stage, class, seoul_day};

impl Oracle {
    pub(super) fn note_tick(&mut self, key: &(Symbol, String), time: u64, price: i64) {
        let Some(candidate) = self.candidates.get_mut(key) else {
            return;
        };
        if candidate.stage != Stage::Watch {
            return;
        }
        if matches!(self.mode, None | Some(ReentryMode::PauseAll)) {
            candidate.since = None;
            return;
        }
        let Some(level) = candidate.level else {
            return;
        };
        if price < level {
            candidate.since = None;
            candidate.spent = false;
        } else if candidate.since.is_none() && !candidate.spent {
            candidate.since = Some(time);
        }
    }

    pub(super) fn enter(&mut self, key: &(Symbol, String), time: u64, said: &mut Vec<Said>) {
        let Some(mut candidate) = self.candidates.get(key).cloned() else {
            return;
        };
        let tape = self.tape.get(&key.0).cloned().unwrap_or_default();
        let (Some(&(tick, price, _)), Some(since)) = (tape.last(), candidate.since) else {
            return;
        };
        let is_held = self.held.values().any(|(held, _)| *held == key.0);
        if candidate.stage != Stage::Watch
            || matches!(self.mode, None | Some(ReentryMode::PauseAll))
            || (candidate.entries > 0 && !is_held)
            || self.policy(&candidate, time).is_err()
            || self.counts(&candidate, time).is_err()
        {
            return;
        }
        let (regime, _) = self.regime(time);
        let Some(rule) = self.rule(&candidate.event, regime).cloned() else {
            return;
        };
        let Some((_, level)) = self.level(&candidate.event, &rule) else {
            return;
        };
        if time - since < rule.trigger.stable_us || !self.holds(&rule, key.0, &tape) {
            return;
        }
        let size = if candidate.entries == 0 {
            Some(rule.size)
        } else {
            rule.second_size.filter(|_| candidate.entries == 1)
        };
        let Some(size) = size.filter(|_| candidate.entries < rule.total_max) else {
            return;
        };
        let original = rust_decimal::Decimal::from(candidate.event.original_qty.shares());
        let qty = (original * size.to_decimal()).floor().max(1.into());
        let qty: i64 = qty.try_into().expect("shares");
        let refusal = self.last_gates(&candidate, key, time, (tick, price, qty), is_held);
        let what = match refusal {
            Some((gate, why)) => self.hold(&mut candidate, gate, why),
            None => {
                self.tally
                    .transition(&format!("{} -> READY", name(&candidate)));
                let class = class(&candidate.event.reason).expect("it is served");
                self.tally.entry(class, regime);
                candidate.stage = Stage::Ready;
                candidate.entries += 1;
                candidate.held_back = None;
                let reason = match rule.trigger.kind {
                    TriggerKind::Rebound(_) => "REENTRY_REBOUND",
                    TriggerKind::Breakout(_) => "REENTRY_BREAKOUT",
                    TriggerKind::Chase(_) => "REENTRY_CHASE",
                };
                self.tally.trigger(reason);
                let n = candidate.entries;
                let id = &candidate.event.id;
                let (today, week) = self.purchases(key.0, time);
                let cooled = candidate.until;
                Some(format!(
                    "SUBMIT {qty} at {level} {reason} {id}:ENTRY:{n} {today} {week} {cooled} {since}"
                ))
            }
        };
        if let Some(what) = what {
            said.push(self.said(&candidate, time, what, Some(price)));
        }
        self.candidates.insert(key.clone(), candidate);
    }

    /// Control, G3, G4 and G5.
    fn last_gates(
        &self,
        candidate: &Candidate,
        key: &(Symbol, String),
        time: u64,
        (tick, price, qty): (u64, i64, i64),
        is_held: bool,
    ) -> Option<(&'static str, String)> {
        let limits = self.limits.as_ref()?;
        if self.mode != Some(ReentryMode::Running) {
            return Some(("CONTROL", format!("{:?}", self.mode)));
        }
        let second = (time / SECOND + 9 * 3_600) % 86_400;
        let mut windows = self.windows.values();
        let within = windows.find(|window| window.from_s <= second && second < window.until_s);
        if let Some(window) = within {
            return Some(("CONTROL", format!("{window:?}")));
        }
        let others = self.candidates.iter();
        let is_bought = others
            .filter(|(other, _)| other.0 == key.0 && other.1 != key.1)
            .any(|(_, other)| other.stage == Stage::Ready);
        if is_bought || (is_held && candidate.entries == 0) {
            return Some(("G3", "busy".to_owned()));
        }
        let count = u32::try_from(self.held.len()).expect("few");
        if candidate.entries == 0 && limits.positions_max.is_some_and(|most| count >= most) {
            return Some(("G3", "positions".to_owned()));
        }
        let cost: i128 = self.held.values().map(|(_, cost)| cost).sum();
        let after = cost + i128::from(price) * i128::from(qty);
        if limits
            .exposure_max
            .is_some_and(|most| after > i128::from(most))
        {
            return Some(("G3", "exposure".to_owned()));
        }
        let today = self.exits.values();
        let today = today.filter(|exit| seoul_day(exit.exit.micros()) == seoul_day(time));
        let result: i64 = today.map(|exit| exit.result).sum();
        if limits.daily_loss_max.is_some_and(|most| result <= -most) {
            return Some(("G4", String::new()));
        }
        (time - tick > 5 * SECOND).then(|| ("G5", String::new()))
    }
}
