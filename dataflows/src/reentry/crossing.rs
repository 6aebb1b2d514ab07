//! The watching operator: prices and time meet candidates.
//!
//! Keeps per symbol its candidates that are not over. Holds a capability for the least of the times
//! not yet applied and the deadlines of its candidates (ends of cooldowns and watches), so that a
//! deadline speaks at exactly its own logical time although nothing arrives then. When the frontier
//! advances it applies everything before it in order of time, deadlines before inputs of the same
//! time. Closing the inputs drops deadlines that had not come. Cost per tick: the candidates of the
//! symbol.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use differential_dataflow::AsCollection;
use differential_dataflow::consolidation::consolidate;
use serde::{Deserialize, Serialize};
use timely::container::CapacityContainerBuilder;
use timely::dataflow::channels::pact::Exchange;
use timely::dataflow::operators::Capability;
use timely::dataflow::operators::generic::operator::Operator;

use crate::model::{ExitEventId, LogicalTime, Symbol, Tick};
use crate::{Rows, Time};

use super::candidate::Candidate;
use super::plan::CandidatePlan;
use super::verdict::ReentryVerdict;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum Input {
    Plan(Box<CandidatePlan>),
    Tick(Tick),
}

impl Input {
    fn symbol(&self) -> Symbol {
        match self {
            Self::Plan(plan) => plan.event.symbol,
            Self::Tick(tick) => tick.symbol,
        }
    }
}

/// Renders the crossing of `ticks` with candidate `plans`.
pub(super) fn render<'s>(
    ticks: Rows<'s, Tick>,
    plans: Rows<'s, CandidatePlan>,
) -> Rows<'s, ReentryVerdict> {
    let inputs = ticks
        .map(Input::Tick)
        .concat(plans.map(|plan| Input::Plan(Box::new(plan))));
    let by_symbol = Exchange::new(|update: &(Input, Time, isize)| {
        let mut hasher = DefaultHasher::new();
        update.0.symbol().hash(&mut hasher);
        hasher.finish()
    });
    inputs
        .inner
        .unary_frontier::<CapacityContainerBuilder<Vec<_>>, _, _, _>(
            by_symbol,
            "re-entry: crossing by symbol",
            |_capability, _info| {
                let mut watch = Watch::default();
                let mut capability: Option<Capability<Time>> = None;
                move |(input, frontier), output| {
                    input.for_each_stamp(|stamp, data| {
                        if let Some(new) = stamp.retain_least(output.output_index()) {
                            if capability
                                .as_ref()
                                .is_none_or(|old| new.time() < old.time())
                            {
                                capability = Some(new);
                            }
                            data.for_each(|batch| watch.stash(batch.drain(..)));
                        }
                    });
                    let frontier = frontier.frontier();
                    while let Some(time) = watch.next(frontier.is_empty()) {
                        if frontier.less_equal(&time) {
                            break;
                        }
                        let said = watch.apply(time);
                        if let (Some(capability), false) = (&capability, said.is_empty()) {
                            output
                                .session(capability)
                                .give_iterator(said.into_iter().map(|item| (item, time, 1)));
                        }
                    }
                    match (watch.next(frontier.is_empty()), &mut capability) {
                        (Some(next), Some(capability)) => capability.downgrade(&next),
                        _ => capability = None,
                    }
                }
            },
        )
        .as_collection()
}

/// All candidates of this worker, and what waits for the frontier.
#[derive(Default)]
struct Watch {
    stash: BTreeMap<Time, Vec<(Input, isize)>>,
    candidates: BTreeMap<Symbol, BTreeMap<ExitEventId, Candidate>>,
    deadlines: BTreeSet<(LogicalTime, Symbol, ExitEventId)>,
}

impl Watch {
    fn stash(&mut self, updates: impl Iterator<Item = (Input, Time, isize)>) {
        for (input, time, diff) in updates {
            self.stash.entry(time).or_default().push((input, diff));
        }
    }

    /// Returns the next time at which something happens.
    fn next(&self, is_closed: bool) -> Option<Time> {
        let stashed = self.stash.keys().next().copied();
        let deadline = self.deadlines.first().map(|(time, _, _)| time.micros());
        match (stashed, deadline.filter(|_| !is_closed)) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    fn apply(&mut self, time: Time) -> Vec<ReentryVerdict> {
        let now = LogicalTime::from_micros(time);
        let mut said = Vec::new();
        while let Some((due, symbol, id)) = self.deadlines.first().cloned() {
            if due > now {
                break;
            }
            self.change(symbol, &id, |candidate| said.extend(candidate.advance(now)));
        }
        let mut plans: BTreeMap<(Symbol, ExitEventId), Option<CandidatePlan>> = BTreeMap::new();
        let mut ticks = Vec::new();
        let mut updates = self.stash.remove(&time).unwrap_or_default();
        // Joins say what cancels within one time; only the sum counts.
        consolidate(&mut updates);
        for (input, diff) in updates {
            match input {
                Input::Tick(tick) => ticks.push(tick),
                Input::Plan(plan) => {
                    let slot = plans
                        .entry((plan.event.symbol, plan.event.id.clone()))
                        .or_default();
                    if diff > 0 {
                        *slot = Some(*plan);
                    }
                }
            }
        }
        for ((symbol, id), plan) in plans {
            said.extend(self.replan(now, symbol, id, plan));
        }
        for tick in ticks {
            let ids = self
                .candidates
                .get(&tick.symbol)
                .map(|of_symbol| of_symbol.keys().cloned());
            for id in ids.into_iter().flatten().collect::<Vec<_>>() {
                self.change(tick.symbol, &id, |candidate| {
                    said.extend(candidate.tick(&tick))
                });
            }
        }
        said
    }

    /// Puts `plan` in force, or forgets the candidate where there is none any more.
    fn replan(
        &mut self,
        now: LogicalTime,
        symbol: Symbol,
        id: ExitEventId,
        plan: Option<CandidatePlan>,
    ) -> Vec<ReentryVerdict> {
        let mut said = Vec::new();
        let of_symbol = self.candidates.entry(symbol).or_default();
        let old = of_symbol.remove(&id);
        if let Some(deadline) = old.as_ref().and_then(Candidate::deadline) {
            self.deadlines.remove(&(deadline, symbol, id.clone()));
        }
        let candidate = match (old, plan) {
            (Some(mut candidate), Some(plan)) => {
                candidate.replan(plan);
                Some(candidate)
            }
            (None, Some(plan)) => Some(Candidate::new(plan)),
            (_, None) => None,
        };
        if let Some(mut candidate) = candidate {
            said = candidate.advance(now);
            if let Some(deadline) = candidate.deadline() {
                self.deadlines.insert((deadline, symbol, id.clone()));
            }
            of_symbol.insert(id, candidate);
        } else if of_symbol.is_empty() {
            self.candidates.remove(&symbol);
        }
        said
    }

    /// Lets `change` move one candidate and keeps its deadline indexed.
    fn change(&mut self, symbol: Symbol, id: &ExitEventId, change: impl FnOnce(&mut Candidate)) {
        let found = self
            .candidates
            .get_mut(&symbol)
            .and_then(|of_symbol| of_symbol.get_mut(id));
        let Some(candidate) = found else { return };
        let before = candidate.deadline();
        change(candidate);
        let after = candidate.deadline();
        if before != after {
            if let Some(before) = before {
                self.deadlines.remove(&(before, symbol, id.clone()));
            }
            if let Some(after) = after {
                self.deadlines.insert((after, symbol, id.clone()));
            }
        }
    }
}
