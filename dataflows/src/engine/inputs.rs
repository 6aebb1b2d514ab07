//! The inputs of the dataflows, and the rows that now stand in them.

use std::sync::Arc;

use differential_dataflow::input::{Input, InputSession};
use timely::dataflow::ProbeHandle;
use timely::worker::Worker;

use super::Output;
use super::event::{Change, Event, Timed};
use super::positions::Positions;
use super::reentries::Reentries;
use super::said::{Said, gather};
use super::views::Views;
use crate::Time;
use crate::exit::{
    self, ExitControl, ExitInputs, ExitRule, Fills, PlanInputs, SymbolContext, WorkCount,
};
use crate::model::{ExitOrder, LogicalTime, ManualSale, PositionId, ProfileId, Symbol};
use crate::ordered::{Beat, Branch, Signal};
use crate::reentry;
use crate::table::Table;

/// All inputs of the dataflows.
pub(super) struct Inputs {
    beats: InputSession<Time, Beat, isize>,
    positions: Positions,
    rules: Table<ProfileId, Arc<ExitRule>>,
    contexts: Table<Symbol, SymbolContext>,
    exit_control: Table<(), ExitControl>,
    orders: InputSession<Time, ExitOrder, isize>,
    manual: Table<Arc<str>, ManualSale>,
    previews: Table<Arc<str>, Arc<ExitRule>>,
    closed: InputSession<Time, (Symbol, PositionId), isize>,
    reentries: Reentries,
    views: Views,
    said: ProbeHandle<Time>,
    joined: ProbeHandle<Time>,
    workers: u32,
    now: Time,
    /// Time of the last exit facts that were not flushed yet.
    unflushed_exits: Option<Time>,
    /// Time of the last exit facts that were.
    flushed_exits: Option<Time>,
    /// Whether re-entry facts were not flushed yet.
    are_reentries_unflushed: bool,
    /// Whether slot facts were not flushed yet.
    are_slots_unflushed: bool,
    today: u64,
}

/// Builds the dataflows on `worker`. What they say goes to `said`, what they do to `count`.
pub(super) fn build(
    worker: &mut Worker,
    fills: Fills,
    are_views_kept: bool,
    said: &Said,
    count: &Arc<WorkCount>,
) -> Inputs {
    let (said_probe, joined) = (ProbeHandle::new(), ProbeHandle::new());
    let workers = u32::try_from(worker.peers()).unwrap_or(1);
    worker.dataflow::<Time, _, _>(|scope| {
        let (beat_input, beats) = scope.new_collection();
        let (positions, position_rows) = Positions::new(scope);
        let (rules, rule_rows) = Table::new(scope);
        let (contexts, context_rows) = Table::new(scope);
        let (exit_control, exit_control_rows) = Table::new(scope);
        let (order_input, orders) = scope.new_collection();
        let (manual, manual_rows) = Table::<Arc<str>, ManualSale>::new(scope);
        let (previews, preview_rows) = Table::<Arc<str>, Arc<ExitRule>>::new(scope);
        let (closed_input, closed) = scope.new_collection();
        let (reentries, reentry_rows) =
            Reentries::new(scope, position_rows.clone(), context_rows.clone());

        let asked = preview_rows.clone().map(|(request, _rule)| request);
        let exits = exit::render(ExitInputs {
            beats: beats.clone(),
            orders,
            manual: manual_rows.map(|(_request, sale)| sale),
            closed,
            plans: PlanInputs {
                positions: position_rows,
                rules: rule_rows,
                contexts: context_rows,
                control: exit_control_rows,
                previews: preview_rows,
            },
            fills,
            count: count.clone(),
            are_views_kept,
        });
        let (views, slot_rows) = Views::new(scope);
        if are_views_kept {
            slot_rows.render(beats.clone(), exits.nearness, said, &said_probe);
        }
        let verdicts = reentry::render(beats, reentry_rows);
        gather(exits.said, Output::Exit, said, &said_probe);
        gather(exits.unruled, Output::Unruled, said, &joined);
        gather(asked, Output::Previewed, said, &joined);
        gather(
            verdicts,
            |verdict| Output::Reentry(Box::new(verdict)),
            said,
            &said_probe,
        );
        Inputs {
            beats: beat_input,
            positions,
            rules,
            contexts,
            exit_control,
            orders: order_input,
            manual,
            previews,
            closed: closed_input,
            reentries,
            views,
            said: said_probe,
            joined,
            workers,
            now: 0,
            unflushed_exits: None,
            flushed_exits: None,
            are_reentries_unflushed: false,
            are_slots_unflushed: false,
            today: 0,
        }
    })
}

