//! The one custom operator: a state machine fed strictly in order of logical time.
//!
//! ```text
//! ticks (in order, most of the load) ──┐
//! facts (joined, in any order) ────────┴─> machine, one time after the other ─> what it says
//! ```
//!
//! Keeps what has arrived and may not be applied yet: ticks in the containers they came in, facts by
//! time. Holds a capability for the least time at which something happens (a waiting tick or fact,
//! or a deadline of the machine), and drops it when there is none. When the frontiers of both inputs
//! advance it applies everything before them, one time after the other, the facts of one time
//! together and before a tick of that time; so results do not depend on how inputs were batched. A
//! deadline speaks at exactly its own time although nothing arrives then; closing the inputs drops
//! deadlines after the last thing that arrived. Cost per tick: the machine's own. Cost per fact: a map entry per
//! distinct time, plus the machine's own.

use std::collections::{BTreeMap, VecDeque};

use differential_dataflow::{AsCollection, Data, ExchangeData};
use timely::container::CapacityContainerBuilder;
use timely::dataflow::channels::pact::Exchange;
use timely::dataflow::operators::Capability;
use timely::dataflow::operators::generic::operator::Operator;

use crate::model::{Symbol, Tick};
use crate::{Rows, Time};

/// A row with its time and multiplicity.
type Update<D> = (D, Time, isize);

/// What goes to the worker that keeps the state it concerns.
pub(crate) trait Routed {
    /// Returns a number that picks the worker.
    fn route(&self) -> u64;
}

impl Routed for Symbol {
    /// Everything of one symbol goes to one worker.
    fn route(&self) -> u64 {
        // Fibonacci hashing: neighbouring codes spread over the workers.
        self.to_bits().wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32
    }
}

/// The state of one worker.
pub(crate) trait Machine<F, O>: 'static {
    /// Applies a tick. What it says belongs to the time of the tick.
    fn tick(&mut self, tick: &Tick, said: &mut Vec<O>);

    /// Applies the facts of `time`, and deadlines that are due. Facts are not consolidated: joins
    /// say what cancels within one time, and only sums count.
    fn facts(&mut self, time: Time, facts: Vec<(F, isize)>, said: &mut Vec<O>);

    /// Returns the next time at which something happens by itself.
    fn deadline(&self) -> Option<Time>;

    /// Notes that everything that may be applied has been, for now.
    fn rest(&mut self) {}
}

/// What has arrived and waits for the frontiers.
struct Waiting<F> {
    ticks: VecDeque<Vec<Update<Tick>>>,
    /// Ticks of the first container that are applied already.
    done: usize,
    /// Time of the last tick that arrived.
    last: Time,
    is_sorted: bool,
    facts: BTreeMap<Time, Vec<(F, isize)>>,
}

impl<F> Waiting<F> {
    fn new() -> Self {
        Self {
            ticks: VecDeque::new(),
            done: 0,
            last: 0,
            is_sorted: true,
            facts: BTreeMap::new(),
        }
    }

    fn add_ticks(&mut self, ticks: Vec<Update<Tick>>) {
        for (_tick, time, _diff) in &ticks {
            self.is_sorted &= *time >= self.last;
            self.last = *time;
        }
        if !ticks.is_empty() {
            self.ticks.push_back(ticks);
        }
    }

    /// Puts the ticks in order where several senders mixed them.
    fn sort(&mut self) {
        if std::mem::replace(&mut self.is_sorted, true) {
            return;
        }
        let mut all: Vec<_> = self.ticks.drain(..).flatten().skip(self.done).collect();
        all.sort_by_key(|(_tick, time, _diff)| *time);
        self.done = 0;
        self.last = all.last().map_or(self.last, |(_tick, time, _diff)| *time);
        self.ticks.push_back(all);
    }

    fn next_tick(&self) -> Option<Time> {
        let first = self.ticks.front()?;
        first.get(self.done).map(|(_tick, time, _diff)| *time)
    }

    fn next_fact(&self) -> Option<Time> {
        self.facts.keys().next().copied()
    }

    /// Returns whether anything waits that is not before `time`.
    fn reaches(&self, time: Time) -> bool {
        let tick = self.ticks.back().and_then(|ticks| ticks.last());
        let last_tick = tick.map(|(_tick, time, _diff)| *time);
        last_tick.max(self.facts.keys().last().copied()) >= Some(time)
    }

