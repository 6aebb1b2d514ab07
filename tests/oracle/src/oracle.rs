//! The oracle of exits: a second, naive implementation of the decision contract.
//!
//! It evaluates every live position of a symbol at every tick, in full, and recomputes every level
//! from the profile's JSON. It shares with the engine the plain values of the model (prices,
//! quantities, names, rows, the form of action keys) and none of its judgement: what a profile
//! means, how numbers compare, what hits, what may be decided and what a fill does are written here
//! a second time, from the contract.
//!
//! ```text
//! event ─> rows put in force ─> positions whose inputs changed, or all of a tick's symbol
//!       ─> each, by id: raise the mark, move the runs, first hit that nothing holds back
//! ```

mod exact;
mod held;
mod hits;
mod permit;
mod replay;
mod rows;
mod rules;
mod tally;
mod transitions;

#[cfg(test)]
mod cases;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use turnstile_dataflows::model::{
    ExitMode, LogicalTime, ManualSale, Position, PositionId, ProfileId, Symbol, Tick,
};

pub use exact::{Rate, Won};
pub use replay::{PositionRow, Recording, TickRow, csv};
pub use rows::{Context, Decision, Fills, Inputs, News, Row, Rule, Scope, State};
pub use rules::Rules;
pub use tally::{Count, REASONS, Tally};
pub use transitions::after as state_after;

use held::{Held, InForce, Scene};
use hits::Hit;

/// A price older than this is not judged by any event but a tick (contract, 2.1).
const AGE_MAX_US: u64 = 10_000_000;

/// The last price of a symbol.
struct Quote {
    tick: Tick,
    /// When it was last seen or confirmed.
    seen: LogicalTime,
}

/// The rules that stand, each with its profile read.
type Known = BTreeMap<ProfileId, (Rule, Arc<Rules>)>;

/// Decides exits, the slow way.
pub struct Oracle {
    fills: Fills,
    mode: ExitMode,
    rules: Known,
    contexts: BTreeMap<Symbol, Context>,
    quotes: BTreeMap<Symbol, Quote>,
    requests: BTreeMap<Arc<str>, ManualSale>,
    books: BTreeMap<Symbol, BTreeMap<PositionId, Held>>,
    tally: Tally,
    hits: Vec<Hit>,
}

/// What decides about a position from outside, to see whether an event changed it.
#[derive(PartialEq)]
struct Outside {
    position: Position,
    state: State,
    rule: Option<(ProfileId, u32, &'static str)>,
    context: Context,
}

impl Oracle {
    /// Returns an oracle that knows nothing yet. The mode is RUNNING.
    pub fn new(fills: Fills) -> Self {
        Self {
            fills,
            mode: ExitMode::Running,
            rules: BTreeMap::new(),
            contexts: BTreeMap::new(),
            quotes: BTreeMap::new(),
            requests: BTreeMap::new(),
            books: BTreeMap::new(),
            tally: Tally::default(),
            hits: Vec::new(),
        }
    }

    /// Takes one event and returns what is decided at it, by position.
    pub fn take(&mut self, now: LogicalTime, news: &News) -> Vec<Decision> {
        match news {
            News::Tick(tick) => self.tick(tick),
            News::Rows(rows) => self.rows(now, rows),
            News::Confirmed(symbol) => {
                if let Some(quote) = self.quotes.get_mut(symbol) {
                    quote.seen = now;
                }
                Vec::new()
            }
            News::Clock => Vec::new(),
        }
    }

    /// Returns how often each trigger was decided and held back so far.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Returns prices at which something could happen to a position, for those who draw ticks.
    pub fn levels(&self, id: &PositionId) -> Vec<Won> {
        let held = self.books.values().find_map(|book| book.get(id));
        held.map_or_else(Vec::new, |held| {
            let context = self.contexts.get(&held.position.symbol).copied();
            held.levels(context.unwrap_or_default(), self.mode)
        })
    }

