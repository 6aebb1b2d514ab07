//! Random histories of exits, played against the [oracle](crate::oracle) and through the engine.
//!
//! ```text
//! seed ─> pack: many histories, one symbol each, one control mode ─> one log in logical time
//!           └─ each event through the oracle of its history ─> what must be decided
//! log ─> engine (batch, workers) ─> what is decided ─> differences, shrunk to one history
//! ```
//!
//! A pack shares one run of the engine, since starting a dataflow is dear. Its histories meet only
//! in the control mode and the default rules, whose events concern all of them.

mod check;
mod engine;
mod history;
mod holdings;
mod ledger;
mod market;
mod profiles;
mod script;
mod shapes;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use turnstile_dataflows::model::{
    ActionKey, ExitMode, ExitOrder, LogicalTime, OrderStatus, ProfileId, Quantity,
};

use crate::oracle::{Decision, Fills, News, Row, Rule, Scope, Tally};
pub use check::{Difference, Differences};
pub(crate) use engine::ListFeed;
pub use engine::{Shape, decide};
pub use script::{Script, default_profile, price, said};
pub use shapes::{BATCHES, WORKERS, shapes};

use crate::Dice;
use history::History;

/// One event of a pack.
#[derive(Clone, Debug)]
pub struct Logged {
    /// Logical time.
    pub time: LogicalTime,
    /// What happened.
    pub news: News,
    /// The history it belongs to; none where it concerns all.
    pub history: Option<usize>,
}

/// Many histories in one log, with what the oracle decides.
pub struct Pack {
    /// What was drawn from.
    pub seed: u64,
    /// How orders fill.
    pub fills: Fills,
    /// All events in logical time.
    pub log: Vec<Logged>,
    /// What must be decided, by time, then position.
    pub expected: Vec<Decision>,
    /// How often each trigger was decided and held back.
    pub tally: Tally,
}

/// Events between two that concern all histories, for each history.
const QUIET: u64 = 2;

/// 2026-11-24 08:59:30 in Seoul.
const NEAR_OPENING: u64 = 1_795_478_370_000_000;

struct Player {
    dice: Dice,
    histories: Vec<History>,
    /// The next event of each history: time and number.
    queue: BinaryHeap<Reverse<(u64, usize)>>,
    last: u64,
    mode: ExitMode,
    /// Whether this pack knows EMERGENCY_FLATTEN, which ends most of what goes on.
    flattens: bool,
    defaults: BTreeMap<ProfileId, Rule>,
    versions: u32,
    pack: Pack,
}

impl Pack {
    /// Draws a pack of `count` histories.
    pub fn draw(seed: u64, count: usize, fills: Fills) -> Self {
        let mut player = Player::new(seed, count, fills);
        player.begin();
        let mut until_common = player.quiet();
        while let Some(Reverse((time, number))) = player.queue.pop() {
            if until_common == 0 {
                player.common();
                until_common = player.quiet();
            }
            until_common -= 1;
            let now = time.max(player.last + 1);
            let history = &mut player.histories[number];
            let news = history.draw(now);
            player.play(now, news, Some(number));
            let history = &mut player.histories[number];
            if history.left > 0 {
                let next = history.next_time(now);
                player.queue.push(Reverse((next, number)));
            }
        }
        player.end()
    }
}

impl Player {
    fn new(seed: u64, count: usize, fills: Fills) -> Self {
        let mut dice = Dice::new(seed, 0);
        let start = NEAR_OPENING + dice.pick(&[0, 0, 3_600_000_000, 20_000_000]);
        let pack = Pack {
            seed,
            fills,
            log: Vec::new(),
            expected: Vec::new(),
            tally: Tally::default(),
        };
        Self {
            histories: (0..count)
                .map(|number| History::new(seed, number, fills))
                .collect(),
            queue: BinaryHeap::new(),
            last: start,
            mode: ExitMode::Running,
            flattens: dice.percent(25),
            defaults: BTreeMap::new(),
            versions: 0,
            pack,
            dice,
        }
    }

    /// Puts in force what stands before the first event, and lets every history begin.
    fn begin(&mut self) {
        let mut rows = vec![Row::Mode(self.mode)];
        for _ in 0..self.dice.below(3) {
            rows.extend(self.edit_default());
        }
        self.play(self.last, News::Rows(rows), None);
        for number in 0..self.histories.len() {
            let news = self.histories[number].setup();
            let now = self.last + 1;
            self.play(now, news, Some(number));
            let first = now + self.dice.below(40_000_000);
            self.queue.push(Reverse((first, number)));
        }
    }

    /// Returns how many events come before one that concerns all.
    fn quiet(&mut self) -> u64 {
        let histories = u64::try_from(self.histories.len()).expect("a small number");
        1 + self.dice.below(2 * QUIET * histories)
    }

    /// Plays an event through the oracles that it concerns.
    fn play(&mut self, now: u64, news: News, history: Option<usize>) {
        let time = LogicalTime::from_micros(now);
        let mut decisions = Vec::new();
        match history {
            Some(number) => decisions = self.histories[number].play(time, &news),
            None => {
                for history in &mut self.histories {
                    decisions.extend(history.play(time, &news));
                }
            }
        }
        decisions.sort_by(|a, b| a.position.cmp(&b.position));
        self.pack.expected.extend(decisions);
        self.pack.log.push(Logged {
            time,
            news,
            history,
        });
        self.last = now;
    }

    /// An event that concerns all histories: the mode or a default rule.
    fn common(&mut self) {
        let is_rule = self.pack.fills == Fills::Reported && self.dice.percent(30);
        let rows = if is_rule {
            self.edit_default()
        } else {
            let flatten = if self.flattens { 12 } else { 0 };
            let modes = [
                (50, ExitMode::Running),
                (20, ExitMode::PauseProfit),
                (18, ExitMode::PauseAll),
                (flatten, ExitMode::EmergencyFlatten),
                (10, self.mode),
            ];
            self.mode = self.dice.weighted(&modes);
            vec![Row::Mode(self.mode)]
        };
        let now = self.last + 1 + self.dice.below(1_000);
        self.play(now, News::Rows(rows), None);
    }

    fn edit_default(&mut self) -> Vec<Row> {
        let id: ProfileId = self
            .dice
            .pick(&["default-a", "default-b"])
            .parse()
            .expect("an identifier");
        if self.defaults.contains_key(&id) && self.dice.percent(25) {
            self.defaults.remove(&id);
            return vec![Row::Rule(id, None)];
        }
        self.versions += 1;
        let rule = Rule {
            scope: Scope::Default,
            version: self.versions,
            profile: profiles::draw(&mut self.dice),
        };
        self.defaults.insert(id.clone(), rule.clone());
        vec![Row::Rule(id, Some(rule))]
    }

    fn end(mut self) -> Pack {
        for history in &self.histories {
            self.pack.tally.add(history.oracle.tally());
        }
        self.pack
    }
}

/// Returns the order that a decision becomes, as the store has it.
fn order_of(decision: &Decision) -> ExitOrder {
    let inputs = &decision.inputs;
    ExitOrder {
        action_key: ActionKey::stored(&decision.action_key),
        position: decision.position.clone(),
        symbol: decision.symbol,
        reason: decision.reason.parse().expect("a code names its reason"),
        rule_id: inputs.rule_id.clone(),
        phase: decision.phase,
        cycle: inputs.cycle,
        attempt: inputs.attempt,
        qty: Quantity::new(decision.qty).expect("shares"),
        filled: Quantity::ZERO,
        status: OrderStatus::New,
        decided: decision.time,
    }
}
