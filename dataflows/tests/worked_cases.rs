//! The worked cases of the decision contract (section 7) and the accidents of the past (domain
//! 3.8), through the running engine with 1, 2 and 4 workers.

#[expect(dead_code, reason = "other tests use the rest of the harness")]
mod support;

use rstest::rstest;
use serde_json::json;
use support::{Harness, default_profile, said};
use turnstile_dataflows::engine::{Change, Output};
use turnstile_dataflows::exit::ExitOutput;
use turnstile_dataflows::model::{ExitMode, OrderStatus};

const NOTHING: [&str; 0] = [];

#[rstest]
fn case_1_take_profit_then_floor_after_a_later_slot(#[values(1, 2, 4)] workers: usize) {
    let mut engine = Harness::new(workers, &default_profile());
    engine.open("p1", 100, "100");
    assert_eq!(said(&engine.tick(1, "101")), NOTHING);
    let first = engine.tick(2, "107");
    assert_eq!(said(&first), ["TP1 10 at 107"]);
    assert_eq!(first[0].action_key.as_str(), "p1:1:OPEN:TP1:1");
    engine.fill(&first[0]);
    assert_eq!(said(&engine.tick(12, "100.6")), NOTHING);
    assert_eq!(said(&engine.tick(13, "100.5")), NOTHING);
    let floor = engine.tick(15, "100.4");
    assert_eq!(said(&floor), ["STOP_FLOOR 90 at 100.6"]);
    engine.fill(&floor[0]);
    assert_eq!(said(&engine.tick(16, "50")), NOTHING);
    engine.stop();
}

#[rstest]
fn case_2_half_of_seven_then_the_rest(#[values(1, 2)] workers: usize) {
    let mut engine = Harness::new(workers, &default_profile());
    engine.open("p1", 7, "100");
    let first = engine.tick(1, "97");
    assert_eq!(said(&first), ["SL1 4 at 97"]);
    engine.fill(&first[0]);
    assert_eq!(said(&engine.tick(2, "96.9")), NOTHING);
    assert_eq!(said(&engine.tick(3, "95")), ["SL2 3 at 95"]);
    engine.stop();
}

#[test]
fn case_3_the_true_average_decides() {
    let mut engine = Harness::new(1, &default_profile());
    engine.open("p1", 150, "71666.67");
    assert_eq!(said(&engine.tick(1, "72500")), NOTHING);
    engine.stop();
}

#[test]
fn case_4_an_absent_stop_sells_nothing() {
    let mut engine = Harness::new(1, &json!({"tp1": {"pnl": 0.07, "qty": 0.1}}));
    engine.open("p1", 100, "100");
    assert_eq!(said(&engine.tick(1, "60")), NOTHING);
    engine.stop();
}

#[test]
fn case_5_a_recovery_begins_the_run_anew() {
    let mut engine = Harness::new(1, &default_profile());
    engine.open("p1", 100, "100");
    let first = engine.tick(0, "107");
    engine.fill(&first[0]);
    assert_eq!(said(&engine.tick(60, "100.5")), NOTHING);
    assert_eq!(said(&engine.tick(61, "100.7")), NOTHING);
    assert_eq!(said(&engine.tick(62, "100.5")), NOTHING);
    assert_eq!(said(&engine.tick(63, "100.4")), ["STOP_FLOOR 90 at 100.6"]);
    engine.stop();
}

#[test]
fn case_6_a_full_stop_cancels_the_weaker_order_and_sells_all() {
    let mut engine = Harness::new(1, &default_profile());
    engine.open("p1", 7, "100");
    let weaker = engine.tick(1, "97");
    assert_eq!(said(&weaker), ["SL1 4 at 97"]);
    let stop = engine.tick(2, "95");
    assert_eq!(said(&stop), ["SL2 7 at 95"]);
    assert_eq!(stop[0].cancels, [weaker[0].action_key.clone()]);
    engine.stop();
}

