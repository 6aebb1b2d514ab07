//! A naive evaluator of re-entries: everything is kept as it was told, and every candidate is judged
//! again at every event that concerns it. It takes the events of the engine and shares no code with
//! it.

use std::collections::{BTreeMap, BTreeSet};

use turnstile_dataflows::engine::{Change, Event};
use turnstile_dataflows::model::{ReentryMode, Regime, RegimeOverride, RegimeSnapshot, Symbol};
use turnstile_dataflows::reentry::{
    CandidateState, ExitEvent, PauseWindow, Purchase, ReentryLimits, ReentryRule, StoredCandidate,
    TriggerKind,
};

use super::tally::Tally;

const SECOND: u64 = 1_000_000;
const MINUTE: u64 = 60 * SECOND;
const DAY: u64 = 1_440 * MINUTE;
const REGIMES: [Regime; 4] = [
    Regime::RiskOn,
    Regime::Neutral,
    Regime::RiskOff,
    Regime::Panic,
];

/// A verdict, in the words that are compared.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Said {
    /// Logical time.
    pub time: u64,
    /// Candidate.
    pub candidate: String,
    /// What, with all figures.
    pub what: String,
    /// Rule and regime in force.
    pub under: (Option<String>, &'static str),
    /// Price that was judged.
    pub price: Option<i64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    New,
    Cooldown,
    Watch,
    Ready,
    Over,
}

/// What a candidate was last judged from.
#[derive(Clone, Debug, PartialEq)]
struct View {
    stored: Option<StoredCandidate>,
    expiry: Option<String>,
    rules: Vec<Option<ReentryRule>>,
    bought: Vec<(u64, String)>,
    lost: Vec<(u64, String)>,
    blacklisted: Option<u64>,
    held: bool,
    atr: Option<(i64, i64)>,
}

#[derive(Clone, Debug)]
struct Candidate {
    event: ExitEvent,
    stage: Stage,
    until: u64,
    watch_until: u64,
    entries: u32,
    held_back: Option<(String, String)>,
    level: Option<i64>,
    since: Option<u64>,
    spent: bool,
}

/// A refusal: gate, reason, whether it ends the candidate.
type Refusal = (&'static str, String, bool);

/// Everything that was told.
#[derive(Default)]
pub struct Oracle {
    mode: Option<ReentryMode>,
    rules: BTreeMap<String, ReentryRule>,
    events: BTreeMap<String, ExitEvent>,
    stored: BTreeMap<String, StoredCandidate>,
    expiries: BTreeMap<String, String>,
    bought: BTreeMap<String, Purchase>,
    exits: BTreeMap<String, ExitEvent>,
    blacklist: BTreeMap<Symbol, u64>,
    windows: BTreeMap<String, PauseWindow>,
    limits: Option<ReentryLimits>,
    snapshot: Option<RegimeSnapshot>,
    overriding: Option<RegimeOverride>,
    atrs: BTreeMap<Symbol, (i64, i64)>,
    /// Live positions: symbol and cost.
    held: BTreeMap<String, (Symbol, i128)>,
    ended: BTreeSet<String>,
    /// Ticks of each symbol since it has a candidate: time, price, volume.
    tape: BTreeMap<Symbol, Vec<(u64, i64, u64)>>,
    candidates: BTreeMap<(Symbol, String), Candidate>,
    today: u64,
    /// How often what happened.
    pub tally: Tally,
}

fn seoul_day(time: u64) -> u64 {
    (time + 9 * 60 * MINUTE) / DAY
}

fn class(reason: &str) -> Option<&'static str> {
    Some(match reason {
        "SL1" | "SL2" | "HARDSTOP" | "STOP_FLOOR" | "GAP_DOWN" | "BREAK_EVEN" | "CUSTOM_LOSS" => {
            "SL"
        }
        "TRAIL" | "TRAIL_PARTIAL" => "TRAIL",
        "TP1" | "TP2" | "TP3" | "CUSTOM_PROFIT" => "TP",
        _ => return None,
    })
}

