//! The course of a candidate, from its exit event to its end.

use turnstile_dataflows::model::{ReentryMode, Regime, Symbol};
use turnstile_dataflows::reentry::CandidateState;

use super::{Candidate, MINUTE, Oracle, Said, Stage, class};

impl Oracle {
    /// Moves a candidate on as far as time and facts allow.
    pub(super) fn advance(&mut self, key: &(Symbol, String), time: u64, said: &mut Vec<Said>) {
        let Some(mut candidate) = self.candidates.get(key).cloned() else {
            return;
        };
        self.note_entry(&mut candidate, time);
        while let Some((what, is_first)) = self.step(&mut candidate, time) {
            let what = if is_first {
                format!("{what} first")
            } else {
                what
            };
            said.push(self.said(&candidate, time, what, None));
        }
        let rule = self.rule(&candidate.event, self.regime(time).0);
        let level = rule.and_then(|rule| self.level(&candidate.event, rule));
        let level = level.map(|(reach, _)| reach);
        if candidate.level != level || candidate.stage != Stage::Watch {
            candidate.level = level;
            candidate.since = None;
        }
        self.candidates.insert(key.clone(), candidate);
    }

    fn note_entry(&mut self, candidate: &mut Candidate, time: u64) {
        let id = candidate.event.id.to_string();
        let Some(stored) = self.stored.get(&id).cloned() else {
            return;
        };
        if candidate.stage != Stage::Ready || stored.state != CandidateState::Entered {
            return;
        }
        let made = self
            .bought
            .values()
            .filter(|row| row.candidate.as_str() == id)
            .count();
        let made = u32::try_from(made).expect("few");
        if made < candidate.entries {
            return;
        }
        candidate.entries = made.max(1);
        let mut rules = Regime::ALL
            .into_iter()
            .filter_map(|regime| self.rule(&candidate.event, regime));
        let has_room = candidate.entries == 1
            && rules.any(|rule| rule.second_size.is_some() && rule.total_max >= 2);
        let is_refused = stored
            .blocked
            .is_some_and(|(gate, _)| ["G0.5", "G2"].contains(&&*gate));
        self.tally.transition("READY -> ENTERED");
        candidate.stage = if has_room && !is_refused && time < candidate.watch_until {
            Stage::Watch
        } else {
            Stage::Over
        };
        candidate.since = None;
        candidate.spent = true;
    }

