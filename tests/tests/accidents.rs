//! The twelve accidents of the past, each as a test through the engine.
//!
//! | accident | where else it is held |
//! |---|---|
//! | 1 a cached average sold at a loss of nothing | `connectors/tests/execution/entries.rs`: the average after an add-on buy |
//! | 4 an order that was not sent moved the state | `connectors/tests/execution/orders.rs`, `decisions.rs` |
//! | 7 the second take-profit without a third one | `connectors/tests/execution/fills.rs`: phases by fills |
//! | 9 the first quantity was overwritten | `connectors/tests/execution/entries.rs` |
//! | 10 two engines after an unclean restart | `restarts.rs`: `a_second_engine_waits_and_takes_over`; `connectors/tests/stores/lock.rs` |
//! | 11 another evaluator behind a flag | `exit_oracle.rs`: one evaluator for every source of fills |
//!
//! Each history also goes through the oracle, and with one worker and two.

use serde_json::json;
use turnstile_dataflows::model::{OrderStatus, Phase};
use turnstile_oracle::histories::{Script, default_profile, price, said};
use turnstile_oracle::oracle::Fills;

const NOTHING: [&str; 0] = [];

#[test]
fn accident_1_the_average_of_both_buys_decides() {
    let mut day = Script::new(Fills::Reported, &json!({"tp1": {"pnl": 0.03, "qty": 0.5}}));
    day.open("p1", 100, "70000");
    day.tick(1, "70000");
    day.change("p1", |position, _state| {
        position.qty = 150.try_into().unwrap();
        position.original_qty = position.qty;
        position.avg_price = Some(price("71666.6667"));
        position.cycle = 2;
    });
    // +3.57 % on the first buy, +1.16 % in truth.
    day.tick(2, "72500");
    assert_eq!(day.engine(), NOTHING);
    // 71666.6667 × 1.03
    day.tick(3, "73816.6668");
    assert_eq!(day.engine(), ["TP1 75 at 73816.6667"]);
}

#[test]
fn accident_2_a_stale_price_is_not_judged_and_a_fresh_one_is_to_the_won() {
    let mut day = Script::new(Fills::Reported, &default_profile());
    day.tick(0, "94000");
    day.clock_at(10_000_001);
    day.open("p1", 10, "100000");
    assert_eq!(day.engine(), NOTHING, "the old price lies below the stop");
    day.tick(20, "99500");
    day.tick(25, "97000.0001");
    assert_eq!(day.engine(), NOTHING);
    day.tick(26, "95000");
    assert_eq!(day.engine(), ["SL2 10 at 95000"]);
}

#[test]
fn accident_3_what_is_on_its_way_is_not_sold_again() {
    let mut day = Script::new(Fills::Reported, &default_profile());
    day.open("p1", 100, "100");
    let stop = day.tick(1, "95");
    day.result(&stop[0], 50, OrderStatus::Partial);
    for second in 2..40 {
        day.tick(second, "94.5");
    }
    assert_eq!(day.engine(), ["SL2 100 at 95"]);
}

#[test]
fn accident_4_an_order_that_waits_moves_nothing() {
    let mut day = Script::new(Fills::Reported, &default_profile());
    day.open("p1", 100, "100");
    let take = day.tick(0, "107");
    day.result(&take[0], 0, OrderStatus::PendingApproval);
    for second in 1..6 {
        day.tick(second * 30, "107");
    }
    assert_eq!(day.engine(), ["TP1 10 at 107"], "not 70, 33, 13, 11, 10");
    assert_eq!(take[0].action_key, "p1:1:OPEN:TP1:1");
    // Nothing was secured, so there is no floor.
    day.tick(200, "100.4");
    day.tick(204, "100.4");
    assert_eq!(day.engine(), ["TP1 10 at 107"]);
}

#[test]
fn accident_5_a_rising_price_moves_no_reference() {
    let mut day = Script::new(Fills::Reported, &json!({"tp1": {"pnl": 0.07, "qty": 0.1}}));
    day.open("p1", 100, "100");
    let take = day.tick(1, "107");
    day.fill(&take[0]);
    for (second, last) in [(2, "114.49"), (3, "122.5"), (4, "131.1"), (5, "140.3")] {
        day.tick(second, last);
    }
    assert_eq!(
        day.engine(),
        ["TP1 10 at 107"],
        "seven percent on each tick before sells nothing"
    );
}

