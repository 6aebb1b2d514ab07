//! The risk desk: a worker of its own that keeps the exposure up to date, beside the engine, so that a
//! second's prices of everything held keep no decision back.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use timely::dataflow::ProbeHandle;
use timely::worker::Worker;

use super::exposure::{self, DayResult, ExposureInputs, ExposureRow, Holding, Issue};
use super::limits::{EmergencyStop, RiskLimits, RiskProfile};
use super::view::ViewChange;
use crate::Time;
use crate::model::{LogicalTime, Position, PositionId, Price, SaleId, SaleResult, Symbol};
use crate::reentry::{EQUITY_AGE_US_MAX, Equity, Underway};
use crate::table::Table;

/// What changed at one logical time.
#[derive(Clone, Debug)]
pub struct RiskEvent {
    /// When.
    pub time: LogicalTime,
    /// What; perhaps nothing but the time.
    pub changes: Vec<RiskChange>,
    /// Whether everything up to `time` has been told, the first state as a whole included.
    pub is_complete: bool,
}

/// The row that now stands under a key.
#[derive(Clone, Debug)]
pub enum RiskChange {
    /// A position.
    Position(Position),
    /// A purchase under way, by action key; none where it is over.
    Buying(Arc<str>, Option<Underway>),
    /// The last price of a symbol.
    Price(Symbol, Price),
    /// What an issue belongs to; none where it is gone.
    Issue(Symbol, Option<Issue>),
    /// What a sale brought.
    Sale(SaleResult),
    /// What the account is worth; none where nobody says so any more. What is older than the last, or
    /// more than five minutes ahead, counts for nothing.
    Equity(Option<Equity>),
    /// Limits by the identity of their row; none where it is gone.
    Limits(i64, Option<RiskLimits>),
    /// The profile in force; none where none is.
    Profile(Option<RiskProfile>),
    /// The emergency stop; none where its row is gone.
    Stop(Option<EmergencyStop>),
}

/// Keeps the exposure of the account until `feed` is over. `feed` appends the events that wait, in
/// order, and returns whether more may come; it blocks where there are none. `sink` gets what they
/// change, those of one call together.
pub fn run(
    mut feed: impl FnMut(&mut Vec<RiskEvent>) -> bool + Send + Sync + 'static,
    mut sink: impl FnMut(Vec<ViewChange>) + Send + Sync + 'static,
) {
    timely::execute_directly(move |worker| {
        let mut desk = Desk::build(worker);
        let mut events = Vec::new();
        loop {
            let is_open = feed(&mut events);
            if !events.is_empty() {
                sink(desk.take(worker, &mut events));
            }
            if !is_open {
                return;
            }
        }
    });
}

struct Desk {
    positions: Table<PositionId, Holding>,
    buys: Table<Arc<str>, Underway>,
    prices: Table<Symbol, Price>,
    issues: Table<Symbol, Issue>,
    results: Table<SaleId, DayResult>,
    equity: Table<(), Equity>,
    said: Rc<RefCell<Vec<(ExposureRow, isize)>>>,
    probe: ProbeHandle<Time>,
    now: Time,
    month: u64,
}

impl Desk {
    fn build(worker: &mut Worker) -> Self {
        let said: Rc<RefCell<Vec<_>>> = Rc::default();
        let probe = ProbeHandle::new();
        worker.dataflow::<Time, _, _>(|scope| {
            let (positions, position_rows) = Table::new(scope);
            let (buys, buy_rows) = Table::new(scope);
            let (prices, price_rows) = Table::new(scope);
            let (issues, issue_rows) = Table::new(scope);
            let (results, result_rows) = Table::new(scope);
            let (equity, equity_rows) = Table::new(scope);
            let rows = exposure::render(ExposureInputs {
                positions: position_rows,
                buys: buy_rows,
                prices: price_rows,
                issues: issue_rows,
                results: result_rows,
                equity: equity_rows,
            });
            let told = said.clone();
            rows.consolidate()
                .inspect_batch(move |_time, updates| {
                    let updates = updates.iter();
                    let updates = updates.map(|(row, _time, diff)| (row.clone(), *diff));
                    told.borrow_mut().extend(updates);
                })
                .probe_with(&probe);
            Self {
                positions,
                buys,
                prices,
                issues,
                results,
                equity,
                said,
                probe,
                now: 0,
                month: 0,
            }
        })
    }

