//! The one custom operator: a state machine fed strictly in order of logical time.
//!
//! ```text
//! beats: ticks, signals, marks of facts ──┐
//! facts: joined, in any order ────────────┴─> machine, one time after the other ─> what it says
//! ```
//!
//! Facts come through joins and reduces; letting the frontier of all of them follow each tick would
//! cost many times the tick. So the inputs of facts advance only when there are facts, and a mark in
//! the beats says so at the time of the facts: as long as every marked time is closed, the beats may
//! go on up to their own frontier. A mark travels with the beats, so no beat overtakes it. It names
//! the branch of the dataflow whose facts it means; the other branch goes on.
//!
//! Keeps what has arrived and may not be applied yet: beats in the containers they came in, facts by
//! time. Holds one capability, at the time up to which everything is applied; the output does not
//! depend on the frontier of the facts. When it may advance, it applies one time after the other,
//! the facts of one time together and before a beat of that time; so results do not depend on how
//! inputs were batched. A deadline of the machine speaks at exactly its own time although nothing
//! arrives then; closing the inputs drops deadlines after the last thing that arrived. Cost per
//! beat: the machine's own. Cost per fact: a map entry per distinct time, plus the machine's own.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use differential_dataflow::{AsCollection, Data, ExchangeData};
use serde::{Deserialize, Serialize};
use timely::container::CapacityContainerBuilder;
use timely::dataflow::channels::pact::Exchange;
use timely::dataflow::operators::generic::OutputBuilder;
use timely::dataflow::operators::generic::builder_rc::OperatorBuilder;
use timely::dataflow::operators::vec::Map;
use timely::progress::Antichain;
use timely::progress::frontier::MutableAntichain;

use crate::model::{LogicalTime, Symbol, Tick};
use crate::price::{Quote, Session, Taken};
use crate::{Rows, Time};

/// A row with its time and multiplicity.
type Update<D> = (D, Time, isize);

/// What comes in order of time, most of it ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Beat {
    /// A trade.
    Tick(Tick),
    /// A price that was asked for, and what it came to.
    Quote(Quote, Taken),
    /// Something else that is no row of the store.
    Signal(Signal),
    /// There are facts at this time. Told to every worker.
    Facts {
        /// Which worker it is told to.
        worker: u64,
        /// Whose facts.
        branch: Branch,
    },
}

/// A part of the dataflow with facts of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Branch {
    /// What must be sold.
    Exits,
    /// What may be bought back.
    Reentries,
    /// The best prices, which have none.
    Prices,
    /// Which symbols are streamed.
    Slots,
}

impl Branch {
    /// Returns a number that picks the worker of a beat. What may be bought back is judged in one
    /// place: all of it takes from the room of one account, the earlier before the later.
    fn route(self, beat: &Beat) -> u64 {
        match self {
            Self::Reentries => 0,
            Self::Exits | Self::Prices | Self::Slots => beat.route(),
        }
    }
}

/// What is no trade and no row of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Signal {
    /// A second has passed. Told to every worker.
    Clock {
        /// Which worker it is told to.
        worker: u64,
    },
    /// A session begins. Told to every worker.
    Session {
        /// Which worker it is told to.
        worker: u32,
        /// The session.
        session: Session,
    },
    /// Levels may be told. Told to every worker.
    Levels {
        /// Which worker it is told to.
        worker: u32,
        /// About so many rows.
        rows: u32,
    },
}

impl Routed for Beat {
    fn route(&self) -> u64 {
        match self {
            Self::Tick(tick) => tick.symbol.route(),
            Self::Quote(quote, _taken) => quote.symbol.route(),
            Self::Signal(Signal::Clock { worker }) | Self::Facts { worker, .. } => *worker,
            Self::Signal(Signal::Levels { worker, .. } | Signal::Session { worker, .. }) => {
                u64::from(*worker)
            }
        }
    }
}

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

    /// Applies a price that was asked for: where it is another one, it is a tick at its logical time.
    fn quote(&mut self, time: Time, quote: &Quote, taken: Taken, said: &mut Vec<O>) {
        if taken == Taken::Tick {
            self.tick(&quote.tick(LogicalTime::from_micros(time)), said);
        }
    }

    /// Applies a signal.
    fn signal(&mut self, time: Time, signal: Signal, said: &mut Vec<O>);

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
    branch: Branch,
    beats: VecDeque<Vec<Update<Beat>>>,
    /// Beats of the first container that are applied already.
    done: usize,
    /// Time of the last beat that arrived.
    last: Time,
    is_sorted: bool,
    /// Times at which there are facts that may not all have come, in order.
    marks: BTreeSet<Time>,
    facts: BTreeMap<Time, Vec<(F, isize)>>,
}

impl<F> Waiting<F> {
    fn new(branch: Branch) -> Self {
        Self {
            branch,
            beats: VecDeque::new(),
            done: 0,
            last: 0,
            is_sorted: true,
            marks: BTreeSet::new(),
            facts: BTreeMap::new(),
        }
    }

    fn add_beats(&mut self, beats: Vec<Update<Beat>>) {
        for (beat, time, _diff) in &beats {
            self.is_sorted &= *time >= self.last;
            self.last = *time;
            if let Beat::Facts { branch, .. } = beat
                && *branch == self.branch
            {
                self.marks.insert(*time);
            }
        }
        if !beats.is_empty() {
            self.beats.push_back(beats);
        }
    }