impl Oracle {
    /// Takes an event in and returns what is said at it and before it.
    pub fn take(&mut self, time: u64, event: &Event) -> Vec<Said> {
        let mut said = Vec::new();
        let is_rows = matches!(event, Event::Changes(_));
        // What time brings before the event, each at its own time.
        while let Some(due) = self.next_due(if is_rows { time } else { time + 1 }) {
            let keys: Vec<_> = self.due_at(due);
            for key in keys {
                self.advance(&key, due, &mut said);
            }
        }
        match event {
            Event::Tick(tick) => {
                let price = tick.bid.unwrap_or(tick.last).units();
                if !self
                    .candidates
                    .keys()
                    .any(|(symbol, _)| *symbol == tick.symbol)
                {
                    return said;
                }
                let tape = self.tape.entry(tick.symbol).or_default();
                tape.push((time, price, tick.volume));
                let keys: Vec<_> = self.candidates.keys().cloned().collect();
                for key in keys
                    .into_iter()
                    .filter(|(symbol, _)| *symbol == tick.symbol)
                {
                    self.advance(&key, time, &mut said);
                    self.note_tick(&key, time, price);
                    self.enter(&key, time, &mut said);
                }
            }
            Event::Changes(changes) => self.rows(time, changes, &mut said),
            Event::Clock => {
                if self.today != seoul_day(time) {
                    self.today = seoul_day(time);
                    self.forget(time);
                }
            }
            // Histories of re-entries have none of these.
            Event::Quote(..) | Event::Session(_) | Event::Levels(_) => {}
        }
        said
    }

    /// Returns the earliest end of a cooldown or watch before `end`.
    fn next_due(&self, end: u64) -> Option<u64> {
        let mode = self.mode?;
        if mode == ReentryMode::PauseAll {
            return None;
        }
        let ends = self
            .candidates
            .values()
            .filter_map(|candidate| match candidate.stage {
                Stage::Cooldown => Some(candidate.until),
                Stage::Watch => Some(candidate.watch_until),
                Stage::New | Stage::Ready | Stage::Over => None,
            });
        ends.min().filter(|due| *due < end)
    }

    fn due_at(&self, due: u64) -> Vec<(Symbol, String)> {
        let all = self.candidates.iter();
        let at = all.filter(|(_, candidate)| match candidate.stage {
            Stage::Cooldown => candidate.until == due,
            Stage::Watch => candidate.watch_until == due,
            Stage::New | Stage::Ready | Stage::Over => false,
        });
        at.map(|(key, _)| key.clone()).collect()
    }

    fn forget(&mut self, time: u64) {
        let old: Vec<String> = self
            .stored
            .iter()
            .filter(|(_, row)| {
                row.state == CandidateState::Entered
                    && row.watch_until.is_none_or(|end| end.micros() < time)
            })
            .map(|(id, _)| id.clone())
            .collect();
        for id in old {
            self.drop_candidate(&id);
        }
    }

    fn drop_candidate(&mut self, id: &str) {
        self.stored.remove(id);
        self.expiries.remove(id);
        if let Some(event) = self.events.remove(id) {
            self.candidates.remove(&(event.symbol, id.to_owned()));
            if !self
                .candidates
                .keys()
                .any(|(symbol, _)| *symbol == event.symbol)
            {
                self.tape.remove(&event.symbol);
            }
        }
    }

    fn rows(&mut self, time: u64, changes: &[Change], said: &mut Vec<Said>) {
        let touched = touched(changes);
        let (views, scene) = (self.views(touched.as_ref()), self.scene(time));
        let due: BTreeSet<_> = if self.next_due(time + 1).is_some() {
            self.due_at(time).into_iter().collect()
        } else {
            BTreeSet::new()
        };
        for change in changes {
            self.put(change);
        }
        let events: Vec<ExitEvent> = self.events.values().cloned().collect();
        for event in events {
            let key = (event.symbol, event.id.to_string());
            if !self.candidates.contains_key(&key) {
                let candidate = self.begin(event);
                self.candidates.insert(key, candidate);
            }
        }
        let all_anew = scene != self.scene(time);
        let now = self.views(touched.as_ref());
        let keys: Vec<_> = self.candidates.keys().cloned().collect();
        for key in keys {
            let is_due = due.contains(&key);
            if all_anew || views.get(&key) != now.get(&key) {
                self.advance(&key, time, said);
                self.enter(&key, time, said);
            } else if is_due {
                self.advance(&key, time, said);
            }
        }
    }

