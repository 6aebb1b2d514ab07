//! Random histories of re-entries, played against a naive [oracle](Oracle) and through the engine.
//!
//! ```text
//! seed ─> pack: many histories, one symbol each, one scene ─> one log in logical time
//!           └─ each event through the oracle; what it says comes back as stored rows
//! log ─> engine (batch, workers) ─> what is said ─> differences
//! ```

mod history;
mod oracle;
mod rules;
mod tally;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::{Arc, Mutex};

use turnstile_dataflows::engine::{self, Change, EngineConfig, Event, Output, Timed};
use turnstile_dataflows::model::{
    LogicalTime, ReentryMode, Regime, RegimeOverride, RegimeSnapshot,
};
use turnstile_dataflows::reentry::{Equity, PauseWindow, ReentryLimits, ReentryVerdict, Verdict};
use turnstile_dataflows::risk::{RiskLimits, RiskProfile};

use crate::Dice;
use crate::histories::{ListFeed, Shape};
use history::History;
pub use oracle::{Oracle, Said};
pub use tally::Tally;

/// 2026-11-24 10:00:00 in Seoul.
const TEN: u64 = 1_795_482_000_000_000;
const SECOND: u64 = 1_000_000;
const MINUTE: u64 = 60 * SECOND;

/// Many histories in one log, with what the oracle says.
pub struct Pack {
    /// All events in logical time.
    pub log: Vec<Timed>,
    /// What must be said, by time, then candidate.
    pub expected: Vec<Said>,
    /// How often what happened.
    pub tally: Tally,
}

struct Player {
    dice: Dice,
    oracle: Oracle,
    histories: Vec<History>,
    /// The next event of each history: time and number; the scene comes last.
    queue: BinaryHeap<Reverse<(u64, usize)>>,
    last: u64,
    mode: ReentryMode,
    /// Until when no producer says anything.
    silent_until: u64,
    pack: Pack,
}

impl Pack {
    /// Draws a pack of `count` histories.
    pub fn draw(seed: u64, count: usize) -> Self {
        let mut dice = Dice::new(seed, 0);
        // One pack in three crosses midnight.
        let start = TEN + dice.pick(&[0, 0, 13 * 60 * MINUTE + 45 * MINUTE]);
        let mut player = Player {
            oracle: Oracle::default(),
            histories: (0..count)
                .map(|number| History::new(seed, number))
                .collect(),
            queue: BinaryHeap::new(),
            last: start,
            mode: ReentryMode::Running,
            silent_until: 0,
            pack: Self {
                log: Vec::new(),
                expected: Vec::new(),
                tally: Tally::default(),
            },
            dice,
        };
        player.begin();
        while let Some(Reverse((time, number))) = player.queue.pop() {
            let now = time.max(player.last + 1);
            if number == count {
                player.change_scene(now);
                if player.queue.len() > 1 {
                    let next = now + player.dice.below(40 * SECOND);
                    player.queue.push(Reverse((next, number)));
                }
                continue;
            }
            let event = player.histories[number].draw(now);
            player.play(now, event);
            if let Some(next) = player.histories[number].next_time(now) {
                player.queue.push(Reverse((next, number)));
            }
        }
        player.pack.tally = player.oracle.tally.clone();
        player.pack
    }

    /// Runs the pack through the engine and returns what it says otherwise: expected and said.
    pub fn check(&self, shape: Shape) -> Vec<(Option<Said>, Option<Said>)> {
        let said = said_by_engine(&self.log, shape);
        let mut all: Vec<&Said> = self.expected.iter().chain(&said).collect();
        all.sort();
        all.dedup();
        let count = |list: &[Said], one: &Said| list.iter().filter(|said| *said == one).count();
        if self.expected == said {
            return Vec::new();
        }
        let mut different = Vec::new();
        for one in all {
            match count(&self.expected, one).cmp(&count(&said, one)) {
                std::cmp::Ordering::Greater => different.push((Some(one.clone()), None)),
                std::cmp::Ordering::Less => different.push((None, Some(one.clone()))),
                std::cmp::Ordering::Equal => {}
            }
        }
        if different.is_empty() {
            let other = self.expected.iter().zip(&said).find(|(a, b)| a != b);
            different.extend(other.map(|(a, b)| (Some(a.clone()), Some(b.clone()))));
        }
        different
    }
}

impl Player {
    fn begin(&mut self) {
        let mut rows = vec![Change::ReentryMode(self.mode)];
        rows.extend(rules::all(&mut self.dice));
        rows.push(self.snapshot(self.last));
        if self.dice.percent(95) {
            rows.push(Change::ReentryLimits(Some(ReentryLimits::default())));
        }
        rows.push(self.equity(self.last));
        rows.push(Change::RiskProfile(Some(RiskProfile::Default)));
        for history in &mut self.histories {
            rows.extend(history.before(self.last));
        }
        self.play(self.last, Event::Changes(rows));
        for number in 0..self.histories.len() {
            let first = self.last + 1 + self.dice.below(10 * MINUTE);
            self.queue.push(Reverse((first, number)));
        }
        self.queue.push(Reverse((self.last, self.histories.len())));
    }

