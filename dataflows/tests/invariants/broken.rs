//! Each invariant: what breaks it, what does not, and what makes it good.

use turnstile_dataflows::invariants::{InvariantChange, InvariantEvent};
use turnstile_dataflows::model::{ActionKey, OrderStatus};

use super::{decided, differences, event, fact, key, order, position, sampled, taken, views};

const DAY_S: u64 = 24 * 3_600;

/// Tells the events one after the other. Returns what is broken after each.
fn after_each(events: Vec<InvariantEvent>) -> Vec<String> {
    let batches = events.into_iter().map(|event| vec![event]).collect();
    let views = views(batches);
    views.iter().map(|view| view.names().join(", ")).collect()
}

#[test]
fn a_position_that_sells_what_it_has_is_well() {
    let seen = after_each(vec![
        event(0, vec![position(0, 10), decided(0, 0, 0)]),
        event(1, vec![order(0, 0)]),
        event(2, vec![fact(0, OrderStatus::Submitted, 0)]),
        event(
            3,
            vec![
                fact(0, OrderStatus::Partial, 4),
                taken(0, 0, 4),
                position(0, 6),
            ],
        ),
        event(
            4,
            vec![
                fact(0, OrderStatus::Filled, 10),
                taken(1, 0, 6),
                position(0, 0),
            ],
        ),
        event(60, Vec::new()),
        event(2 * DAY_S, Vec::new()),
    ]);
    assert_eq!(seen, ["", "", "", "", "", "", ""]);
}

#[test]
fn fills_beyond_what_sales_have_taken_are_an_oversell_until_they_are_accounted_for() {
    let sold = vec![
        position(0, 10),
        decided(0, 0, 0),
        order(0, 0),
        fact(0, OrderStatus::Filled, 10),
        taken(0, 0, 10),
        position(0, 0),
    ];
    let seen = after_each(vec![
        event(0, sold),
        event(1, vec![fact(0, OrderStatus::Filled, 12)]),
        event(2, vec![taken(1, 0, 2)]),
        event(3, vec![fact(0, OrderStatus::Filled, 15)]),
        event(DAY_S + 60, Vec::new()),
    ]);
    assert_eq!(
        seen,
        ["", "OVERSELL p0", "", "OVERSELL p0", ""],
        "forgotten a day after"
    );
}

#[test]
fn orders_at_the_broker_for_more_than_is_left_are_an_oversell() {
    let seen = after_each(vec![
        event(0, vec![position(0, 10), decided(0, 0, 0), decided(1, 0, 0)]),
        event(1, vec![order(0, 0), order(1, 0)]),
        event(2, vec![fact(0, OrderStatus::Submitted, 0)]),
        event(3, vec![fact(1, OrderStatus::Unknown, 0)]),
        event(4, vec![fact(0, OrderStatus::Cancelled, 0)]),
        // A split leaves sales as they were.
        event(
            5,
            vec![
                fact(1, OrderStatus::Partial, 5),
                taken(0, 0, 5),
                position(0, 5),
            ],
        ),
        event(
            6,
            vec![fact(1, OrderStatus::CancelledPartial, 5), position(0, 1)],
        ),
    ]);
    assert_eq!(seen, ["", "", "", "OVERSELL p0", "", "", ""]);
}

#[test]
fn what_somebody_else_sold_is_no_oversell_of_ours() {
    let foreign = match order(0, 0) {
        InvariantChange::Order(mut row) => {
            row.is_foreign = true;
            row.action_key = ActionKey::foreign("2026-11-24", "1");
            InvariantChange::Order(row)
        }
        other => panic!("{other:?}"),
    };
    // It sold more than this position had: the rest was another one's.
    let sold = vec![
        foreign,
        fact(0, OrderStatus::Filled, 10),
        taken(0, 0, 4),
        position(0, 0),
    ];
    let seen = after_each(vec![event(0, vec![position(0, 4)]), event(1, sold)]);
    assert_eq!(seen, ["", ""]);
}