    fn begin(&self, event: ExitEvent) -> Candidate {
        let stored = self.stored.get(event.id.as_str());
        let until = stored
            .and_then(|row| row.cooldown_until)
            .unwrap_or(event.exit);
        let watch = stored
            .and_then(|row| row.watch_until)
            .map(|end| end.micros());
        Candidate {
            stage: match stored.map(|row| row.state) {
                None => Stage::New,
                Some(CandidateState::Cooldown) => Stage::Cooldown,
                Some(CandidateState::Watch) => Stage::Watch,
                Some(CandidateState::Ready | CandidateState::Entered) => Stage::Ready,
                Some(CandidateState::Over) => Stage::Over,
            },
            until: until.micros(),
            watch_until: watch.unwrap_or(until.micros() + 120 * MINUTE),
            entries: 0,
            held_back: stored
                .and_then(|row| row.blocked.as_ref())
                .map(|(gate, why)| (gate.to_string(), why.to_string())),
            level: None,
            since: None,
            spent: false,
            event,
        }
    }

    fn put(&mut self, change: &Change) {
        match change {
            Change::ExitEvent(event) => {
                let id = event.id.to_string();
                self.exits.insert(id.clone(), event.clone());
                if !self.ended.contains(&id) {
                    self.events.insert(id, event.clone());
                }
            }
            Change::Candidate(id, row) if row.state == CandidateState::Over => {
                let key = self.events.get(id.as_str()).map(|event| event.symbol);
                let key = key.map(|symbol| (symbol, id.to_string()));
                let ready = key.and_then(|key| self.candidates.get(&key));
                if ready.is_some_and(|candidate| candidate.stage == Stage::Ready) {
                    self.tally.transition("READY -> BLOCKED (broker)");
                }
                self.ended.insert(id.to_string());
                self.drop_candidate(id.as_str());
            }
            Change::Candidate(id, row) => drop(self.stored.insert(id.to_string(), row.clone())),
            Change::Expiry(id, by) => {
                if !self.ended.contains(id.as_str()) {
                    self.expiries.insert(id.to_string(), by.to_string());
                }
            }
            Change::ReentryRule(id, Some(rule)) => {
                self.rules.insert(id.to_string(), rule.clone());
            }
            Change::ReentryRule(id, None) => drop(self.rules.remove(&**id)),
            Change::Purchase(key, row) => drop(self.bought.insert(key.to_string(), row.clone())),
            Change::Blacklist(symbol, Some(until)) => {
                self.blacklist.insert(*symbol, until.micros());
            }
            Change::Blacklist(symbol, None) => drop(self.blacklist.remove(symbol)),
            Change::ReentryMode(mode) => self.mode = Some(*mode),
            Change::PauseWindow(id, Some(window)) => {
                self.windows.insert(id.to_string(), *window);
            }
            Change::PauseWindow(id, None) => drop(self.windows.remove(&**id)),
            Change::ReentryLimits(row) => self.limits = Some(row.clone()),
            Change::Regime(row) => {
                if self.snapshot.is_none_or(|last| last.asof <= row.asof) {
                    self.snapshot = Some(*row);
                }
            }
            Change::RegimeOverride(row) => self.overriding = *row,
            Change::Context(symbol, context) => {
                match context.atr_pct_millionths.zip(context.prev_close) {
                    Some((pct, close)) => drop(self.atrs.insert(*symbol, (pct, close.units()))),
                    None => drop(self.atrs.remove(symbol)),
                }
            }
            Change::Position(row) if row.is_live => {
                let price = row.avg_price.map_or(0, |price| price.units());
                let cost = i128::from(price) * i128::from(row.qty.shares());
                self.held.insert(row.id.to_string(), (row.symbol, cost));
            }
            Change::Position(row) => drop(self.held.remove(row.id.as_str())),
            other => panic!("no re-entry depends on {other:?}"),
        }
    }

    /// What candidates are judged from, of the symbols that rows may have touched.
    fn views(&self, touched: Option<&BTreeSet<Symbol>>) -> BTreeMap<(Symbol, String), View> {
        let keys = self.candidates.keys();
        let keys = keys.filter(|(symbol, _)| touched.is_none_or(|set| set.contains(symbol)));
        keys.map(|key| (key.clone(), self.view(key))).collect()
    }

