//! The room of the account (gate G3) and who gets it: the same for every number of workers.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[expect(dead_code, reason = "other tests use the rest of the harness")]
mod support;

use rstest::rstest;
use support::{Harness, default_profile, price, qty, reentry_rule};
use turnstile_dataflows::engine::{Change, Event, Output};
use turnstile_dataflows::model::{
    LogicalTime, ReentryMode, Regime, RegimeOverride, SaleResult, Symbol, Tick,
};
use turnstile_dataflows::reentry::{
    CandidateState, EQUITY_AGE_US_MAX, Equity, ExitEvent, Purchase, ReentryLimits, ReentryRule,
    StoredCandidate, Underway, Verdict,
};

const EXIT: u64 = support::TEN;
const SECOND: u64 = 1_000_000;
const MINUTE: u64 = 60 * SECOND;
/// Symbols of the candidates `a` and `b`.
const SYMBOLS: [(&str, &str); 2] = [("a", "000660"), ("b", "005930")];

fn symbol(code: &str) -> Symbol {
    code.parse().unwrap()
}

/// Two candidates that watch for 102, of ten shares each, under a pause of entries.
fn two_that_wait(workers: usize, limits: ReentryLimits) -> Harness {
    let rule = ReentryRule {
        watch_us: 60 * MINUTE,
        ..reentry_rule()
    };
    let mut engine = Harness::new(workers, &default_profile());
    engine.changes(vec![
        Change::ReentryRule(rule.id.clone(), Some(rule)),
        Change::ReentryLimits(Some(limits)),
        Change::ReentryMode(ReentryMode::PauseEntry),
        Change::RegimeOverride(Some(RegimeOverride {
            regime: Regime::Neutral,
            until: LogicalTime::MAX,
        })),
    ]);
    let exits = SYMBOLS.map(|(id, code)| {
        Change::ExitEvent(ExitEvent {
            id: id.parse().unwrap(),
            symbol: symbol(code),
            reason: "SL2".into(),
            exit: LogicalTime::from_micros(EXIT),
            exit_price: price("100"),
            original_qty: qty(10),
            prior_hwm: None,
        })
    });
    engine.send(EXIT, |_time| Event::Changes(exits.into()));
    engine
}

fn words(outputs: Vec<Output>) -> Vec<String> {
    let word = |output: Output| match output {
        Output::Reentry(said) => match &said.verdict {
            Verdict::Submit { qty, .. } => Some(format!("{} buys {qty}", said.candidate)),
            Verdict::Blocked { gate, reason, .. } => {
                Some(format!("{} {gate}: {reason}", said.candidate))
            }
            Verdict::Cooldown { .. } | Verdict::Watch { .. } | Verdict::Expired { .. } => None,
        },
        _ => None,
    };
    outputs.into_iter().filter_map(word).collect()
}

fn tick(engine: &mut Harness, at: u64, code: &str, last: &str) -> Vec<String> {
    let (symbol, last) = (symbol(code), price(last));
    words(engine.send(EXIT + at, |time| {
        Event::Tick(Tick {
            time,
            symbol,
            last,
            bid: None,
            volume: 0,
        })
    }))
}

/// Twelve minutes in which `rising` rises above 102 and the other one stands at 103.
fn minutes(engine: &mut Harness, rising: &str) {
    for minute in 0..12 {
        for (_id, code) in SYMBOLS {
            let last = if code == rising {
                format!("103.{minute:02}")
            } else {
                "103".to_owned()
            };
            tick(engine, (minute + 1) * MINUTE, code, &last);
        }
    }
}

fn run(engine: &mut Harness) -> Vec<String> {
    let running = Change::ReentryMode(ReentryMode::Running);
    words(engine.send(EXIT + 12 * MINUTE + SECOND, |_time| {
        Event::Changes(vec![running])
    }))
}

fn for_one() -> ReentryLimits {
    ReentryLimits {
        positions_max: Some(1),
        ..ReentryLimits::default()
    }
}

const FULL: &str = "G3: as many positions as are allowed";

