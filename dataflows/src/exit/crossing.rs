//! The crossing operator: prices meet plans.
//!
//! Keeps per symbol a [`Book`]: its live positions ordered by the prices and times that concern
//! them, their orders, the shared high-water marks and the last tick; a symbol that only trades
//! keeps its last tick. Holds a capability for the
//! least time of what it has not yet applied, and drops it when there is nothing. When the frontier
//! advances it applies everything before the frontier in order of time, so results do not depend
//! on how inputs were batched. Cost per update: see [`Book`].

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use differential_dataflow::AsCollection;
use differential_dataflow::consolidation::consolidate;
use serde::{Deserialize, Serialize};
use timely::container::CapacityContainerBuilder;
use timely::dataflow::channels::pact::Exchange;
use timely::dataflow::operators::Capability;
use timely::dataflow::operators::generic::operator::Operator;

use crate::model::{ExitOrder, LogicalTime, PositionId, Symbol, Tick};
use crate::{Rows, Time};

use super::book::{Book, Happening, Outcome};
use super::plan::Plan;
use super::{Alert, ExitDecision};

/// Anything that concerns one symbol.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum Input {
    Tick(Tick),
    Plan(Symbol, Box<Plan>),
    Order(Box<ExitOrder>),
    Closed(Symbol, PositionId),
}

impl Input {
    fn symbol(&self) -> Symbol {
        match self {
            Self::Tick(tick) => tick.symbol,
            Self::Plan(symbol, _) | Self::Closed(symbol, _) => *symbol,
            Self::Order(order) => order.symbol,
        }
    }
}

/// Something that the operator says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ExitOutput {
    /// Sell.
    Decision(Box<ExitDecision>),
    /// A position cannot be judged.
    Alert(Alert),
}

/// Renders the crossing of `ticks` with `plans`. `orders` are facts about exit orders, `closed` the
/// positions that ended.
pub(super) fn render<'s>(
    ticks: Rows<'s, Tick>,
    plans: Rows<'s, Plan>,
    orders: Rows<'s, ExitOrder>,
    closed: Rows<'s, (Symbol, PositionId)>,
) -> Rows<'s, ExitOutput> {
    let inputs = ticks.map(Input::Tick).concatenate([
        plans.map(|plan| Input::Plan(plan.position.symbol, Box::new(plan))),
        orders.map(|order| Input::Order(Box::new(order))),
        closed.map(|(symbol, id)| Input::Closed(symbol, id)),
    ]);
    let by_symbol = Exchange::new(|update: &(Input, Time, isize)| hash(update.0.symbol()));
    inputs
        .inner
        .unary_frontier::<CapacityContainerBuilder<Vec<_>>, _, _, _>(
            by_symbol,
            "exit: crossing by symbol",
            |_capability, _info| {
                let mut stash = Stash::default();
                let mut capability: Option<Capability<Time>> = None;
                let mut books: BTreeMap<Symbol, Book> = BTreeMap::new();
                move |(input, frontier), output| {
                    input.for_each_stamp(|stamp, data| {
                        if let Some(new) = stamp.retain_least(output.output_index()) {
                            if capability
                                .as_ref()
                                .is_none_or(|old| new.time() < old.time())
                            {
                                capability = Some(new);
                            }
                            data.for_each(|batch| stash.extend(batch.drain(..)));
                        }
                    });
                    while let Some((time, updates)) =
                        stash.pop_before(|time| !frontier.frontier().less_equal(time))
                    {
                        let said = apply(&mut books, time, updates);
                        if let (Some(capability), false) = (&capability, said.is_empty()) {
                            output
                                .session(capability)
                                .give_iterator(said.into_iter().map(|item| (item, time, 1)));
                        }
                    }
                    match (stash.first(), &mut capability) {
                        (Some(first), Some(capability)) => capability.downgrade(&first),
                        _ => capability = None,
                    }
                }
            },
        )
        .as_collection()
}

/// Updates that wait for the frontier, by time.
#[derive(Default)]
struct Stash(BTreeMap<Time, Vec<(Input, isize)>>);

impl Stash {
    fn extend(&mut self, updates: impl Iterator<Item = (Input, Time, isize)>) {
        for (input, time, diff) in updates {
            self.0.entry(time).or_default().push((input, diff));
        }
    }

    fn first(&self) -> Option<Time> {
        self.0.keys().next().copied()
    }

    fn pop_before(
        &mut self,
        is_due: impl Fn(&Time) -> bool,
    ) -> Option<(Time, Vec<(Input, isize)>)> {
        let first = self.0.first_entry()?;
        is_due(first.key()).then(|| first.remove_entry())
    }
}

/// Applies all updates of one time, symbol by symbol.
fn apply(
    books: &mut BTreeMap<Symbol, Book>,
    time: Time,
    mut updates: Vec<(Input, isize)>,
) -> Vec<ExitOutput> {
    if let [(Input::Tick(tick), 1)] = updates.as_slice() {
        let mut outcome = Outcome::default();
        books
            .entry(tick.symbol)
            .or_default()
            .tick(*tick, &mut outcome);
        return outputs(outcome).collect();
    }
    let mut happenings: BTreeMap<Symbol, Happening> = BTreeMap::new();
    // Joins say what cancels within one time; only the sum counts.
    consolidate(&mut updates);
    for (input, diff) in updates {
        let happening = happenings.entry(input.symbol()).or_default();
        match input {
            Input::Tick(tick) => happening.ticks.push(tick),
            Input::Order(order) if diff > 0 => happening.orders.push(*order),
            Input::Closed(_, id) if diff > 0 => {
                happening.closed.insert(id);
            }
            Input::Order(_) | Input::Closed(..) => {}
            Input::Plan(_, plan) => {
                let slot = happening.plans.entry(plan.position.id.clone()).or_default();
                if diff > 0 {
                    *slot = Some(*plan);
                }
            }
        }
    }
    let mut said = Vec::new();
    for (symbol, happening) in happenings {
        let book = books.entry(symbol).or_default();
        said.extend(outputs(
            book.apply(LogicalTime::from_micros(time), happening),
        ));
    }
    said
}

fn outputs(outcome: Outcome) -> impl Iterator<Item = ExitOutput> {
    let decisions = outcome.decisions.into_iter();
    decisions
        .map(|decision| ExitOutput::Decision(Box::new(decision)))
        .chain(outcome.alerts.into_iter().map(ExitOutput::Alert))
}

fn hash(symbol: Symbol) -> u64 {
    let mut hasher = DefaultHasher::new();
    symbol.hash(&mut hasher);
    hasher.finish()
}
