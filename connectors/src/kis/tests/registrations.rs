//! The registrations of a session against a naive broker.

use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::*;
use tokio::time::Instant;
use turnstile_dataflows::model::Symbol;

use crate::kis::ws::control::Wish;
use crate::kis::ws::registrations::{Fact, Key, Registrations};

const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
const REFUSED_PAUSE: Duration = Duration::from_secs(60);

fn symbol(number: usize) -> Symbol {
    format!("{number:06}").parse().unwrap()
}

fn symbols(numbers: impl IntoIterator<Item = usize>) -> BTreeSet<Symbol> {
    numbers.into_iter().map(symbol).collect()
}

/// Sends everything that is due and lets `broker` answer each request.
fn settle(
    registrations: &mut Registrations,
    now: Instant,
    mut broker: impl FnMut(Wish, Key) -> Option<(bool, &'static str)>,
) -> Vec<(Wish, Key)> {
    let mut sent = Vec::new();
    while registrations.due().is_some_and(|due| due <= now) {
        let Some((wish, key)) = registrations.next(now) else {
            break;
        };
        sent.push((wish, key));
        if let Some((is_success, code)) = broker(wish, key) {
            registrations.answer(key, is_success, code, "", now);
        }
        assert!(sent.len() < 1_000, "no end of requests");
    }
    sent
}

/// A broker that grants everything.
fn grant(wish: Wish, _: Key) -> Option<(bool, &'static str)> {
    Some(match wish {
        Wish::Subscribe => (true, "OPSP0000"),
        Wish::Unsubscribe => (true, "OPSP0001"),
    })
}

fn fresh(limit: usize) -> Registrations {
    Registrations::new(Some(Key::Notices), limit, ANSWER_TIMEOUT, REFUSED_PAUSE)
}

#[tokio::test]
async fn notices_come_first_and_a_change_is_applied_as_a_difference() {
    let now = Instant::now();
    let mut registrations = fresh(41);
    registrations.want(&symbols([1, 2, 3]), now);
    let sent = settle(&mut registrations, now, grant);
    assert_eq!(sent[0], (Wish::Subscribe, Key::Notices));
    assert_eq!(sent.len(), 4);
    registrations.want(&symbols([2, 3, 4]), now);
    let sent = settle(&mut registrations, now, grant);
    assert_eq!(
        sent,
        [
            (Wish::Unsubscribe, Key::Trades(symbol(1))),
            (Wish::Subscribe, Key::Trades(symbol(4))),
        ]
    );
    assert_eq!(registrations.due(), None);
}

#[tokio::test]
async fn the_limit_is_learned_said_once_and_forgotten_later() {
    let now = Instant::now();
    let mut registrations = fresh(41);
    registrations.want(&symbols(0..5), now);
    let mut granted = 0;
    let mut broker = move |_, _| {
        granted += 1;
        Some(if granted <= 3 {
            (true, "OPSP0000")
        } else {
            (false, "OPSP0008")
        })
    };
    settle(&mut registrations, now, &mut broker);
    let facts = registrations.take_facts();
    assert_eq!(
        facts
            .iter()
            .filter(|it| **it == Fact::LimitLearned(3))
            .count(),
        1
    );
    let refused = |facts: &[Fact]| {
        facts
            .iter()
            .filter(|it| matches!(it, Fact::Refused { .. }))
            .count()
    };
    assert_eq!(refused(&facts), 3); // 6 wanted with the notices, 3 granted.
    // Nothing is asked before a place is free; then the next in order gets it.
    assert_eq!(settle(&mut registrations, now + REFUSED_PAUSE, grant), []);
    registrations.want(&symbols(1..5), now);
    let sent = settle(&mut registrations, now, grant);
    let next = Key::Trades(symbol(2));
    assert_eq!(
        sent,
        [
            (Wish::Unsubscribe, Key::Trades(symbol(0))),
            (Wish::Subscribe, next)
        ]
    );
    // Much later the broker is asked again.
    let later = now + Duration::from_secs(700);
    assert_eq!(settle(&mut registrations, later, grant).len(), 2);
}

#[tokio::test]
async fn no_room_at_all_is_asked_for_again_after_the_pause_only() {
    let now = Instant::now();
    let mut registrations = fresh(41);
    registrations.want(&symbols([1]), now);
    let full = |_, _| Some((false, "OPSP0008"));
    let sent = settle(&mut registrations, now, full);
    assert!(sent.len() <= 2, "{sent:?}");
    assert!(registrations.due().unwrap() > now);
    assert!(!settle(&mut registrations, now + REFUSED_PAUSE, grant).is_empty());
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_again_and_already_subscribed_is_success() {
    let now = Instant::now();
    let mut registrations = fresh(41);
    registrations.want(&symbols([]), now);
    assert_eq!(settle(&mut registrations, now, |_, _| None).len(), 1);
    assert_eq!(
        settle(&mut registrations, now + ANSWER_TIMEOUT / 2, grant),
        []
    );
    let again = |_, _| Some((false, "OPSP0002"));
    assert_eq!(
        settle(&mut registrations, now + ANSWER_TIMEOUT, again).len(),
        1
    );
    assert_eq!(registrations.take_facts(), [Fact::Subscribed(Key::Notices)]);
}

#[tokio::test]
async fn a_refused_symbol_is_tried_again_after_the_pause() {
    let now = Instant::now();
    let mut registrations = fresh(41);
    registrations.want(&symbols([1]), now);
    let bad = |_, key| match key {
        Key::Notices => Some((true, "OPSP0000")),
        Key::Trades(_) => Some((false, "OPSP8992")),
    };
    settle(&mut registrations, now, bad);
    assert_eq!(
        settle(&mut registrations, now + REFUSED_PAUSE / 2, grant),
        []
    );
    assert_eq!(
        settle(&mut registrations, now + REFUSED_PAUSE, grant).len(),
        1
    );
}

#[tokio::test]
async fn few_requests_are_unanswered_at_a_time() {
    let now = Instant::now();
    let mut registrations = fresh(usize::MAX);
    registrations.want(&symbols(0..500), now);
    assert_eq!(settle(&mut registrations, now, |_, _| None).len(), 32);
}

proptest! {
    /// Whatever is wanted in turn and whichever answers get lost, the broker ends with what is
    /// wanted, as far as there is room, and never sees more than the limit.
    #[test]
    fn the_broker_ends_with_the_wanted_set(
        sets in prop::collection::vec(prop::collection::btree_set(0_usize..12, 0..12), 1..6),
        room in 1_usize..14,
        lost in prop::collection::vec(any::<bool>(), 0..40),
    ) {
        let mut now = Instant::now();
        let mut registrations = fresh(41);
        let mut held = BTreeSet::new();
        let mut lost = lost.into_iter();
        let mut broker = |wish, key| {
            let answer = match wish {
                Wish::Subscribe if held.contains(&key) => (false, "OPSP0002"),
                Wish::Subscribe if held.len() >= room => (false, "OPSP0008"),
                Wish::Subscribe => { held.insert(key); (true, "OPSP0000") }
                Wish::Unsubscribe if held.remove(&key) => (true, "OPSP0001"),
                Wish::Unsubscribe => (false, "OPSP0003"),
            };
            (!lost.next().unwrap_or(false)).then_some(answer)
        };
        let mut wanted = BTreeSet::new();
        for set in sets {
            wanted = symbols(set);
            registrations.want(&wanted, now);
            settle(&mut registrations, now, &mut broker);
        }
        for _ in 0..60 {
            now += Duration::from_secs(100); // Every timer gets its turn.
            settle(&mut registrations, now, &mut broker);
        }
        let mut all: BTreeSet<Key> = wanted.into_iter().map(Key::Trades).collect();
        all.insert(Key::Notices);
        prop_assert!(held.is_subset(&all), "{held:?} {all:?}");
        prop_assert_eq!(held.len(), all.len().min(room));
        prop_assert_eq!(registrations.active(), held.len());
    }
}
