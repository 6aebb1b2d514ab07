//! "Ranking held" as a condition of a trigger: who is asked for it, when it holds, and what a row of a
//! ranking changes.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[expect(dead_code, reason = "other tests use the rest of the harness")]
mod support;

use rstest::rstest;
use serde_json::{Value, json};
use support::{Harness, TEN, default_profile, price, qty, reentry_rule};
use turnstile_dataflows::engine::{Change, Event, Output};
use turnstile_dataflows::model::{LogicalTime, Regime, RegimeOverride, Tick};
use turnstile_dataflows::reentry::{ExitEvent, ReentryRule, ReentryTrigger, Verdict};

const SECOND: u64 = 1_000_000;
const HOUR: u64 = 3_600 * SECOND;
const DAY: u64 = 24 * HOUR;
/// From ten o'clock to midnight.
const MIDNIGHT: u64 = 14 * HOUR;
const SYMBOL: &str = "005930";
const OTHER: &str = "000660";

/// The day of the exit.
fn today() -> u64 {
    LogicalTime::from_micros(TEN).seoul_day()
}

fn ranked(symbol: &str, day: Option<u64>) -> Change {
    Change::Ranked(symbol.parse().unwrap(), day)
}

/// A candidate that watches for a day, under a rule with this trigger. The level is 100.
fn watching(workers: usize, trigger: &Value) -> Harness {
    let rule = ReentryRule {
        watch_us: DAY,
        trigger: ReentryTrigger::from_value(trigger).unwrap(),
        ..reentry_rule()
    };
    let mut engine = Harness::new(workers, &default_profile());
    engine.changes(vec![
        Change::ReentryRule(rule.id.clone(), Some(rule)),
        Change::RegimeOverride(Some(RegimeOverride {
            regime: Regime::Neutral,
            until: LogicalTime::MAX,
        })),
    ]);
    let exit = Change::ExitEvent(ExitEvent {
        id: "e1".parse().unwrap(),
        symbol: SYMBOL.parse().unwrap(),
        reason: "SL2".into(),
        exit: LogicalTime::from_micros(TEN),
        exit_price: price("100"),
        original_qty: qty(10),
        prior_hwm: None,
    });
    assert_eq!(
        entries(engine.send(TEN, |_time| Event::Changes(vec![exit]))),
        []
    );
    engine
}

/// A CHASE that asks for the ranking, as it does unless it says otherwise, and for no minutes.
fn chase() -> Value {
    json!({"type": "CHASE", "momentum": 0, "volatility_atr": 0})
}

/// Entries with the day of the ranking that they name. Nothing but entries is said.
fn entries(outputs: Vec<Output>) -> Vec<Option<u64>> {
    let verdicts = outputs.into_iter().filter_map(|output| match output {
        Output::Reentry(said) => Some(said.verdict),
        _ => None,
    });
    verdicts
        .filter_map(|verdict| match verdict {
            Verdict::Submit { explanation, .. } => Some(explanation.ranked_as_of),
            Verdict::Cooldown { .. } | Verdict::Watch { .. } => None,
            other => panic!("{other:?}"),
        })
        .collect()
}

fn tick(engine: &mut Harness, after: u64) -> Vec<Option<u64>> {
    entries(engine.send(TEN + after, |time| {
        Event::Tick(Tick {
            time,
            symbol: SYMBOL.parse().unwrap(),
            last: price("103"),
            bid: None,
            volume: 0,
        })
    }))
}

fn rows(engine: &mut Harness, after: u64, rows: Vec<Change>) -> Vec<Option<u64>> {
    entries(engine.send(TEN + after, |_time| Event::Changes(rows)))
}

#[rstest]
fn a_chase_buys_once_the_newest_ranking_selects_its_symbol(#[values(1, 2, 4)] workers: usize) {
    let mut engine = watching(workers, &chase());
    assert_eq!(tick(&mut engine, SECOND), [], "nothing is ranked");
    let other = ranked(OTHER, Some(today()));
    assert_eq!(rows(&mut engine, 2 * SECOND, vec![other]), []);
    assert_eq!(tick(&mut engine, 3 * SECOND), [], "another one is");
    // Its last price is still young.
    let own = ranked(SYMBOL, Some(today()));
    let said = rows(&mut engine, 4 * SECOND, vec![own]);
    assert_eq!(said, [Some(today())]);
    engine.stop();
}

