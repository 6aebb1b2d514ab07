//! Registrations of one session: from the desired set to requests, from answers to facts. Pure.
//!
//! ```text
//!           next: Subscribe        answer 0000, 0002
//! (wanted) ────────────────> Asked ────────────────> Active ── next: Unsubscribe ──> Leaving ─> ()
//!                              └─ refused ─> Refused ─ pause ─> (wanted)
//! ```
//!
//! 1. A request without an answer is repeated after a while, before anything new is asked for;
//!    until then it takes room, for the broker may have granted it.
//! 2. Never more than the limit are asked for or active. The limit is what is configured, or, for
//!    a while, what the broker was seen to take (OPSP0008).
//! 3. Few requests are unanswered at a time, so a peer that answers slowly is not flooded.

use std::collections::{BTreeMap, BTreeSet};
use std::mem;
use std::time::Duration;

use tokio::time::Instant;
use turnstile_dataflows::model::Symbol;

use super::control::Wish;

/// Requests that may be unanswered at a time.
const WINDOW: usize = 32;
/// How long a limit learned from the broker holds: a lost session may have held registrations that
/// are free later.
const LEARNED_FOR: Duration = Duration::from_secs(600);

/// One registration. Notices come first: they are about money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::kis) enum Key {
    Notices,
    Trades(Symbol),
}

/// What an answer or a change came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::kis) enum Fact {
    Subscribed(Key),
    Unsubscribed(Key),
    Refused {
        key: Key,
        code: String,
        message: String,
    },
    LimitLearned(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Asked for; tickets tell which request came first.
    Asked {
        since: Instant,
        ticket: u64,
    },
    /// Asked for or left without an answer: the broker may hold it or not.
    Unsure,
    Active,
    /// Active, but to be registered anew.
    Stale,
    Leaving {
        since: Instant,
    },
    Refused {
        until: Instant,
    },
}

/// The registrations of one session.
pub(in crate::kis) struct Registrations {
    base: Option<Key>,
    wanted: BTreeSet<Key>,
    states: BTreeMap<Key, State>,
    configured: usize,
    learned: Option<(usize, Instant)>,
    answer_timeout: Duration,
    refused_pause: Duration,
    /// Wanted keys for which there is no room, already said.
    told: BTreeSet<Key>,
    facts: Vec<Fact>,
    due: Option<Instant>,
    next_ticket: u64,
}

impl Registrations {
    /// Returns the empty set. `base` is wanted whatever the symbols are, where it is notices; else only
    /// while there are none, so that the broker is asked for something and its answer tells whether the
    /// session is one.
    pub(in crate::kis) fn new(
        base: Option<Key>,
        configured: usize,
        answer_timeout: Duration,
        refused_pause: Duration,
    ) -> Self {
        Self {
            wanted: base.into_iter().collect(),
            base,
            states: BTreeMap::new(),
            configured,
            learned: None,
            answer_timeout,
            refused_pause,
            told: BTreeSet::new(),
            facts: Vec::new(),
            due: None,
            next_ticket: 0,
        }
    }

    /// Replaces the wanted symbols.
    pub(in crate::kis) fn want(&mut self, symbols: &BTreeSet<Symbol>, now: Instant) {
        self.wanted = symbols.iter().copied().map(Key::Trades).collect();
        if self.base == Some(Key::Notices) || symbols.is_empty() {
            self.wanted.extend(self.base);
        }
        self.told.retain(|key| self.wanted.contains(key));
        self.states.retain(|key, state| {
            self.wanted.contains(key) || !matches!(state, State::Refused { .. })
        });
        self.settle(now);
    }

    /// Returns when [`Self::next`] may have something, `None` where nothing is to come.
    pub(in crate::kis) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Returns the next request to send and takes it as sent.
    pub(in crate::kis) fn next(&mut self, now: Instant) -> Option<(Wish, Key)> {
        self.expire(now);
        let picked = self.pick(now);
        if let Some((wish, key)) = picked {
            let state = match wish {
                Wish::Subscribe => State::Asked {
                    since: now,
                    ticket: self.next_ticket,
                },
                Wish::Unsubscribe => State::Leaving { since: now },
            };
            self.states.insert(key, state);
            self.next_ticket += 1;
        }
        self.settle(now);
        picked
    }

    /// Registers an active `key` anew: its answer did not bring what it should.
    pub(in crate::kis) fn renew(&mut self, key: Key, now: Instant) {
        if self.states.get(&key) == Some(&State::Active) {
            self.states.insert(key, State::Stale);
        }
        self.settle(now);
    }

    /// Takes the broker's answer about `key`.
    pub(in crate::kis) fn answer(
        &mut self,
        key: Key,
        is_success: bool,
        code: &str,
        message: &str,
        now: Instant,
    ) {
        let state = self.states.get(&key).copied();
        match (code, state) {
            // Of an unsubscribe: done, or there was nothing to do.
            ("OPSP0001" | "OPSP0003", Some(State::Leaving { .. })) => {
                self.states.remove(&key);
                self.facts.push(Fact::Unsubscribed(key));
            }
            (_, Some(State::Leaving { .. })) | ("OPSP0001" | "OPSP0003", _) => {}
            // Already subscribed is a success, though its rt_cd is 1.
            _ if is_success || code == "OPSP0002" => {
                if matches!(state, Some(State::Asked { .. })) {
                    self.states.insert(key, State::Active);
                    self.told.remove(&key);
                    self.facts.push(Fact::Subscribed(key));
                }
            }
            ("OPSP0008", Some(State::Asked { ticket, .. })) => self.learn(key, ticket, now),
            (_, Some(State::Asked { .. })) => {
                let until = now + self.refused_pause;
                self.states.insert(key, State::Refused { until });
                self.facts.push(Fact::Refused {
                    key,
                    code: code.to_owned(),
                    message: message.to_owned(),
                });
            }
            _ => {} // About nothing that was asked: an answer that came too late.
        }
        self.settle(now);
    }

