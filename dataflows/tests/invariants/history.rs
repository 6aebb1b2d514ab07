//! The view equals what is computed from scratch, after every batch of random histories.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use turnstile_dataflows::invariants::{InvariantChange, InvariantEvent, Sampled};
use turnstile_dataflows::model::{ActionKey, OrderFacts, OrderStatus};

use super::{
    BEGIN_US, GRACE_S, decided, differences, event, fact, key, order, position, sampled, taken,
    views,
};

const STATUSES: [OrderStatus; 6] = [
    OrderStatus::Sending,
    OrderStatus::Submitted,
    OrderStatus::Partial,
    OrderStatus::Unknown,
    OrderStatus::Cancelled,
    OrderStatus::Rejected,
];
const SYMBOLS: [&str; 3] = ["005930", "000660", "035720"];

fn change(second: u64) -> impl Strategy<Value = InvariantChange> {
    let difference = (0..3usize, 0..3i64, 0..3i64);
    let value = (
        0..3usize,
        0..3i64,
        0..2usize,
        proptest::option::of((0..3i64, 0..2usize)),
    );
    prop_oneof![
        3 => (0..3usize, 0..12i64).prop_map(|(n, qty)| position(n, qty)),
        3 => (0..6usize, 0..3usize).prop_map(|(n, _)| order(n, n % 3)),
        4 => (0..6usize, 0..STATUSES.len(), 0..12i64)
            .prop_map(|(n, status, filled)| fact(n, STATUSES[status], filled)),
        3 => (0..6usize, 1..6i64).prop_map(|(n, qty)| taken(n, n % 3, qty)),
        2 => (0..6usize).prop_map(move |n| decided(n, n % 3, second)),
        1 => (0..6usize).prop_map(|n| InvariantChange::Refused(key(n))),
        2 => (0..6usize, any::<bool>()).prop_map(|(n, does)| InvariantChange::Found(key(n), does)),
        1 => proptest::collection::vec(difference, 0..3).prop_map(|rows| {
            let rows: BTreeMap<_, _> = rows
                .into_iter()
                .map(|(n, ours, theirs)| (SYMBOLS[n], (ours, theirs)))
                .collect();
            let rows: Vec<_> = rows
                .into_iter()
                .map(|(symbol, (ours, theirs))| (symbol, ours, theirs))
                .collect();
            differences(&rows)
        }),
        1 => proptest::collection::vec(value, 0..3).prop_map(|rows| {
            const WORDS: [&str; 2] = ["x", "y"];
            let rows: BTreeMap<usize, Sampled> = rows
                .into_iter()
                .map(|(n, number, word, stored)| {
                    let stored = stored.map(|(number, word)| (number, WORDS[word]));
                    (n, sampled(&format!("c{n}"), (number, WORDS[word]), stored))
                })
                .collect();
            InvariantChange::Sample(rows.into_values().collect())
        }),
    ]
}

/// Batches of events; each event some seconds after the one before.
fn batches() -> impl Strategy<Value = Vec<Vec<InvariantEvent>>> {
    let step = (0..7u64, 0..4usize);
    let steps = proptest::collection::vec(proptest::collection::vec(step, 1..4), 1..10);
    steps.prop_flat_map(|batches| {
        let mut second = 0;
        let batches: Vec<_> = batches
            .into_iter()
            .map(|events| {
                let events: Vec<_> = events
                    .into_iter()
                    .map(|(pause, changes)| {
                        second += pause;
                        let now = second;
                        proptest::collection::vec(change(now), changes)
                            .prop_map(move |changes| event(now, changes))
                    })
                    .collect();
                events
            })
            .collect();
        batches
    })
}

/// Everything that was told so far, as it was told.
#[derive(Clone, Default)]
struct Told {
    now: u64,
    held: BTreeMap<String, i64>,
    orders: BTreeMap<String, (String, ActionKey)>,
    facts: BTreeMap<String, OrderFacts>,
    taken: BTreeMap<String, (String, i64)>,
    decided: BTreeMap<ActionKey, u64>,
    refused: BTreeSet<ActionKey>,
    found: BTreeMap<ActionKey, bool>,
    differing: BTreeMap<String, u64>,
    sample: Vec<Sampled>,
}