    fn view(&self, (symbol, id): &(Symbol, String)) -> View {
        let event = &self.events[id];
        let bought = self.bought.values().filter(|row| row.symbol == *symbol);
        let mut bought: Vec<_> = bought
            .map(|row| (seoul_day(row.decided.micros()), row.candidate.to_string()))
            .collect();
        bought.sort();
        let lost = self.exits.values();
        let lost = lost.filter(|exit| exit.symbol == *symbol && class(&exit.reason) == Some("SL"));
        View {
            stored: self.stored.get(id).cloned(),
            expiry: self.expiries.get(id).cloned(),
            rules: REGIMES
                .map(|regime| self.rule(event, regime).cloned())
                .into(),
            bought,
            lost: lost
                .map(|exit| (exit.exit.micros(), exit.id.to_string()))
                .collect(),
            blacklisted: self.blacklist.get(symbol).copied(),
            held: self.held.values().any(|(held, _)| held == symbol),
            atr: self.atrs.get(symbol).copied(),
        }
    }

    /// What concerns all candidates.
    fn scene(
        &self,
        time: u64,
    ) -> (
        Option<ReentryMode>,
        (Regime, bool),
        BTreeMap<String, PauseWindow>,
        ReentryLimits,
    ) {
        let limits = self.limits.clone().unwrap_or_default();
        (self.mode, self.regime(time), self.windows.clone(), limits)
    }

    fn regime(&self, time: u64) -> (Regime, bool) {
        if let Some(row) = self.overriding
            && time < row.until.micros()
        {
            return (row.regime, true);
        }
        match self.snapshot {
            Some(row) if row.asof.micros().abs_diff(time) <= 5 * MINUTE => (row.regime, true),
            _ => (Regime::RiskOff, false),
        }
    }

    /// Of the rules that match: the highest priority, then one of the symbol, then one of the very
    /// reason, then one of the very regime, then the lowest id.
    fn rule(&self, event: &ExitEvent, regime: Regime) -> Option<&ReentryRule> {
        let class = class(&event.reason)?;
        let matching = self.rules.values().filter(|rule| {
            rule.symbol.is_none_or(|symbol| symbol == event.symbol)
                && rule.regime.is_none_or(|of| of == regime)
                && (*rule.exit_reason == *event.reason || *rule.exit_reason == *class)
        });
        matching.min_by_key(|rule| {
            (
                -i64::from(rule.priority),
                rule.symbol.is_none(),
                *rule.exit_reason != *event.reason,
                rule.regime.is_none(),
                rule.id.clone(),
            )
        })
    }

    fn cooldown_end(&self, event: &ExitEvent, time: u64) -> u64 {
        let exit = event.exit.micros();
        let Some(rule) = self.rule(event, self.regime(time).0) else {
            return exit;
        };
        let mut cooldown = rule.cooldown_us;
        if class(&event.reason) == Some("SL") {
            let others = self.exits.values().filter(|other| {
                let at = other.exit.micros();
                other.symbol == event.symbol
                    && class(&other.reason) == Some("SL")
                    && other.id != event.id
                    && at <= exit
                    && exit - at <= DAY
            });
            cooldown = match others.count() {
                0 => cooldown,
                1 => cooldown * 2,
                _ => cooldown.max(DAY),
            };
        }
        exit + cooldown
    }

    fn gates(&self, candidate: &Candidate, time: u64) -> Result<(), Refusal> {
        let event = &candidate.event;
        let (regime, is_known) = self.regime(time);
        if !self
            .limits
            .clone()
            .unwrap_or_default()
            .regimes
            .contains(&regime)
        {
            return Err(("G0", format!("regime {regime}"), false));
        }
        let rule = self.rule(event, regime).filter(|rule| rule.allows_entry);
        let Some(rule) = rule else {
            return Err(if is_known {
                ("G0.5", String::new(), true)
            } else {
                ("G0", "unknown".to_owned(), false)
            });
        };
        if self.is_blacklisted(event.symbol, time) {
            return Err(("G2", String::new(), true));
        }
        let today = seoul_day(time);
        let days = self
            .bought
            .values()
            .filter(|row| row.symbol == event.symbol);
        let days: Vec<u64> = days.map(|row| seoul_day(row.decided.micros())).collect();
        let on_day = days.iter().filter(|day| **day == today).count();
        let in_week = days
            .iter()
            .filter(|day| **day <= today && **day + 7 > today)
            .count();
        let most = |count: u32| usize::try_from(count).expect("small");
        if on_day >= most(rule.per_day_max)
            || in_week >= most(rule.per_week_max)
            || candidate.entries >= rule.total_max
        {
            return Err(("G2", String::new(), true));
        }
        Ok(())
    }

