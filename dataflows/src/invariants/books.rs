//! The rows that stand, and when they are forgotten.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::change::{
    Decided, Difference, GraceTimes, InvariantChange, InvariantOrder, Sampled, Taken, Version,
};
use super::orders::Orders;
use super::rules::{Placed, Sale, Stake};
use crate::model::{ActionKey, LogicalTime, Position, PositionId, SaleId, Symbol};
use crate::table::Table;

/// How long what is over is still looked at: late fills of a position that is closed, decisions without
/// an order.
const KEPT: Duration = Duration::from_secs(24 * 3_600);

/// What is forgotten at its time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Past {
    Position(PositionId),
    Order(Arc<str>),
    Taken(SaleId),
    Key(ActionKey),
}

/// Rows of a position.
#[derive(Debug, Default)]
struct Belongings {
    orders: BTreeSet<Arc<str>>,
    taken: BTreeSet<SaleId>,
}

/// The inputs of the rules.
pub(super) struct Tables {
    pub(super) positions: Table<PositionId, Stake>,
    pub(super) sales: Table<Arc<str>, Sale>,
    pub(super) taken: Table<SaleId, Taken>,
    pub(super) decisions: Table<ActionKey, Decided>,
    pub(super) orders: Table<ActionKey, Placed>,
    pub(super) refused: Table<ActionKey, ()>,
    pub(super) found: Table<ActionKey, bool>,
    /// Decisions that have waited for their order for too long.
    pub(super) due: Table<ActionKey, ()>,
    /// Those that have stood for their grace time.
    pub(super) differences: Table<Symbol, Difference>,
    pub(super) cached: Table<Arc<str>, Version>,
    pub(super) stored: Table<Arc<str>, Version>,
}

impl Tables {
    /// Lets what is put from now on have `time`.
    pub(super) fn advance(&mut self, time: crate::Time) {
        self.positions.advance(time);
        self.sales.advance(time);
        self.taken.advance(time);
        self.decisions.advance(time);
        self.orders.advance(time);
        self.refused.advance(time);
        self.found.advance(time);
        self.due.advance(time);
        self.differences.advance(time);
        self.cached.advance(time);
        self.stored.advance(time);
    }
}

/// Everything that is known.
pub(super) struct Books {
    pub(super) tables: Tables,
    grace: GraceTimes,
    orders: Orders,
    live: BTreeSet<PositionId>,
    belongings: BTreeMap<PositionId, Belongings>,
    /// Since when symbols differ.
    differing: BTreeMap<Symbol, LogicalTime>,
    /// When decisions are due: those that wait, and by key, also those that waited.
    waits: BTreeSet<(LogicalTime, ActionKey)>,
    due_at: BTreeMap<ActionKey, LogicalTime>,
    past: BTreeSet<(LogicalTime, Past)>,
}

impl Books {
    /// Returns empty books over `tables`.
    pub(super) fn new(tables: Tables, grace: GraceTimes) -> Self {
        Self {
            tables,
            grace,
            orders: Orders::default(),
            live: BTreeSet::new(),
            belongings: BTreeMap::new(),
            differing: BTreeMap::new(),
            waits: BTreeSet::new(),
            due_at: BTreeMap::new(),
            past: BTreeSet::new(),
        }
    }

    /// Goes on to `now`: what was due by then is, and what was over is forgotten.
    pub(super) fn pass(&mut self, now: LogicalTime) {
        while self.waits.first().is_some_and(|(time, _)| *time <= now)
            && let Some((_, key)) = self.waits.pop_first()
        {
            self.tables.due.put(key, Some(()));
        }
        while self.past.first().is_some_and(|(time, _)| *time <= now)
            && let Some((_, past)) = self.past.pop_first()
        {
            self.forget(past);
        }
    }

    /// Takes in what is told at `now`.
    pub(super) fn take(&mut self, now: LogicalTime, change: InvariantChange) {
        match change {
            InvariantChange::Position(row) => self.take_position(now, row),
            InvariantChange::Order(row) => self.take_order(now, row),
            InvariantChange::OrderFact(id, fact) => {
                self.orders.learn(&id, fact);
                self.tables.sales.put(id.clone(), self.orders.sale(&id));
            }
            InvariantChange::Taken(taken) => {
                let id = taken.id.clone();
                let belongings = self.belongings.entry(taken.position.clone()).or_default();
                belongings.taken.insert(id.clone());
                self.tables.taken.put(id.clone(), Some(taken));
                self.end(now, Past::Taken(id));
            }
            InvariantChange::Decided(decided) => self.take_decision(now, decided),
            InvariantChange::Refused(key) => {
                self.tables.refused.put(key.clone(), Some(()));
                self.end(now, Past::Key(key));
            }
            InvariantChange::Found(key, does) => {
                let is_known = self.tables.orders.row(&key).is_some();
                self.tables.found.put(key, is_known.then_some(does));
            }
            InvariantChange::Differences(differences) => self.differ(now, differences),
            InvariantChange::Sample(sample) => self.sample(sample),
        }
    }

    fn take_position(&mut self, now: LogicalTime, row: Position) {
        if row.is_live {
            self.live.insert(row.id.clone());
        } else {
            self.live.remove(&row.id);
            self.end(now, Past::Position(row.id.clone()));
        }
        let stake = Stake {
            symbol: row.symbol,
            qty: row.qty,
        };
        self.tables.positions.put(row.id, Some(stake));
    }

