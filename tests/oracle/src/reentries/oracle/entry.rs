//! The entry of a candidate: its run, its conditions and the last gates.

use std::collections::BTreeSet;

use turnstile_dataflows::model::{ReentryMode, Symbol};
use turnstile_dataflows::reentry::{TriggerKind, Underway};

use super::course::name;
use super::{Candidate, MINUTE, Oracle, SECOND, Said, Stage, class, seoul_day};

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
        if rule.trigger.ranking_held {
            let (is_held, why) = self.ranking(key.0, time);
            let run = (key.1.clone(), since, why);
            if refusal.is_none() && self.ranking_said.insert(run) {
                self.tally.ranking(why);
            }
            if !is_held {
                return;
            }
        }
        let what = match refusal {
            Some((gate, why, by)) => {
                by.into_iter().for_each(|by| self.tally.room(by));
                self.hold(&mut candidate, gate, why)
            }
            None => {
                self.tally
                    .transition(&format!("{} -> READY", name(&candidate)));
                let class = class(&candidate.event.reason).expect("it is served");
                self.tally.entry(class, regime);
                candidate.stage = Stage::Ready;
                candidate.entries += 1;
                candidate.order = Some((qty, price));
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
                let ranked = self.ranked.get(&key.0);
                Some(format!(
                    "SUBMIT {qty} at {level} {reason} {id}:ENTRY:{n} {today} {week} {cooled} {since} {ranked:?}"
                ))
            }
        };
        if let Some(what) = what {
            said.push(self.said(&candidate, time, what, Some(price)));
        }
        self.candidates.insert(key.clone(), candidate);
    }

    /// Whether the newest ranking selects a symbol and counts, and what there is to say of it.
    fn ranking(&self, symbol: Symbol, time: u64) -> (bool, &'static str) {
        let today = seoul_day(time);
        match self.ranked.get(&symbol) {
            None => (false, "not held: none"),
            Some(day) if *day > today => (false, "not held: of a day to come"),
            Some(day) if today - day > 7 => (false, "not held: too old"),
            Some(day) if today - day == 7 => (true, "held: of seven days ago"),
            Some(_) => (true, "held: newer"),
        }
    }

    fn room(row: &Underway) -> (Symbol, i128) {
        let cost = i128::from(row.left.shares()) * i128::from(row.price.units());
        (row.symbol, cost)
    }

    /// What candidates buy of whose orders there is no row.
    fn decided(&self) -> Vec<(Symbol, i128)> {
        let ready = self.candidates.iter().filter(|((_, id), candidate)| {
            let known = self.bought.values();
            let known = known.filter(|row| row.candidate.as_str() == id).count();
            candidate.stage == Stage::Ready
                && known < usize::try_from(candidate.entries).expect("few")
        });
        ready
            .filter_map(|((symbol, _), candidate)| {
                let (qty, price) = candidate.order?;
                Some((*symbol, i128::from(qty) * i128::from(price)))
            })
            .collect()
    }

    /// How many positions are counted, and what they cost.
    pub(in crate::reentries) fn account(&self) -> (u32, i64) {
        let told = self.underway.values().map(Self::room);
        let all: Vec<_> = told.chain(self.decided()).collect();
        let (positions, cost) = self.exposure(&all);
        let positions = u32::try_from(positions).expect("few");
        (positions, i64::try_from(cost).expect("small"))
    }

    /// Positions and their cost, with those that `rooms` become.
    fn exposure(&self, rooms: &[(Symbol, i128)]) -> (u64, i128) {
        let is_held = |symbol: &Symbol| self.held.values().any(|(held, _)| held == symbol);
        let opened: BTreeSet<Symbol> = rooms
            .iter()
            .map(|(symbol, _)| *symbol)
            .filter(|symbol| !is_held(symbol))
            .collect();
        let count = u64::try_from(self.held.len() + opened.len()).expect("few");
        let held: i128 = self.held.values().map(|(_, cost)| cost).sum();
        (
            count,
            held + rooms.iter().map(|(_, cost)| cost).sum::<i128>(),
        )
    }

    /// Control, G3, G4 and G5: gate, why, and what took the room where there is none.
    fn last_gates(
        &self,
        candidate: &Candidate,
        key: &(Symbol, String),
        time: u64,
        (tick, price, qty): (u64, i64, i64),
        is_held: bool,
    ) -> Option<(&'static str, String, Option<&'static str>)> {
        let limits = self.limits.clone()?;
        if self.mode != Some(ReentryMode::Running) {
            return Some(("CONTROL", format!("{:?}", self.mode), None));
        }
        let second = (time / SECOND + 9 * 3_600) % 86_400;
        let mut windows = self.windows.values();
        let within = windows.find(|window| window.from_s <= second && second < window.until_s);
        if let Some(window) = within {
            return Some(("CONTROL", format!("{window:?}"), None));
        }
        let others = self.candidates.iter();
        let is_bought = others
            .filter(|(other, _)| other.0 == key.0 && other.1 != key.1)
            .any(|(_, other)| other.stage == Stage::Ready);
        let is_underway = self.underway.values().any(|row| row.symbol == key.0);
        if is_bought || is_underway || (is_held && candidate.entries == 0) {
            return Some(("G3", "busy".to_owned(), None));
        }
        // With what is under way, and with what was decided and nobody has told of yet.
        let told: Vec<_> = self.underway.values().map(Self::room).collect();
        let decided = self.decided();
        let all: Vec<_> = told.iter().chain(&decided).copied().collect();
        let cost = i128::from(price) * i128::from(qty);
        let worth = self
            .equity
            .filter(|equity| equity.units > 0 && equity.asof.micros().abs_diff(time) <= 5 * MINUTE);
        let worth = worth.map(|equity| i128::from(equity.units));
        let why = |rooms: &[(Symbol, i128)]| {
            let (count, held) = self.exposure(rooms);
            let is_full = limits
                .positions_max
                .is_some_and(|most| count >= u64::from(most));
            if is_full && candidate.entries == 0 {
                return Some("positions");
            }
            let most = limits.exposure_max.map(i128::from);
            if most.is_some_and(|most| held + cost > most) {
                return Some("exposure");
            }
            let share = i128::from(limits.exposure_share?);
            match worth {
                None => Some("no equity"),
                Some(worth) if (held + cost) * 1_000_000 > worth * share => Some("share"),
                Some(_) => None,
            }
        };
        if let Some(why_not) = why(&all) {
            let by = match (why(&told), why(&[])) {
                (_, Some(_)) => "held",
                (Some(_), None) => "under way",
                (None, None) => "decided",
            };
            return Some(("G3", why_not.to_owned(), Some(by)));
        }
        let today = self.sales.values();
        let today = today.filter(|sale| seoul_day(sale.sold.micros()) == seoul_day(time));
        let result: i64 = today.map(|sale| sale.units).sum();
        if limits.daily_loss_max.is_some_and(|most| result <= -most) {
            return Some(("G4", "amount".to_owned(), None));
        }
        if let Some(share) = limits.daily_loss_share {
            let why = match worth {
                None => Some("no equity"),
                Some(worth) if i128::from(result) * 1_000_000 <= -worth * i128::from(share) => {
                    Some("share")
                }
                Some(_) => None,
            };
            if let Some(why) = why {
                return Some(("G4", why.to_owned(), None));
            }
        }
        if result < 0
            && let Some(share) = self.risk_share(time)
        {
            let lost = -i128::from(result) * 1_000_000;
            let why = match worth {
                None => Some("no equity"),
                Some(worth) if lost > worth * share => Some("risk"),
                Some(_) => None,
            };
            if let Some(why) = why {
                return Some(("G4", why.to_owned(), None));
            }
        }
        (time - tick > 5 * SECOND).then(|| ("G5", String::new(), None))
    }

    /// What the day may lose by the profile in force, millionths of the equity.
    fn risk_share(&self, time: u64) -> Option<i128> {
        let profile = self.risk_profile?;
        for row in self.risk_limits.values() {
            let has_begun = row.from.micros() <= time;
            let has_ended = row.until.micros() <= time;
            if row.profile == profile && has_begun && !has_ended {
                return Some(row.daily_loss_max.into());
            }
        }
        None
    }
}
