//! A rebalance that stands in memory: rows in, and what follows from them.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;

use timely::dataflow::{ProbeHandle, Scope};
use timely::worker::Worker;
use turnstile_dataflows::Time;
use turnstile_dataflows::model::Symbol;
use turnstile_dataflows::table::Table;

use super::dataflow::{self, Inputs};
use super::values::{Change, Funds, Order, Quote, Rebalance, Skip, Stake, Target};
use super::wish::Place;
use crate::alone::alone;
use crate::changes::Changes;

/// Runs a rebalance on the calling thread, which alone works on it. Nothing is known at first.
pub fn with<R>(work: impl FnOnce(&mut Book<'_>) -> R) -> R {
    alone(|worker| work(&mut Book::new(worker)))
}

/// The inputs and outputs of a running rebalance.
pub struct Book<'w> {
    worker: &'w mut Worker,
    /// Time of the rows that come now; what is before it is settled.
    now: Time,
    tables: Tables,
    said: Said,
    probe: ProbeHandle<Time>,
    reckoned: Rc<Cell<u64>>,
    orders: BTreeMap<Place, Order>,
    skipped: BTreeMap<Symbol, Skip>,
}

/// The inputs.
struct Tables {
    funds: Table<(), Funds>,
    targets: Table<Symbol, Target>,
    stakes: Table<Symbol, Stake>,
    prices: Table<Symbol, Quote>,
}

/// Changes of the outputs since the last settling.
struct Said {
    orders: Changes<(Place, Order)>,
    skipped: Changes<(Symbol, Skip)>,
}

impl<'w> Book<'w> {
    fn new(worker: &'w mut Worker) -> Self {
        let (reckoned, probe) = (Rc::default(), ProbeHandle::new());
        let (tables, said) = worker.dataflow::<Time, _, _>(|scope| build(scope, &reckoned, &probe));
        Self {
            worker,
            now: 0,
            tables,
            said,
            probe,
            reckoned,
            orders: BTreeMap::new(),
            skipped: BTreeMap::new(),
        }
    }

    /// Takes a row in, in the place of the one with its key. The last one counts where several of one
    /// key come before [`settle`](Self::settle).
    pub fn apply(&mut self, change: Change) {
        let tables = &mut self.tables;
        match change {
            Change::Funds(row) => tables.funds.put((), Some(row)),
            Change::Target(symbol, row) => tables.targets.put(symbol, row),
            Change::Stake(symbol, row) => tables.stakes.put(symbol, row),
            Change::Price(symbol, row) => tables.prices.put(symbol, row),
        }
    }

    /// Brings all that follows from the changes up to date.
    pub fn settle(&mut self) {
        let settled = self.now;
        self.now += 1;
        self.tables.advance(self.now);
        self.worker.step_while(|| self.probe.less_equal(&settled));
        self.said.orders.take_over(
            &mut self.orders,
            |orders, (place, _order)| _ = orders.remove(place),
            |orders, (place, order)| _ = orders.insert(place, order),
        );
        self.said.skipped.take_over(
            &mut self.skipped,
            |skipped, (symbol, _skip)| _ = skipped.remove(symbol),
            |skipped, (symbol, skip)| _ = skipped.insert(symbol, skip),
        );
    }

    /// Returns what followed at the last [`settle`](Self::settle).
    pub fn rebalance(&self) -> Rebalance {
        let skipped = self.skipped.iter();
        Rebalance {
            orders: self.orders.values().copied().collect(),
            skipped: skipped.map(|(symbol, skip)| (*symbol, *skip)).collect(),
        }
    }

    /// Returns what `symbol` costs, as it stands.
    pub fn quote(&self, symbol: Symbol) -> Option<Quote> {
        self.tables.prices.row(&symbol).copied()
    }

    /// Returns how often a name was reckoned since the book began. What does not change is not reckoned
    /// again.
    pub fn reckoned(&self) -> u64 {
        self.reckoned.get()
    }
}

impl fmt::Debug for Book<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Book")
            .field("now", &self.now)
            .field("reckoned", &self.reckoned())
            .finish_non_exhaustive()
    }
}

impl Tables {
    /// Goes on to `time`: what came is complete before it.
    fn advance(&mut self, time: Time) {
        self.funds.advance(time);
        self.targets.advance(time);
        self.stakes.advance(time);
        self.prices.advance(time);
    }
}

/// Builds the dataflow.
fn build(
    scope: Scope<'_, Time>,
    reckoned: &Rc<Cell<u64>>,
    probe: &ProbeHandle<Time>,
) -> (Tables, Said) {
    let (funds, fund_rows) = Table::<(), Funds>::new(scope);
    let (targets, target_rows) = Table::new(scope);
    let (stakes, stake_rows) = Table::new(scope);
    let (prices, price_rows) = Table::new(scope);
    let inputs = Inputs {
        funds: fund_rows.map(|((), funds)| funds),
        targets: target_rows,
        stakes: stake_rows,
        prices: price_rows,
    };
    let outputs = dataflow::render(inputs, reckoned.clone());
    let said = Said {
        orders: Changes::of(outputs.orders, probe),
        skipped: Changes::of(outputs.skipped, probe),
    };
    let tables = Tables {
        funds,
        targets,
        stakes,
        prices,
    };
    (tables, said)
}
