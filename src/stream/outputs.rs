//! Where the outputs of the engine go: decisions to the order sink, which the engine waits for; all
//! the rest to places that never hold it up.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};
use turnstile_connectors::execution::{Alarms, EngineOutput, SinkItem, wall_clock_us};
use turnstile_connectors::exits::{Answer, LevelsBoard, Told};
use turnstile_connectors::invariants::InvariantFeed;
use turnstile_connectors::monitoring::EngineProgress;
use turnstile_dataflows::engine::{Output, OutputBatch};
use turnstile_dataflows::exit::{ExitDecision, ExitOutput, Freshness, Withheld};
use turnstile_dataflows::invariants::{Decided, InvariantChange};
use turnstile_dataflows::model::{LogicalTime, Symbol};

use super::alarms;
use super::best_prices::BestPrices;
use super::journal::{Entry, INPUT_SEQ, Journal, Payload};
use super::proof::Evaluated;
use super::staleness::Staleness;

/// Place in the journal: after the event itself comes what it made stale or fresh.
const FRESHNESS_SEQ: i32 = INPUT_SEQ + 1;

/// The sink of the engine.
pub(super) struct Outputs {
    /// When the last batch was handed out.
    pub(super) evaluated: EngineProgress,
    /// Up to which logical time that was, and how many decisions were among it.
    pub(super) handed: Evaluated,
    pub(super) orders: mpsc::Sender<SinkItem>,
    pub(super) alarms: Alarms,
    pub(super) journal: Journal,
    pub(super) levels: LevelsBoard,
    pub(super) withheld: Told<Withheld>,
    /// Who asks for the order of a decision.
    pub(super) invariants: InvariantFeed,
    pub(super) answers: Told<Answer>,
    pub(super) staleness: Staleness,
    pub(super) prices: BestPrices,
    /// Who has a slot of the broker's stream.
    pub(super) slots: watch::Sender<BTreeSet<Symbol>>,
}

impl Outputs {
    /// Hands out a batch.
    pub(super) fn hand_out(&mut self, batch: OutputBatch) {
        // All hits of a preview are in the batch that says it is answered.
        let mut hits: BTreeMap<Arc<str>, Vec<ExitDecision>> = BTreeMap::new();
        let mut freshness: BTreeMap<LogicalTime, Vec<Value>> = BTreeMap::new();
        let mut slots = Vec::new();
        for (time, output) in batch.outputs {
            match output {
                Output::Exit(ExitOutput::Decision(decision)) => {
                    // Before its order can be there.
                    self.invariants.tell_at(time, vec![decided(&decision)]);
                    self.order(time, EngineOutput::Exit(decision));
                }
                Output::Reentry(verdict) => self.order(time, EngineOutput::Reentry(verdict)),
                Output::Exit(ExitOutput::Alert(alert)) => {
                    let alarm = alarms::not_judged(&alert.position, &alert.message);
                    self.alarms.raise(alarm);
                }
                Output::Unruled(position) => {
                    let alarm = alarms::not_judged(&position, "no exit rule serves it");
                    self.alarms.raise(alarm);
                    self.levels.forget(time, position);
                }
                Output::Exit(ExitOutput::Withheld(hit)) => self.withheld.tell(*hit),
                Output::Exit(ExitOutput::Levels(levels)) => self.levels.tell(time, levels),
                Output::Exit(ExitOutput::Freshness(change)) => {
                    freshness.entry(time).or_default().push(entry_of(&change));
                    self.staleness.take(change, &self.alarms);
                }
                Output::Exit(ExitOutput::Preview(hit)) => {
                    hits.entry(hit.request).or_default().push(hit.decision);
                }
                // It is a fact of the slots, and told nobody else.
                Output::Exit(ExitOutput::Nearness(_)) => {}
                Output::Price(row) => {
                    self.staleness.note(&row);
                    let told = self.prices.take(time, row);
                    told.into_iter().for_each(|alarm| self.alarms.raise(alarm));
                }
                Output::Slot(slot, is_given) => slots.push((slot.symbol, is_given)),
                Output::Previewed(request) => {
                    let hits = hits.remove(&request).unwrap_or_default();
                    self.answers.tell(Answer {
                        request,
                        time,
                        hits,
                    });
                }
            }
        }
        self.staleness.wait_for_first(batch.through, &self.alarms);
        let returned = self.prices.pass(batch.through);
        returned
            .into_iter()
            .for_each(|alarm| self.alarms.raise(alarm));
        self.move_slots(slots);
        self.evaluated.note(wall_clock_us());
        self.handed.note(batch.through);
        for (time, changes) in freshness {
            self.journal.note_if_there_is_room(Entry {
                logical_us: time.micros(),
                seq: FRESHNESS_SEQ,
                kind: "freshness",
                payload: Payload::Told(Value::Array(changes)),
            });
        }
    }

    /// Gives and takes slots, all of a batch at once.
    fn move_slots(&self, slots: Vec<(Symbol, bool)>) {
        if slots.is_empty() {
            return;
        }
        self.slots.send_modify(|given| {
            for (symbol, is_given) in slots {
                if is_given {
                    given.insert(symbol);
                } else {
                    given.remove(&symbol);
                }
            }
        });
    }

    /// Waits where the order sink is behind.
    fn order(&self, time: LogicalTime, output: EngineOutput) {
        // Logical time is the time of receipt wherever that was later than the event before.
        let item = SinkItem {
            output,
            received_us: Some(time.micros()),
        };
        self.handed.hand_out();
        // An error means that the order sink has ended: the process stops.
        drop(self.orders.blocking_send(item));
    }
}

fn decided(decision: &ExitDecision) -> InvariantChange {
    InvariantChange::Decided(Decided {
        action_key: decision.action_key.clone(),
        position: decision.position.clone(),
        symbol: decision.symbol,
        qty: decision.qty,
        time: decision.time,
    })
}

fn entry_of(change: &Freshness) -> Value {
    json!({
        "symbol": change.symbol.to_string(),
        "seen_us": change.seen.map(LogicalTime::micros),
        "is_stale": change.is_stale,
    })
}
