//! The risk desk: what it maintains, and what a view of it is worth.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod history;
mod results;

use std::sync::{Arc, Mutex};

use turnstile_dataflows::model::{
    LogicalTime, Position, PositionMode, Price, Quantity, SaleResult, Symbol,
};
use turnstile_dataflows::reentry::Equity;
use turnstile_dataflows::risk::{RiskChange, RiskEvent, RiskLimits, RiskProfile, RiskView, run};

/// 2026-11-24 in Seoul.
const BEGIN_US: u64 = 1_795_480_000_000_000;
const DAY_US: u64 = 86_400_000_000;
const SYMBOLS: [&str; 4] = ["005930", "000660", "035720", "069500"];

fn symbol(n: usize) -> Symbol {
    SYMBOLS[n % SYMBOLS.len()].parse().unwrap()
}

fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(n: usize) -> T {
    format!("00000000-0000-4000-8000-{n:012}").parse().unwrap()
}

fn position(n: usize, of: usize, qty: i64, avg: i64) -> Position {
    Position {
        id: id(n),
        symbol: symbol(of),
        qty: Quantity::new(qty).unwrap(),
        original_qty: Quantity::new(qty).unwrap(),
        avg_price: Price::from_units(avg).ok(),
        entry: LogicalTime::from_micros(BEGIN_US),
        is_live: qty > 0 || avg % 2 == 0,
        mode: PositionMode::Enabled,
        profile: None,
        strategy: "test".into(),
        cycle: 1,
        version: 1,
    }
}

fn sale(n: usize, sold: LogicalTime, units: i64) -> RiskChange {
    let id = id(n);
    RiskChange::Sale(SaleResult { id, sold, units })
}

/// Runs the desk over `events`, one after the other. Returns the view after each.
fn views(mut events: Vec<RiskEvent>) -> Vec<RiskView> {
    events.reverse();
    let seen = Arc::new(Mutex::new((RiskView::default(), Vec::new())));
    let told = seen.clone();
    run(
        move |waiting| {
            waiting.extend(events.pop());
            !events.is_empty()
        },
        move |changes| {
            let (view, seen) = &mut *told.lock().unwrap();
            view.apply(changes);
            seen.push(view.clone());
        },
    );
    let (_view, seen) = &*seen.lock().unwrap();
    seen.clone()
}

/// A second after `BEGIN_US` with what it tells.
fn event(second: u64, is_complete: bool, changes: Vec<RiskChange>) -> RiskEvent {
    RiskEvent {
        time: LogicalTime::from_micros(BEGIN_US + second * 1_000_000),
        changes,
        is_complete,
    }
}

fn limits() -> Vec<RiskChange> {
    let limits = RiskLimits {
        id: 1,
        profile: RiskProfile::Default,
        positions_max: 1,
        single_max: 150_000,
        sector_max: 400_000,
        market_max: 1_000_000,
        daily_loss_max: 30_000,
        total_loss_max: 100_000,
        from: LogicalTime::default(),
        until: LogicalTime::MAX,
    };
    vec![
        RiskChange::Limits(limits.id, Some(limits)),
        RiskChange::Profile(Some(RiskProfile::Default)),
    ]
}

#[test]
fn there_is_no_view_before_the_first_state_is_told_as_a_whole() {
    let held = vec![RiskChange::Position(position(0, 0, 1, 1))];
    let later = vec![RiskChange::Position(position(1, 1, 1, 1))];
    let seen = views(vec![
        event(0, false, limits()),
        event(1, false, held),
        event(2, true, Vec::new()),
        event(3, false, later),
    ]);
    let known: Vec<bool> = seen.iter().map(RiskView::is_known).collect();
    assert_eq!(known, [false, false, true, true]);
    let now = event(3, false, Vec::new()).time;
    let given: Vec<bool> = seen.iter().map(|view| view.limits(now).is_ok()).collect();
    assert_eq!(
        given,
        [false, false, true, true],
        "limits alone are no view"
    );
    let names: Vec<usize> = seen.iter().map(|view| view.exposure.count()).collect();
    assert_eq!(names, [0, 1, 1, 2], "what comes later counts at once");
}

#[test]
fn a_view_counts_for_ten_seconds_either_way() {
    let view = views(vec![event(60, true, limits())]).pop().unwrap();
    let given = |second| view.limits(event(second, false, Vec::new()).time).err();
    assert_eq!((given(50), given(60), given(70)), (None, None, None));
    let (early, late) = (given(49), given(71));
    assert_eq!(
        early,
        Some("limits and exposure are of a time that has not come")
    );
    assert_eq!(late, Some("limits and exposure are older than ten seconds"));
}

#[test]
fn an_equity_of_a_time_to_come_keeps_no_later_one_out() {
    let equity = |second| {
        let asof = event(second, true, Vec::new()).time;
        RiskChange::Equity(Some(Equity { asof, units: 7 }))
    };
    let seen = views(vec![
        event(0, true, vec![equity(301)]),
        event(1, true, vec![equity(1)]),
        event(2, true, vec![equity(302)]),
    ]);
    let at = |second| event(second, true, Vec::new()).time;
    let [far, later, ahead] = &seen[..] else {
        panic!("{seen:?}")
    };
    let nobody = Err("nobody has said what the account is worth");
    assert_eq!(far.exposure.equity(at(301)), nobody);
    assert_eq!(later.exposure.equity(at(1)), Ok(7));
    let to_come = Err("what the account is worth is of a time that has not come");
    assert_eq!(ahead.exposure.equity(at(291)), to_come);
    assert_eq!(ahead.exposure.equity(at(292)), Ok(7));
}