#[test]
fn a_dip_through_the_stop_fires_even_between_higher_prices() {
    let mut engine = Harness::new(1, &default_profile());
    engine.open("p1", 10, "100");
    engine.tick(1, "100");
    assert_eq!(said(&engine.tick(2, "94")), ["SL2 10 at 95"]);
    assert_eq!(said(&engine.tick(3, "100")), NOTHING);
    engine.stop();
}

#[test]
fn a_partly_filled_sale_is_not_sent_again() {
    let mut engine = Harness::new(1, &default_profile());
    engine.open("p1", 100, "100");
    let stop = engine.tick(1, "95");
    assert_eq!(said(&stop), ["SL2 100 at 95"]);
    assert!(engine.result(&stop[0], 50, OrderStatus::Partial).is_empty());
    assert_eq!(said(&engine.tick(2, "94")), NOTHING);
    engine.stop();
}

#[test]
fn a_rejected_stop_is_tried_again_at_the_next_tick() {
    let mut engine = Harness::new(1, &json!({"sl2": {"pnl": -0.05}}));
    engine.open("p1", 10, "100");
    let first = engine.tick(1, "95");
    assert!(
        engine
            .result(&first[0], 0, OrderStatus::Rejected)
            .is_empty()
    );
    let second = engine.tick(2, "95");
    assert_eq!(second[0].action_key.as_str(), "p1:1:OPEN:SL2:2");
    engine.result(&second[0], 0, OrderStatus::Rejected);
    let third = engine.tick(3, "95");
    engine.result(&third[0], 0, OrderStatus::Rejected);
    assert_eq!(
        said(&engine.tick(4, "95")),
        NOTHING,
        "the fourth waits 30 s"
    );
    assert_eq!(engine.tick(33, "95")[0].attempt, 4);
    engine.stop();
}

#[test]
fn a_hard_stop_passes_every_pause_and_flatten_sells_at_once() {
    let mut engine = Harness::new(1, &default_profile());
    engine.open("p1", 10, "100");
    engine.tick(1, "99");
    engine.mode(ExitMode::PauseAll);
    assert_eq!(said(&engine.tick(2, "95")), NOTHING);
    assert_eq!(said(&engine.mode(ExitMode::Running)), ["SL2 10 at 95"]);
    engine.stop();

    let mut engine = Harness::new(1, &default_profile());
    engine.open("p1", 10, "100");
    engine.mode(ExitMode::PauseAll);
    assert_eq!(said(&engine.tick(2, "93")), ["HARDSTOP 10 at 93"]);
    engine.stop();

    let mut engine = Harness::new(1, &default_profile());
    engine.open("p1", 10, "100");
    engine.tick(1, "101");
    assert_eq!(
        said(&engine.mode(ExitMode::EmergencyFlatten)),
        ["FLATTEN 10 at 101"]
    );
    engine.stop();
}

#[test]
fn trailing_follows_the_mark_and_sells_half_after_a_later_slot() {
    let mut engine = Harness::new(1, &default_profile());
    engine.open("p1", 100, "100");
    for (second, last) in [(0, "107"), (10, "110"), (20, "115")] {
        let decisions = engine.tick(second, last);
        engine.fill(&decisions[0]);
    }
    assert_eq!(said(&engine.tick(30, "120")), NOTHING);
    assert_eq!(said(&engine.tick(40, "116.4")), NOTHING);
    assert_eq!(said(&engine.tick(44, "116")), ["TRAIL 20 at 116.4"]);
    engine.stop();
}

#[test]
fn a_live_position_without_shares_or_rule_is_told() {
    let mut engine = Harness::new(1, &default_profile());
    let said = engine.open("p1", 0, "100");
    assert!(
        matches!(&said[..], [Output::Exit(ExitOutput::Alert(_))]),
        "{said:?}"
    );
    let said = engine.changes(vec![Change::ExitRule("default".parse().unwrap(), None)]);
    assert!(matches!(&said[..], [Output::Unruled(_)]), "{said:?}");
    engine.stop();
}