    fn is_blacklisted(&self, symbol: Symbol, time: u64) -> bool {
        self.blacklist
            .get(&symbol)
            .is_some_and(|until| time < *until)
    }

    fn level(&self, event: &ExitEvent, rule: &ReentryRule) -> Option<(i64, String)> {
        let exit = i128::from(event.exit_price.units());
        let one = 1_000_000_000_000_i128;
        let exact = match rule.trigger.kind {
            TriggerKind::Rebound(above) | TriggerKind::Chase(above) => {
                let mut above = above.to_decimal();
                above.rescale(12);
                exit * (one + above.mantissa())
            }
            TriggerKind::Breakout(k) => {
                let (pct, close) = self.atrs.get(&event.symbol)?;
                let mark = i128::from(event.prior_hwm?.units());
                mark * one + i128::from(*pct) * i128::from(*close) * i128::from(k)
            }
        };
        let reach = exact.div_euclid(one) + i128::from(exact.rem_euclid(one) > 0);
        let printed = match rule.trigger.kind {
            TriggerKind::Breakout(_) => reach,
            TriggerKind::Rebound(_) | TriggerKind::Chase(_) => {
                let (whole, rest) = (exact.div_euclid(one), exact.rem_euclid(one) * 2);
                whole + i128::from(rest > one || (rest == one && whole % 2 == 1))
            }
        };
        Some((i64::try_from(reach).ok()?, printed.to_string()))
    }