    /// Takes in the events and returns what they change, all at the time of the last. The view goes
    /// as far as the last of them that is complete: a part of the first state is no view.
    fn take(&mut self, worker: &mut Worker, events: &mut Vec<RiskEvent>) -> Vec<ViewChange> {
        let last = events.last().map(|event| event.time).unwrap_or_default();
        let complete = events.iter().rfind(|event| event.is_complete);
        let through = complete.map(|event| event.time);
        self.now = last.micros().max(self.now + 1);
        self.advance();
        self.begin_month(last.seoul_month());
        let mut changes = Vec::new();
        for event in events.drain(..) {
            for change in event.changes {
                self.change(event.time, change, &mut changes);
            }
        }
        self.now += 1;
        self.advance();
        let behind = self.now;
        worker.step_or_park_while(None, || self.probe.less_than(&behind));
        let mut said = std::mem::take(&mut *self.said.borrow_mut());
        // What ended first: a key has one row at any time.
        said.sort_by_key(|(_row, diff)| *diff);
        let rows = said.into_iter();
        changes.extend(rows.map(|(row, diff)| ViewChange::Exposure(row, diff)));
        changes.extend(through.map(ViewChange::Through));
        changes
    }

    fn change(&mut self, now: LogicalTime, change: RiskChange, changes: &mut Vec<ViewChange>) {
        match change {
            RiskChange::Position(row) => {
                let holding = Holding {
                    symbol: row.symbol,
                    qty: row.qty,
                    avg_price: row.avg_price,
                };
                self.positions.put(row.id, row.is_live.then_some(holding));
            }
            RiskChange::Buying(key, row) => {
                changes.push(ViewChange::Ordered(key.clone()));
                self.buys.put(key, row);
            }
            RiskChange::Price(symbol, price) => self.prices.put(symbol, Some(price)),
            RiskChange::Issue(symbol, issue) => self.issues.put(symbol, issue),
            RiskChange::Sale(sale) => {
                let result = DayResult {
                    day: sale.sold.seoul_day(),
                    month: sale.sold.seoul_month(),
                    units: sale.units,
                };
                let counts = result.month >= self.month;
                self.results.put(sale.id, counts.then_some(result));
            }
            RiskChange::Equity(None) => self.equity.put((), None),
            RiskChange::Equity(Some(row)) => {
                // One of the future would keep every later one out.
                let is_possible = row.asof <= now.plus_micros(EQUITY_AGE_US_MAX);
                let last = self.equity.rows.get(&());
                if is_possible && last.is_none_or(|last| last.asof <= row.asof) {
                    self.equity.put((), Some(row));
                }
            }
            RiskChange::Limits(id, limits) => changes.push(ViewChange::Limits(id, limits)),
            RiskChange::Profile(profile) => changes.push(ViewChange::Profile(profile)),
            RiskChange::Stop(stop) => changes.push(ViewChange::Stop(stop)),
        }
    }

    /// Forgets the results of months before `month`.
    fn begin_month(&mut self, month: u64) {
        if self.month >= month {
            return;
        }
        self.month = month;
        let rows = self.results.rows.iter();
        let old = rows.filter(|(_id, result)| result.month < month);
        let old: Vec<_> = old.map(|(id, _result)| id.clone()).collect();
        for id in old {
            self.results.put(id, None);
        }
    }

    fn advance(&mut self) {
        self.positions.advance(self.now);
        self.buys.advance(self.now);
        self.prices.advance(self.now);
        self.issues.advance(self.now);
        self.results.advance(self.now);
        self.equity.advance(self.now);
    }
}
