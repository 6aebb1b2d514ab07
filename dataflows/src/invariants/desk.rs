//! The desk that keeps the view up to date: a worker of its own, beside the engine, so that it keeps no
//! decision back.

use std::cell::RefCell;
use std::rc::Rc;

use timely::dataflow::ProbeHandle;
use timely::worker::Worker;

use super::books::{Books, Tables};
use super::change::{GraceTimes, InvariantEvent};
use super::rules::{self, RuleInputs, Said};
use super::violation::InvariantNews;
use crate::Time;
use crate::model::LogicalTime;
use crate::table::Table;

/// Keeps the view until `feed` is over. `feed` appends the events that wait, in order, and returns
/// whether more may come; it blocks where there are none. `sink` gets, with the time of the last of
/// them, what they change: what is over before what is broken, and nothing before the first state was
/// told as a whole, since a part of it says nothing.
pub fn run(
    grace: GraceTimes,
    mut feed: impl FnMut(&mut Vec<InvariantEvent>) -> bool + Send + Sync + 'static,
    mut sink: impl FnMut(LogicalTime, Vec<InvariantNews>) + Send + Sync + 'static,
) {
    timely::execute_directly(move |worker| {
        let mut desk = Desk::build(worker, grace);
        let mut events = Vec::new();
        loop {
            let is_open = feed(&mut events);
            if !events.is_empty() {
                desk.take(worker, &mut events);
                if desk.is_complete {
                    sink(desk.told, desk.news());
                }
            }
            if !is_open {
                return;
            }
        }
    });
}

struct Desk {
    books: Books,
    said: Rc<RefCell<Vec<(Said, isize)>>>,
    probe: ProbeHandle<Time>,
    now: Time,
    /// Time of the last event.
    told: LogicalTime,
    is_complete: bool,
}

impl Desk {
    fn build(worker: &mut Worker, grace: GraceTimes) -> Self {
        let said: Rc<RefCell<Vec<_>>> = Rc::default();
        let probe = ProbeHandle::new();
        let tables = worker.dataflow::<Time, _, _>(|scope| {
            let (positions, position_rows) = Table::new(scope);
            let (sales, sale_rows) = Table::new(scope);
            let (taken, taken_rows) = Table::new(scope);
            let (decisions, decision_rows) = Table::new(scope);
            let (orders, order_rows) = Table::new(scope);
            let (refused, refused_rows) = Table::new(scope);
            let (found, found_rows) = Table::new(scope);
            let (due, due_rows) = Table::new(scope);
            let (differences, difference_rows) = Table::new(scope);
            let (cached, cached_rows) = Table::new(scope);
            let (stored, stored_rows) = Table::new(scope);
            let rows = rules::render(RuleInputs {
                positions: position_rows,
                sales: sale_rows,
                taken: taken_rows,
                decisions: decision_rows,
                orders: order_rows,
                refused: refused_rows,
                found: found_rows,
                due: due_rows,
                differences: difference_rows,
                cached: cached_rows,
                stored: stored_rows,
            });
            let told = said.clone();
            rows.consolidate()
                .inspect_batch(move |_time, updates| {
                    let updates = updates.iter();
                    let updates = updates.map(|(said, _time, diff)| (said.clone(), *diff));
                    told.borrow_mut().extend(updates);
                })
                .probe_with(&probe);
            Tables {
                positions,
                sales,
                taken,
                decisions,
                orders,
                refused,
                found,
                due,
                differences,
                cached,
                stored,
            }
        });
        Self {
            books: Books::new(tables, grace),
            said,
            probe,
            now: 0,
            told: LogicalTime::default(),
            is_complete: false,
        }
    }

    /// Takes in the events, all at the time of the last.
    fn take(&mut self, worker: &mut Worker, events: &mut Vec<InvariantEvent>) {
        for event in events.drain(..) {
            self.is_complete |= event.is_complete;
            self.told = self.told.max(event.time);
            for change in event.changes {
                self.books.take(self.told, change);
            }
        }
        self.books.pass(self.told);
        self.now = self.told.micros().max(self.now + 1);
        self.books.tables.advance(self.now);
        let behind = self.now;
        worker.step_or_park_while(None, || self.probe.less_than(&behind));
    }

    /// Returns what has changed since the last call.
    fn news(&mut self) -> Vec<InvariantNews> {
        let mut said = std::mem::take(&mut *self.said.borrow_mut());
        differential_dataflow::consolidation::consolidate(&mut said);
        // What ended first: a key has one row at any time.
        said.sort_by_key(|(_said, diff)| *diff);
        let news = said.into_iter().map(|(said, diff)| match said {
            Said::Broken(violation) if diff > 0 => InvariantNews::Broken(violation),
            Said::Broken(violation) => InvariantNews::Over(violation),
            Said::Asked(key) => InvariantNews::Asked(key, diff > 0),
        });
        news.collect()
    }
}
