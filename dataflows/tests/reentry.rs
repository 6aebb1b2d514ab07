//! Re-entry through the running engine: deadlines at their own logical time, joins with rules,
//! history and control, the same for every number of workers.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[expect(dead_code, reason = "other tests use the rest of the harness")]
mod support;

use rstest::rstest;
use rust_decimal::Decimal;
use support::{Harness, default_profile, price, qty, reentry_rule};
use turnstile_dataflows::engine::{Change, Event, Output};
use turnstile_dataflows::model::{
    ExitEventId, LogicalTime, ReentryMode, Regime, RegimeOverride, RegimeSnapshot, Tick,
};
use turnstile_dataflows::reentry::{
    CandidateState, ExitEvent, Purchase, REGIME_AGE_US_MAX, ReentryLimits, ReentryRule,
    ReentryVerdict, StoredCandidate, Verdict,
};

const EXIT: u64 = support::TEN;
const SECOND: u64 = 1_000_000;

fn rule(per_day_max: u32) -> Change {
    let rule = ReentryRule {
        cooldown_us: 10 * SECOND,
        per_day_max,
        per_week_max: 3,
        size: Decimal::new(6, 1).try_into().unwrap(),
        ..reentry_rule()
    };
    Change::ReentryRule(rule.id.clone(), Some(rule))
}

fn exit_event(id: &str, reason: &str) -> Change {
    Change::ExitEvent(ExitEvent {
        id: id.parse().unwrap(),
        symbol: "005930".parse().unwrap(),
        reason: reason.into(),
        exit: LogicalTime::from_micros(EXIT),
        exit_price: price("100"),
        original_qty: qty(10),
        prior_hwm: None,
    })
}

fn verdicts(outputs: Vec<Output>) -> Vec<ReentryVerdict> {
    let verdicts = outputs.into_iter().map(|output| match output {
        Output::Reentry(verdict) => *verdict,
        other => panic!("unexpected output {other:?}"),
    });
    verdicts.collect()
}

fn clock(engine: &mut Harness, seconds: u64) -> Vec<ReentryVerdict> {
    verdicts(engine.send(EXIT + seconds * SECOND, |_time| Event::Clock))
}

fn tick(engine: &mut Harness, seconds: u64, last: &str) -> Vec<ReentryVerdict> {
    let last = price(last);
    verdicts(engine.send(EXIT + seconds * SECOND, |time| {
        Event::Tick(Tick {
            time,
            symbol: "005930".parse().unwrap(),
            last,
            bid: None,
            volume: 0,
        })
    }))
}

#[rstest]
fn a_cooldown_ends_at_its_own_time_and_a_rebound_buys(#[values(1, 2, 4)] workers: usize) {
    let mut engine = Harness::new(workers, &default_profile());
    engine.changes(vec![rule(1)]);
    let said = verdicts(engine.send(EXIT, |_time| Event::Changes(vec![exit_event("e1", "SL2")])));
    assert_eq!(words(&said), ["COOLDOWN"]);
    assert_eq!(tick(&mut engine, 5, "103"), []);
    let said = clock(&mut engine, 12);
    assert_eq!(said.len(), 1);
    let until = LogicalTime::from_micros(EXIT + 70 * SECOND);
    assert_eq!(
        (said[0].time.micros(), &said[0].verdict),
        (EXIT + 10 * SECOND, &Verdict::Watch { until })
    );
    assert_eq!(tick(&mut engine, 13, "101.9"), []);
    let said = tick(&mut engine, 14, "102");
    let Verdict::Submit {
        qty,
        level,
        action_key,
        ..
    } = &said[0].verdict
    else {
        panic!("{said:?}")
    };
    assert_eq!(
        (qty.shares(), level.to_string(), action_key.as_str()),
        (6, "102".into(), "e1:ENTRY:1")
    );
    engine.stop();
}

