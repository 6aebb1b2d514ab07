//! A strategy that stands in memory: rows in, and what follows from them.

use std::cmp::Reverse;
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

use differential_dataflow::input::Input;
use timely::dataflow::{ProbeHandle, Scope};
use timely::worker::Worker;
use turnstile_dataflows::Time;
use turnstile_dataflows::model::Symbol;
use turnstile_dataflows::table::Table;

use crate::alone::alone;
use crate::bar::DayBar;
use crate::changes::Changes;
use crate::dataflow::{self, Inputs, Moment};
use crate::dated::Dated;
use crate::factors::DisclosureKind;
use crate::window::Entry;
use crate::work::WorkCount;
use crate::{
    Change, Day, Disclosure, Evaluation, Flow, Fundamental, Listing, Portfolio, Ranking, Settings,
    Signal, Snapshot, Stage, UniverseRow, Wanted, Work,
};

/// Runs a strategy on the calling thread, which alone works on it. Nothing is known at first but the
/// default settings.
pub fn with<R>(work: impl FnOnce(&mut Session<'_>) -> R) -> R {
    alone(|worker| work(&mut Session::new(worker)))
}

/// The inputs and outputs of a running strategy.
pub struct Session<'w> {
    worker: &'w mut Worker,
    /// Time of the rows that come now; what is before it is settled.
    now: Time,
    tables: Tables,
    said: Said,
    probes: [ProbeHandle<Time>; Stage::ALL.len()],
    work: Rc<WorkCount>,
    snapshot: Snapshot,
}

/// The inputs.
struct Tables {
    day: Table<(), Day>,
    settings: Table<(), Settings>,
    listings: Table<Symbol, Listing>,
    wanted: Table<Symbol, Wanted>,
    popular: Table<Symbol, u32>,
    disclosures: Table<Arc<str>, (Symbol, Day, DisclosureKind)>,
    bars: Dated<Day, DayBar>,
    fundamentals: Dated<Day, Fundamental>,
    flows: Dated<Moment, Flow>,
}

/// Changes of the outputs since the last settling.
struct Said {
    universe: Changes<UniverseRow>,
    evaluations: Changes<Evaluation>,
    signals: Changes<Signal>,
    rankings: Changes<Ranking>,
    portfolio: Changes<Portfolio>,
}

impl<'w> Session<'w> {
    fn new(worker: &'w mut Worker) -> Self {
        let work = Rc::default();
        let (tables, said, probes) = worker.dataflow::<Time, _, _>(|scope| build(scope, &work));
        let mut session = Self {
            worker,
            now: 0,
            tables,
            said,
            probes,
            work,
            snapshot: Snapshot::default(),
        };
        session.apply(Change::Settings(Settings::default()));
        session
    }

    /// Takes a row in, in the place of the one with its key. The last one counts where several of one
    /// key come before [`settle`](Self::settle).
    pub fn apply(&mut self, change: Change) {
        let tables = &mut self.tables;
        match change {
            Change::AsOf(day) => tables.day.put((), Some(day)),
            Change::Settings(settings) => tables.settings.put((), Some(settings)),
            Change::Listing(symbol, row) => tables.listings.put(symbol, row),
            Change::Wanted(symbol, row) => tables.wanted.put(symbol, row),
            Change::Popular(symbol, rank) => tables.popular.put(symbol, rank),
            Change::Bar(symbol, day, row) => tables.bars.put(symbol, day, row.map(DayBar::from)),
            Change::Fundamental(symbol, day, row) => tables.fundamentals.put(symbol, day, row),
            Change::Flow(symbol, day, row) => tables.flows.put(symbol, day, row),
            Change::Disclosure(number, row) => tables.disclosures.put(number, row.map(kind_of)),
        }
    }

    /// Brings all that follows from the changes up to date.
    pub fn settle(&mut self) {
        self.settle_with(|_stage| {});
    }

    /// As [`settle`](Self::settle); tells of each stage, in their order, when it is up to date. Stages
    /// are worked on together, so what is between two calls is what the later one took longer.
    pub fn settle_with(&mut self, mut reached: impl FnMut(Stage)) {
        let settled = self.now;
        self.now += 1;
        self.tables.advance(self.now);
        for (stage, probe) in Stage::ALL.into_iter().zip(&self.probes) {
            self.worker.step_while(|| probe.less_equal(&settled));
            reached(stage);
        }
        self.tables.compact(self.now);
        self.take_over();
    }