    /// Returns what has come about since the last call.
    pub(in crate::kis) fn take_facts(&mut self) -> Vec<Fact> {
        mem::take(&mut self.facts)
    }

    /// Returns whether trades of any symbol are wanted.
    pub(in crate::kis) fn wants_trades(&self) -> bool {
        self.wanted.iter().any(|key| *key != Key::Notices)
    }

    /// Returns the symbols whose trades the broker may be sending.
    pub(in crate::kis) fn held(&self) -> BTreeSet<Symbol> {
        let held = self.states.iter().filter_map(|(key, state)| match key {
            Key::Trades(symbol) if !matches!(state, State::Refused { .. }) => Some(*symbol),
            Key::Trades(_) | Key::Notices => None,
        });
        held.collect()
    }

    /// Returns how many registrations the session takes, as far as is known.
    pub(in crate::kis) fn limit(&self) -> usize {
        self.learned.map_or(self.configured, |(limit, _)| limit)
    }

    /// Returns the number of active registrations.
    pub(in crate::kis) fn active(&self) -> usize {
        self.count(|state| matches!(state, State::Active | State::Stale))
    }

    /// The broker has no room for `key`: what was asked for before it is all that it takes.
    fn learn(&mut self, key: Key, ticket: u64, now: Instant) {
        self.states.remove(&key);
        let held = self.count(|state| match state {
            State::Asked { ticket: other, .. } => *other < ticket,
            State::Active | State::Stale | State::Unsure => true,
            State::Leaving { .. } | State::Refused { .. } => false,
        });
        if held == 0 {
            // Not even one: others hold the room. Asking again at once would ask for ever.
            let until = now + self.refused_pause;
            self.states.insert(key, State::Refused { until });
        }
        let limit = held.max(1);
        if self.limit() != limit {
            self.facts.push(Fact::LimitLearned(limit));
        }
        self.learned = Some((limit, now + LEARNED_FOR));
    }

    /// Returns the next request without taking it as sent.
    fn pick(&self, now: Instant) -> Option<(Wish, Key)> {
        if self.in_flight() >= WINDOW {
            return None;
        }
        let known = self.states.iter().find_map(|(key, state)| match state {
            State::Active | State::Unsure if !self.wanted.contains(key) => {
                Some((Wish::Unsubscribe, *key))
            }
            State::Stale => Some((Wish::Unsubscribe, *key)),
            State::Unsure => Some((Wish::Subscribe, *key)),
            State::Active | State::Asked { .. } | State::Leaving { .. } | State::Refused { .. } => {
                None
            }
        });
        if known.is_some() {
            return known;
        }
        if self.occupied() >= self.limit() {
            return None;
        }
        let missing = self.wanted.iter().find(|key| match self.states.get(key) {
            None => true,
            Some(State::Refused { until }) => *until <= now,
            Some(_) => false,
        });
        missing.map(|key| (Wish::Subscribe, *key))
    }

    /// Gives up waiting for answers that are overdue, and a limit that was learned long ago.
    fn expire(&mut self, now: Instant) {
        for state in self.states.values_mut() {
            if let State::Asked { since, .. } | State::Leaving { since } = *state
                && since + self.answer_timeout <= now
            {
                *state = State::Unsure;
            }
        }
        if self.learned.is_some_and(|(_, until)| until <= now) {
            self.learned = None;
            self.facts.push(Fact::LimitLearned(self.configured));
        }
    }

    /// Computes `due`, and says which keys found no room.
    fn settle(&mut self, now: Instant) {
        if self.pick(now).is_some() {
            self.due = Some(now);
            return;
        }
        let timers = self.states.values().filter_map(|state| match *state {
            State::Asked { since, .. } | State::Leaving { since } => {
                Some(since + self.answer_timeout)
            }
            State::Refused { until } => Some(until),
            State::Active | State::Stale | State::Unsure => None,
        });
        self.due = timers
            .chain(self.learned.map(|(_, until)| until))
            .filter(|instant| *instant > now)
            .min();
        if self.in_flight() == 0 && self.occupied() >= self.limit() {
            self.tell_waiting();
        }
    }

    fn tell_waiting(&mut self) {
        let limit = self.limit();
        for key in &self.wanted {
            if !self.states.contains_key(key) && self.told.insert(*key) {
                self.facts.push(Fact::Refused {
                    key: *key,
                    code: "OPSP0008".to_owned(),
                    message: format!("the session holds {limit} registrations, which is its limit"),
                });
            }
        }
    }

    fn in_flight(&self) -> usize {
        self.count(|state| matches!(state, State::Asked { .. } | State::Leaving { .. }))
    }

    /// Registrations that may take room: the broker serves requests in order, so one that is
    /// leaving is gone when the next request is looked at.
    fn occupied(&self) -> usize {
        self.count(|state| !matches!(state, State::Leaving { .. } | State::Refused { .. }))
    }

    fn count(&self, matches: impl Fn(&State) -> bool) -> usize {
        self.states.values().filter(|state| matches(state)).count()
    }
}
