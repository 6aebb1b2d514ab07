//! One history: everything that happens to the positions of one symbol.
//!
//! It is played against its own oracle, so that it can aim: prices at levels, times at borders,
//! results for the orders that the oracle has decided.

use std::collections::BTreeMap;
use std::sync::Arc;

use turnstile_dataflows::model::{
    ExitOrder, LogicalTime, ManualSale, Position, PositionId, Price, ProfileId, Symbol,
};

use super::{order_of, profiles};
use crate::Dice;
use crate::oracle::{Context, Decision, Fills, News, Oracle, Row, Rule, Scope, State};

/// Fewest and most events of a history.
const EVENTS: (i64, i64) = (40, 120);

/// A position as the store has it.
#[derive(Clone)]
pub(super) struct Holding {
    pub(super) position: Position,
    pub(super) state: State,
}

/// A history that is being played.
pub(super) struct History {
    pub(super) dice: Dice,
    pub(super) number: usize,
    pub(super) symbol: Symbol,
    pub(super) fills: Fills,
    pub(super) oracle: Oracle,
    pub(super) holdings: BTreeMap<PositionId, Holding>,
    pub(super) orders: Vec<ExitOrder>,
    pub(super) rules: BTreeMap<ProfileId, Rule>,
    pub(super) requests: BTreeMap<Arc<str>, ManualSale>,
    pub(super) context: Context,
    /// A price about which everything happens, in units.
    pub(super) base: i64,
    pub(super) last: Option<Price>,
    /// When the price was last seen or confirmed.
    pub(super) seen: u64,
    /// In how many of a hundred results the broker refuses.
    pub(super) refusals: u64,
    /// Events left.
    pub(super) left: i64,
    /// How many things have been given a number.
    pub(super) made: u32,
}

#[derive(Clone, Copy)]
enum Kind {
    Tick,
    Entry,
    Fate,
    AddOn,
    Noise,
    Rule,
    Mode,
    Context,
    Request,
    Confirmed,
    Clock,
    Again,
    Several,
}

/// What happens how often while fills are reported. Results come only to active orders.
const KINDS: [(u64, Kind); 13] = [
    (50, Kind::Tick),
    (5, Kind::Entry),
    (20, Kind::Fate),
    (2, Kind::AddOn),
    (3, Kind::Noise),
    (4, Kind::Rule),
    (2, Kind::Mode),
    (2, Kind::Context),
    (3, Kind::Request),
    (3, Kind::Confirmed),
    (2, Kind::Clock),
    (2, Kind::Again),
    (2, Kind::Several),
];

/// What happens in a replay: positions enter, prices come.
const REPLAY_KINDS: [(u64, Kind); 2] = [(92, Kind::Tick), (8, Kind::Entry)];

impl History {
    /// Begins history `number` of the pack with `seed`.
    pub(super) fn new(seed: u64, number: usize, fills: Fills) -> Self {
        let stream = u64::try_from(number).expect("a small number") + 1;
        let mut dice = Dice::new(seed, stream);
        // From a share of a won and a fraction to a dear one, so that levels are rounded or not.
        let base = dice.pick(&[1_000_000, 716_666_700, 12_345, 500_000_000, 99_990]);
        let refusals = dice.pick(&[10, 10, 25, 80]);
        let left = dice.between(EVENTS.0, EVENTS.1);
        let symbol = format!("S{number:05}").parse().expect("a symbol");
        Self {
            dice,
            number,
            symbol,
            fills,
            oracle: Oracle::new(fills),
            holdings: BTreeMap::new(),
            orders: Vec::new(),
            rules: BTreeMap::new(),
            requests: BTreeMap::new(),
            context: Context::default(),
            base,
            last: None,
            seen: 0,
            refusals,
            left,
            made: 0,
        }
    }

    /// Returns what stands before anything happens: the history's own rules and its context.
    pub(super) fn setup(&mut self) -> News {
        let mut rows = Vec::new();
        for _ in 0..self.dice.below(4) {
            rows.extend(self.edit_rule());
        }
        if self.dice.percent(70) {
            rows.extend(self.change_context());
        }
        News::Rows(rows)
    }

    /// Draws the event at `now`.
    pub(super) fn draw(&mut self, now: u64) -> News {
        self.left -= 1;
        let kind = if self.fills == Fills::Reported {
            self.dice.weighted(&KINDS)
        } else {
            self.dice.weighted(&REPLAY_KINDS)
        };
        let is_empty = self.oracle.positions(self.symbol).next().is_none();
        let kind = if is_empty && self.dice.percent(40) {
            Kind::Entry
        } else {
            kind
        };
        let rows = match kind {
            Kind::Tick => Vec::new(),
            Kind::Entry => self.enter(now),
            Kind::Fate => self.fates(),
            Kind::AddOn => self.add_on(),
            Kind::Noise => self.disturb(),
            Kind::Rule => self.edit_rule(),
            Kind::Mode => self.change_mode(),
            Kind::Context => self.change_context(),
            Kind::Request => self.request(),
            Kind::Confirmed => {
                self.seen = now;
                return News::Confirmed(self.symbol);
            }
            Kind::Clock => return News::Clock,
            Kind::Again => self.again(),
            Kind::Several => self.several(),
        };
        if rows.is_empty() {
            return self.tick(now);
        }
        News::Rows(self.mixed(rows))
    }