    /// What followed at the last [`settle`](Self::settle).
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// What was worked on since the session began.
    pub fn work(&self) -> Work {
        self.work.done()
    }

    /// Brings the snapshot up to date with what was said.
    fn take_over(&mut self) {
        let Snapshot {
            universe,
            evaluations,
            signals,
            rankings,
            portfolio,
        } = &mut self.snapshot;
        self.said.universe.take_over(
            universe,
            |rows, row| _ = rows.remove(&row.symbol),
            |rows, row| _ = rows.insert(row.symbol, row),
        );
        self.said.evaluations.take_over(
            evaluations,
            |rows, row| _ = rows.remove(&row.symbol),
            |rows, row| _ = rows.insert(row.symbol, row),
        );
        self.said.signals.take_over(
            signals,
            |rows, row| _ = rows.remove(row),
            |rows, row| _ = rows.insert(row),
        );
        self.said.rankings.take_over(
            rankings,
            |rows, row| _ = rows.remove(row),
            |rows, row| _ = rows.insert(row),
        );
        self.said
            .portfolio
            .take_over(portfolio, |_old, _row| {}, |old, row| *old = row);
    }
}

impl fmt::Debug for Session<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("now", &self.now)
            .field("work", &self.work())
            .finish_non_exhaustive()
    }
}

impl Tables {
    /// Goes on to `time`: what came is complete before it.
    fn advance(&mut self, time: Time) {
        self.bars.enter();
        self.fundamentals.enter();
        self.flows.enter();
        self.bars.advance(time);
        self.fundamentals.advance(time);
        self.flows.advance(time);
        self.day.advance(time);
        self.settings.advance(time);
        self.listings.advance(time);
        self.wanted.advance(time);
        self.popular.advance(time);
        self.disclosures.advance(time);
    }

    /// Lets go of the history before `time`.
    fn compact(&mut self, time: Time) {
        self.bars.compact(time);
        self.fundamentals.compact(time);
        self.flows.compact(time);
    }
}

/// What a disclosure is kept as.
fn kind_of(disclosure: Disclosure) -> (Symbol, Day, DisclosureKind) {
    let kind = DisclosureKind::of(&disclosure.title);
    (disclosure.symbol, disclosure.day, kind)
}

/// Builds the dataflow.
fn build(
    scope: Scope<'_, Time>,
    work: &Rc<WorkCount>,
) -> (Tables, Said, [ProbeHandle<Time>; Stage::ALL.len()]) {
    let (day, day_rows) = Table::<(), Day>::new(scope);
    let (settings, setting_rows) = Table::<(), Settings>::new(scope);
    let (listings, listing_rows) = Table::new(scope);
    let (wanted, wanted_rows) = Table::new(scope);
    let (popular, popular_rows) = Table::new(scope);
    let (disclosures, disclosure_rows) =
        Table::<Arc<str>, (Symbol, Day, DisclosureKind)>::new(scope);
    let (bars, bar_rows) = scope.new_collection();
    let (fundamentals, fundamental_rows) = scope.new_collection();
    let (flows, flow_rows) = scope.new_collection();
    let inputs = Inputs {
        day: day_rows.map(|((), day)| day),
        settings: setting_rows.map(|((), settings)| settings),
        listings: listing_rows,
        wanted: wanted_rows,
        popular: popular_rows,
        bars: bar_rows,
        fundamentals: fundamental_rows,
        flows: flow_rows,
        disclosures: disclosure_rows
            .map(|(_number, (symbol, day, kind))| (symbol, Entry::Row(Reverse(day), kind))),
    };
    let (outputs, traces) = dataflow::render(inputs, work);
    let probes: [ProbeHandle<Time>; Stage::ALL.len()] = std::array::from_fn(|_| ProbeHandle::new());
    let [universe, evaluations, signals, rankings, portfolio] = &probes;
    let said = Said {
        universe: Changes::of(outputs.universe, universe),
        evaluations: Changes::of(outputs.evaluations, evaluations),
        signals: Changes::of(outputs.signals, signals),
        rankings: Changes::of(outputs.rankings, rankings),
        portfolio: Changes::of(outputs.portfolio, portfolio),
    };
    let tables = Tables {
        day,
        settings,
        listings,
        wanted,
        popular,
        disclosures,
        bars: Dated::new(bars, traces.bars),
        fundamentals: Dated::new(fundamentals, traces.fundamentals),
        flows: Dated::new(flows, traces.flows),
    };
    (tables, said, probes)
}
