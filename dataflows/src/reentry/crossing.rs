//! The crossing: prices and time meet candidates.
//!
//! Keeps per symbol its candidates that are not over, and their deadlines: the ends of cooldowns
//! and watches. Deadlines come before inputs of the same time. Cost per tick: the candidates of the
//! symbol.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::model::{ExitEventId, LogicalTime, Symbol, Tick};
use crate::ordered::{self, Machine, OfSymbol};
use crate::{Rows, Time};

use super::candidate::Candidate;
use super::plan::CandidatePlan;
use super::verdict::ReentryVerdict;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum Input {
    Plan(Box<CandidatePlan>),
    Tick(Tick),
}

impl OfSymbol for Input {
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
    let plans = plans.map(|plan| Input::Plan(Box::new(plan)));
    let inputs = ticks.map(Input::Tick).concat(plans);
    ordered::render(inputs, "re-entry: crossing by symbol", Watch::default())
}

/// All candidates of this worker.
#[derive(Default)]
struct Watch {
    candidates: BTreeMap<Symbol, BTreeMap<ExitEventId, Candidate>>,
    deadlines: BTreeSet<(LogicalTime, Symbol, ExitEventId)>,
}

impl Machine<Input, ReentryVerdict> for Watch {
    fn apply(&mut self, time: Time, updates: Vec<(Input, isize)>) -> Vec<ReentryVerdict> {
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
