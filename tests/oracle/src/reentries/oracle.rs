//! A naive evaluator of re-entries: everything is kept as it was told, and every candidate is judged
//! again at every event that concerns it. It takes the events of the engine, follows the course that
//! `docs/decisions.md` describes, and shares no code that judges with it.

mod course;
mod entry;
mod facts;
mod policy;
mod tape;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use turnstile_dataflows::engine::{Change, Event};
use turnstile_dataflows::model::{ReentryMode, RegimeOverride, RegimeSnapshot, SaleResult, Symbol};
use turnstile_dataflows::reentry::{
    CandidateState, Equity, ExitEvent, PauseWindow, Purchase, ReentryLimits, ReentryRule,
    StoredCandidate, Underway,
};
use turnstile_dataflows::risk::{RiskLimits, RiskProfile};

use super::tally::Tally;

const SECOND: u64 = 1_000_000;
const MINUTE: u64 = 60 * SECOND;
const DAY: u64 = 1_440 * MINUTE;
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

#[derive(Clone, Debug)]
struct Candidate {
    event: ExitEvent,
    stage: Stage,
    until: u64,
    watch_until: u64,
    entries: u32,
    /// Shares and price of its last order.
    order: Option<(i64, i64)>,
    held_back: Option<(String, String)>,
    level: Option<i64>,
    since: Option<u64>,
    spent: bool,
}

/// Everything that was told.
#[derive(Default)]
pub struct Oracle {
    mode: Option<ReentryMode>,
    rules: BTreeMap<String, ReentryRule>,
    events: BTreeMap<String, ExitEvent>,
    stored: BTreeMap<String, StoredCandidate>,
    expiries: BTreeMap<String, String>,
    bought: BTreeMap<String, Purchase>,
    underway: BTreeMap<String, Underway>,
    exits: BTreeMap<String, ExitEvent>,
    sales: BTreeMap<String, SaleResult>,
    blacklist: BTreeMap<Symbol, u64>,
    /// Days of the rankings that select symbols.
    ranked: BTreeMap<Symbol, u64>,
    windows: BTreeMap<String, PauseWindow>,
    limits: Option<ReentryLimits>,
    risk_limits: BTreeMap<i64, RiskLimits>,
    risk_profile: Option<RiskProfile>,
    equity: Option<Equity>,
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
    /// Candidate, beginning of its run, and what its ranking said: counted once.
    ranking_said: BTreeSet<(String, u64, &'static str)>,
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
                    self.forget(time, &mut said);
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

    /// What is older than seven days is forgotten, and who that concerns is judged.
    fn forget(&mut self, time: u64, said: &mut Vec<Said>) {
        let before = self.views(None);
        let is_old = |day: u64| day + 7 < seoul_day(time);
        self.bought
            .retain(|_, row| !is_old(seoul_day(row.decided.micros())));
        self.exits
            .retain(|_, exit| !is_old(seoul_day(exit.exit.micros())));
        self.sales
            .retain(|_, sale| !is_old(seoul_day(sale.sold.micros())));
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
        let now = self.views(None);
        for key in self.ranked(|key| before.get(key) != now.get(key)) {
            self.advance(&key, time, said);
            self.enter(&key, time, said);
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
        let touched = self.touched(changes);
        let (views, scene) = (self.views(touched.as_ref()), self.scene(time));
        let due: BTreeSet<_> = if self.next_due(time + 1).is_some() {
            self.due_at(time).into_iter().collect()
        } else {
            BTreeSet::new()
        };
        for change in changes {
            self.put(time, change);
        }
        let events: Vec<ExitEvent> = self.events.values().cloned().collect();
        for event in events {
            let key = (event.symbol, event.id.to_string());
            if !self.candidates.contains_key(&key) {
                let candidate = self.begin(event);
                if candidate.stage != Stage::New {
                    let stage = course::name(&candidate);
                    self.tally.transition(&format!("earlier run -> {stage}"));
                }
                self.candidates.insert(key, candidate);
            }
        }
        let all_anew = scene != self.scene(time);
        let now = self.views(touched.as_ref());
        let is_changed = |key: &_| all_anew || views.get(key) != now.get(key);
        for key in self.ranked(|key| is_changed(key) || due.contains(key)) {
            self.advance(&key, time, said);
            if is_changed(&key) {
                self.enter(&key, time, said);
            }
        }
    }

    /// The candidates that are to be judged, those of a symbol that rises first.
    fn ranked(&self, is_judged: impl Fn(&(Symbol, String)) -> bool) -> Vec<(Symbol, String)> {
        let keys = self.candidates.keys().filter(|key| is_judged(key));
        let mut keys: Vec<_> = keys.cloned().collect();
        keys.sort_by_cached_key(|key| (Reverse(self.score(key.0)), key.clone()));
        keys
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
            order: None,
            held_back: stored
                .and_then(|row| row.blocked.as_ref())
                .map(|(gate, why)| (gate.to_string(), why.to_string())),
            level: None,
            since: None,
            spent: false,
            event,
        }
    }
}