#[rstest]
fn the_last_room_goes_to_the_symbol_that_rises(#[values(1, 2, 4)] workers: usize) {
    let mut engine = two_that_wait(workers, for_one());
    minutes(&mut engine, "005930");
    let said = run(&mut engine);
    assert_eq!(said, [format!("a {FULL}"), "b buys 10".to_owned()]);
    engine.stop();
}

#[rstest]
fn of_equal_scores_the_lower_symbol_goes_first(#[values(1, 2, 4)] workers: usize) {
    let mut engine = two_that_wait(workers, for_one());
    minutes(&mut engine, "none");
    let said = run(&mut engine);
    assert_eq!(said, ["a buys 10".to_owned(), format!("b {FULL}")]);
    engine.stop();
}

#[rstest]
fn what_is_decided_counts_before_anybody_tells_of_it(#[values(1, 2, 4)] workers: usize) {
    let limits = ReentryLimits {
        // Fifteen shares at 103.
        exposure_max: Some(15 * 1_030_000),
        ..ReentryLimits::default()
    };
    let mut engine = two_that_wait(workers, limits);
    engine.changes(vec![Change::ReentryMode(ReentryMode::Running)]);
    assert_eq!(tick(&mut engine, SECOND, "000660", "103"), ["a buys 10"]);
    let full = "b G3: the cost of all positions would exceed its limit";
    assert_eq!(tick(&mut engine, 2 * SECOND, "005930", "103"), [full]);

    // The row of the order takes the place of the decision, and counts until the order is over.
    let order = "a:ENTRY:1";
    let bought = Change::Purchase(
        order.into(),
        Purchase {
            symbol: symbol("000660"),
            candidate: "a".parse().unwrap(),
            decided: LogicalTime::from_micros(EXIT + SECOND),
        },
    );
    let underway = |shares| {
        let row = Underway {
            symbol: symbol("000660"),
            left: qty(shares),
            price: price("103"),
        };
        Change::Underway(order.into(), Some(row))
    };
    engine.changes(vec![bought, underway(10)]);
    assert_eq!(tick(&mut engine, 3 * SECOND, "005930", "103"), [""; 0]);
    engine.changes(vec![underway(6)]);
    assert_eq!(tick(&mut engine, 4 * SECOND, "005930", "103"), [""; 0]);
    let over = StoredCandidate {
        symbol: symbol("000660"),
        state: CandidateState::Over,
        cooldown_until: None,
        watch_until: None,
        blocked: None,
        refused: None,
    };
    engine.changes(vec![
        Change::Underway(order.into(), None),
        Change::Candidate("a".parse().unwrap(), over),
    ]);
    let said = tick(&mut engine, 5 * SECOND, "005930", "103");
    assert_eq!(said, ["b buys 10"]);
    engine.stop();
}

#[test]
fn a_symbol_that_somebody_buys_by_hand_is_not_bought_back() {
    let mut engine = two_that_wait(1, ReentryLimits::default());
    let by_hand = |row: Option<Underway>| Change::Underway("by hand".into(), row);
    engine.changes(vec![
        Change::ReentryMode(ReentryMode::Running),
        by_hand(Some(Underway {
            symbol: symbol("000660"),
            left: qty(1),
            price: price("103"),
        })),
    ]);
    let busy = "a G3: the symbol is held or being bought";
    assert_eq!(tick(&mut engine, SECOND, "000660", "103"), [busy]);
    assert_eq!(words(engine.changes(vec![by_hand(None)])), ["a buys 10"]);
    engine.stop();
}

/// Ten shares at 103 are half of it.
const EQUITY: Equity = Equity {
    asof: LogicalTime::from_micros(EXIT),
    units: 2 * 10 * 1_030_000,
};

#[test]
fn a_part_of_the_equity_is_reached_exactly() {
    for (units, share, expected) in [
        (EQUITY.units, 500_000, "a buys 10"),
        (
            EQUITY.units - 1,
            500_000,
            "a G3: the cost of all positions would exceed its part of the equity",
        ),
        (
            EQUITY.units,
            499_999,
            "a G3: the cost of all positions would exceed its part of the equity",
        ),
    ] {
        let limits = ReentryLimits {
            exposure_share: Some(share),
            ..ReentryLimits::default()
        };
        let mut engine = two_that_wait(1, limits);
        engine.changes(vec![
            Change::ReentryMode(ReentryMode::Running),
            Change::Equity(Some(Equity { units, ..EQUITY })),
        ]);
        assert_eq!(
            tick(&mut engine, SECOND, "000660", "103"),
            [expected],
            "{units} {share}"
        );
        engine.stop();
    }
}

