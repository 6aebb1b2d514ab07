//! The worked cases of the contract (section 7), and what each sentence of it adds to them.

use serde_json::{Value, json};
use turnstile_dataflows::model::{ExitMode, OrderStatus, PositionMode};

use super::{Context, Fills, Row};
use crate::histories::{Script, default_profile, price, said};

const NOTHING: [&str; 0] = [];

fn reported(profile: &Value) -> Script {
    Script::new(Fills::Reported, profile)
}

#[test]
fn case_1_take_profit_then_the_floor_in_a_later_slot() {
    let mut day = Script::new(Fills::Immediate, &default_profile());
    day.open("p1", 100, "100");
    // Seconds after noon, which is the border of a slot.
    for (second, last) in [
        (1, "101"),
        (2, "107"),
        (60, "100.6"),
        (61, "100.5"),
        (63, "100.4"),
    ] {
        day.tick(second, last);
    }
    assert_eq!(day.oracle(), ["TP1 10 at 107", "STOP_FLOOR 90 at 100.6"]);
}

#[test]
fn case_2_half_of_seven_then_the_rest() {
    let mut day = Script::new(Fills::Immediate, &default_profile());
    day.open("p1", 7, "100");
    let keys: Vec<_> = [(1, "97"), (2, "96.9"), (3, "95")]
        .into_iter()
        .flat_map(|(second, last)| day.tick(second, last))
        .map(|decision| decision.action_key)
        .collect();
    assert_eq!(day.oracle(), ["SL1 4 at 97", "SL2 3 at 95"]);
    assert_eq!(keys, ["p1:1:OPEN:SL1:1", "p1:1:OPEN:SL2:1"]);
}

#[test]
fn case_3_the_true_average_decides() {
    let mut day = reported(&default_profile());
    day.open("p1", 150, "71666.67");
    day.tick(1, "72500");
    assert_eq!(day.oracle(), NOTHING);
}

#[test]
fn case_4_an_absent_stop_sells_nothing() {
    let mut day = reported(&json!({"tp1": {"pnl": 0.07, "qty": 0.1}}));
    day.open("p1", 100, "100");
    day.tick(1, "60");
    assert_eq!(day.oracle(), NOTHING);
}

#[test]
fn case_5_a_recovery_begins_the_run_anew() {
    let mut day = Script::new(Fills::Immediate, &default_profile());
    day.open("p1", 100, "100");
    for (second, last) in [(1, "107"), (60, "100.5"), (61, "100.7"), (62, "100.5")] {
        day.tick(second, last);
    }
    assert_eq!(said(&day.tick(63, "100.4")), ["STOP_FLOOR 90 at 100.6"]);
}

#[test]
fn case_6_a_full_stop_cancels_the_weaker_order_and_sells_all() {
    let mut day = Script::new(Fills::None, &default_profile());
    day.open("p1", 7, "100");
    let weaker = day.tick(1, "97");
    let stop = day.tick(2, "95");
    assert_eq!(day.oracle(), ["SL1 4 at 97", "SL2 7 at 95"]);
    assert_eq!(stop[0].cancels, [weaker[0].action_key.clone()]);
}

#[test]
fn a_threshold_is_reached_inclusively_and_exactly() {
    let mut day = reported(&json!({"sl2": {"pnl": -0.05}}));
    day.open("p1", 1, "71666.6743");
    // 71666.6743 × 0.95 = 68083.340585
    day.tick(1, "68083.3406");
    assert_eq!(day.oracle(), NOTHING);
    day.tick(2, "68083.3405");
    assert_eq!(
        day.oracle(),
        ["SL2 1 at 68083.3406"],
        "the level is rounded, the comparison is not"
    );
}

#[test]
fn the_mark_never_starts_from_the_average() {
    let mut day = reported(&json!({"break_even": {"trigger": 0.02, "buffer": 0.005}}));
    day.open("p1", 10, "100");
    day.tick(1, "100.5");
    day.tick(2, "101.9999");
    day.tick(3, "100.5");
    assert_eq!(day.oracle(), NOTHING);
    day.tick(4, "102");
    day.tick(5, "100.5");
    assert_eq!(day.oracle(), ["BREAK_EVEN 10 at 100.5"]);
}

#[test]
fn an_entry_is_judged_by_a_price_of_the_last_ten_seconds() {
    // The entry comes one microsecond after the clock.
    for (clock_at, decides) in [(9_999_999, true), (10_000_000, false)] {
        let mut day = reported(&json!({"sl2": {"pnl": -0.05}}));
        day.tick(0, "90");
        day.clock_at(clock_at);
        assert_eq!(!day.open("p1", 1, "100").is_empty(), decides, "{clock_at}");
    }
    let mut day = reported(&json!({"sl2": {"pnl": -0.05}}));
    day.tick(0, "90");
    day.confirmed_at(9_000_000);
    day.clock_at(18_000_000);
    assert_eq!(
        day.open("p1", 1, "100").len(),
        1,
        "a confirmation renews the age"
    );
}