    /// Moves a candidate on as far as time and facts allow.
    fn advance(&mut self, key: &(Symbol, String), time: u64, said: &mut Vec<Said>) {
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
        let rule = self.rule(&candidate.event, self.regime(time).0);
        let has_room = rule.is_some_and(|rule| {
            candidate.entries == 1 && rule.second_size.is_some() && rule.total_max >= 2
        });
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
                if self.is_blacklisted(event.symbol, time) {
                    return Some((self.block(candidate, "G2"), true));
                }
                let is_open = self
                    .limits
                    .clone()
                    .unwrap_or_default()
                    .regimes
                    .contains(&regime);
                let rule = self.rule(&event, regime);
                if is_open && is_known && !rule.is_some_and(|rule| rule.allows_candidate) {
                    return Some((self.block(candidate, "G0.5"), true));
                }
                candidate.stage = Stage::Cooldown;
                candidate.until = self.cooldown_end(&event, time);
                self.tally.transition("NEW -> COOLDOWN");
                Some((format!("COOLDOWN {}", candidate.until), true))
            }
            Stage::Cooldown if time < candidate.until => None,
            Stage::Cooldown => {
                if let Err((gate, _, true)) = self.gates(candidate, time) {
                    return Some((self.block(candidate, gate), false));
                }
                if let Some(longer) = self.longer(candidate, time) {
                    return Some((longer, false));
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
                match self.gates(candidate, time) {
                    Err((gate, _, true)) => return Some((self.block(candidate, gate), false)),
                    Err((gate, why, false)) => {
                        return self.hold(candidate, gate, why).map(|what| (what, false));
                    }
                    Ok(()) => {}
                }
                if candidate.entries == 0
                    && let Some(longer) = self.longer(candidate, time)
                {
                    return Some((longer, false));
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

    fn hold(
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
        candidate.held_back = held;
        Some(format!("BLOCKED {gate}"))
    }

    fn note_tick(&mut self, key: &(Symbol, String), time: u64, price: i64) {
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

    fn enter(&mut self, key: &(Symbol, String), time: u64, said: &mut Vec<Said>) {
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
            || self.gates(&candidate, time).is_err()
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
        if time - since < rule.trigger.stable_us || !self.holds(&rule, &key.0, &tape, time) {
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
                Some(format!("SUBMIT {qty} at {level} {reason} {id}:ENTRY:{n}"))
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
        let limits = self.limits.clone().unwrap_or_default();
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

    /// Whether volume, structure, momentum and volatility are as the rule wants them.
    fn holds(
        &self,
        rule: &ReentryRule,
        symbol: &Symbol,
        tape: &[(u64, i64, u64)],
        _time: u64,
    ) -> bool {
        let trigger = &rule.trigger;
        let price = tape.last().expect("a tick").1;
        let mut minutes: Vec<Vec<(i64, u64)>> = Vec::new();
        let mut last = None;
        for (time, price, volume) in tape {
            if last != Some(time / MINUTE) {
                minutes.push(Vec::new());
                last = Some(time / MINUTE);
            }
            minutes.last_mut().expect("one").push((*price, *volume));
        }
        // Nobody asks for more than thirty minutes before the present one.
        let first = minutes.len().saturating_sub(31);
        let minutes = &minutes[first..];
        let done = &minutes[..minutes.len() - 1];
        let volume = |minutes: &[Vec<(i64, u64)>]| -> u128 {
            minutes
                .iter()
                .flatten()
                .map(|(_, volume)| u128::from(*volume))
                .sum()
        };
        let high = |minute: &Vec<(i64, u64)>| minute.iter().map(|(price, _)| *price).max();
        if trigger.volume_ratio > 0 {
            if minutes.len() < 25 {
                return false;
            }
            let (base, recent) = minutes[minutes.len() - 25..].split_at(20);
            let (base, recent) = (volume(base), volume(recent));
            if base == 0 || recent * 4 * 1_000_000 < base * u128::from(trigger.volume_ratio) {
                return false;
            }
        }
        if trigger.structure_break {
            let swing = (1..done.len().saturating_sub(1)).rev().find(|at| {
                let of = |at: usize| high(&done[at]);
                of(*at) > of(at - 1) && of(*at) >= of(at + 1)
            });
            if swing.is_none_or(|at| Some(price) <= high(&done[at])) {
                return false;
            }
        }
        if trigger.momentum > 0 {
            if done.len() < 11 {
                return false;
            }
            let closes: Vec<i64> = done
                .iter()
                .map(|minute| minute.last().expect("one").0)
                .collect();
            let end = closes.len();
            let rising = (end - 10..end).filter(|at| closes[*at] > closes[at - 1]);
            let rising = u64::try_from(rising.count()).expect("ten");
            if rising * 1_000_000 < trigger.momentum * 10 {
                return false;
            }
        }
        if trigger.volatility_atr > 0 {
            let Some((pct, close)) = self.atrs.get(symbol) else {
                return false;
            };
            if done.len() < 10 {
                return false;
            }
            let seen: Vec<i64> = minutes[minutes.len() - 11..]
                .iter()
                .flatten()
                .map(|(price, _)| *price)
                .collect();
            let range = seen.iter().max().expect("one") - seen.iter().min().expect("one");
            let most = i128::from(*pct) * i128::from(*close) * i128::from(trigger.volatility_atr);
            if i128::from(range) * 1_000_000_000_000 > most {
                return false;
            }
        }
        true
    }

    fn said(&self, candidate: &Candidate, time: u64, what: String, price: Option<i64>) -> Said {
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

/// Returns the symbols that rows belong to; none where they may concern any.
fn touched(changes: &[Change]) -> Option<BTreeSet<Symbol>> {
    let of = |change: &Change| match change {
        Change::ExitEvent(event) => Some(event.symbol),
        Change::Candidate(_, row) => Some(row.symbol),
        Change::Purchase(_, row) => Some(row.symbol),
        Change::Blacklist(symbol, _) | Change::Context(symbol, _) => Some(*symbol),
        Change::Position(row) => Some(row.symbol),
        _ => None,
    };
    changes.iter().map(of).collect()
}

fn name(candidate: &Candidate) -> &'static str {
    match candidate.stage {
        Stage::New => "NEW",
        Stage::Cooldown => "COOLDOWN",
        Stage::Watch if candidate.entries > 0 => "ENTERED",
        Stage::Watch => "WATCH",
        Stage::Ready => "READY",
        Stage::Over => "OVER",
    }
}