#[test]
fn history_counts_against_the_day_and_an_ended_candidate_is_forgotten() {
    let mut engine = Harness::new(1, &default_profile());
    let symbol = "005930".parse().unwrap();
    engine.changes(vec![rule(1), earlier_purchase()]);
    engine.send(EXIT, |_time| Event::Changes(vec![exit_event("e1", "SL1")]));
    let said = clock(&mut engine, 11);
    assert!(
        matches!(&said[0].verdict, Verdict::Blocked { gate, is_final: true, .. } if &**gate == "G2")
    );
    let stored = StoredCandidate {
        symbol,
        state: CandidateState::Over,
        cooldown_until: None,
        watch_until: None,
        blocked: None,
        refused: None,
    };
    let over = Change::Candidate("e1".parse().unwrap(), stored);
    assert!(engine.changes(vec![over]).is_empty());
    // An exit event that is told again makes no second candidate.
    assert!(engine.changes(vec![exit_event("e1", "SL1")]).is_empty());
    assert_eq!(tick(&mut engine, 20, "110"), []);
    engine.stop();
}

/// What the store says of a candidate whose order of this time the risk gate refused.
fn refused(decided: LogicalTime) -> StoredCandidate {
    StoredCandidate {
        symbol: "005930".parse().unwrap(),
        state: CandidateState::Watch,
        cooldown_until: Some(LogicalTime::from_micros(EXIT + 10 * SECOND)),
        watch_until: Some(LogicalTime::from_micros(EXIT + 70 * SECOND)),
        blocked: Some(("G3".into(), "SINGLE_WEIGHT: too heavy".into())),
        refused: Some(decided),
    }
}

/// Starts with a candidate that watches for ten minutes at most, and buys where a price has stood
/// for `stable_us`.
fn patient(stable_us: u64) -> Harness {
    let mut engine = Harness::new(1, &default_profile());
    let mut rule = ReentryRule {
        cooldown_us: 10 * SECOND,
        watch_us: 600 * SECOND,
        ..reentry_rule()
    };
    rule.trigger.stable_us = stable_us;
    engine.changes(vec![Change::ReentryRule(rule.id.clone(), Some(rule))]);
    watching(&mut engine);
    engine
}

fn candidate(engine: &mut Harness, seconds: u64, row: StoredCandidate) {
    let row = Change::Candidate("e1".parse().unwrap(), row);
    let said = engine.send(EXIT + seconds * SECOND, |_time| Event::Changes(vec![row]));
    assert_eq!(verdicts(said), []);
}

#[test]
fn an_order_that_the_risk_gate_refused_is_decided_on_again_after_a_minute() {
    let mut engine = patient(0);
    let said = tick(&mut engine, 14, "102");
    assert_eq!(words(&said), ["10 e1:ENTRY:1"]);
    // A refusal of an earlier order says nothing of this one.
    let earlier = LogicalTime::from_micros(EXIT + 11 * SECOND);
    candidate(&mut engine, 15, refused(earlier));
    assert_eq!(tick(&mut engine, 15, "103"), []);
    candidate(&mut engine, 16, refused(said[0].time));
    // It rests, then the same entry is decided on again.
    assert_eq!(tick(&mut engine, 17, "103"), []);
    assert_eq!(tick(&mut engine, 75, "103"), []);
    assert_eq!(words(&tick(&mut engine, 77, "103")), ["10 e1:ENTRY:1"]);
    engine.stop();
}

#[test]
fn after_a_refusal_a_run_begins_anew() {
    let mut engine = patient(90 * SECOND);
    assert_eq!(words(&tick(&mut engine, 14, "102")), [""; 0]);
    let said = tick(&mut engine, 104, "102");
    assert_eq!(words(&said), ["10 e1:ENTRY:1"]);
    // The refusal is the first that the candidate hears of its order.
    candidate(&mut engine, 105, refused(said[0].time));
    assert_eq!(tick(&mut engine, 106, "103"), []);
    assert_eq!(tick(&mut engine, 195, "103"), []);
    let said = tick(&mut engine, 196, "103");
    let Verdict::Submit { explanation, .. } = &said[0].verdict else {
        panic!("{said:?}")
    };
    let since = LogicalTime::from_micros(EXIT + 106 * SECOND);
    assert_eq!(explanation.reached_since, since);
    engine.stop();
}

