//! The crossing: prices meet plans.
//!
//! Keeps per symbol a [`Book`]: its live positions ordered by the prices and times that concern
//! them, their orders, the shared high-water marks and the last tick; a symbol that only trades
//! keeps its last tick. Cost per update: see [`Book`].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::{ExitOrder, LogicalTime, PositionId, Symbol, Tick};
use crate::ordered::{self, Machine, OfSymbol};
use crate::{Rows, Time};

use super::ExitOutput;
use super::book::{Book, Happening, Outcome};
use super::plan::Plan;

/// Anything that concerns one symbol.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum Input {
    Tick(Tick),
    Plan(Symbol, Box<Plan>),
    Order(Box<ExitOrder>),
    Closed(Symbol, PositionId),
}

impl OfSymbol for Input {
    fn symbol(&self) -> Symbol {
        match self {
            Self::Tick(tick) => tick.symbol,
            Self::Plan(symbol, _) | Self::Closed(symbol, _) => *symbol,
            Self::Order(order) => order.symbol,
        }
    }
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
    ordered::render(inputs, "exit: crossing by symbol", Books::default())
}

#[derive(Default)]
struct Books(BTreeMap<Symbol, Book>);

impl Machine<Input, ExitOutput> for Books {
    fn apply(&mut self, time: Time, updates: Vec<(Input, isize)>) -> Vec<ExitOutput> {
        if let [(Input::Tick(tick), 1)] = updates.as_slice() {
            let mut outcome = Outcome::default();
            self.0
                .entry(tick.symbol)
                .or_default()
                .tick(*tick, &mut outcome);
            return outputs(outcome).collect();
        }
        let mut happenings: BTreeMap<Symbol, Happening> = BTreeMap::new();
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
            let book = self.0.entry(symbol).or_default();
            said.extend(outputs(
                book.apply(LogicalTime::from_micros(time), happening),
            ));
        }
        said
    }

    fn deadline(&self) -> Option<Time> {
        None // Times only matter to the tick that comes after them.
    }
}

fn outputs(outcome: Outcome) -> impl Iterator<Item = ExitOutput> {
    let decisions = outcome.decisions.into_iter();
    decisions
        .map(|decision| ExitOutput::Decision(Box::new(decision)))
        .chain(outcome.alerts.into_iter().map(ExitOutput::Alert))
}
