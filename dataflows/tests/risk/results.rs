//! Realised and unrealised results: which day a sale counts to, and what is held against its cost.

use turnstile_dataflows::model::{LogicalTime, Price, Quantity};
use turnstile_dataflows::reentry::Underway;
use turnstile_dataflows::risk::{Exposure, RiskChange};

use super::{BEGIN_US, DAY_US, event, position, sale, symbol, views};

/// The last view after `changes`, a second each.
fn after(changes: Vec<RiskChange>) -> Exposure {
    let events = (0..).zip(changes);
    let events = events.map(|(second, change)| event(second, true, vec![change]));
    views(events.collect()).pop().unwrap().exposure
}

/// A position at an average cost of five ten-thousandths of a won.
fn holding(qty: i64) -> RiskChange {
    RiskChange::Position(position(0, 0, qty, 5))
}

fn price(units: i64) -> RiskChange {
    RiskChange::Price(symbol(0), Price::from_units(units).unwrap())
}

#[test]
fn a_part_sold_at_a_loss_today_counts_today_and_the_rest_on_paper() {
    let now = LogicalTime::from_micros(BEGIN_US);
    let half = vec![holding(10), price(3), sale(1, now, -10), holding(5)];
    let view = after(half.clone());
    assert_eq!((view.of_day(now), view.of_month(now)), (-10, -10));
    assert_eq!(view.unrealised(), 5 * (3 - 5));
    // The rest is sold for what it was worth: nothing has changed but that the loss is realised.
    let mut rest = half;
    rest.extend([sale(2, now, -10), holding(0)]);
    let view = after(rest);
    assert_eq!((view.of_day(now), view.unrealised()), (-20, 0));
}

#[test]
fn what_was_sold_on_earlier_days_stays_theirs_when_the_position_closes() {
    let at = |day: u64| LogicalTime::from_micros(BEGIN_US + day * DAY_US);
    let today = at(2);
    let view = after(vec![
        holding(10),
        // Marked down on the first day, sold in part on the second, closed on the third.
        price(3),
        sale(1, at(1), -8),
        holding(6),
        price(2),
        sale(2, today, -18),
        holding(0),
    ]);
    let days = [at(0), at(1), today].map(|day| view.of_day(day));
    assert_eq!(
        days,
        [0, -8, -18],
        "each sale on its day, against the whole cost"
    );
    assert_eq!((view.of_month(today), view.unrealised()), (-26, 0));
}

#[test]
fn a_sale_counts_to_its_day_in_seoul() {
    // A second before and after midnight in Seoul.
    let midnight = LogicalTime::from_micros(BEGIN_US).next_seoul_day().micros();
    let at = |micros| LogicalTime::from_micros(micros);
    let (before, after_it) = (at(midnight - 1), at(midnight));
    let view = after(vec![sale(1, before, -1), sale(2, after_it, -2)]);
    assert_eq!((view.of_day(before), view.of_day(after_it)), (-1, -2));
    assert_eq!(view.of_day(at(midnight + DAY_US)), 0, "a day of its own");
}

#[test]
fn paper_results_follow_price_and_cost() {
    for (changes, unrealised) in [
        (vec![holding(10)], 0), // Without a price it is held at cost.
        (vec![holding(10), price(7)], 20),
        (vec![holding(10), price(7), price(4)], -10),
        (vec![price(4), holding(10)], -10),
        (vec![holding(10), price(4), holding(0)], 0),
        // Of what has no cost there is no result, and it hides no other one.
        (
            vec![
                holding(10),
                RiskChange::Position(position(1, 0, 7, 0)),
                price(4),
            ],
            -10,
        ),
        (
            vec![RiskChange::Position(position(0, 0, 10, 0)), price(4)],
            0,
        ),
        // What is being bought has none yet.
        (
            vec![
                price(4),
                RiskChange::Buying(
                    "key".into(),
                    Some(Underway {
                        symbol: symbol(0),
                        left: Quantity::new(9).unwrap(),
                        price: Price::from_units(9).unwrap(),
                    }),
                ),
            ],
            0,
        ),
    ] {
        let said = format!("{changes:?}");
        assert_eq!(after(changes).unrealised(), unrealised, "{said}");
    }
}
