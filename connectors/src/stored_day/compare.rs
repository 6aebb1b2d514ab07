//! What was decided now against what is stored; what it takes to be a difference stands in
//! [`super`].
//!
//! Keeps the keys of the decisions that were found on both sides, and differences up to a limit; decisions
//! themselves are not kept.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::decision::Stated;
use super::runs::Span;

/// Differences that are kept with what differs; all are counted.
const KEPT_MAX: usize = 10_000;
/// The field of a decision that was made at another time.
const TIME: &str = "decided_us";

/// How a decision differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// It is stored, and was not made again.
    Missing,
    /// It was made now, and is not stored.
    Extra,
    /// It is there twice, and not the same.
    Different,
}

impl Kind {
    /// Returns the name in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Missing => "MISSING",
            Self::Extra => "EXTRA",
            Self::Different => "DIFFERENT",
        }
    }
}

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What it is.
    pub kind: Kind,
    /// Of which decision.
    pub action_key: String,
    /// The position that is sold, or the candidate that is bought for.
    pub position: String,
    /// Logical time of the decision, microseconds; the stored one where there are two.
    pub decided_us: u64,
    /// The field, of a decision that is there twice.
    pub field: Option<String>,
    /// What is stored.
    pub live: Option<String>,
    /// What came out now.
    pub replayed: Option<String>,
}

/// What is stored of a decision that was made now.
#[derive(Clone, Debug, Default)]
pub(super) struct Live {
    /// The order with its action key, whenever it was decided.
    pub(super) order: Option<Stated>,
    /// Whether the risk gate has refused it at its own time.
    pub(super) is_refused: bool,
}

/// A stored decision by its identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) action_key: String,
    pub(super) subject: String,
    pub(super) decided_us: u64,
}

/// The comparison of one day.
#[derive(Debug, Default)]
pub(super) struct Comparison {
    spans: Vec<Span>,
    /// Stored decisions that were found again, or told as different.
    found: BTreeSet<String>,
    /// Decisions that were made now, and stored ones that were not made again although they had to be.
    pub(super) decisions: u64,
    /// Stored decisions that no span holds.
    pub(super) unproven: u64,
    /// All differences.
    pub(super) count: u64,
    /// The first of them.
    pub(super) kept: Vec<Difference>,
}

impl Comparison {
    pub(super) fn new(spans: Vec<Span>) -> Self {
        Self {
            spans,
            ..Self::default()
        }
    }

    /// Compares a decision that was made now with what is stored of it.
    pub(super) fn judge(&mut self, made: &Stated, live: &Live) {
        self.decisions += 1;
        match &live.order {
            Some(order) if order.decided_us == made.decided_us => {
                self.found.insert(order.action_key.clone());
                self.compare(order, made);
            }
            _ if live.is_refused => {}
            Some(order) if self.was_made_before(order, made) => {}
            Some(order) => {
                self.found.insert(order.action_key.clone());
                let times = [order, made].map(|stated| stated.decided_us.to_string());
                self.differs(order, TIME, times.map(Some));
            }
            None => self.stands_alone(
                Kind::Extra,
                Known {
                    action_key: made.action_key.clone(),
                    subject: made.subject.clone(),
                    decided_us: made.decided_us,
                },
            ),
        }
    }

    /// Takes in a stored decision of the day, once all that were made now are judged.
    pub(super) fn take_stored(&mut self, known: Known) {
        if self.found.contains(&known.action_key) {
            return;
        }
        if self.span_of(known.decided_us).is_none() {
            self.unproven += 1;
            return;
        }
        self.decisions += 1;
        self.stands_alone(Kind::Missing, known);
    }

    /// Returns whether the order stands for an earlier decision of the same key: a key becomes one order.
    /// The earlier one was found, or is of an earlier run.
    fn was_made_before(&self, order: &Stated, made: &Stated) -> bool {
        order.decided_us < made.decided_us
            && (self.found.contains(&order.action_key)
                || self.span_of(order.decided_us) != self.span_of(made.decided_us))
    }

    fn span_of(&self, us: u64) -> Option<Span> {
        self.spans.iter().find(|span| span.holds(us)).copied()
    }

    fn compare(&mut self, order: &Stated, made: &Stated) {
        let names: BTreeSet<&String> = order.fields.keys().chain(made.fields.keys()).collect();
        let value = |fields: &BTreeMap<String, Value>, name: &String| fields.get(name).cloned();
        for name in names {
            let values = [order, made].map(|stated| value(&stated.fields, name));
            if values[0] != values[1] {
                let values = values.map(|value| value.map(shown));
                self.differs(order, name, values);
            }
        }
        if order.subject != made.subject {
            let subjects = [order, made].map(|stated| Some(stated.subject.clone()));
            self.differs(order, "position", subjects);
        }
    }

    fn differs(&mut self, order: &Stated, field: &str, [live, replayed]: [Option<String>; 2]) {
        self.keep(Difference {
            kind: Kind::Different,
            action_key: order.action_key.clone(),
            position: order.subject.clone(),
            decided_us: order.decided_us,
            field: Some(field.to_owned()),
            live,
            replayed,
        });
    }

    fn stands_alone(&mut self, kind: Kind, known: Known) {
        self.keep(Difference {
            kind,
            action_key: known.action_key,
            position: known.subject,
            decided_us: known.decided_us,
            field: None,
            live: None,
            replayed: None,
        });
    }

    fn keep(&mut self, difference: Difference) {
        self.count += 1;
        if self.kept.len() < KEPT_MAX {
            self.kept.push(difference);
        }
    }
}

/// Returns a value as people read it: text without its quotes.
fn shown(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests;
