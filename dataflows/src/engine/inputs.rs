//! The inputs of the dataflows, and the rows that now stand in them.

use std::collections::BTreeMap;
use std::sync::Arc;

use differential_dataflow::Data;
use differential_dataflow::input::{Input, InputSession};
use timely::dataflow::ProbeHandle;
use timely::dataflow::Scope;
use timely::worker::Worker;

use super::event::{Change, Event, Timed};
use super::{Output, Said};
use crate::exit::{self, ExitInputs, ExitRule, Fills, PlanInputs, SymbolContext};
use crate::model::{
    ExitEventId, ExitMode, ExitOrder, LogicalTime, Position, PositionId, PositionState, ProfileId,
    ReentryMode, Symbol, Tick,
};
use crate::reentry::{self, CandidateState, ExitEvent, ReentryInputs, ReentryRule};
use crate::{Rows, Time};

/// Days for which entry orders count (domain 5.2: per day and per week).
const ENTRY_DAYS: u64 = 7;

/// A collection with at most one row per key.
struct Table<K: Data, V: Data> {
    session: InputSession<Time, (K, V), isize>,
    rows: BTreeMap<K, V>,
}

impl<K: Data, V: Data> Table<K, V> {
    fn new<'s>(scope: Scope<'s, Time>) -> (Self, Rows<'s, (K, V)>) {
        let (session, rows) = scope.new_collection();
        (
            Self {
                session,
                rows: BTreeMap::new(),
            },
            rows,
        )
    }

    /// Puts `row` under `key`, or nothing.
    fn put(&mut self, key: K, row: Option<V>) {
        let old = match row.clone() {
            Some(row) => self.rows.insert(key.clone(), row),
            None => self.rows.remove(&key),
        };
        if old == row {
            return;
        }
        if let Some(old) = old {
            self.session.update((key.clone(), old), -1);
        }
        if let Some(row) = row {
            self.session.update((key, row), 1);
        }
    }
}

/// All inputs of the dataflows.
pub(super) struct Inputs {
    ticks: InputSession<Time, Tick, isize>,
    positions: Table<PositionId, Position>,
    states: Table<PositionId, PositionState>,
    rules: Table<ProfileId, ExitRule>,
    contexts: Table<Symbol, SymbolContext>,
    exit_mode: Table<(), ExitMode>,
    orders: InputSession<Time, ExitOrder, isize>,
    exit_events: Table<ExitEventId, ExitEvent>,
    candidates: Table<ExitEventId, (Symbol, CandidateState)>,
    reentry_rules: Table<Arc<str>, ReentryRule>,
    entries: Table<ExitEventId, (Symbol, u64)>,
    reentry_mode: Table<(), ReentryMode>,
    probe: ProbeHandle<Time>,
    today: u64,
}

/// Builds the dataflows on `worker`. What they say goes to `said`.
pub(super) fn build(worker: &mut Worker, _fills: Fills, said: &Said) -> Inputs {
    let probe = ProbeHandle::new();
    worker.dataflow::<Time, _, _>(|scope| {
        let (tick_input, ticks) = scope.new_collection();
        let (positions, position_rows) = Table::<PositionId, Position>::new(scope);
        let (states, state_rows) = Table::new(scope);
        let (rules, rule_rows) = Table::new(scope);
        let (contexts, context_rows) = Table::new(scope);
        let (exit_mode, exit_control) = Table::new(scope);
        let (order_input, orders) = scope.new_collection();
        let (exit_events, event_rows) = Table::new(scope);
        let (candidates, candidate_rows) = Table::new(scope);
        let (reentry_rules, reentry_rule_rows) = Table::new(scope);
        let (entries, entry_rows) = Table::<ExitEventId, (Symbol, u64)>::new(scope);
        let (reentry_mode, reentry_control) = Table::new(scope);

        let held = position_rows.clone().filter(|(_id, row)| row.is_live);
        let exits = exit::render(ExitInputs {
            ticks: ticks.clone(),
            orders,
            plans: PlanInputs {
                positions: position_rows,
                states: state_rows,
                rules: rule_rows,
                contexts: context_rows,
                control: exit_control,
            },
        });
        let verdicts = reentry::render(
            ticks,
            ReentryInputs {
                exit_events: event_rows,
                candidates: candidate_rows,
                rules: reentry_rule_rows.map(|(_id, rule)| rule),
                entries: entry_rows.map(|(id, (symbol, day))| (symbol, (day, id))),
                held: held.map(|(_id, row)| row.symbol),
                control: reentry_control,
            },
        );
        gather(exits.said, Output::Exit, said, &probe);
        gather(exits.unruled, Output::Unruled, said, &probe);
        gather(
            verdicts,
            |verdict| Output::Reentry(Box::new(verdict)),
            said,
            &probe,
        );
        Inputs {
            ticks: tick_input,
            positions,
            states,
            rules,
            contexts,
            exit_mode,
            orders: order_input,
            exit_events,
            candidates,
            reentry_rules,
            entries,
            reentry_mode,
            probe: probe.clone(),
            today: 0,
        }
    })
}