    fn play(&mut self, now: u64, event: Event) {
        let mut said = self.oracle.take(now, &event);
        for one in &said {
            for history in &mut self.histories {
                history.hear(now, one);
            }
        }
        said.sort_by(|a, b| (a.time, &a.candidate).cmp(&(b.time, &b.candidate)));
        self.pack.expected.extend(said);
        self.pack.log.push(Timed {
            time: LogicalTime::from_micros(now),
            event,
        });
        self.last = now;
        for number in 0..self.histories.len() {
            if let Some(time) = self.histories[number].take_wake() {
                self.queue.push(Reverse((time, number)));
            }
        }
    }

    fn snapshot(&mut self, now: u64) -> Change {
        let regime = self.dice.weighted(&[
            (30, Regime::RiskOn),
            (32, Regime::Neutral),
            (22, Regime::RiskOff),
            (16, Regime::Panic),
        ]);
        Change::Regime(RegimeSnapshot {
            asof: LogicalTime::from_micros(now - self.dice.below(2 * MINUTE)),
            regime,
        })
    }

    fn equity(&mut self, now: u64) -> Change {
        // Often twice what is counted, so that half of it is just reached.
        let twice = 2 * self.oracle.account().1;
        let row = Equity {
            asof: LogicalTime::from_micros(now - self.dice.below(2 * MINUTE)),
            units: self.dice.pick(&[0, twice, twice, 400_000_000_000]),
        };
        Change::Equity(self.dice.percent(90).then_some(row))
    }

    /// An event that concerns all histories.
    fn change_scene(&mut self, now: u64) {
        if self.mode != ReentryMode::Running && self.dice.percent(35) {
            self.mode = ReentryMode::Running;
            return self.play(now, Event::Changes(vec![Change::ReentryMode(self.mode)]));
        }
        let what = self.dice.below(100);
        let event = match what {
            0..6 => Event::Changes(vec![self.equity(now)]),
            6..40 => {
                if now < self.silent_until {
                    Event::Clock
                } else {
                    if self.dice.percent(3) {
                        self.silent_until = now + 7 * MINUTE;
                    }
                    Event::Changes(vec![self.snapshot(now)])
                }
            }
            40..48 => {
                self.mode = if self.mode == ReentryMode::Running {
                    self.dice.pick(&[
                        ReentryMode::PauseEntry,
                        ReentryMode::PauseEntry,
                        ReentryMode::PauseAll,
                    ])
                } else {
                    ReentryMode::Running
                };
                Event::Changes(vec![Change::ReentryMode(self.mode)])
            }
            48..54 => {
                let second = (now / SECOND + 9 * 3_600) % 86_400;
                let window = PauseWindow {
                    from_s: second.saturating_sub(self.dice.below(60)),
                    until_s: second + self.dice.below(180),
                };
                let id = self.dice.pick(&["a", "b"]).into();
                let row = self.dice.percent(60).then_some(window);
                Event::Changes(vec![Change::PauseWindow(id, row)])
            }
            54..64 => Event::Changes(vec![self.limits()]),
            64..70 => {
                let regime = self.dice.pick(&Regime::ALL);
                let until = LogicalTime::from_micros(now + self.dice.below(3 * MINUTE));
                let row = self
                    .dice
                    .percent(60)
                    .then_some(RegimeOverride { regime, until });
                Event::Changes(vec![Change::RegimeOverride(row)])
            }
            70..78 => Event::Changes(vec![rules::edit(&mut self.dice)]),
            78..88 => Event::Changes(vec![self.limits()]),
            88..92 => Event::Changes(vec![self.risk(now)]),
            _ => Event::Clock,
        };
        self.play(now, event);
    }

    /// Limits of risk begin, end or go, or another profile is in force.
    fn risk(&mut self, now: u64) -> Change {
        let profiles = [RiskProfile::Default, RiskProfile::Aggressive];
        let dice = &mut self.dice;
        if dice.percent(10) {
            let profile = dice.pick(&profiles);
            return Change::RiskProfile(dice.percent(70).then_some(profile));
        }
        let id = dice.between(1, 3);
        let limits = RiskLimits {
            id,
            profile: dice.pick(&profiles),
            positions_max: 0,
            single_max: 0,
            sector_max: 0,
            market_max: 0,
            daily_loss_max: dice.pick(&[50_000, 10_000, 1_000, 1]),
            total_loss_max: 0,
            from: LogicalTime::from_micros(now + MINUTE - dice.below(3 * MINUTE)),
            until: LogicalTime::from_micros(now + MINUTE + dice.below(9 * MINUTE)),
        };
        Change::RiskLimits(id, dice.percent(85).then_some(limits))
    }