impl Inputs {
    /// Enters one event at its time. Returns how many rows of the store it changed.
    pub(super) fn apply(&mut self, timed: Timed) -> usize {
        self.now = timed.time.micros();
        match timed.event {
            Event::Tick(tick) => self.beat(Beat::Tick(tick)),
            Event::Quote(quote, taken) => self.beat(Beat::Quote(quote, taken)),
            Event::Session(session) => {
                for worker in 0..self.workers {
                    self.beat(Beat::Signal(Signal::Session { worker, session }));
                }
            }
            Event::Levels(rows) => {
                let rows = u32::try_from(rows)
                    .unwrap_or(u32::MAX)
                    .div_ceil(self.workers);
                for worker in 0..self.workers {
                    self.beat(Beat::Signal(Signal::Levels { worker, rows }));
                }
            }
            Event::Clock => {
                // Inputs and traces advance, so that they compact also when nothing changes.
                self.begin_exits();
                self.begin_reentries();
                self.begin_slots();
                self.forget_old_reentries(timed.time);
                for worker in 0..self.workers {
                    let worker = u64::from(worker);
                    self.beat(Beat::Signal(Signal::Clock { worker }));
                }
            }
            Event::Changes(changes) => {
                let rows = changes.len();
                if changes.iter().any(Change::concerns_exits) {
                    self.begin_exits();
                }
                if changes.iter().any(Change::concerns_reentries) {
                    self.begin_reentries();
                }
                if changes.iter().any(Change::concerns_slots) {
                    self.begin_slots();
                }
                // States first: a position that begins has its own from the start.
                let is_state = |change: &Change| matches!(change, Change::PositionState(..));
                let (states, others): (Vec<_>, Vec<_>) = changes.into_iter().partition(is_state);
                let all = states.into_iter().chain(others);
                all.for_each(|change| self.change(change));
                return rows;
            }
        }
        0
    }

    fn beat(&mut self, beat: Beat) {
        self.beats.advance_to(self.now);
        self.beats.update(beat, 1);
    }

    /// Brings the inputs of exit facts to the present time, and tells every worker of them.
    fn begin_exits(&mut self) {
        self.advance_exits();
        self.unflushed_exits = Some(self.now);
        self.mark(Branch::Exits);
        // A question of a preview stands for one logical time: it was answered at its own.
        for (request, rule) in std::mem::take(&mut self.previews.rows) {
            self.previews.session.update((request, rule), -1);
        }
    }

    /// Brings the inputs of re-entry facts to the present time, and tells every worker of them.
    fn begin_reentries(&mut self) {
        self.advance_reentries();
        self.are_reentries_unflushed = true;
        self.mark(Branch::Reentries);
    }

    /// Brings the inputs of slot facts to the present time, and tells every worker of them.
    fn begin_slots(&mut self) {
        self.views.advance_to(self.now);
        self.are_slots_unflushed = true;
        self.mark(Branch::Slots);
    }

    fn mark(&mut self, branch: Branch) {
        for worker in 0..self.workers {
            let worker = u64::from(worker);
            self.beat(Beat::Facts { worker, branch });
        }
    }