/// Collects the insertions of `rows`. What is withdrawn again needs no action of its own.
fn gather<D: Data>(
    rows: Rows<'_, D>,
    wrap: impl Fn(D) -> Output + 'static,
    said: &Said,
    probe: &ProbeHandle<Time>,
) {
    let said = said.clone();
    rows.inspect_batch(move |_time, updates| {
        let mut said = said
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let inserted = updates.iter().filter(|(_row, _time, diff)| *diff > 0);
        said.extend(
            inserted.map(|(row, time, _diff)| (LogicalTime::from_micros(*time), wrap(row.clone()))),
        );
    })
    .probe_with(probe);
}

impl Inputs {
    /// Enters one event at its time.
    pub(super) fn apply(&mut self, timed: Timed) {
        self.advance_to(timed.time.micros());
        match timed.event {
            Event::Tick(tick) => self.ticks.update(tick, 1),
            Event::Confirmed(_) | Event::Levels(_) => {}
            Event::Clock => self.forget_old_entries(timed.time.seoul_day()),
            Event::Changes(changes) => changes.into_iter().for_each(|change| self.change(change)),
        }
    }

    fn change(&mut self, change: Change) {
        match change {
            Change::Position(row) if row.is_live => self.positions.put(row.id.clone(), Some(row)),
            Change::Position(row) => {
                // Its end is told once; nothing of it stays.
                self.positions.put(row.id.clone(), None);
                self.states.put(row.id.clone(), None);
                self.positions.session.update((row.id.clone(), row), 1);
            }
            Change::PositionState(id, mut row) => {
                // The engine's own mark is newer than what it has saved.
                if let Some(known) = self.states.rows.get(&id) {
                    row.mark = known.mark;
                }
                if row.phase != crate::model::Phase::Exited {
                    self.states.put(id, Some(row));
                }
            }
            Change::ExitRule(id, row) => self.rules.put(id, row),
            Change::Context(symbol, row) => self.contexts.put(symbol, Some(row)),
            Change::ExitMode(mode) => self.exit_mode.put((), Some(mode)),
            Change::ExitOrder(order) => self.orders.update(order, 1),
            Change::ManualSale(..) | Change::Preview(..) => {}
            Change::ExitEvent(row) => self.exit_events.put(row.id.clone(), Some(row)),
            Change::Candidate(id, _symbol, CandidateState::Over) => {
                self.exit_events.put(id.clone(), None);
                self.candidates.put(id, None);
            }
            Change::Candidate(id, symbol, state) => self.candidates.put(id, Some((symbol, state))),
            Change::ReentryRule(id, row) => self.reentry_rules.put(id, row),
            Change::Entry(symbol, id, decided) => {
                self.entries.put(id, Some((symbol, decided.seoul_day())));
            }
            Change::ReentryMode(mode) => self.reentry_mode.put((), Some(mode)),
        }
    }

    fn forget_old_entries(&mut self, today: u64) {
        if self.today == today {
            return;
        }
        self.today = today;
        let is_old = |day: u64| day + ENTRY_DAYS < today;
        let old: Vec<_> = self
            .entries
            .rows
            .iter()
            .filter(|(_, (_, day))| is_old(*day))
            .collect();
        for id in old
            .into_iter()
            .map(|(id, _row)| id.clone())
            .collect::<Vec<_>>()
        {
            self.entries.put(id, None);
        }
    }

    /// Closes all times up to and including `last`.
    pub(super) fn flush_through(&mut self, last: LogicalTime) {
        self.advance_to(last.micros() + 1);
        self.ticks.flush();
        self.positions.session.flush();
        self.states.session.flush();
        self.rules.session.flush();
        self.contexts.session.flush();
        self.exit_mode.session.flush();
        self.orders.flush();
        self.exit_events.session.flush();
        self.candidates.session.flush();
        self.reentry_rules.session.flush();
        self.entries.session.flush();
        self.reentry_mode.session.flush();
    }

    /// Returns whether the outputs do not yet reflect everything through `last`.
    pub(super) fn is_behind(&self, last: LogicalTime) -> bool {
        self.probe.less_equal(&last.micros())
    }

    fn advance_to(&mut self, time: Time) {
        self.ticks.advance_to(time);
        self.positions.session.advance_to(time);
        self.states.session.advance_to(time);
        self.rules.session.advance_to(time);
        self.contexts.session.advance_to(time);
        self.exit_mode.session.advance_to(time);
        self.orders.advance_to(time);
        self.exit_events.session.advance_to(time);
        self.candidates.session.advance_to(time);
        self.reentry_rules.session.advance_to(time);
        self.entries.session.advance_to(time);
        self.reentry_mode.session.advance_to(time);
    }
}
