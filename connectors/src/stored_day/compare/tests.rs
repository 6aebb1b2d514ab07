use proptest::prelude::*;
use serde_json::json;

use super::*;

/// One run that proved 1 to 1,000, and one that proved 2,001 to 3,000.
fn comparison() -> Comparison {
    let span = |begun_us, through_us| Span {
        begun_us,
        through_us,
    };
    Comparison::new(vec![span(0, 1_000), span(2_000, 3_000)])
}

fn stated(key: &str, decided_us: u64) -> Stated {
    let fields = [
        ("qty", json!(7)),
        ("price", json!("100")),
        ("explanation.floor", json!(null)),
    ];
    Stated {
        action_key: key.to_owned(),
        subject: "p".to_owned(),
        decided_us,
        fields: fields.map(|(name, value)| (name.to_owned(), value)).into(),
    }
}

fn known(stated: &Stated) -> Known {
    Known {
        action_key: stated.action_key.clone(),
        subject: stated.subject.clone(),
        decided_us: stated.decided_us,
    }
}

fn live(order: Option<Stated>) -> Live {
    Live {
        order,
        is_refused: false,
    }
}

/// Compares what was made, in order, with what is stored.
fn compare(made: &[Stated], stored: &[Stated]) -> Comparison {
    let mut comparison = comparison();
    for made in made {
        let order = stored.iter().find(|one| one.action_key == made.action_key);
        comparison.judge(made, &live(order.cloned()));
    }
    for stored in stored {
        comparison.take_stored(known(stored));
    }
    comparison
}

fn told(comparison: &Comparison) -> Vec<(Kind, &str, Option<&str>)> {
    let told = comparison.kept.iter().map(|difference| {
        let key = difference.action_key.as_str();
        (difference.kind, key, difference.field.as_deref())
    });
    told.collect()
}

#[test]
fn what_stands_on_one_side_alone_is_a_difference() {
    let (one, two) = (stated("one", 10), stated("two", 20));
    let only_made = compare(&[one.clone(), two.clone()], std::slice::from_ref(&one));
    assert_eq!(told(&only_made), [(Kind::Extra, "two", None)]);
    let only_stored = compare(std::slice::from_ref(&one), &[one.clone(), two]);
    assert_eq!(told(&only_stored), [(Kind::Missing, "two", None)]);
    assert_eq!((only_stored.decisions, only_stored.unproven), (2, 0));
}

#[test]
fn each_field_that_differs_is_told_with_both_values() {
    let made = stated("one", 10);
    let mut stored = made.clone();
    stored.fields.insert("qty".to_owned(), json!(8));
    stored
        .fields
        .insert("explanation.floor".to_owned(), json!("95"));
    stored
        .fields
        .insert("explanation.bid".to_owned(), json!("99"));
    let compared = compare(&[made], &[stored]);
    let values = |place: usize| {
        let difference = &compared.kept[place];
        (difference.live.as_deref(), difference.replayed.as_deref())
    };
    let fields: Vec<_> = told(&compared).into_iter().map(|told| told.2).collect();
    let expected = ["explanation.bid", "explanation.floor", "qty"].map(Some);
    assert_eq!(fields, expected);
    assert_eq!(values(0), (Some("99"), None));
    assert_eq!(values(1), (Some("95"), Some("null")));
    assert_eq!(values(2), (Some("8"), Some("7")));
}

#[test]
fn another_time_in_the_same_run_is_a_difference_whichever_is_earlier() {
    for (made_us, stored_us) in [(10, 11), (11, 10)] {
        let compared = compare(&[stated("one", made_us)], &[stated("one", stored_us)]);
        let expected = [(Kind::Different, "one", Some("decided_us"))];
        assert_eq!(told(&compared), expected);
    }
}

#[test]
fn what_a_dead_process_had_not_proven_is_counted_and_no_difference() {
    let compared = compare(&[], &[stated("late", 1_001), stated("before", 5_000)]);
    assert_eq!((compared.count, compared.unproven), (0, 2));
    assert_eq!(compare(&[], &[stated("proven", 1_000)]).count, 1);
}

#[test]
fn a_key_that_an_earlier_run_made_an_order_of_is_done_once() {
    // Stored by the process that died, unknown to the load of the next one, and made again there.
    let compared = compare(&[stated("one", 2_100)], &[stated("one", 1_500)]);
    assert_eq!((compared.count, compared.unproven), (0, 1));
    // Made again in the same run after it was found.
    let made = [stated("one", 10), stated("one", 20)];
    assert_eq!(compare(&made, &made[..1]).count, 0);
    // An order that was decided only later explains nothing that was proven before.
    let compared = compare(&[stated("one", 10)], &[stated("one", 2_100)]);
    assert_eq!(
        told(&compared),
        [(Kind::Different, "one", Some("decided_us"))]
    );
}

#[test]
fn a_purchase_that_the_risk_gate_refused_needs_no_order() {
    let refused = Live {
        order: None,
        is_refused: true,
    };
    let mut comparison = comparison();
    comparison.judge(&stated("buy", 10), &refused);
    // Asked for once more with the same key, and approved.
    let later = stated("buy", 20);
    comparison.judge(&later, &live(Some(later.clone())));
    comparison.take_stored(known(&later));
    assert_eq!((comparison.count, comparison.decisions), (0, 2));
}

#[test]
fn differences_are_all_counted_and_some_are_kept() {
    let mut comparison = comparison();
    for number in 0..=KEPT_MAX {
        comparison.judge(&stated(&number.to_string(), 10), &Live::default());
    }
    assert_eq!(comparison.kept.len(), KEPT_MAX);
    assert_eq!(comparison.count, u64::try_from(KEPT_MAX).unwrap() + 1);
}

proptest! {
    /// Equal sides differ in nothing; each thing that is done to one side is told, and nothing else.
    #[test]
    fn every_change_is_told_and_nothing_else(
        times in prop::collection::btree_set(1_u64..=1_000, 1..30),
        doings in prop::collection::vec(0_u8..4, 30),
    ) {
        let made: Vec<Stated> = times.iter().map(|us| stated(&us.to_string(), *us)).collect();
        prop_assert_eq!(compare(&made, &made).count, 0);
        let (mut stored, mut expected) = (Vec::new(), BTreeSet::new());
        for (one, doing) in made.iter().zip(doings) {
            let mut other = one.clone();
            let (kind, field) = match doing {
                0 => {
                    stored.push(other);
                    continue;
                }
                1 => {
                    expected.insert((Kind::Extra, one.action_key.clone(), None));
                    continue;
                }
                2 => {
                    other.fields.insert("price".to_owned(), json!("101"));
                    (Kind::Different, Some("price".to_owned()))
                }
                _ => {
                    other.action_key.push_str(":forged");
                    expected.insert((Kind::Extra, one.action_key.clone(), None));
                    (Kind::Missing, None)
                }
            };
            expected.insert((kind, other.action_key.clone(), field));
            stored.push(other);
        }
        let compared = compare(&made, &stored);
        let told: BTreeSet<_> = compared
            .kept
            .iter()
            .map(|one| (one.kind, one.action_key.clone(), one.field.clone()))
            .collect();
        prop_assert_eq!(compared.count, u64::try_from(told.len()).unwrap());
        prop_assert_eq!(told, expected);
    }
}