    fn limits(&mut self) -> Change {
        if self.dice.percent(3) {
            return Change::ReentryLimits(None);
        }
        let mut regimes = ReentryLimits::default().regimes;
        if self.dice.percent(8) {
            regimes.remove(&Regime::RiskOff);
        }
        if self.dice.percent(10) {
            regimes.insert(Regime::Panic);
        }
        let tight = self.dice.percent(55);
        // Half of the limits are close to what there is.
        let (positions, cost) = self.oracle.account();
        let dice = &mut self.dice;
        if dice.percent(20) {
            // Room for one more.
            return Change::ReentryLimits(Some(ReentryLimits {
                positions_max: Some(positions + 1),
                ..ReentryLimits::default()
            }));
        }
        if dice.percent(12) {
            return Change::ReentryLimits(Some(ReentryLimits {
                exposure_share: Some(dice.pick(&[500_000, 300_000])),
                ..ReentryLimits::default()
            }));
        }
        let positions = positions + u32::try_from(dice.below(3)).expect("few");
        let cost = cost + dice.between(0, 15_000_000_000);
        Change::ReentryLimits(Some(ReentryLimits {
            regimes,
            positions_max: (tight && dice.percent(25))
                .then(|| dice.pick(&[positions, positions, 20, 60])),
            exposure_share: (tight && dice.percent(40))
                .then(|| dice.pick(&[1_000_000, 500_000, 500_000, 200_000])),
            exposure_max: (tight && dice.percent(40)).then(|| dice.pick(&[cost, 400_000_000_000])),
            daily_loss_share: (tight && dice.percent(50))
                .then(|| dice.pick(&[200_000, 50_000, 30_000, 10_000])),
            daily_loss_max: (tight && dice.percent(20)).then(|| dice.between(0, 20_000_000_000)),
        }))
    }
}

fn said_by_engine(log: &[Timed], shape: Shape) -> Vec<Said> {
    let mut said: Vec<Said> = verdicts(log, shape).iter().map(in_words).collect();
    said.sort_by(|a, b| (a.time, &a.candidate).cmp(&(b.time, &b.candidate)));
    said
}

/// Runs `log` through the engine and returns what it says of re-entries.
///
/// # Panics
/// If the engine fails.
pub fn verdicts(log: &[Timed], shape: Shape) -> Vec<ReentryVerdict> {
    let config = EngineConfig {
        workers: shape.workers,
        batch: shape.batch,
        ..EngineConfig::default()
    };
    let said: Arc<Mutex<Vec<ReentryVerdict>>> = Arc::default();
    let sink = said.clone();
    let events: Vec<Timed> = log.to_vec();
    let end = engine::run(&config, ListFeed(events.into_iter()), move |batch| {
        let mut said = sink.lock().expect("no thread panics with it");
        for (_time, output) in batch.outputs {
            if let Output::Reentry(verdict) = output {
                said.push(*verdict);
            }
        }
    });
    end.expect("the engine runs");
    std::mem::take(&mut *said.lock().expect("no thread panics with it"))
}

fn in_words(verdict: &ReentryVerdict) -> Said {
    let first = if verdict.is_first { " first" } else { "" };
    let what = match &verdict.verdict {
        Verdict::Cooldown { until } => format!("COOLDOWN {until}{first}"),
        Verdict::Watch { until } => format!("WATCH {until}{first}"),
        Verdict::Submit {
            qty,
            level,
            reason,
            action_key,
            explanation,
        } => {
            let level = level.units();
            let (today, week) = (explanation.entries_today, explanation.entries_of_week);
            let (cooled, since) = (explanation.cooldown_until, explanation.reached_since);
            let ranked = explanation.ranked_as_of.as_ref();
            format!(
                "SUBMIT {qty} at {level} {reason} {action_key}{first} {today} {week} {cooled} {since} {ranked:?}"
            )
        }
        Verdict::Blocked { gate, is_final, .. } => {
            let is_final = if *is_final { " for good" } else { "" };
            format!("BLOCKED {gate}{is_final}{first}")
        }
        Verdict::Expired { reason } => {
            let asked = if reason.is_some() { " asked" } else { "" };
            format!("EXPIRED{asked}{first}")
        }
    };
    Said {
        time: verdict.time.micros(),
        candidate: verdict.candidate.to_string(),
        what,
        under: (
            verdict.rule_id.as_ref().map(ToString::to_string),
            verdict.regime.name(),
        ),
        price: verdict.price.map(|price| price.units()),
    }
}
