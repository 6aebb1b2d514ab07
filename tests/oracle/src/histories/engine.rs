//! A log through the engine.

use std::sync::{Arc, Mutex};

use turnstile_dataflows::engine::{self, Change, EngineConfig, Event, Feed, Output, Timed};
use turnstile_dataflows::exit::{
    self, ExitDecision, ExitOutput, ExitRule, RuleScope, SymbolContext,
};
use turnstile_dataflows::model::{
    ExitReason, Floor, LogicalTime, Mark, PositionState, Price, Profile, ProfileId, ReentryMode,
    Symbol,
};
use turnstile_dataflows::price::{Quote, Source, Taken};

use super::Logged;
use crate::oracle::{Context, Decision, Fills, Inputs, News, Row, Rule, Scope, State, Won};

/// How the engine runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shape {
    /// Events taken for one flush at most.
    pub batch: usize,
    /// Worker threads.
    pub workers: usize,
}

/// Gives out a list of events.
pub(crate) struct ListFeed(pub(crate) std::vec::IntoIter<Timed>);

impl Feed for ListFeed {
    fn next(&mut self, max: usize, events: &mut Vec<Timed>) -> bool {
        events.extend(self.0.by_ref().take(max));
        self.0.len() > 0
    }
}

/// Runs `log` through the engine and returns its decisions by time, then position.
///
/// # Panics
/// If the engine fails.
pub fn decide(log: &[Logged], fills: Fills, shape: Shape) -> Vec<Decision> {
    let config = EngineConfig {
        workers: shape.workers,
        batch: shape.batch,
        fills: match fills {
            Fills::Reported => exit::Fills::Reported,
            Fills::Immediate => exit::Fills::Immediate,
            Fills::None => exit::Fills::None,
        },
        ..EngineConfig::default()
    };
    let mut events: Vec<Timed> = log.iter().map(timed).collect();
    if let Some(first) = events.first_mut()
        && let Event::Changes(changes) = &mut first.event
    {
        changes.push(Change::ReentryMode(ReentryMode::Running));
    }
    let said: Arc<Mutex<Vec<Decision>>> = Arc::default();
    let sink = said.clone();
    let end = engine::run(&config, ListFeed(events.into_iter()), move |batch| {
        let mut said = sink.lock().expect("no thread panics with it");
        for (_time, output) in batch.outputs {
            if let Output::Exit(ExitOutput::Decision(decision)) = output {
                said.push(decision_of(&decision));
            }
        }
    });
    end.expect("the engine runs");
    let mut said = std::mem::take(&mut *said.lock().expect("no thread panics with it"));
    said.sort_by(|a, b| (a.time, &a.position).cmp(&(b.time, &b.position)));
    said
}

fn timed(logged: &Logged) -> Timed {
    let event = match &logged.news {
        News::Tick(tick) => Event::Tick(*tick),
        News::Confirmed(symbol) => {
            Event::Quote(confirmation(*symbol, logged.time), Taken::Confirmed)
        }
        News::Clock => Event::Clock,
        News::Rows(rows) => Event::Changes(rows.iter().map(change).collect()),
    };
    Timed {
        time: logged.time,
        event,
    }
}

/// A confirmation counts by its receipt, whatever it says.
fn confirmation(symbol: Symbol, received: LogicalTime) -> Quote {
    Quote {
        symbol,
        source: Source::KisRest,
        last: Price::from_won(1).expect("one won is a price"),
        received,
    }
}

fn change(row: &Row) -> Change {
    match row {
        Row::Position(position) => Change::Position(position.clone()),
        Row::State(id, state) => Change::PositionState(id.clone(), state_of(*state)),
        Row::Rule(id, rule) => {
            let rule = rule.as_ref().map(|rule| rule_of(id, rule));
            Change::ExitRule(id.clone(), rule)
        }
        Row::Context(symbol, context) => {
            let context = SymbolContext {
                atr_pct_millionths: context.atr_pct,
                prev_close: context.prev_close,
            };
            Change::Context(*symbol, context)
        }
        Row::Mode(mode) => Change::ExitMode(*mode),
        Row::Order(order) => Change::ExitOrder(order.clone()),
        Row::Manual(id, request) => Change::ManualSale(id.clone(), request.clone()),
    }
}

fn state_of(state: State) -> PositionState {
    let floor = state.floor.map(|floor| Floor::try_from(floor.to_decimal()));
    PositionState {
        phase: state.phase,
        floor: floor.transpose().expect("a floor is above zero"),
        mark: state.mark.map(|price| Mark { price, tick: None }),
    }
}

fn rule_of(id: &ProfileId, rule: &Rule) -> ExitRule {
    let profile = Profile::from_value(&rule.profile);
    ExitRule {
        id: id.clone(),
        scope: match &rule.scope {
            Scope::Position => RuleScope::Position,
            Scope::Symbol(symbol) => RuleScope::Symbol(*symbol),
            Scope::Strategy(strategy) => RuleScope::Strategy(strategy.clone()),
            Scope::Default => RuleScope::Default,
        },
        version: rule.version,
        profile: Arc::new(profile.expect("a valid profile")),
    }
}

fn decision_of(decision: &ExitDecision) -> Decision {
    let why = &decision.explanation;
    let again = why.decide();
    assert_eq!(
        again.as_ref(),
        Some(decision),
        "a decision follows from its explanation"
    );
    let run = match decision.reason {
        ExitReason::StopFloor => why.runs.floor,
        ExitReason::Trail | ExitReason::TrailPartial => why.runs.trail,
        _ => None,
    };
    Decision {
        time: decision.time,
        position: decision.position.clone(),
        symbol: decision.symbol,
        reason: decision.reason.code(),
        phase: decision.phase,
        qty: decision.qty.shares(),
        price: decision.price,
        level: decision.level,
        action_key: decision.action_key.to_string(),
        cancels: decision.cancels.iter().map(ToString::to_string).collect(),
        inputs: Inputs {
            rule_id: decision.rule_id.clone(),
            cycle: decision.cycle,
            attempt: decision.attempt,
            tick: why.tick,
            position_version: why.position_version,
            remaining: why.remaining.shares(),
            available: why.available.shares(),
            avg: why.avg_price.expect("only an average above zero is judged"),
            rule: (
                why.profile.clone(),
                why.profile_version,
                why.profile_level.name(),
            ),
            context: Context {
                atr_pct: why.atr_pct_millionths,
                prev_close: why.prev_close,
            },
            mark: why.high_water_mark,
            floor: why.floor.map(|floor| Won::from_decimal(floor.to_decimal())),
            slot: run.map(|run| run.slot),
            mode: why.mode,
        },
    }
}