    fn step(&mut self, candidate: &mut Candidate, time: u64) -> Option<(String, bool)> {
        let is_first = candidate.stage == Stage::New;
        let from = name(candidate);
        if self.expiries.contains_key(candidate.event.id.as_str())
            && matches!(candidate.stage, Stage::New | Stage::Cooldown | Stage::Watch)
        {
            candidate.stage = Stage::Over;
            self.tally.transition(&format!("{from} -> EXPIRED (asked)"));
            return (candidate.entries == 0).then(|| ("EXPIRED asked".to_owned(), is_first));
        }
        let mode = self.mode?;
        let (regime, is_known) = self.regime(time);
        if mode == ReentryMode::PauseAll {
            if !is_first {
                return None;
            }
            return Some((self.block(candidate, "CONTROL"), true));
        }
        match candidate.stage {
            Stage::Ready | Stage::Over => None,
            Stage::New => {
                let event = candidate.event.clone();
                let Some(class) = class(&event.reason) else {
                    return Some((self.block(candidate, "G0.5"), true));
                };
                self.tally.cell(class, regime);
                let limits = self.limits.as_ref();
                let is_open = limits.is_some_and(|limits| limits.regimes.contains(&regime));
                let rule = self.rule(&event, regime);
                if is_open && is_known && !rule.is_some_and(|rule| rule.allows_candidate) {
                    return Some((self.block(candidate, "G0.5"), true));
                }
                if self.is_blacklisted(event.symbol, time) {
                    return Some((self.block(candidate, "G2"), true));
                }
                candidate.stage = Stage::Cooldown;
                candidate.until = self.cooldown_end(&event, time);
                self.tally.transition("NEW -> COOLDOWN");
                Some((format!("COOLDOWN {}", candidate.until), true))
            }
            Stage::Cooldown if time < candidate.until => None,
            Stage::Cooldown => {
                let policy = self.policy(candidate, time);
                if let Err((gate, _, true)) = policy {
                    return Some((self.block(candidate, gate), false));
                }
                if let Some(longer) = self.longer(candidate, time) {
                    return Some((longer, false));
                }
                if let (Ok(()), Err((gate, _, true))) = (policy, self.counts(candidate, time)) {
                    return Some((self.block(candidate, gate), false));
                }
                let rule = self.rule(&candidate.event, regime);
                let watch = rule.map_or(120 * MINUTE, |rule| rule.watch_us);
                candidate.stage = Stage::Watch;
                candidate.watch_until = candidate.until + watch;
                candidate.held_back = None;
                self.tally.transition("COOLDOWN -> WATCH");
                Some((format!("WATCH {}", candidate.watch_until), false))
            }
            Stage::Watch if time >= candidate.watch_until => {
                candidate.stage = Stage::Over;
                self.tally.transition(&format!("{from} -> EXPIRED"));
                (candidate.entries == 0).then(|| ("EXPIRED".to_owned(), false))
            }
            Stage::Watch => {
                let said = match self.policy(candidate, time) {
                    Err(refusal) => Some(refusal),
                    Ok(()) => {
                        if candidate.entries == 0
                            && let Some(longer) = self.longer(candidate, time)
                        {
                            return Some((longer, false));
                        }
                        self.counts(candidate, time).err()
                    }
                };
                match said {
                    Some((gate, _, true)) => return Some((self.block(candidate, gate), false)),
                    Some((gate, why, false)) => {
                        return self.hold(candidate, gate, why).map(|what| (what, false));
                    }
                    None => {}
                }
                if candidate
                    .held_back
                    .as_ref()
                    .is_some_and(|(gate, _)| gate == "G0")
                {
                    candidate.held_back = None;
                    self.tally.transition("WATCH (G0) -> WATCH");
                    return Some((format!("WATCH {}", candidate.watch_until), false));
                }
                None
            }
        }
    }

    fn longer(&mut self, candidate: &mut Candidate, time: u64) -> Option<String> {
        let until = self.cooldown_end(&candidate.event, time);
        if until <= candidate.until || time >= until {
            return None;
        }
        self.tally.gate("G1");
        self.tally
            .transition(&format!("{} -> COOLDOWN", name(candidate)));
        candidate.stage = Stage::Cooldown;
        candidate.until = until;
        candidate.held_back = None;
        candidate.since = None;
        candidate.spent = false;
        Some(format!("COOLDOWN {until}"))
    }

    fn block(&mut self, candidate: &mut Candidate, gate: &'static str) -> String {
        self.tally.gate(gate);
        self.tally
            .transition(&format!("{} -> BLOCKED", name(candidate)));
        candidate.stage = Stage::Over;
        format!("BLOCKED {gate} for good")
    }

    pub(super) fn hold(
        &mut self,
        candidate: &mut Candidate,
        gate: &'static str,
        why: String,
    ) -> Option<String> {
        let held = Some((gate.to_owned(), why));
        if candidate.held_back == held {
            return None;
        }
        self.tally.gate(gate);
        if let Some((_, why)) = &held
            && gate != "CONTROL"
        {
            self.tally.gate(&format!("{gate} {why}"));
        }
        candidate.held_back = held;
        Some(format!("BLOCKED {gate}"))
    }

    pub(super) fn said(
        &self,
        candidate: &Candidate,
        time: u64,
        what: String,
        price: Option<i64>,
    ) -> Said {
        let (regime, _) = self.regime(time);
        let rule = self.rule(&candidate.event, regime);
        Said {
            time,
            candidate: candidate.event.id.to_string(),
            what,
            under: (rule.map(|rule| rule.id.to_string()), regime.name()),
            price,
        }
    }
}

pub(super) fn name(candidate: &Candidate) -> &'static str {
    match candidate.stage {
        Stage::New => "NEW",
        Stage::Cooldown => "COOLDOWN",
        Stage::Watch if candidate.entries > 0 => "ENTERED",
        Stage::Watch => "WATCH",
        Stage::Ready => "READY",
        Stage::Over => "OVER",
    }
}