impl Told {
    fn take(&mut self, event: &InvariantEvent) {
        self.now = (event.time.micros() - BEGIN_US) / 1_000_000;
        for change in event.changes.clone() {
            match change {
                InvariantChange::Position(row) => {
                    self.held.insert(row.id.to_string(), row.qty.shares());
                }
                InvariantChange::Order(row) => {
                    let position = row.position.unwrap().to_string();
                    let id = row.id.to_string();
                    self.facts.entry(id.clone()).or_default();
                    self.orders.insert(id, (position, row.action_key));
                }
                InvariantChange::OrderFact(id, fact) => {
                    // What is told before the row is of an order that nobody knows.
                    if let Some(facts) = self.facts.get_mut(&*id) {
                        facts.add(fact);
                    }
                }
                InvariantChange::Taken(id, position, qty) => {
                    let row = (position.to_string(), qty.shares());
                    self.taken.insert(id.to_string(), row);
                }
                InvariantChange::Decided(row) => {
                    let time = (row.time.micros() - BEGIN_US) / 1_000_000;
                    // It is due by the first time it was decided.
                    self.decided.entry(row.action_key).or_insert(time);
                }
                InvariantChange::Refused(key) => {
                    self.refused.insert(key);
                }
                InvariantChange::Found(key, does) => {
                    if self.orders.values().any(|(_, of)| *of == key) {
                        self.found.insert(key, does);
                    }
                }
                InvariantChange::Differences(rows) => {
                    let before = std::mem::take(&mut self.differing);
                    for symbol in rows.keys().map(ToString::to_string) {
                        let since = before.get(&symbol).copied().unwrap_or(self.now);
                        self.differing.insert(symbol, since);
                    }
                }
                InvariantChange::Sample(rows) => self.sample = rows,
            }
        }
    }

    /// Everything from scratch: what is broken, and what is asked.
    fn view(&self) -> (Vec<String>, Vec<ActionKey>) {
        let (mut broken, mut asked) = (Vec::new(), Vec::new());
        for (position, qty) in &self.held {
            let orders = self.orders.iter().filter(|(_, (of, _))| of == position);
            let facts: Vec<_> = orders.map(|(id, _)| self.facts[id]).collect();
            let sold: i64 = facts.iter().map(|facts| facts.filled().shares()).sum();
            let left = |facts: &OrderFacts| {
                let ten = super::shares(10);
                match facts.status(ten) {
                    OrderStatus::Sending
                    | OrderStatus::Submitted
                    | OrderStatus::Partial
                    | OrderStatus::Unknown => (10 - facts.filled().shares()).max(0),
                    _ => 0,
                }
            };
            let asked: i64 = facts.iter().map(left).sum();
            let taken = self.taken.values().filter(|(of, _)| of == position);
            let taken: i64 = taken.map(|(_, qty)| qty).sum();
            if sold > taken || sold + asked > qty + taken {
                broken.push(format!("OVERSELL {position}"));
            }
        }
        let ordered = |key: &ActionKey| self.orders.values().any(|(_, of)| of == key);
        for (key, time) in &self.decided {
            if time + GRACE_S <= self.now && !ordered(key) && !self.refused.contains(key) {
                broken.push(format!("BREACH {key}"));
            }
        }
        for (_, key) in self.orders.values() {
            match self.found.get(key) {
                _ if self.decided.contains_key(key) => {}
                Some(true) => {}
                Some(false) => broken.push(format!("ORDER {key}")),
                None => asked.push(key.clone()),
            }
        }
        for (symbol, since) in &self.differing {
            if since + GRACE_S <= self.now {
                broken.push(format!("HOLDINGS {symbol}"));
            }
        }
        for row in &self.sample {
            let is_new = row.stored.as_ref().is_none_or(|stored| {
                stored.number < row.cached.number
                    || stored.number == row.cached.number && stored.content != row.cached.content
            });
            if is_new {
                broken.push(format!("CACHE {}", row.key));
            }
        }
        broken.sort();
        asked.sort();
        (broken, asked)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_view_is_what_is_computed_from_scratch(batches in batches()) {
        let mut told = Told::default();
        let mut expected = Vec::new();
        for batch in &batches {
            batch.iter().for_each(|event| told.take(event));
            expected.push(told.view());
        }
        let seen = views(batches);
        let seen: Vec<_> = seen
            .iter()
            .map(|view| {
                let mut names = view.names();
                names.sort();
                (names, view.asked.clone())
            })
            .collect();
        prop_assert_eq!(seen, expected);
    }
}