    /// Applies the ticks before `end`, up to a deadline of the machine that comes first.
    fn apply_ticks<O>(&mut self, machine: &mut impl Machine<F, O>, end: Time, said: &mut Said<O>) {
        while let Some(ticks) = self.ticks.front() {
            for (tick, time, _diff) in &ticks[self.done..] {
                let is_due = machine.deadline().is_some_and(|deadline| deadline <= *time);
                if *time >= end || is_due {
                    return;
                }
                self.done += 1;
                machine.tick(tick, &mut said.rows);
                if said.rows.len() > said.times.len() {
                    said.times.resize(said.rows.len(), *time);
                }
            }
            self.ticks.pop_front();
            self.done = 0;
        }
    }
}

/// What the machine says, each with its time.
struct Said<O> {
    rows: Vec<O>,
    times: Vec<Time>,
}

/// Renders `machine` over `ticks` and `facts`.
pub(crate) fn render<'s, F, O, M>(
    ticks: Rows<'s, Tick>,
    facts: Rows<'s, F>,
    name: &str,
    mut machine: M,
) -> Rows<'s, O>
where
    F: ExchangeData + Routed,
    O: Data,
    M: Machine<F, O>,
{
    let by_symbol = Exchange::new(|update: &Update<Tick>| update.0.symbol.route());
    let by_route = Exchange::new(|update: &Update<F>| update.0.route());
    ticks
        .inner
        .binary_frontier::<_, CapacityContainerBuilder<Vec<_>>, _, _, _, _>(
            facts.inner,
            by_symbol,
            by_route,
            name,
            |_capability, _info| {
                let mut waiting = Waiting::new();
                let mut held: Option<Capability<Time>> = None;
                move |(ticks, tick_frontier), (facts, fact_frontier), output| {
                    let port = output.output_index();
                    ticks.for_each_stamp(|stamp, data| {
                        keep_least(&mut held, stamp.retain_least(port));
                        for batch in data {
                            waiting.add_ticks(std::mem::take(batch));
                        }
                    });
                    facts.for_each_stamp(|stamp, data| {
                        keep_least(&mut held, stamp.retain_least(port));
                        for (fact, time, diff) in data.flat_map(|batch| batch.drain(..)) {
                            waiting.facts.entry(time).or_default().push((fact, diff));
                        }
                    });
                    let ends = [tick_frontier.frontier(), fact_frontier.frontier()]
                        .map(|frontier| frontier.first().copied());
                    // Where no more can come from either input, deadlines are dropped.
                    let is_over = ends == [None, None];
                    let end = ends.into_iter().flatten().min().unwrap_or(Time::MAX);
                    let said = advance(&mut machine, &mut waiting, end, is_over);
                    if let Some(capability) = held.as_ref().filter(|_| !said.rows.is_empty()) {
                        let rows = said.rows.into_iter().zip(said.times);
                        let mut session = output.session(capability);
                        session.give_iterator(rows.map(|(row, time)| (row, time, 1)));
                    }
                    let next = [waiting.next_tick(), waiting.next_fact(), machine.deadline()];
                    let next = next.into_iter().flatten().min().filter(|_| !is_over);
                    match (next, &mut held) {
                        (Some(next), Some(capability)) => capability.downgrade(&next),
                        _ => held = None,
                    }
                    machine.rest();
                }
            },
        )
        .as_collection()
}

fn keep_least(held: &mut Option<Capability<Time>>, new: Option<Capability<Time>>) {
    let Some(new) = new else { return };
    if held.as_ref().is_none_or(|old| new.time() < old.time()) {
        *held = Some(new);
    }
}

/// Applies everything before `end`, in order of time.
fn advance<F, O, M: Machine<F, O>>(
    machine: &mut M,
    waiting: &mut Waiting<F>,
    end: Time,
    is_over: bool,
) -> Said<O> {
    let mut said = Said {
        rows: Vec::new(),
        times: Vec::new(),
    };
    waiting.sort();
    loop {
        let facts = waiting.next_fact().filter(|time| *time < end);
        waiting.apply_ticks(machine, facts.unwrap_or(end), &mut said);
        let has_come = |time: &Time| *time < end && (!is_over || waiting.reaches(*time));
        let deadline = machine.deadline().filter(has_come);
        let Some(time) = facts.into_iter().chain(deadline).min() else {
            return said;
        };
        let due = waiting.facts.remove(&time).unwrap_or_default();
        machine.facts(time, due, &mut said.rows);
        said.times.resize(said.rows.len(), time);
    }
}