#[test]
fn accident_6_a_zero_trigger_is_off() {
    let tp3 = json!({"pnl": 0.0, "qty": 0.3});
    let mut day = Script::new(
        Fills::Reported,
        &json!({"tp3": tp3, "sl1": {"pnl": -0.03, "qty": 0.0}, "hard_stop": {"pnl": 0.0}}),
    );
    day.open("p1", 100, "100");
    day.change("p1", |_position, state| {
        state.phase = Phase::Tp2Done;
    });
    for (second, last) in [(1, "101"), (2, "150"), (3, "60"), (4, "100")] {
        day.tick(second, last);
    }
    assert_eq!(day.engine(), NOTHING);
}

#[test]
fn accident_7_the_second_take_profit_leads_to_trailing_where_there_is_no_third() {
    let mut day = Script::new(
        Fills::Immediate,
        &json!({
            "tp1": {"pnl": 0.07, "qty": 0.1}, "tp2": {"pnl": 0.10, "qty": 0.2},
            "trail": {"pct": 0.03, "qty": 0.5},
        }),
    );
    day.open("p1", 100, "100");
    day.tick(1, "107");
    day.tick(2, "110");
    day.tick(3, "106.7");
    let trail = day.tick(6, "106.7");
    assert_eq!(trail[0].action_key, "p1:1:TRAILING_ACTIVE:TRAIL:1");
    assert_eq!(
        day.engine(),
        ["TP1 10 at 107", "TP2 20 at 110", "TRAIL 35 at 106.7"]
    );
}

#[test]
fn accident_8_rounding_of_the_average_resets_nothing() {
    let mut day = Script::new(Fills::Reported, &default_profile());
    day.open("p1", 100, "100000");
    let take = day.tick(0, "107000");
    day.fill(&take[0]);
    let stop = day.tick(10, "96999");
    day.fill(&stop[0]);
    day.tick(20, "100700");
    // A run of breaches of the floor begins, and goes on through the noise.
    day.tick(30, "100599");
    for (second, avg) in [(31, "100000.01"), (32, "99999.7"), (33, "100000.3")] {
        day.change("p1", |position, _state| {
            position.avg_price = Some(price(avg))
        });
        day.tick(second, "100599");
    }
    let keys = [
        "TP1 10 at 107000",
        "SL1 45 at 97000",
        "STOP_FLOOR 45 at 100600",
    ];
    assert_eq!(day.engine(), keys, "phase, used keys, floor and runs stay");
}

#[test]
fn accident_9_take_profits_are_parts_of_the_first_quantity() {
    let mut day = Script::new(
        Fills::Reported,
        &json!({"tp1": {"pnl": 0.05, "qty": 0.25}, "tp2": {"pnl": 0.1, "qty": 0.25}}),
    );
    day.open("p1", 100, "100");
    for (second, last) in [(1, "105"), (2, "110")] {
        let take = day.tick(second, last);
        day.fill(&take[0]);
    }
    assert_eq!(day.engine(), ["TP1 25 at 105", "TP2 25 at 110"]);
}

#[test]
fn accident_11_one_evaluator_serves_every_source_of_fills() {
    let ticks = [
        (1, "101"),
        (2, "97"),
        (3, "96.9"),
        (9, "108"),
        (12, "95"),
        (15, "93"),
    ];
    let decided = [Fills::Reported, Fills::None].map(|fills| {
        let mut day = Script::new(fills, &default_profile());
        day.open("p1", 7, "100");
        for (second, last) in ticks {
            day.tick(second, last);
        }
        day.engine()
    });
    assert_eq!(decided[0], decided[1]);
    assert_eq!(
        decided[0],
        ["SL1 4 at 97", "SL2 7 at 95", "HARDSTOP 7 at 93"]
    );
}

#[test]
fn accident_12_a_position_that_is_being_sold_is_still_evaluated() {
    let mut day = Script::new(
        Fills::Reported,
        &json!({"sl2": {"pnl": -0.05, "qty": 0.5}, "hard_stop": {"pnl": -0.07}}),
    );
    day.open("p1", 100, "100");
    let stop = day.tick(1, "94.98");
    assert_eq!(said(&stop), ["SL2 50 at 95"]);
    day.result(&stop[0], 20, OrderStatus::Partial);
    // Its row says CLOSING by now, and it is live.
    day.tick(2, "92.9");
    assert_eq!(day.engine(), ["SL2 50 at 95", "HARDSTOP 80 at 93"]);
}