#[test]
fn a_decision_without_order_or_reason_is_a_breach_after_its_grace_time() {
    let seen = after_each(vec![
        event(
            0,
            vec![
                position(0, 10),
                decided(0, 0, 0),
                decided(1, 0, 0),
                decided(2, 0, 5),
            ],
        ),
        event(9, vec![InvariantChange::Refused(key(1))]),
        event(10, Vec::new()),
        event(11, vec![order(0, 0)]),
        event(15, Vec::new()),
        event(DAY_S, Vec::new()),
        event(DAY_S + 1, Vec::new()),
    ]);
    let expected = ["", "", "BREACH k0", "", "BREACH k2", "", ""];
    assert_eq!(seen, expected, "forgotten after a day");
}

#[test]
fn an_order_that_no_decision_and_no_row_accounts_for_is_broken() {
    let batches = vec![
        vec![event(0, vec![position(0, 10), order(0, 0), order(1, 0)])],
        vec![event(1, vec![InvariantChange::Found(key(0), true)])],
        vec![event(2, vec![InvariantChange::Found(key(1), false)])],
        vec![event(3, vec![InvariantChange::Found(key(1), true)])],
        vec![event(4, vec![decided(2, 0, 4), order(2, 0)])],
    ];
    let views = views(batches);
    let asked: Vec<_> = views.iter().map(|view| view.asked.clone()).collect();
    let none: Vec<ActionKey> = Vec::new();
    assert_eq!(
        asked,
        [
            vec![key(0), key(1)],
            vec![key(1)],
            none.clone(),
            none.clone(),
            none
        ]
    );
    let broken: Vec<_> = views.iter().map(|view| view.names().join(", ")).collect();
    assert_eq!(broken, ["", "", "ORDER k1", "", ""]);
}

#[test]
fn a_difference_is_broken_once_it_has_stood_for_its_grace_time() {
    let seen = after_each(vec![
        event(0, vec![differences(&[("005930", 10, 9), ("000660", 1, 0)])]),
        event(5, vec![differences(&[("005930", 10, 8)])]),
        event(10, Vec::new()),
        event(11, vec![differences(&[])]),
        event(12, vec![differences(&[("005930", 10, 8)])]),
        event(21, Vec::new()),
        event(22, Vec::new()),
    ]);
    let expected = ["", "", "HOLDINGS 005930", "", "", "", "HOLDINGS 005930"];
    assert_eq!(seen, expected, "one that was made good begins anew");
}

#[test]
fn a_cached_value_may_be_old_but_not_new_and_not_different() {
    let sample = |rows| vec![InvariantChange::Sample(rows)];
    let seen = after_each(vec![
        event(0, sample(vec![sampled("a", (1, "x"), Some((1, "x")))])),
        event(1, sample(vec![sampled("a", (1, "y"), Some((2, "x")))])),
        event(2, sample(vec![sampled("a", (3, "x"), Some((2, "x")))])),
        event(3, sample(vec![sampled("a", (2, "y"), Some((2, "x")))])),
        event(4, sample(vec![sampled("b", (1, "x"), None)])),
        event(5, sample(Vec::new())),
    ]);
    assert_eq!(seen, ["", "", "CACHE a", "CACHE a", "CACHE b", ""]);
}

#[test]
fn a_part_of_the_first_state_says_nothing() {
    let part = InvariantEvent {
        is_complete: false,
        ..event(0, vec![position(0, 10), taken(0, 0, 1)])
    };
    let late = InvariantEvent {
        is_complete: false,
        ..event(20, vec![decided(0, 0, 0)])
    };
    let seen = after_each(vec![
        part,
        late,
        event(21, vec![order(0, 0)]),
        event(40, Vec::new()),
    ]);
    assert_eq!(seen, ["", ""]);
}