    fn change(&mut self, change: Change) {
        match change {
            Change::Position(row) if row.is_live => {
                // Every symbol held has a context, perhaps an empty one.
                if !self.contexts.rows.contains_key(&row.symbol) {
                    self.contexts
                        .put(row.symbol, Some(SymbolContext::default()));
                }
                self.positions.put(row);
            }
            Change::Position(row) => {
                self.positions.remove(&row.id);
                self.closed.update((row.symbol, row.id), 1);
            }
            Change::PositionState(id, state) => self.positions.put_state(id, state),
            Change::ExitRule(id, row) => self.rules.put(id, row.map(Arc::new)),
            Change::Context(symbol, row) => self.contexts.put(symbol, Some(row)),
            Change::ExitMode(mode) => {
                let since = LogicalTime::from_micros(self.now);
                self.exit_control.put((), Some(ExitControl { mode, since }));
            }
            Change::ExitOrder(order) => self.orders.update(order, 1),
            Change::ManualSale(request, sale) => self.manual.put(request, sale),
            Change::Preview(request, rule) => self.previews.put(request, rule.map(Arc::new)),
            Change::ExitEvent(_)
            | Change::Sale(_)
            | Change::Candidate(..)
            | Change::Expiry(..)
            | Change::ReentryRule(..)
            | Change::Purchase(..)
            | Change::Blacklist(..)
            | Change::Ranked(..)
            | Change::ReentryMode(_)
            | Change::PauseWindow(..)
            | Change::ReentryLimits(_)
            | Change::RiskLimits(..)
            | Change::RiskProfile(_)
            | Change::Equity(_)
            | Change::Underway(..)
            | Change::Regime(_)
            | Change::RegimeOverride(_) => {
                let now = LogicalTime::from_micros(self.now);
                self.reentries.change(change, now);
            }
            Change::Wish(symbol, wish) => self.views.want(symbol, wish),
            Change::Slots(slots) => self.views.limit(slots),
        }
    }

    fn forget_old_reentries(&mut self, now: LogicalTime) {
        if self.today != now.seoul_day() {
            self.today = now.seoul_day();
            self.reentries.forget_old(now);
        }
    }

    /// Closes all times up to and including `last`. The inputs of facts follow only where there are
    /// some, since their frontier passes through every join of their branch.
    pub(super) fn flush_through(&mut self, last: LogicalTime) {
        self.now = last.micros() + 1;
        self.beats.advance_to(self.now);
        self.beats.flush();
        let exits = self.unflushed_exits.take();
        if exits.is_some() {
            self.flushed_exits = exits;
            self.advance_exits();
            self.flush_exits();
        }
        if std::mem::take(&mut self.are_reentries_unflushed) {
            self.advance_reentries();
            self.flush_reentries();
        }
        if std::mem::take(&mut self.are_slots_unflushed) {
            self.views.advance_to(self.now);
            self.views.flush();
        }
    }

    /// Returns whether the outputs do not yet reflect everything through `last`.
    pub(super) fn is_behind(&self, last: LogicalTime) -> bool {
        self.said.less_equal(&last.micros())
            || self
                .flushed_exits
                .is_some_and(|facts| self.joined.less_equal(&facts))
    }

    fn flush_exits(&mut self) {
        self.positions.session.flush();
        self.rules.session.flush();
        self.contexts.session.flush();
        self.exit_control.session.flush();
        self.orders.flush();
        self.manual.session.flush();
        self.previews.session.flush();
        self.closed.flush();
    }

    fn flush_reentries(&mut self) {
        self.positions.session.flush();
        self.contexts.session.flush();
        self.reentries.flush();
    }

    fn advance_exits(&mut self) {
        self.positions.session.advance_to(self.now);
        self.rules.session.advance_to(self.now);
        self.contexts.session.advance_to(self.now);
        self.exit_control.session.advance_to(self.now);
        self.orders.advance_to(self.now);
        self.manual.session.advance_to(self.now);
        self.previews.session.advance_to(self.now);
        self.closed.advance_to(self.now);
    }

    fn advance_reentries(&mut self) {
        self.positions.session.advance_to(self.now);
        self.contexts.session.advance_to(self.now);
        self.reentries.advance_to(self.now);
    }
}