#[test]
fn an_earlier_attempt_that_failed_lets_the_next_one_come() {
    let mut day = reported(&json!({"sl2": {"pnl": -0.05}, "tp1": {"pnl": 0.05, "qty": 0.5}}));
    day.open("p1", 10, "100");
    for (second, attempt) in [(10, 1), (20, 2), (30, 3), (60, 4), (90, 5)] {
        day.tick(second - 5, "99");
        if attempt > 3 {
            assert_eq!(
                day.tick_at(second * 1_000_000 - 1, "94").len(),
                0,
                "not yet due"
            );
        }
        let decisions = day.tick(second, "94");
        assert_eq!(decisions[0].inputs.attempt, attempt);
        day.result(&decisions[0], 0, OrderStatus::Rejected);
    }
    for second in 101..104 {
        let decisions = day.tick(second, "105");
        day.result(&decisions[0], 0, OrderStatus::Cancelled);
    }
    assert_eq!(day.tick(104, "105").len(), 0, "three attempts at most");
}

#[test]
fn any_fill_uses_up_a_take_profit_but_not_a_full_stop() {
    let mut day = reported(&json!({"sl2": {"pnl": -0.05}, "sl1": {"pnl": -0.03, "qty": 0.5}}));
    day.open("p1", 10, "100");
    let sl1 = day.tick(1, "97");
    day.result(&sl1[0], 1, OrderStatus::CancelledPartial);
    assert_eq!(day.tick(2, "97").len(), 0);
    let sl2 = day.tick(3, "95");
    day.result(&sl2[0], 4, OrderStatus::CancelledPartial);
    assert_eq!(said(&day.tick(4, "95")), ["SL2 5 at 95"]);
}

#[test]
fn a_custom_rule_is_decided_once_a_cycle_whatever_the_phase() {
    let rules = json!([{"id": "lock-in", "condition": "profit_above", "pnl": 0.04, "qty": 0.2}]);
    let mut day = Script::new(
        Fills::Immediate,
        &json!({"custom": rules, "tp1": {"pnl": 0.07, "qty": 0.1}, "tp2": {"pnl": 0.5e-1, "qty": 0.0}}),
    );
    day.open("p1", 100, "100");
    let custom = day.tick(1, "104");
    assert_eq!(custom[0].action_key, "p1:1:OPEN:CUSTOM:lock-in:1");
    day.tick(2, "107");
    day.tick(3, "107");
    assert_eq!(day.oracle(), ["CUSTOM_PROFIT 20 at 104", "TP1 10 at 107"]);
}

#[test]
fn pauses_hold_back_what_they_name() {
    let profile = json!({
        "hard_stop": {"pnl": -0.1}, "sl2": {"pnl": -0.05}, "tp1": {"pnl": 0.05, "qty": 0.5},
        "custom": [{"id": "up", "condition": "profit_above", "pnl": 0.02, "qty": 0.1},
                   {"id": "down", "condition": "profit_below", "pnl": -0.02, "qty": 0.1}],
    });
    let mut day = reported(&profile);
    day.open("p1", 10, "100");
    day.rows(vec![Row::Mode(ExitMode::PauseProfit)]);
    day.tick(1, "106");
    let down = day.tick(2, "98");
    day.rows(vec![Row::Mode(ExitMode::PauseAll)]);
    day.tick(3, "95");
    day.tick(4, "90");
    assert_eq!(day.oracle(), ["CUSTOM_LOSS 1 at 98", "HARDSTOP 10 at 90"]);
    assert_eq!(down[0].action_key, "p1:1:OPEN:CUSTOM:down:1");
}

#[test]
fn flatten_sells_at_once_what_may_be_sold_and_what_enters_later() {
    let mut day = reported(&default_profile());
    day.open("p2", 10, "100");
    day.open("p1", 5, "100");
    day.open("p3", 5, "100");
    day.change("p3", |position, _| position.mode = PositionMode::Disabled);
    day.tick(1, "101");
    let flatten = day.rows(vec![Row::Mode(ExitMode::EmergencyFlatten)]);
    let ids: Vec<_> = flatten
        .iter()
        .map(|decision| decision.position.as_str())
        .collect();
    assert_eq!(ids, ["p1", "p2"]);
    assert_eq!(said(&day.open("p4", 3, "100")), ["FLATTEN 3 at 101"]);
}

#[test]
fn a_gap_counts_only_in_the_window_after_the_opening() {
    let day = 86_400_u64;
    let noon_to_opening = day - 3 * 3_600;
    for (micros, decides) in [
        (-1, false),
        (0, true),
        (30_000_000, true),
        (30_000_001, false),
    ] {
        let mut script = reported(&json!({"gap_down": {"change": -0.03}}));
        script.open("p1", 10, "50");
        let context = Context {
            atr_pct: None,
            prev_close: Some(price("100")),
        };
        script.rows(vec![Row::Context("005930".parse().unwrap(), context)]);
        let at = (noon_to_opening * 1_000_000)
            .checked_add_signed(micros)
            .unwrap();
        let decisions = script.tick_at(at, "97");
        assert_eq!(!decisions.is_empty(), decides, "{micros} after the opening");
    }
}

#[test]
fn an_event_with_order_facts_judges_nothing_until_the_next_tick() {
    let mut day = reported(&json!({"sl1": {"pnl": -0.03, "qty": 0.5}}));
    day.open("p1", 10, "100");
    let first = day.tick(1, "97");
    day.result(&first[0], 0, OrderStatus::Rejected);
    assert_eq!(said(&day.tick(2, "97")), ["SL1 5 at 97"]);
}