    /// Plays an event through the oracle and notes what it decides.
    pub(super) fn play(&mut self, now: LogicalTime, news: &News) -> Vec<Decision> {
        let decisions = self.oracle.take(now, news);
        if self.fills == Fills::Reported {
            self.orders.extend(decisions.iter().map(order_of));
        }
        decisions
    }

    /// Returns an identifier that is new in the pack. Its first letter is drawn, so that the order
    /// of ids is not that of their making.
    pub(super) fn name(&mut self) -> String {
        self.made += 1;
        let letter = self.dice.pick(&["a", "b", "Z", "0", "9"]);
        format!("{letter}{}-{}", self.number, self.made)
    }

    /// Edits, adds or removes a rule of the history's own.
    pub(super) fn edit_rule(&mut self) -> Vec<Row> {
        let known: Vec<ProfileId> = self.rules.keys().cloned().collect();
        let is_new = known.is_empty() || (known.len() < 5 && self.dice.percent(35));
        let id = if is_new {
            self.name().parse().expect("an identifier")
        } else {
            self.dice.pick(&known)
        };
        if !is_new && self.dice.percent(25) {
            self.rules.remove(&id);
            return vec![Row::Rule(id, None)];
        }
        let old = self.rules.get(&id);
        let scopes = [
            (4, Scope::Position),
            (4, Scope::Symbol(self.symbol)),
            (3, Scope::Strategy(self.strategy())),
        ];
        let keeps = old.filter(|_| self.dice.percent(80));
        let scope = keeps.map(|rule| rule.scope.clone());
        let profile = keeps
            .filter(|_| self.dice.percent(15))
            .map(|rule| rule.profile.clone());
        self.made += 1;
        let rule = Rule {
            scope: scope.unwrap_or_else(|| self.dice.weighted(&scopes)),
            version: self.made,
            profile: profile.unwrap_or_else(|| profiles::draw(&mut self.dice)),
        };
        self.rules.insert(id.clone(), rule.clone());
        vec![Row::Rule(id, Some(rule))]
    }

    pub(super) fn strategy(&self) -> Arc<str> {
        format!("strategy-{}", self.number).into()
    }

    /// Changes ATR and previous close.
    pub(super) fn change_context(&mut self) -> Vec<Row> {
        let atr = [
            None,
            Some(0),
            Some(10_000),
            Some(20_000),
            Some(33_333),
            Some(100_000),
        ];
        let near = self.dice.between(-30, 30);
        let close = Price::from_units(self.base + self.base * near / 1_000).ok();
        self.context = Context {
            atr_pct: self.dice.pick(&atr),
            prev_close: close.filter(|_| self.dice.percent(85)),
        };
        vec![Row::Context(self.symbol, self.context)]
    }

    /// Several changes in one transaction.
    fn several(&mut self) -> Vec<Row> {
        let mut rows = self.edit_rule();
        if self.dice.percent(50) {
            rows.extend(self.change_context());
        }
        let more = match self.dice.below(4) {
            0 => self.add_on(),
            1 => self.disturb(),
            _ => self.fates(),
        };
        rows.extend(more);
        rows
    }

    /// Rows as they stand already, once more.
    fn again(&mut self) -> Vec<Row> {
        let mut rows = Vec::new();
        if let Some(holding) = self.any_holding() {
            rows.push(Row::Position(holding.position.clone()));
            rows.push(Row::State(holding.position.id, holding.state));
        }
        let known: Vec<_> = self.rules.iter().collect();
        if !known.is_empty() {
            let (id, rule) = self.dice.pick(&known);
            rows.push(Row::Rule(id.clone(), Some(rule.clone())));
        }
        rows
    }

    /// Puts the rows of a transaction into any order: it means nothing.
    fn mixed(&mut self, mut rows: Vec<Row>) -> Vec<Row> {
        self.dice.shuffle(&mut rows);
        rows
    }

    /// Returns any live position.
    pub(super) fn any_holding(&mut self) -> Option<Holding> {
        let ids: Vec<_> = self.holdings.keys().cloned().collect();
        if ids.is_empty() {
            return None;
        }
        self.holdings.get(&self.dice.pick(&ids)).cloned()
    }

    /// Puts a position as it is now into `rows` and remembers it; one that is over is forgotten.
    pub(super) fn store(&mut self, holding: Holding, rows: &mut Vec<Row>) {
        let id = holding.position.id.clone();
        rows.push(Row::Position(holding.position.clone()));
        rows.push(Row::State(id.clone(), holding.state));
        if holding.position.is_live {
            self.holdings.insert(id, holding);
        } else {
            self.orders.retain(|order| order.position != id);
            self.holdings.remove(&id);
        }
    }
}