    /// Returns the live positions of a symbol.
    pub fn positions(&self, symbol: Symbol) -> impl Iterator<Item = (&Position, &State)> {
        let held = self
            .books
            .get(&symbol)
            .into_iter()
            .flat_map(BTreeMap::values);
        held.map(|held| (&held.position, &held.state))
    }

    /// Returns the rules in force for a position.
    pub fn rules_of(&self, id: &PositionId) -> Option<&Rules> {
        let held = self.books.values().find_map(|book| book.get(id))?;
        held.rule.as_ref().map(|rule| &*rule.rules)
    }

    fn tick(&mut self, tick: &Tick) -> Vec<Decision> {
        let quote = Quote {
            tick: *tick,
            seen: tick.time,
        };
        self.quotes.insert(tick.symbol, quote);
        self.evaluate(tick.time, tick.symbol, None)
    }

    fn rows(&mut self, now: LogicalTime, rows: &[Row]) -> Vec<Decision> {
        let before = self.outside();
        let mut concerned = BTreeSet::new();
        let (mut is_control, mut with_order_facts) = (false, BTreeSet::new());
        // The rows of an event come together; a new position is there before what belongs to it.
        let (positions, others): (Vec<&Row>, Vec<&Row>) =
            rows.iter().partition(|row| matches!(row, Row::Position(_)));
        for row in positions.into_iter().chain(others) {
            self.put(row, &before);
            match row {
                Row::Mode(_) => is_control = true,
                Row::Manual(_, Some(request)) => {
                    concerned.insert(request.position.clone());
                }
                Row::Order(order) => {
                    with_order_facts.insert(order.position.clone());
                }
                Row::Position(_) | Row::State(..) | Row::Rule(..) | Row::Context(..) => {}
                Row::Manual(_, None) => {}
            }
        }
        self.resolve_rules();
        let after = self.outside();
        let changed = after
            .iter()
            .filter(|(id, outside)| before.get(*id) != Some(outside));
        concerned.extend(changed.map(|(id, _)| id.clone()));
        if is_control {
            concerned.extend(after.keys().cloned());
        }
        // Fills and order results evaluate nothing.
        concerned.retain(|id| !with_order_facts.contains(id));
        let symbols: Vec<_> = self.books.keys().copied().collect();
        let mut decisions = Vec::new();
        for symbol in symbols {
            let is_fresh = |quote: &Quote| now.micros() - quote.seen.micros() <= AGE_MAX_US;
            if self.quotes.get(&symbol).is_some_and(is_fresh) {
                decisions.extend(self.evaluate(now, symbol, Some(&concerned)));
            }
        }
        decisions.sort_by(|a, b| a.position.cmp(&b.position));
        decisions
    }

    /// Evaluates positions of `symbol` by its last tick: those in `only`, or all of them where the
    /// event is that tick.
    fn evaluate(
        &mut self,
        now: LogicalTime,
        symbol: Symbol,
        only: Option<&BTreeSet<PositionId>>,
    ) -> Vec<Decision> {
        let (Some(book), Some(quote)) = (self.books.get_mut(&symbol), self.quotes.get(&symbol))
        else {
            return Vec::new();
        };
        let requests: Vec<ManualSale> = self.requests.values().cloned().collect();
        let scene = Scene {
            now,
            tick: &quote.tick,
            is_tick: only.is_none(),
            context: self.contexts.get(&symbol).copied().unwrap_or_default(),
            mode: self.mode,
            requests: &requests,
            fills: self.fills,
        };
        let mut decisions = Vec::new();
        for (id, held) in book.iter_mut() {
            if only.is_none_or(|only| only.contains(id)) {
                decisions.extend(held.evaluate(&scene, &mut self.tally, &mut self.hits));
            }
        }
        for decision in &decisions {
            // Filled whole at once: it is over.
            if book[&decision.position].position.qty.is_zero() {
                book.remove(&decision.position);
            }
        }
        decisions
    }