#[rstest]
fn a_symbol_that_leaves_the_ranking_is_not_bought(#[values(1, 2, 4)] workers: usize) {
    let mut engine = watching(workers, &chase());
    let comes = ranked(SYMBOL, Some(today()));
    assert_eq!(rows(&mut engine, SECOND, vec![comes]), []);
    assert_eq!(
        rows(&mut engine, 2 * SECOND, vec![ranked(SYMBOL, None)]),
        []
    );
    assert_eq!(tick(&mut engine, 3 * SECOND), []);
    let comes = ranked(SYMBOL, Some(today() - 1));
    assert_eq!(
        rows(&mut engine, 4 * SECOND, vec![comes]),
        [Some(today() - 1)]
    );
    engine.stop();
}

#[rstest]
#[case::of_the_day(0, true, true)]
#[case::of_six_days_ago(-6, true, true)]
#[case::of_seven_days_ago(-7, true, false)]
#[case::of_eight_days_ago(-8, false, false)]
#[case::of_a_day_that_has_not_come(1, false, true)]
fn a_ranking_counts_from_its_day_on_for_seven_days_in_seoul(
    #[case] day: i64,
    #[case] before_midnight: bool,
    #[case] after_midnight: bool,
) {
    let day = today().checked_add_signed(day).unwrap();
    for (after, is_bought) in [(MIDNIGHT - 1, before_midnight), (MIDNIGHT, after_midnight)] {
        let mut engine = watching(1, &chase());
        assert_eq!(rows(&mut engine, 0, vec![ranked(SYMBOL, Some(day))]), []);
        let bought = if is_bought { vec![Some(day)] } else { vec![] };
        assert_eq!(tick(&mut engine, after), bought, "{after}");
        engine.stop();
    }
    // What it was not bought before midnight for may hold after it, at the next tick.
    let mut engine = watching(1, &chase());
    rows(&mut engine, 0, vec![ranked(SYMBOL, Some(day))]);
    let bought = tick(&mut engine, MIDNIGHT - 1).len() + tick(&mut engine, MIDNIGHT + 1).len();
    assert_eq!(bought, usize::from(before_midnight || after_midnight));
    engine.stop();
}

#[test]
fn a_trigger_that_does_not_ask_for_the_ranking_buys_without_and_names_it_where_there_is_one() {
    let rebound = json!({"type": "REBOUND", "rebound": 0.01});
    let free = json!({"type": "CHASE", "momentum": 0, "volatility_atr": 0, "ranking_held": false});
    for trigger in [&rebound, &free] {
        let mut engine = watching(1, trigger);
        assert_eq!(tick(&mut engine, SECOND), [None]);
        engine.stop();
        let mut engine = watching(1, trigger);
        let old = ranked(SYMBOL, Some(today() - 30));
        rows(&mut engine, SECOND, vec![old]);
        assert_eq!(tick(&mut engine, 2 * SECOND), [Some(today() - 30)]);
        engine.stop();
    }
}

#[test]
fn every_kind_of_trigger_may_ask_for_the_ranking() {
    let rebound = json!({"type": "REBOUND", "rebound": 0.01, "ranking_held": true});
    let mut engine = watching(1, &rebound);
    assert_eq!(tick(&mut engine, SECOND), []);
    let own = ranked(SYMBOL, Some(today()));
    assert_eq!(rows(&mut engine, 2 * SECOND, vec![own]), [Some(today())]);
    engine.stop();
}

#[rstest]
fn only_a_row_that_changes_what_is_known_of_a_symbol_judges_its_candidates(
    #[values(1, 2, 4)] workers: usize,
) {
    // At 62 seconds the price has held for a minute: whoever is judged from then on buys.
    let trigger = json!({"type": "REBOUND", "rebound": 0.01, "stable_minutes": 1});
    let mut engine = watching(workers, &trigger);
    let own = || ranked(SYMBOL, Some(today()));
    assert_eq!(rows(&mut engine, SECOND, vec![own()]), []);
    assert_eq!(tick(&mut engine, 2 * SECOND), []);
    assert_eq!(tick(&mut engine, 61 * SECOND), []);
    let told_again = vec![own(), ranked(OTHER, Some(today()))];
    assert_eq!(rows(&mut engine, 63 * SECOND, told_again), []);
    let changed = vec![ranked(SYMBOL, Some(today() - 1))];
    assert_eq!(rows(&mut engine, 64 * SECOND, changed), [Some(today() - 1)]);
    engine.stop();
}
