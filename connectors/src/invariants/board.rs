//! What does not hold, as the desk says it: shown, told and waiting to be stored.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use metrics::gauge;
use serde_json::json;
use tokio::sync::Notify;
use turnstile_dataflows::invariants::{InvariantKind, InvariantNews, Violation};
use turnstile_dataflows::model::{ActionKey, LogicalTime};

use super::metrics as names;
use crate::execution::{Alarm, Alarms, Level};

/// Changes that wait for the database. With more of them what stands is compared as a whole.
const CHANGES_MAX: usize = 1_024;

/// The kind and key of a violation: one of them stands at any time.
pub(super) type Name = (InvariantKind, Arc<str>);

/// A violation and since when it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stood {
    pub(super) violation: Violation,
    pub(super) since: LogicalTime,
}

/// Something that is to be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Write {
    /// What is stored as standing, and is not among these, is over; these stand.
    All(LogicalTime, Vec<Stood>),
    /// One stands, perhaps in other words than before.
    Stands(Stood),
    /// One is over.
    Over(Name, LogicalTime),
}

/// Where the desk tells what does not hold. Cheap to clone.
#[derive(Clone)]
pub struct InvariantBoard {
    state: Arc<Mutex<State>>,
    woken: Arc<Notify>,
    alarms: Alarms,
}

#[derive(Default)]
struct State {
    standing: BTreeMap<Name, Stood>,
    /// Orders whose rows are to be looked at.
    asked: BTreeSet<ActionKey>,
    writes: VecDeque<Write>,
    /// The time of the last view of the desk; none before the first.
    told: Option<LogicalTime>,
}

impl InvariantBoard {
    /// Returns a board on which nothing stands. Of what comes to stand `alarms` is told.
    pub fn new(alarms: Alarms) -> Self {
        show(&State::default());
        Self {
            state: Arc::default(),
            woken: Arc::default(),
            alarms,
        }
    }

    /// Takes in what has changed, as of `time`.
    pub fn update(&self, time: LogicalTime, news: Vec<InvariantNews>) {
        let mut state = self.state();
        // What it replaces in other words has stood for as long.
        let mut over: BTreeMap<Name, Stood> = BTreeMap::new();
        for news in news {
            match news {
                InvariantNews::Asked(key, true) => {
                    state.asked.insert(key);
                }
                InvariantNews::Asked(key, false) => {
                    state.asked.remove(&key);
                }
                InvariantNews::Over(violation) => {
                    let name = (violation.kind, violation.key);
                    over.extend(state.standing.remove_entry(&name));
                }
                InvariantNews::Broken(violation) => {
                    let name = (violation.kind, violation.key.clone());
                    let before = over.remove(&name);
                    let since = before.as_ref().map_or(time, |before| before.since);
                    if before.is_none() {
                        self.alarms.raise(alarm(&violation));
                    }
                    let stood = Stood { violation, since };
                    state.writes.push_back(Write::Stands(stood.clone()));
                    state.standing.insert(name, stood);
                }
            }
        }
        let over = over.into_keys().map(|name| Write::Over(name, time));
        state.writes.extend(over);
        let is_first = state.told.replace(time).is_none();
        if is_first || state.writes.len() > CHANGES_MAX {
            state.write_all(time);
        }
        show(&state);
        let is_waiting = !state.writes.is_empty();
        drop(state);
        if is_waiting {
            self.woken.notify_one();
        }
    }

    /// Returns once something may wait to be stored.
    pub(super) async fn woken(&self) {
        self.woken.notified().await;
    }

    /// Returns what waits to be stored.
    pub(super) fn writes(&self) -> VecDeque<Write> {
        std::mem::take(&mut self.state().writes)
    }

    /// Puts back what could not be stored, before what has come since.
    pub(super) fn put_back(&self, mut writes: VecDeque<Write>) {
        let mut state = self.state();
        writes.append(&mut state.writes);
        state.writes = writes;
    }

    /// Lets what stands be stored as a whole, in place of changes that were refused and of those that have
    /// come since: among them are ends.
    pub(super) fn begin_anew(&self) {
        let mut state = self.state();
        if let Some(time) = state.told {
            state.write_all(time);
        }
    }

    /// Returns the orders whose rows are to be looked at: new ones, then those that nothing accounts for
    /// so far, which may have changed.
    pub(super) fn orders(&self, most: usize) -> Vec<ActionKey> {
        let state = self.state();
        let unaccounted = state.standing.keys();
        let unaccounted = unaccounted
            .filter(|(kind, _)| *kind == InvariantKind::Order)
            .map(|(_, key)| ActionKey::stored(key));
        let asked = state.asked.iter().cloned();
        asked.chain(unaccounted).take(most).collect()
    }

    /// Returns whether nothing stands.
    pub fn is_empty(&self) -> bool {
        self.state().standing.is_empty()
    }

    /// Tells that nobody watches any more.
    pub(super) fn report_lost(&self) {
        self.alarms.raise(Alarm {
            level: Level::Critical,
            event: "INVARIANTS_NOT_WATCHED",
            symbol: None,
            position: None,
            message: "the desk of the standing invariants fell behind and is given up until the next start"
                .to_owned(),
            context: json!({}),
        });
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Lets everything that stands be compared with the table, as of `time`, in place of what waits.
    fn write_all(&mut self, time: LogicalTime) {
        let all = self.standing.values().cloned().collect();
        self.writes = VecDeque::from([Write::All(time, all)]);
    }
}

/// Shows how many invariants of each kind do not hold.
fn show(state: &State) {
    for kind in InvariantKind::ALL {
        let broken = state.standing.keys().filter(|(of, _)| *of == kind).count();
        let broken = u32::try_from(broken).unwrap_or(u32::MAX);
        gauge!(names::BROKEN, "kind" => kind.name()).set(broken);
    }
}

fn alarm(violation: &Violation) -> Alarm {
    let Violation {
        kind,
        key,
        symbol,
        position,
        detail,
    } = violation;
    Alarm {
        level: Level::Critical,
        event: match kind {
            InvariantKind::Oversell => "INVARIANT_OVERSELL",
            InvariantKind::Breach => "INVARIANT_BREACH",
            InvariantKind::Order => "INVARIANT_ORDER",
            InvariantKind::Holdings => "INVARIANT_HOLDINGS",
            InvariantKind::Cache => "INVARIANT_CACHE",
        },
        symbol: symbol.map(|symbol| symbol.to_string()),
        position: position.as_ref().and_then(|id| id.as_str().parse().ok()),
        message: detail.to_string(),
        context: json!({"kind": kind.name(), "key": key}),
    }
}
