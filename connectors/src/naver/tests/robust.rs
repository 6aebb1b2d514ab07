//! Laws of the parser over arbitrary and mutated bodies.

use proptest::prelude::*;
use serde_json::Value;

use super::server::{NOW_US, both, sample_body};
use crate::naver::parse::answer;
use crate::naver::{NaverAnswer, NaverError};

/// Values that a field may turn into.
fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[-+0-9.,]{0,40}".prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        "[0-9]{1,18}백만".prop_map(Value::from),
        Just(serde_json::json!({})),
        Just(serde_json::json!([{}])),
    ]
}

/// Returns every value of an answer's rows that can be replaced, depth first.
fn slots(value: &mut Value) -> Vec<&mut Value> {
    match value {
        Value::Object(fields) => fields.values_mut().flat_map(slots).collect(),
        Value::Array(rows) => rows.iter_mut().flat_map(slots).collect(),
        leaf => vec![leaf],
    }
}

fn read(body: &[u8]) -> Result<NaverAnswer, NaverError> {
    answer(body, &both(), NOW_US)
}

/// What holds for every answer.
fn check(answer: &NaverAnswer) {
    for symbol in both() {
        let quotes = answer
            .quotes
            .iter()
            .filter(|it| it.symbol == symbol)
            .count();
        let is_fault = answer.faults.iter().any(|it| it.symbol == Some(symbol));
        assert!(quotes == 1 || (quotes == 0 && is_fault), "{answer:?}");
    }
    assert!(answer.quotes.iter().all(|it| both().contains(&it.symbol)));
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(body in prop::collection::vec(any::<u8>(), 0..400)) {
        if let Ok(answer) = read(&body) {
            check(&answer);
        }
    }

    #[test]
    fn damaged_samples_never_panic(
        at in any::<prop::sample::Index>(),
        cut in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        is_cut in any::<bool>(),
    ) {
        let mut body = sample_body().as_bytes().to_vec();
        let at = at.index(body.len());
        body[at] = byte;
        if is_cut {
            body.truncate(cut.index(body.len()));
        }
        if let Ok(answer) = read(&body) {
            check(&answer);
        }
    }

    #[test]
    fn changed_values_make_a_fault_or_a_quote(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any_value()), 1..6),
        is_closed in any::<bool>(),
    ) {
        let mut body: Value = serde_json::from_str(sample_body()).unwrap();
        if is_closed {
            body["datas"][0]["marketStatus"] = Value::from("CLOSE");
            body["datas"][0]["overMarketPriceInfo"]["tradingSessionType"] =
                Value::from("AFTER_MARKET");
        }
        for (at, value) in changes {
            let mut slots = slots(&mut body["datas"]);
            let at = at.index(slots.len());
            *slots.swap_remove(at) = value;
        }
        check(&read(body.to_string().as_bytes()).unwrap());
    }
}