    fn put(&mut self, row: &Row, before: &BTreeMap<PositionId, Outside>) {
        match row {
            Row::Position(position) => self.put_position(position),
            Row::State(id, state) => self.put_state(id, *state, !before.contains_key(id)),
            Row::Rule(id, Some(rule)) => {
                let rules = Arc::new(Rules::read(&rule.profile));
                self.rules.insert(id.clone(), (rule.clone(), rules));
            }
            Row::Rule(id, None) => {
                self.rules.remove(id);
            }
            Row::Context(symbol, context) => {
                self.contexts.insert(*symbol, *context);
            }
            Row::Mode(mode) => self.mode = *mode,
            Row::Order(order) => {
                if let Some(held) = self.held(&order.position) {
                    held.orders.insert(order.action_key.clone(), order.clone());
                }
            }
            Row::Manual(id, Some(request)) => {
                self.requests.insert(id.clone(), request.clone());
            }
            Row::Manual(id, None) => {
                self.requests.remove(id);
            }
        }
    }

    fn held(&mut self, id: &PositionId) -> Option<&mut Held> {
        self.books.values_mut().find_map(|book| book.get_mut(id))
    }

    fn put_position(&mut self, position: &Position) {
        let book = self.books.entry(position.symbol).or_default();
        if !position.is_live {
            book.remove(&position.id);
        } else if let Some(held) = book.get_mut(&position.id) {
            held.set_position(position.clone());
        } else {
            let held = Held::new(position.clone());
            book.insert(position.id.clone(), held);
        }
    }

    fn put_state(&mut self, id: &PositionId, state: State, is_new: bool) {
        let Some(held) = self.held(id) else { return };
        if is_new {
            held.mark = state.mark;
        }
        // From here on the mark is the oracle's own.
        held.set_state(State {
            mark: None,
            ..state
        });
    }

    /// Finds the rule in force for every position.
    fn resolve_rules(&mut self) {
        for held in self.books.values_mut().flat_map(BTreeMap::values_mut) {
            held.rule = in_force(&self.rules, &held.position).map(Arc::new);
        }
    }

    fn outside(&self) -> BTreeMap<PositionId, Outside> {
        let all = self.books.values().flat_map(BTreeMap::values);
        all.map(|held| {
            let position = held.position.clone();
            let context = self
                .contexts
                .get(&position.symbol)
                .copied()
                .unwrap_or_default();
            let rule = held.rule.as_ref();
            let outside = Outside {
                state: held.state,
                rule: rule.map(|rule| (rule.id.clone(), rule.version, rule.level)),
                context,
                position,
            };
            (held.position.id.clone(), outside)
        })
        .collect()
    }
}

/// Returns the rule in force for a position: its own, else that of its symbol, else of its
/// strategy, else the default; the lower id of two that tie.
fn in_force(known: &Known, position: &Position) -> Option<InForce> {
    // Ids ascend.
    let first =
        |serves: &dyn Fn(&Scope) -> bool| known.iter().find(|(_id, (rule, _))| serves(&rule.scope));
    let own = position
        .profile
        .as_ref()
        .and_then(|id| known.get_key_value(id));
    let of_symbol = first(&|scope| *scope == Scope::Symbol(position.symbol));
    let of_strategy = first(&|scope| *scope == Scope::Strategy(position.strategy.clone()));
    let default = first(&|scope| *scope == Scope::Default);
    let levels = [
        ("POSITION", own),
        ("SYMBOL", of_symbol),
        ("STRATEGY", of_strategy),
        ("DEFAULT", default),
    ];
    let (level, chosen) = levels.into_iter().find(|(_level, rule)| rule.is_some())?;
    let (id, (rule, rules)) = chosen?;
    Some(InForce {
        id: id.clone(),
        version: rule.version,
        level,
        rules: rules.clone(),
    })
}