/// A purchase of another candidate on the day of the exit.
fn earlier_purchase() -> Change {
    Change::Purchase(
        "e0:ENTRY:1".into(),
        Purchase {
            symbol: "005930".parse().unwrap(),
            candidate: "e0".parse().unwrap(),
            decided: LogicalTime::from_micros(EXIT),
        },
    )
}

fn regime(regime: Regime) -> Change {
    Change::RegimeOverride(Some(RegimeOverride {
        regime,
        until: LogicalTime::MAX,
    }))
}

#[test]
fn counts_of_a_regime_that_is_only_assumed_end_nothing() {
    let mut engine = Harness::new(1, &default_profile());
    let of = |name: &str, of: Regime, per_day: u32| {
        let Change::ReentryRule(_id, Some(row)) = rule(per_day) else {
            unreachable!("it is a rule");
        };
        let row = ReentryRule {
            id: name.into(),
            regime: Some(of),
            ..row
        };
        Change::ReentryRule(name.into(), Some(row))
    };
    engine.changes(vec![
        of("a", Regime::RiskOff, 1),
        of("b", Regime::RiskOn, 2),
        of("c", Regime::Neutral, 1),
        earlier_purchase(),
    ]);
    engine.send(EXIT, |_time| Event::Changes(vec![exit_event("e1", "SL1")]));
    let said = clock(&mut engine, 11);
    let last = &said.last().unwrap().verdict;
    assert!(
        matches!(last, Verdict::Blocked { gate, is_final: false, .. } if &**gate == "G0"),
        "{said:?}"
    );
    let said = verdicts(engine.changes(vec![regime(Regime::Neutral)]));
    assert!(
        matches!(&said[0].verdict, Verdict::Blocked { gate, is_final: true, .. } if &**gate == "G2"),
        "{said:?}"
    );
    engine.stop();
}

#[test]
fn an_exit_while_everything_is_paused_is_skipped() {
    let mut engine = Harness::new(1, &default_profile());
    engine.changes(vec![rule(1), Change::ReentryMode(ReentryMode::PauseAll)]);
    let said = verdicts(engine.send(EXIT, |_time| Event::Changes(vec![exit_event("e1", "SL1")])));
    assert!(matches!(&said[0].verdict, Verdict::Blocked { gate, .. } if &**gate == "CONTROL"));
    engine.stop();
}

fn watching(engine: &mut Harness) {
    engine.send(EXIT, |_time| Event::Changes(vec![exit_event("e1", "SL2")]));
    assert_eq!(clock(engine, 12).len(), 1);
}

/// What the engine says of the state of a candidate, in short.
fn words(said: &[ReentryVerdict]) -> Vec<String> {
    let word = |said: &ReentryVerdict| match &said.verdict {
        Verdict::Cooldown { .. } => "COOLDOWN".to_owned(),
        Verdict::Watch { .. } => "WATCH".to_owned(),
        Verdict::Submit {
            qty, action_key, ..
        } => format!("{qty} {action_key}"),
        Verdict::Blocked { gate, is_final, .. } => {
            format!("{gate}{}", if *is_final { " for good" } else { "" })
        }
        Verdict::Expired { .. } => "EXPIRED".to_owned(),
    };
    said.iter().map(word).collect()
}

#[test]
fn a_pause_of_entries_is_said_once_and_passes_at_once() {
    let mut engine = Harness::new(1, &default_profile());
    engine.changes(vec![rule(1)]);
    watching(&mut engine);
    engine.changes(vec![Change::ReentryMode(ReentryMode::PauseEntry)]);
    assert_eq!(words(&tick(&mut engine, 13, "102")), ["CONTROL"]);
    assert_eq!(words(&tick(&mut engine, 14, "103")), [""; 0]);
    // The last price is still young.
    let said = engine.send(EXIT + 16 * SECOND, |_time| {
        Event::Changes(vec![Change::ReentryMode(ReentryMode::Running)])
    });
    assert_eq!(words(&verdicts(said)), ["6 e1:ENTRY:1"]);
    engine.stop();
}