    /// Puts the beats in order where several senders mixed them.
    fn sort(&mut self) {
        if std::mem::replace(&mut self.is_sorted, true) {
            return;
        }
        let mut all: Vec<_> = self.beats.drain(..).flatten().skip(self.done).collect();
        all.sort_by_key(|(_beat, time, _diff)| *time);
        self.done = 0;
        self.last = all.last().map_or(self.last, |(_beat, time, _diff)| *time);
        self.beats.push_back(all);
    }

    /// Returns the time before which everything has arrived; none where nothing can come any more.
    fn end(
        &mut self,
        beats: &MutableAntichain<Time>,
        facts: &MutableAntichain<Time>,
    ) -> Option<Time> {
        let [beats, facts] = [beats, facts].map(|frontier| frontier.frontier().first().copied());
        self.marks = facts.map_or_else(BTreeSet::new, |facts| self.marks.split_off(&facts));
        let open = self.marks.first().copied();
        open.into_iter().chain(beats).min().or(facts)
    }

    fn next_fact(&self) -> Option<Time> {
        self.facts.keys().next().copied()
    }

    /// Returns whether anything waits that is not before `time`.
    fn reaches(&self, time: Time) -> bool {
        let beat = self.beats.back().and_then(|beats| beats.last());
        let last_beat = beat.map(|(_beat, time, _diff)| *time);
        last_beat.max(self.facts.keys().last().copied()) >= Some(time)
    }

    /// Applies the beats before `end`, up to a deadline of the machine that comes first.
    fn apply_beats<O>(&mut self, machine: &mut impl Machine<F, O>, end: Time, said: &mut Said<O>) {
        while let Some(beats) = self.beats.front() {
            for (beat, time, _diff) in &beats[self.done..] {
                let is_due = machine.deadline().is_some_and(|deadline| deadline <= *time);
                if *time >= end || is_due {
                    return;
                }
                self.done += 1;
                match beat {
                    Beat::Tick(tick) => machine.tick(tick, &mut said.rows),
                    Beat::Quote(quote, taken) => {
                        machine.quote(*time, quote, *taken, &mut said.rows);
                    }
                    Beat::Signal(signal) => machine.signal(*time, *signal, &mut said.rows),
                    Beat::Facts { .. } => {}
                }
                if said.rows.len() > said.times.len() {
                    said.times.resize(said.rows.len(), *time);
                }
            }
            self.beats.pop_front();
            self.done = 0;
        }
    }
}

/// What the machine says, each with its time.
struct Said<O> {
    rows: Vec<O>,
    times: Vec<Time>,
}

/// Renders `machine` over `beats` and the `facts` of `branch`.
pub(crate) fn render<'s, F, O, M>(
    beats: Rows<'s, Beat>,
    facts: Rows<'s, F>,
    branch: Branch,
    name: &str,
    mut machine: M,
) -> Rows<'s, O>
where
    F: ExchangeData + Routed,
    O: Data,
    M: Machine<F, O>,
{
    let mut builder = OperatorBuilder::new(name.to_owned(), beats.inner.scope());
    let beat_route = Exchange::new(move |update: &Update<Beat>| branch.route(&update.0));
    let mut beats = builder.new_input(beats.inner, beat_route);
    let fact_route = Exchange::new(|update: &Update<F>| update.0.route());
    let mut facts = builder.new_input(facts.inner, fact_route);
    // Only beats bound the output by their frontier; for facts the capability below does.
    let of_beats = [(0, Antichain::from_elem(Default::default()))];
    let (output, said) = builder.new_output_connection(of_beats);
    let mut output = OutputBuilder::<_, CapacityContainerBuilder<Vec<Update<O>>>>::from(output);
    builder.build(move |mut capabilities| {
        let mut held = capabilities.pop();
        let mut waiting = Waiting::new(branch);
        move |frontiers| {
            beats.for_each_stamp(|_stamp, data| {
                data.for_each(|batch| waiting.add_beats(std::mem::take(batch)));
            });
            facts.for_each_stamp(|_stamp, data| {
                for (fact, time, diff) in data.flat_map(|batch| batch.drain(..)) {
                    waiting.facts.entry(time).or_default().push((fact, diff));
                }
            });
            let end = waiting.end(&frontiers[0], &frontiers[1]);
            let said = advance(&mut machine, &mut waiting, end);
            machine.rest();
            if let Some(capability) = held.as_ref().filter(|_| !said.rows.is_empty()) {
                let rows = said.rows.into_iter().zip(said.times);
                let mut handle = output.activate();
                let mut session = handle.session(capability);
                session.give_iterator(rows.map(|(row, time)| (row, time, 1)));
            }
            match (end, &mut held) {
                (Some(end), Some(capability)) => capability.downgrade(&end),
                _ => held = None,
            }
        }
    });
    said.as_collection()
}

/// Returns the rows of a machine that says what comes and what goes.
pub(crate) fn by_sign<O: Data>(told: Rows<'_, (O, isize)>) -> Rows<'_, O> {
    let rows = told
        .inner
        .map(|((row, diff), time, _one)| (row, time, diff));
    rows.as_collection()
}

/// Applies everything before `end`, in order of time.
fn advance<F, O, M: Machine<F, O>>(
    machine: &mut M,
    waiting: &mut Waiting<F>,
    end: Option<Time>,
) -> Said<O> {
    let mut said = Said {
        rows: Vec::new(),
        times: Vec::new(),
    };
    // Where no more can come from either input, deadlines are dropped.
    let (end, is_over) = (end.unwrap_or(Time::MAX), end.is_none());
    waiting.sort();
    loop {
        let facts = waiting.next_fact().filter(|time| *time < end);
        waiting.apply_beats(machine, facts.unwrap_or(end), &mut said);
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
