//! The standing invariants: each broken and made good, and the view against an evaluation from scratch.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod broken;
mod history;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use turnstile_dataflows::invariants::{
    Decided, Difference, GraceTimes, InvariantChange, InvariantEvent, InvariantNews,
    InvariantOrder, Sampled, Taken, Version, Violation, run,
};
use turnstile_dataflows::model::{
    ActionKey, LogicalTime, OrderFact, OrderStatus, Position, PositionId, PositionMode, Quantity,
    Symbol,
};

/// 2026-11-24 in Seoul.
const BEGIN_US: u64 = 1_795_480_000_000_000;
const GRACE_S: u64 = 10;
const GRACE: GraceTimes = GraceTimes {
    breach: Duration::from_secs(GRACE_S),
    holdings: Duration::from_secs(GRACE_S),
};

/// What the desk has said so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct View {
    broken: BTreeMap<(&'static str, Arc<str>), Violation>,
    asked: Vec<ActionKey>,
}

impl View {
    /// Takes in news, of which none may be of something that is not there.
    fn take(&mut self, news: Vec<InvariantNews>) {
        for news in news {
            match news {
                InvariantNews::Over(violation) => {
                    let name = (violation.kind.name(), violation.key.clone());
                    assert_eq!(self.broken.remove(&name), Some(violation));
                }
                InvariantNews::Broken(violation) => {
                    let name = (violation.kind.name(), violation.key.clone());
                    assert_eq!(self.broken.insert(name, violation), None);
                }
                InvariantNews::Asked(key, true) => self.asked.push(key),
                InvariantNews::Asked(key, false) => {
                    let count = self.asked.len();
                    self.asked.retain(|asked| *asked != key);
                    assert_eq!(self.asked.len() + 1, count);
                }
            }
        }
        self.asked.sort();
    }

    /// Returns what is broken, as kind and key.
    fn names(&self) -> Vec<String> {
        let names = self.broken.keys();
        names.map(|(kind, key)| format!("{kind} {key}")).collect()
    }
}

/// Runs the desk over batches of events. Returns the view after each.
fn views(batches: Vec<Vec<InvariantEvent>>) -> Vec<View> {
    let mut batches = batches.into_iter();
    let seen = Arc::new(Mutex::new((View::default(), Vec::new())));
    let told = seen.clone();
    run(
        GRACE,
        move |waiting| match batches.next() {
            Some(batch) => {
                waiting.extend(batch);
                true
            }
            None => false,
        },
        move |_time, news| {
            let (view, seen) = &mut *told.lock().unwrap();
            view.take(news);
            seen.push(view.clone());
        },
    );
    let (_view, seen) = &*seen.lock().unwrap();
    seen.clone()
}

fn at(second: u64) -> LogicalTime {
    LogicalTime::from_micros(BEGIN_US + second * 1_000_000)
}

fn event(second: u64, changes: Vec<InvariantChange>) -> InvariantEvent {
    InvariantEvent {
        time: at(second),
        changes,
        is_complete: true,
    }
}

fn shares(shares: i64) -> Quantity {
    Quantity::new(shares).unwrap()
}

fn symbol() -> Symbol {
    "005930".parse().unwrap()
}

fn position_id(n: usize) -> PositionId {
    format!("p{n}").parse().unwrap()
}

fn key(n: usize) -> ActionKey {
    ActionKey::stored(&format!("k{n}"))
}

fn position(n: usize, qty: i64) -> InvariantChange {
    InvariantChange::Position(Position {
        id: position_id(n),
        symbol: symbol(),
        qty: shares(qty),
        original_qty: shares(10),
        avg_price: None,
        entry: LogicalTime::default(),
        is_live: qty > 0,
        mode: PositionMode::Enabled,
        profile: None,
        strategy: "test".into(),
        cycle: 1,
        version: 1,
    })
}

/// The order of key `n` for ten shares of position `of`.
fn order(n: usize, of: usize) -> InvariantChange {
    InvariantChange::Order(InvariantOrder {
        id: format!("o{n}").into(),
        action_key: key(n),
        position: Some(position_id(of)),
        symbol: symbol(),
        qty: shares(10),
        is_foreign: false,
        stored: at(0),
    })
}

fn fact(n: usize, status: OrderStatus, filled: i64) -> InvariantChange {
    let fact = OrderFact {
        status,
        send_attempt: 1,
        sent_qty: None,
        filled: shares(filled),
    };
    InvariantChange::OrderFact(format!("o{n}").into(), fact)
}

/// Shares that left position `of`, by the order of key `by`.
fn taken(n: usize, of: usize, by: usize, qty: i64) -> InvariantChange {
    InvariantChange::Taken(Taken {
        id: format!("s{n}").parse().unwrap(),
        position: position_id(of),
        order: Some(format!("o{by}").into()),
        time: at(0),
        qty: shares(qty),
    })
}

/// Shares of position `of` that were found to be gone.
fn gone(n: usize, of: usize, second: u64, qty: i64) -> InvariantChange {
    InvariantChange::Taken(Taken {
        id: format!("s{n}").parse().unwrap(),
        position: position_id(of),
        order: None,
        time: at(second),
        qty: shares(qty),
    })
}

/// The decision of key `n` to sell ten shares of position `of`.
fn decided(n: usize, of: usize, second: u64) -> InvariantChange {
    InvariantChange::Decided(Decided {
        action_key: key(n),
        position: position_id(of),
        symbol: symbol(),
        qty: shares(10),
        time: at(second),
    })
}

fn differences(rows: &[(&str, i64, i64)]) -> InvariantChange {
    let rows = rows.iter().map(|(symbol, ours, theirs)| {
        let difference = Difference {
            ours: shares(*ours),
            theirs: shares(*theirs),
        };
        (symbol.parse().unwrap(), difference)
    });
    InvariantChange::Differences(rows.collect())
}

fn version(number: i64, content: &str) -> Version {
    Version {
        number,
        content: content.into(),
    }
}

fn sampled(key: &str, cached: (i64, &str), stored: Option<(i64, &str)>) -> Sampled {
    Sampled {
        key: key.into(),
        cached: version(cached.0, cached.1),
        stored: stored.map(|(number, content)| version(number, content)),
    }
}