#[test]
fn a_regime_that_grows_old_holds_a_candidate_until_there_is_a_new_one() {
    let mut engine = Harness::new(1, &default_profile());
    let snapshot = |micros| {
        let asof = LogicalTime::from_micros(micros);
        let regime = Regime::Neutral;
        Change::Regime(RegimeSnapshot { asof, regime })
    };
    let limits = ReentryLimits {
        regimes: [Regime::Neutral].into(),
        ..ReentryLimits::default()
    };
    let long_ago = EXIT - REGIME_AGE_US_MAX + 14 * SECOND;
    engine.changes(vec![
        rule(1),
        snapshot(long_ago),
        Change::ReentryLimits(Some(limits)),
    ]);
    watching(&mut engine);
    assert_eq!(words(&tick(&mut engine, 14, "100")), [""; 0]);
    assert_eq!(words(&tick(&mut engine, 15, "103")), ["G0"]);
    let said = engine.send(EXIT + 16 * SECOND, |_time| {
        Event::Changes(vec![snapshot(EXIT + 15 * SECOND)])
    });
    assert_eq!(words(&verdicts(said)), ["WATCH", "6 e1:ENTRY:1"]);
    engine.stop();
}

#[test]
fn without_limits_nothing_is_bought_until_there_are_some() {
    let mut engine = Harness::new(1, &default_profile());
    engine.changes(vec![rule(1), Change::ReentryLimits(None)]);
    engine.send(EXIT, |_time| Event::Changes(vec![exit_event("e1", "SL2")]));
    let said = clock(&mut engine, 12);
    assert_eq!(words(&said), ["WATCH", "G0"]);
    let Verdict::Blocked { reason, .. } = &said[1].verdict else {
        panic!("{said:?}")
    };
    assert!(reason.contains("trade.reentry_limits"), "{reason}");
    assert_eq!(words(&tick(&mut engine, 13, "103")), [""; 0]);
    let said = engine.send(EXIT + 14 * SECOND, |_time| {
        Event::Changes(vec![Change::ReentryLimits(Some(ReentryLimits::default()))])
    });
    assert_eq!(words(&verdicts(said)), ["WATCH", "6 e1:ENTRY:1"]);
    engine.stop();
}

#[test]
fn a_second_entry_wants_a_tick_below_the_level_and_the_position() {
    let mut engine = Harness::new(1, &default_profile());
    let Change::ReentryRule(id, Some(mut twice)) = rule(9) else {
        panic!("a rule")
    };
    twice.total_max = 2;
    twice.second_size = Some(Decimal::new(4, 1).try_into().unwrap());
    engine.changes(vec![Change::ReentryRule(id, Some(twice))]);
    watching(&mut engine);
    assert_eq!(words(&tick(&mut engine, 13, "102")), ["6 e1:ENTRY:1"]);
    let symbol = "005930".parse().unwrap();
    let candidate: ExitEventId = "e1".parse().unwrap();
    let stored = StoredCandidate {
        symbol,
        state: CandidateState::Entered,
        cooldown_until: Some(LogicalTime::from_micros(EXIT + 10 * SECOND)),
        watch_until: Some(LogicalTime::from_micros(EXIT + 70 * SECOND)),
        blocked: None,
        refused: None,
    };
    let purchase = Purchase {
        symbol,
        candidate: candidate.clone(),
        decided: LogicalTime::from_micros(EXIT + 13 * SECOND),
    };
    engine.changes(vec![
        Change::Purchase("e1:ENTRY:1".into(), purchase),
        Change::Candidate(candidate, stored),
    ]);
    let said = engine.open("p2", 6, "102");
    assert!(said.iter().all(|said| !matches!(said, Output::Reentry(_))));
    let mut tick_words = |seconds, price: &str| {
        let said = engine.send(EXIT + seconds * SECOND, |time| {
            Event::Tick(Tick {
                time,
                symbol,
                last: support::price(price),
                bid: None,
                volume: 0,
            })
        });
        let said = said.into_iter().filter_map(|output| match output {
            Output::Reentry(verdict) => Some(*verdict),
            _ => None,
        });
        words(&said.collect::<Vec<_>>())
    };
    assert_eq!(tick_words(20, "103"), [""; 0]);
    assert_eq!(tick_words(21, "101"), [""; 0]);
    assert_eq!(tick_words(22, "102"), ["4 e1:ENTRY:2"]);
    engine.stop();
}
