//! Each invariant: what breaks it, what does not, and what makes it good.

use turnstile_dataflows::invariants::{Decided, InvariantChange, InvariantEvent, InvariantOrder};
use turnstile_dataflows::model::{ActionKey, OrderStatus};

use super::{
    at, decided, differences, event, fact, gone, key, order, position, sampled, shares, taken,
    views,
};

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
                taken(0, 0, 0, 4),
                position(0, 6),
            ],
        ),
        event(
            4,
            vec![
                fact(0, OrderStatus::Filled, 10),
                taken(1, 0, 0, 6),
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
        taken(0, 0, 0, 10),
        position(0, 0),
    ];
    let seen = after_each(vec![
        event(0, sold),
        event(1, vec![fact(0, OrderStatus::Filled, 12)]),
        event(2, vec![taken(1, 0, 0, 2)]),
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
                taken(0, 0, 1, 5),
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

/// The order of key `n` for position 0, that somebody else gave.
fn foreign(n: usize) -> InvariantChange {
    InvariantChange::Order(InvariantOrder {
        is_foreign: true,
        action_key: ActionKey::foreign("2026-11-24", &n.to_string()),
        ..row(order(n, 0))
    })
}

fn row(order: InvariantChange) -> InvariantOrder {
    match order {
        InvariantChange::Order(row) => row,
        other => panic!("{other:?}"),
    }
}

/// The decision of key `n` to sell so many shares of position 0.
fn decided_shares(n: usize, qty: i64) -> InvariantChange {
    match decided(n, 0, 0) {
        InvariantChange::Decided(decided) => InvariantChange::Decided(Decided {
            qty: shares(qty),
            ..decided
        }),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_somebody_else_sold_is_no_oversell_of_ours() {
    // It sold more than this position had: the rest was another one's.
    let sold = vec![
        foreign(0),
        fact(0, OrderStatus::Filled, 10),
        taken(0, 0, 0, 4),
        position(0, 0),
    ];
    let seen = after_each(vec![event(0, vec![position(0, 4)]), event(1, sold)]);
    assert_eq!(seen, ["", ""]);
}

#[test]
fn what_somebody_else_sold_hides_no_oversell_of_ours() {
    let elsewhere = vec![
        foreign(1),
        fact(1, OrderStatus::Filled, 3),
        taken(0, 0, 1, 3),
    ];
    for others in [elsewhere, vec![gone(0, 0, 1, 3)]] {
        let ours = InvariantOrder {
            qty: shares(9),
            stored: at(2),
            ..row(order(0, 0))
        };
        // Of the seven left nine are filled; the books take the seven.
        let sold = vec![
            fact(0, OrderStatus::Filled, 9),
            taken(1, 0, 0, 7),
            position(0, 0),
        ];
        let left = [others, vec![position(0, 7)]].concat();
        let seen = after_each(vec![
            event(0, vec![position(0, 10)]),
            event(1, left),
            event(
                2,
                vec![
                    decided_shares(0, 9),
                    InvariantChange::Order(ours),
                    fact(0, OrderStatus::Partial, 0),
                ],
            ),
            event(3, sold),
        ]);
        // Nine were asked for where ten were ever held: the broker refuses two of them.
        assert_eq!(seen, ["", "", "", "OVERSELL p0"]);
    }
}

#[test]
fn a_fill_that_is_told_after_its_shares_were_found_to_be_gone_is_no_oversell() {
    let seen = after_each(vec![
        event(0, vec![position(0, 10), decided(0, 0, 0), order(0, 0)]),
        event(1, vec![fact(0, OrderStatus::Unknown, 0)]),
        event(2, vec![gone(0, 0, 2, 10), position(0, 0)]),
        event(3, vec![fact(0, OrderStatus::Filled, 10)]),
    ]);
    assert_eq!(seen, ["", "", "", ""]);
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
fn the_grace_time_of_a_decision_begins_when_it_was_told() {
    // The engine is a minute behind, or has died and judges what came meanwhile.
    let seen = after_each(vec![
        event(60, vec![position(0, 10), decided(0, 0, 0)]),
        event(69, Vec::new()),
        event(70, Vec::new()),
        event(71, vec![order(0, 0)]),
        // What is forgotten with its order waits no more.
        event(DAY_S + 60, vec![position(0, 0)]),
        event(3 * DAY_S - 1, Vec::new()),
        event(3 * DAY_S, vec![decided(0, 0, 0)]),
        event(3 * DAY_S + 9, Vec::new()),
        event(3 * DAY_S + 10, Vec::new()),
    ]);
    assert_eq!(seen, ["", "", "BREACH k0", "", "", "", "", "", "BREACH k0"]);
}

#[test]
fn an_order_that_is_not_what_was_decided_has_to_be_accounted_for_by_its_row() {
    let other_symbol = InvariantOrder {
        symbol: "000660".parse().unwrap(),
        ..row(order(0, 0))
    };
    let other_qty = InvariantOrder {
        qty: shares(9),
        ..row(order(0, 0))
    };
    for order in [
        order(0, 1),
        InvariantChange::Order(other_symbol),
        InvariantChange::Order(other_qty),
    ] {
        let views = views(vec![
            vec![event(0, vec![position(0, 10), decided(0, 0, 0)])],
            vec![event(1, vec![order])],
            vec![event(2, vec![InvariantChange::Found(key(0), false)])],
        ]);
        assert_eq!(views[1].asked, [key(0)]);
        assert_eq!(views[2].names(), ["ORDER k0"]);
    }
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
fn a_difference_is_broken_once_an_answer_shows_it_after_its_grace_time() {
    let seen = after_each(vec![
        event(0, vec![differences(&[("005930", 10, 9), ("000660", 1, 0)])]),
        event(5, vec![differences(&[("005930", 10, 8)])]),
        event(10, vec![differences(&[("005930", 10, 8)])]),
        event(11, vec![differences(&[])]),
        event(12, vec![differences(&[("005930", 10, 8)])]),
        event(21, vec![differences(&[("005930", 10, 8)])]),
        event(22, vec![differences(&[("005930", 10, 8)])]),
    ]);
    let expected = ["", "", "HOLDINGS 005930", "", "", "", "HOLDINGS 005930"];
    assert_eq!(seen, expected, "one that was made good begins anew");
}

#[test]
fn while_the_broker_does_not_answer_no_difference_becomes_due() {
    let seen = after_each(vec![
        event(0, vec![differences(&[("005930", 10, 9)])]),
        event(600, Vec::new()),
        event(601, vec![differences(&[])]),
        event(602, vec![differences(&[("005930", 10, 9)])]),
        event(1_200, Vec::new()),
        event(1_201, vec![differences(&[("005930", 10, 9)])]),
        // One that is due stays so until an answer says otherwise.
        event(2_000, Vec::new()),
    ]);
    let broken = "HOLDINGS 005930";
    assert_eq!(seen, ["", "", "", "", "", broken, broken]);
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
        ..event(0, vec![position(0, 10), taken(0, 0, 0, 1)])
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
