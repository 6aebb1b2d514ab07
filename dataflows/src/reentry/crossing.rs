//! The crossing: prices and time meet candidates.
//!
//! Keeps per symbol its candidates that are not over, and their deadlines: the ends of cooldowns
//! and watches. Deadlines come before inputs of the same time. Cost per tick: the candidates of the
//! symbol.

use std::collections::{BTreeMap, BTreeSet};

use differential_dataflow::consolidation::consolidate;

use crate::model::{ExitEventId, LogicalTime, Symbol, Tick};
use crate::ordered::{self, Beat, Branch, Machine, Routed, Signal};
use crate::{Rows, Time};

use super::candidate::Candidate;
use super::plan::CandidatePlan;
use super::verdict::ReentryVerdict;

impl Routed for CandidatePlan {
    fn route(&self) -> u64 {
        self.event.symbol.route()
    }
}

/// Renders the crossing of `beats` with candidate `plans`.
pub(super) fn render<'s>(
    beats: Rows<'s, Beat>,
    plans: Rows<'s, CandidatePlan>,
) -> Rows<'s, ReentryVerdict> {
    ordered::render(
        beats,
        plans,
        Branch::Reentries,
        "re-entry: crossing by symbol",
        Watch::default(),
    )
}

/// All candidates of this worker.
#[derive(Default)]
struct Watch {
    candidates: BTreeMap<Symbol, BTreeMap<ExitEventId, Candidate>>,
    deadlines: BTreeSet<(LogicalTime, Symbol, ExitEventId)>,
}

impl Machine<CandidatePlan, ReentryVerdict> for Watch {
    fn tick(&mut self, tick: &Tick, said: &mut Vec<ReentryVerdict>) {
        if self.candidates.is_empty() {
            return;
        }
        let of_symbol = self.candidates.get(&tick.symbol);
        let ids: Vec<_> = of_symbol
            .into_iter()
            .flat_map(BTreeMap::keys)
            .cloned()
            .collect();
        for id in ids {
            self.change(tick.symbol, &id, |candidate| {
                said.extend(candidate.tick(tick))
            });
        }
    }

    fn signal(&mut self, _time: Time, _signal: Signal, _said: &mut Vec<ReentryVerdict>) {}

    fn facts(
        &mut self,
        time: Time,
        mut facts: Vec<(CandidatePlan, isize)>,
        said: &mut Vec<ReentryVerdict>,
    ) {
        let now = LogicalTime::from_micros(time);
        while let Some((due, symbol, id)) = self.deadlines.first().cloned() {
            if due > now {
                break;
            }
            self.change(symbol, &id, |candidate| said.extend(candidate.advance(now)));
        }
        consolidate(&mut facts);
        let mut plans: BTreeMap<(Symbol, ExitEventId), Option<CandidatePlan>> = BTreeMap::new();
        for (plan, diff) in facts {
            let slot = plans
                .entry((plan.event.symbol, plan.event.id.clone()))
                .or_default();
            if diff > 0 {
                *slot = Some(plan);
            }
        }
        for ((symbol, id), plan) in plans {
            said.extend(self.replan(now, symbol, id, plan));
        }
    }

    fn deadline(&self) -> Option<Time> {
        self.deadlines.first().map(|(time, _, _)| time.micros())
    }
}

impl Watch {
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
