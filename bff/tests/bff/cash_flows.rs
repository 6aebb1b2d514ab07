//! Money that comes and goes: entered once, by somebody, for an account.

use serde_json::json;

use crate::performance::{FLOWS, columns, flow};
use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn a_flow_is_entered_once_by_somebody() {
    let world = World::start().await;
    let asked = flow("2026-11-18", 10_000_000, "a");
    // An account that nobody knows is a slip of the pen.
    let (status, body) = world.post(FLOWS, &asked).await;
    assert_eq!(
        (status.as_u16(), &body["error"]["details"]["id"]),
        (404, &json!("A"))
    );
    let mut nameless = asked.clone();
    nameless.as_object_mut().unwrap().remove("account_id");
    assert_eq!(world.post(FLOWS, &nameless).await.0, 404);

    world
        .sql(
            "INSERT INTO trade.account_equity (account_id, equity, asof_ts) VALUES ('A', 5, now())",
        )
        .await;
    let (status, body) = world.post(FLOWS, &asked).await;
    assert_eq!(status, 200, "{body}");
    let entered = body["data"].clone();
    assert_eq!(
        (&entered["amount"], &entered["day"]),
        (&json!(10_000_000), &json!("2026-11-18"))
    );
    for again in [&asked, &nameless] {
        let (status, body) = world.post(FLOWS, again).await;
        assert_eq!((status.as_u16(), &body["data"]), (200, &entered));
    }
    let (status, body) = world
        .post(FLOWS, &flow("2026-11-18", 10_000_001, "a"))
        .await;
    assert_eq!(
        (status.as_u16(), &body["error"]["code"]),
        (409, &json!("CONFLICT"))
    );
    let mut out = nameless.clone();
    out["amount"] = json!(-0.5);
    out["idempotency_key"] = json!("b");
    assert_eq!(world.post(FLOWS, &out).await.0, 200);
    let list = world.data(FLOWS).await;
    assert_eq!(
        columns(&list, &["amount", "account_id"]),
        json!([[-0.5, "A"], [10_000_000, "A"]])
    );
    let (_, page) = world.get(&format!("{FLOWS}?limit=1")).await;
    let next = page["pagination"]["next_cursor"].as_str().unwrap();
    let rest = world.data(&format!("{FLOWS}?limit=1&cursor={next}")).await;
    assert_eq!(rest, json!([entered]));

    let audited = "SELECT string_agg(format('%s %s %s %s', op, on_behalf_of, now->>'amount',
            request_id IS NOT NULL), ', ' ORDER BY id)
        FROM system.audit_log WHERE table_name = 'trade.cash_flows'";
    let expected = "INSERT kim 10000000.0000 t, INSERT kim -0.5000 t";
    assert_eq!(world.value(audited).await.as_deref(), Some(expected));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_flow_is_named() {
    let world = World::start().await;
    world
        .sql(
            "INSERT INTO trade.account_equity (account_id, equity, asof_ts) VALUES ('A', 5, now())",
        )
        .await;
    let (status, body) = world.post(FLOWS, &json!({})).await;
    assert_eq!(status, 400);
    for name in ["day", "amount", "note", "asked_by", "idempotency_key"] {
        assert!(body["error"]["fields"][name].is_string(), "{name}: {body}");
    }
    for (name, value) in [
        ("amount", json!(0)),
        ("amount", json!(0.00001)),
        ("amount", json!("1")),
        ("amount", json!(-900_000_000_000_001_i64)),
        ("amount", json!(1e300)),
        ("day", json!("2999-01-01")),
        ("day", json!("1969-12-31")),
        ("day", json!("18.11.2026")),
        ("note", json!(" ")),
        ("account_id", json!("x".repeat(65))),
        ("by", json!("kim")),
    ] {
        let mut asked = flow("2026-11-18", 1, "a");
        asked[name] = value.clone();
        let (status, body) = world.post(FLOWS, &asked).await;
        assert_eq!(status, 400, "{name} {value}: {body}");
        assert!(
            body["error"]["fields"][name].is_string(),
            "{name} {value}: {body}"
        );
    }
    assert_eq!(world.data(FLOWS).await, json!([]));
}