#[test]
fn percents_of_an_equity_that_is_unknown_or_old_let_nothing_through_until_it_is_known() {
    let unknown =
        "the equity of the account is not known, older than five minutes or not above zero";
    for (gate, limits) in [
        (
            "G3",
            ReentryLimits {
                exposure_share: Some(1_000_000),
                ..ReentryLimits::default()
            },
        ),
        (
            "G4",
            ReentryLimits {
                daily_loss_share: Some(30_000),
                ..ReentryLimits::default()
            },
        ),
    ] {
        let mut engine = two_that_wait(1, limits);
        engine.changes(vec![Change::ReentryMode(ReentryMode::Running)]);
        let refused = format!("a {gate}: {unknown}");
        assert_eq!(tick(&mut engine, SECOND, "000660", "103"), [refused]);
        let old = EXIT + 2 * SECOND - EQUITY_AGE_US_MAX - 1;
        for equity in [
            Equity {
                asof: LogicalTime::from_micros(old),
                ..EQUITY
            },
            Equity { units: 0, ..EQUITY },
        ] {
            engine.changes(vec![Change::Equity(Some(equity))]);
            assert_eq!(tick(&mut engine, 2 * SECOND, "000660", "103"), [""; 0]);
        }
        engine.changes(vec![Change::Equity(Some(EQUITY))]);
        assert_eq!(
            tick(&mut engine, 3 * SECOND, "000660", "103"),
            ["a buys 10"]
        );
        engine.stop();
    }
}

/// A loss of so many ten-thousandths of a won, realised so long after the exit.
fn sale(id: &str, after_us: u64, units: i64) -> Change {
    Change::Sale(SaleResult {
        id: id.parse().unwrap(),
        sold: LogicalTime::from_micros(EXIT + after_us),
        units: -units,
    })
}

#[test]
fn the_loss_of_the_day_is_that_of_its_sales_whether_their_positions_go_on_or_not() {
    const REFUSED: &str = "a G4: the realised loss of the day has reached its limit";
    let most = 1_000_000;
    let limits = ReentryLimits {
        daily_loss_max: Some(most),
        ..ReentryLimits::default()
    };
    let yesterday = LogicalTime::from_micros(EXIT).seoul_micro_of_day() + 1;
    for (sales, expected) in [
        (vec![sale("s1", SECOND, most - 1)], "a buys 10"),
        (vec![sale("s1", SECOND, most)], REFUSED),
        // In parts, and made up for by a gain.
        (
            vec![sale("s1", SECOND, most - 1), sale("s2", SECOND, 1)],
            REFUSED,
        ),
        (
            vec![sale("s1", SECOND, most), sale("s2", SECOND, -1)],
            "a buys 10",
        ),
        // Told twice it counts once; corrected, as it is told last.
        (
            vec![sale("s1", SECOND, most - 1), sale("s1", SECOND, most - 1)],
            "a buys 10",
        ),
    ] {
        let mut engine = two_that_wait(1, limits.clone());
        for sale in sales.clone() {
            engine.changes(vec![sale]);
        }
        engine.changes(vec![Change::ReentryMode(ReentryMode::Running)]);
        let said = tick(&mut engine, SECOND, "000660", "103");
        assert_eq!(said, [expected], "{sales:?}");
        engine.stop();
    }
    let mut engine = two_that_wait(1, limits);
    let before = LogicalTime::from_micros(EXIT - yesterday);
    engine.changes(vec![
        Change::Sale(SaleResult {
            id: "s1".parse().unwrap(),
            sold: before,
            units: -2 * most,
        }),
        Change::ReentryMode(ReentryMode::Running),
    ]);
    let said = tick(&mut engine, SECOND, "000660", "103");
    assert_eq!(said, ["a buys 10"], "what was lost yesterday is over");
    engine.stop();
}