    fn take_order(&mut self, now: LogicalTime, row: InvariantOrder) {
        if !self.orders.add(row.clone()) {
            return;
        }
        if let Some(position) = &row.position {
            let belongings = self.belongings.entry(position.clone()).or_default();
            belongings.orders.insert(row.id.clone());
        }
        let sale = self.orders.sale(&row.id);
        self.tables.sales.put(row.id.clone(), sale);
        if !row.is_foreign {
            let placed = Placed {
                symbol: row.symbol,
                position: row.position,
                qty: row.qty,
            };
            self.tables.orders.put(row.action_key, Some(placed));
        }
        self.end(now, Past::Order(row.id));
    }

    fn take_decision(&mut self, now: LogicalTime, decided: Decided) {
        let key = decided.action_key.clone();
        // An engine that is behind decides at times that are long past.
        let due = after(now.max(decided.time), self.grace.breach);
        if let Entry::Vacant(vacant) = self.due_at.entry(key.clone()) {
            vacant.insert(due);
            self.waits.insert((due, key.clone()));
        }
        self.tables.decisions.put(key.clone(), Some(decided));
        self.end(now, Past::Key(key));
    }

    /// Takes in an answer of the broker. Only an answer makes a difference due: between two of them nobody
    /// knows.
    fn differ(&mut self, now: LogicalTime, differences: BTreeMap<Symbol, Difference>) {
        let known = self.differing.keys();
        let over: Vec<Symbol> = known
            .filter(|symbol| !differences.contains_key(symbol))
            .copied()
            .collect();
        for symbol in over {
            self.differing.remove(&symbol);
            self.tables.differences.put(symbol, None);
        }
        for (symbol, difference) in differences {
            let since = *self.differing.entry(symbol).or_insert(now);
            if after(since, self.grace.holdings) <= now {
                self.tables.differences.put(symbol, Some(difference));
            }
        }
    }

    fn sample(&mut self, sample: Vec<Sampled>) {
        let told: BTreeSet<&Arc<str>> = sample.iter().map(|row| &row.key).collect();
        let gone: Vec<Arc<str>> = self
            .tables
            .cached
            .rows
            .keys()
            .filter(|key| !told.contains(key))
            .cloned()
            .collect();
        for key in gone {
            self.tables.cached.put(key.clone(), None);
            self.tables.stored.put(key, None);
        }
        for row in sample {
            self.tables.cached.put(row.key.clone(), Some(row.cached));
            self.tables.stored.put(row.key, row.stored);
        }
    }

    /// Lets `past` be forgotten a while after `now`.
    fn end(&mut self, now: LogicalTime, past: Past) {
        self.past.insert((after(now, KEPT), past));
    }

    fn forget(&mut self, past: Past) {
        match past {
            Past::Position(id) if !self.live.contains(&id) => {
                self.tables.positions.put(id.clone(), None);
                let Belongings { orders, taken } = self.belongings.remove(&id).unwrap_or_default();
                orders.into_iter().for_each(|id| self.forget_order(&id));
                for id in taken {
                    self.tables.taken.put(id, None);
                }
            }
            // What belongs to a position goes with it.
            Past::Order(id) => {
                let position = self.orders.row(&id).and_then(|row| row.position.clone());
                if !self.is_known(position.as_ref()) {
                    self.forget_order(&id);
                    self.disown(position, |all| {
                        all.orders.remove(&id);
                    });
                }
            }
            Past::Taken(id) => {
                let taken = self.tables.taken.row(&id);
                let position = taken.map(|taken| taken.position.clone());
                if !self.is_known(position.as_ref()) {
                    self.tables.taken.put(id.clone(), None);
                    self.disown(position, |all| {
                        all.taken.remove(&id);
                    });
                }
            }
            // What has an order goes with it.
            Past::Key(key) if self.tables.orders.row(&key).is_none() => self.forget_key(key),
            Past::Position(_) | Past::Key(_) => {}
        }
    }

    fn is_known(&self, position: Option<&PositionId>) -> bool {
        position.is_some_and(|id| self.tables.positions.row(id).is_some())
    }

    /// Takes something from what belongs to a position that is not known.
    fn disown(&mut self, position: Option<PositionId>, take: impl FnOnce(&mut Belongings)) {
        let Some(id) = position else { return };
        if let Some(all) = self.belongings.get_mut(&id) {
            take(all);
            if all.orders.is_empty() && all.taken.is_empty() {
                self.belongings.remove(&id);
            }
        }
    }

    fn forget_order(&mut self, id: &Arc<str>) {
        self.tables.sales.put(id.clone(), None);
        if let Some(row) = self.orders.forget(id) {
            self.tables.orders.put(row.action_key.clone(), None);
            self.forget_key(row.action_key);
        }
    }

    fn forget_key(&mut self, key: ActionKey) {
        if let Some(due) = self.due_at.remove(&key) {
            self.waits.remove(&(due, key.clone()));
        }
        self.tables.decisions.put(key.clone(), None);
        self.tables.refused.put(key.clone(), None);
        self.tables.found.put(key.clone(), None);
        self.tables.due.put(key, None);
    }
}

fn after(time: LogicalTime, duration: Duration) -> LogicalTime {
    time.plus_micros(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX))
}
