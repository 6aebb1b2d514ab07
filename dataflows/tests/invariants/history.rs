//! The view equals what is computed from scratch, after every batch of random histories.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use turnstile_dataflows::invariants::{
    Decided, InvariantChange, InvariantEvent, InvariantOrder, Sampled, Taken,
};
use turnstile_dataflows::model::{ActionKey, OrderFacts, OrderStatus};

use super::{
    BEGIN_US, GRACE_S, at, decided, differences, event, fact, gone, key, order, position, sampled,
    shares, taken, views,
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
        3 => (0..6usize, 0..20u64).prop_map(|(n, stored)| match order(n, n % 3) {
            InvariantChange::Order(row) => {
                InvariantChange::Order(InvariantOrder { stored: at(stored), ..row })
            }
            other => other,
        }),
        4 => (0..6usize, 0..STATUSES.len(), 0..12i64)
            .prop_map(|(n, status, filled)| fact(n, STATUSES[status], filled)),
        // By an order of this position or another one, or by one that nobody knows.
        3 => (0..6usize, 0..8usize, 1..6i64).prop_map(|(n, by, qty)| taken(n, n % 3, by, qty)),
        1 => (0..6usize, 0..20u64, 1..6i64).prop_map(|(n, second, qty)| gone(n, n % 3, second, qty)),
        2 => (0..6usize, 0..20u64, 9..11i64).prop_map(move |(n, late, qty)| {
            match decided(n, n % 3, second.saturating_sub(late)) {
                InvariantChange::Decided(row) => {
                    InvariantChange::Decided(Decided { qty: shares(qty), ..row })
                }
                other => other,
            }
        }),
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
    orders: BTreeMap<String, (String, InvariantOrder)>,
    facts: BTreeMap<String, OrderFacts>,
    taken: BTreeMap<String, Taken>,
    /// The last decision of a key, and when the first was told.
    decided: BTreeMap<ActionKey, (u64, Decided)>,
    refused: BTreeSet<ActionKey>,
    found: BTreeMap<ActionKey, bool>,
    /// Since when, and whether an answer came after the grace time.
    differing: BTreeMap<String, (u64, bool)>,
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
                    let position = row.position.clone().unwrap().to_string();
                    let id = row.id.to_string();
                    self.facts.entry(id.clone()).or_default();
                    // A row never changes.
                    self.orders.entry(id).or_insert((position, row));
                }
                InvariantChange::OrderFact(id, fact) => {
                    // What is told before the row is of an order that nobody knows.
                    if let Some(facts) = self.facts.get_mut(&*id) {
                        facts.add(fact);
                    }
                }
                InvariantChange::Taken(row) => {
                    self.taken.insert(row.id.to_string(), row);
                }
                InvariantChange::Decided(row) => {
                    let told = self.decided.get(&row.action_key);
                    let told = told.map_or(self.now, |(told, _)| *told);
                    self.decided.insert(row.action_key.clone(), (told, row));
                }
                InvariantChange::Refused(key) => {
                    self.refused.insert(key);
                }
                InvariantChange::Found(key, does) => {
                    if self.orders.values().any(|(_, of)| of.action_key == key) {
                        self.found.insert(key, does);
                    }
                }
                InvariantChange::Differences(rows) => {
                    let before = std::mem::take(&mut self.differing);
                    for symbol in rows.keys().map(ToString::to_string) {
                        let since = before.get(&symbol).map_or(self.now, |(since, _)| *since);
                        let is_due = since + GRACE_S <= self.now;
                        self.differing.insert(symbol, (since, is_due));
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
            let own: Vec<_> = orders.map(|(id, (_, row))| (row, self.facts[id])).collect();
            let facts: Vec<_> = own.iter().map(|(_, facts)| *facts).collect();
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
            let of_it = self.taken.values();
            let of_it: Vec<_> = of_it
                .filter(|row| row.position.as_str() == position)
                .collect();
            let taken: i64 = of_it.iter().map(|row| row.qty.shares()).sum();
            // Its own, and what may be late fills of it.
            let allowed = |order: &InvariantOrder| -> i64 {
                let counts = of_it.iter().filter(|row| match &row.order {
                    Some(by) => *by == order.id,
                    None => row.time >= order.stored,
                });
                counts.map(|row| row.qty.shares()).sum()
            };
            let mut own = own.iter();
            let is_beyond = own.any(|(row, facts)| facts.filled().shares() > allowed(row));
            if is_beyond || sold + asked > qty + taken {
                broken.push(format!("OVERSELL {position}"));
            }
        }
        let ordered = |key: &ActionKey| self.orders.values().any(|(_, of)| of.action_key == *key);
        for (key, (told, _)) in &self.decided {
            if told + GRACE_S <= self.now && !ordered(key) && !self.refused.contains(key) {
                broken.push(format!("BREACH {key}"));
            }
        }
        for (_, row) in self.orders.values() {
            let key = &row.action_key;
            let decided = self.decided.get(key);
            match self.found.get(key) {
                _ if decided.is_some_and(|(_, decided)| decided.qty == row.qty) => {}
                Some(true) => {}
                Some(false) => broken.push(format!("ORDER {key}")),
                None => asked.push(key.clone()),
            }
        }
        for (symbol, (_since, is_due)) in &self.differing {
            if *is_due {
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
