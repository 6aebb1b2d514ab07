//! The plain way: prices joined to plans on the symbol, every tick at its own logical time. Each
//! row of the join goes through the judging function of the loop.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use differential_dataflow::input::{Input as _, InputSession};
use timely::dataflow::ProbeHandle;
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::Probe;
use timely::dataflow::operators::generic::operator::Operator;
use timely::worker::Worker;
use turnstile_dataflows::model::{Phase, Symbol, Tick};

use super::Outcome;
use super::decided::Decided;
use super::judge::{Desk, Held};
use super::table::Table;
use crate::clock::Stopwatch;
use crate::input::Input;

/// Ticks entered before the dataflow is stepped.
const BATCH: usize = 256;

type Time = u64;
/// The last tick of a symbol: its time and its price. The time keeps equal prices apart.
type Quote = (Time, i64);

/// Where the rows of the join are judged.
struct Judges {
    desk: Desk,
    held: Vec<Held>,
    decided: Vec<Decided>,
}

impl Judges {
    fn take_in(&mut self, position: u32, (now_us, price): Quote) {
        let held = &mut self.held[usize::try_from(position).unwrap_or(usize::MAX)];
        if held.phase != Phase::Exited {
            self.decided.extend(held.judge(&self.desk, now_us, price));
        }
    }
}

/// Joins the ticks of `input`, at most for `time_max` of real time.
///
/// # Errors
/// If the system does not tell the time.
pub(super) fn run(input: Input, time_max: Duration) -> anyhow::Result<Outcome> {
    timely::execute_directly(move |worker| {
        let desk = Desk::new(&input);
        let judges = Rc::new(RefCell::new(Judges {
            held: input.positions.iter().map(|row| desk.hold(row)).collect(),
            desk,
            decided: Vec::new(),
        }));
        let mut prices = Prices::build(worker, &input, &judges);
        prices.feed(worker, input.opening());

        let start = Stopwatch::start()?;
        let (mut ticks, mut through_us) = (0, 0);
        for batch in input.measured().chunks(BATCH) {
            through_us = prices.feed(worker, batch);
            ticks += batch.len();
            if start.elapsed() >= time_max {
                break;
            }
        }
        let took = start.took()?;
        let decisions = std::mem::take(&mut judges.borrow_mut().decided);
        Ok(Outcome {
            ticks,
            took,
            through_us,
            levels_examined: None,
            bytes_per_position: None,
            decisions,
        })
    })
}

/// The input of the join, and how far it has come.
struct Prices {
    session: InputSession<Time, (Symbol, Quote), isize>,
    last: Table<Option<Quote>>,
    probe: ProbeHandle<Time>,
    plans: InputSession<Time, (Symbol, u32), isize>,
}

impl Prices {
    /// Builds the join and loads the plans.
    fn build(worker: &mut Worker, input: &Input, judges: &Rc<RefCell<Judges>>) -> Self {
        let probe = ProbeHandle::new();
        let (mut plans, session) = worker.dataflow::<Time, _, _>(|scope| {
            let (plan_input, plans) = scope.new_collection();
            let (price_input, prices) = scope.new_collection();
            let rows = prices
                .arrange_by_key_named("join: prices by symbol")
                .join_core(
                    plans.arrange_by_key_named("join: plans by symbol"),
                    |_symbol, quote: &Quote, position: &u32| Some((*position, *quote)),
                );
            let judges = judges.clone();
            let mut waiting = Vec::new();
            rows.inner
                .unary_frontier::<timely::container::CapacityContainerBuilder<Vec<()>>, _, _, _>(
                    Pipeline,
                    "join: judge every row",
                    |_capability, _info| {
                        move |(rows, frontier), _output| {
                            rows.for_each(|_time, batch| {
                                let rows = batch.drain(..).filter(|(_row, _time, diff)| *diff > 0);
                                waiting.extend(rows.map(|((position, quote), time, _diff)| {
                                    (time, position, quote)
                                }));
                            });
                            waiting.sort_unstable();
                            let frontier = frontier.frontier();
                            let done =
                                waiting.partition_point(|(time, _, _)| !frontier.less_equal(time));
                            let mut judges = judges.borrow_mut();
                            for (_time, position, quote) in waiting.drain(..done) {
                                judges.take_in(position, quote);
                            }
                        }
                    },
                )
                .probe_with(&probe);
            (plan_input, price_input)
        });
        for row in &input.positions {
            let listed = &input.listed[usize::try_from(row.symbol).unwrap_or(usize::MAX)];
            plans.update((listed.symbol, row.number), 1);
        }
        Self {
            session,
            last: Table::new(input.listed.len()),
            probe,
            plans,
        }
    }

    /// Enters ticks, waits for everything that follows from them, and returns the last time.
    fn feed(&mut self, worker: &mut Worker, ticks: &[Tick]) -> Time {
        let mut through = 0;
        for tick in ticks {
            through = tick.time.micros();
            self.session.advance_to(through);
            let quote = (through, tick.evaluation_price().units());
            let place = self.last.place(tick.symbol);
            if let Some(old) = self.last.at(place).replace(quote) {
                self.session.update((tick.symbol, old), -1);
            }
            self.session.update((tick.symbol, quote), 1);
        }
        self.session.advance_to(through + 1);
        self.plans.advance_to(through + 1);
        self.session.flush();
        self.plans.flush();
        worker.step_while(|| self.probe.less_equal(&through));
        through
    }
}
