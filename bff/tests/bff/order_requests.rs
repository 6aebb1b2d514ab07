//! What the operator asks of orders.

use serde_json::json;

use crate::world::World;

const PENDING: &str = "33333333-3333-4333-8333-333333333333";
const ENDED: &str = "44444444-4444-4444-8444-444444444444";

async fn orders(world: &World) {
    let order = |id: &str, key: &str| {
        format!(
            "INSERT INTO trade.orders (order_id, action_key, account_id, symbol, side, intent_type,
                 qty, order_type, reason_code, price, level, decided_us, explanation)
             VALUES ('{id}', '{key}', '50123456-01', '005930', 'SELL', 'EXIT_PARTIAL', 10, 'MKT',
                 'TP1', 70000, 70000, 1, '{{}}');"
        )
    };
    let (pending, ended) = (order(PENDING, "a"), order(ENDED, "b"));
    let rows = format!(
        "INSERT INTO market.stocks (symbol, name, market) VALUES ('005930', 'Samsung', 'KOSPI');
         {pending} {ended}
         INSERT INTO trade.order_events (order_id, status) VALUES
             ('{PENDING}', 'PENDING_APPROVAL'), ('{ENDED}', 'NEW'), ('{ENDED}', 'CANCELLED')"
    );
    world.sql(&rows).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approval_is_one_request_for_one_key_and_only_while_the_order_waits() {
    let world = World::start().await;
    orders(&world).await;
    let path = |order: &str, what: &str| format!("/api/v1/orders/{order}/{what}");
    let asked = |key: &str| json!({ "asked_by": "kim", "reason": "fine", "idempotency_key": key });
    let (status, body) = world.post(&path(PENDING, "approve"), &asked("a")).await;
    assert_eq!(status, 200, "{body}");
    assert_eq!(
        (&body["data"]["kind"], &body["data"]["status"]),
        (&json!("APPROVE"), &json!("PENDING_APPROVAL"))
    );
    let again = world.post(&path(PENDING, "approve"), &asked("a")).await;
    assert_eq!((again.0.as_u16(), &again.1["data"]), (200, &body["data"]));
    assert_eq!(
        world.post(&path(PENDING, "cancel"), &asked("a")).await.0,
        409
    );

    let (status, body) = world.post(&path(ENDED, "cancel"), &asked("b")).await;
    assert_eq!(
        (status.as_u16(), &body["error"]["details"]),
        (409, &json!({ "status": "CANCELLED" }))
    );
    world
        .sql(&format!(
            "INSERT INTO trade.order_events (order_id, status) VALUES ('{PENDING}', 'NEW')"
        ))
        .await;
    assert_eq!(
        world.post(&path(PENDING, "reject"), &asked("c")).await.0,
        409
    );
    assert_eq!(
        world.post(&path(PENDING, "cancel"), &asked("d")).await.0,
        200
    );
    let none = "00000000-0000-4000-8000-000000000000";
    assert_eq!(world.post(&path(none, "cancel"), &asked("e")).await.0, 404);
    let nobody = json!({ "idempotency_key": "f" });
    let (status, body) = world.post(&path(PENDING, "cancel"), &nobody).await;
    assert_eq!(status, 400, "{body}");
    assert!(body["error"]["fields"]["asked_by"].is_string(), "{body}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purchase_is_one_request_for_one_key_of_a_stock_that_exists() {
    let world = World::start().await;
    world
        .sql("INSERT INTO market.stocks (symbol, name, market) VALUES ('005930', 'Samsung', 'KOSPI')")
        .await;
    let asked = |symbol: &str, qty: i64| {
        json!({ "symbol": symbol, "side": "BUY", "qty": qty, "limit_price": 50_400,
            "asked_by": "kim", "idempotency_key": "a" })
    };
    let path = "/api/v1/orders";
    assert_eq!(world.post(path, &asked("000001", 1)).await.0, 404);
    let (status, body) = world.post(path, &asked("005930", 1)).await;
    assert_eq!(
        (
            status.as_u16(),
            &body["data"]["state"],
            &body["data"]["limit_price"]
        ),
        (200, &json!("ASKED"), &json!(50_400))
    );
    let again = world.post(path, &asked("005930", 1)).await;
    assert_eq!((again.0.as_u16(), &again.1["data"]), (200, &body["data"]));
    assert_eq!(world.post(path, &asked("005930", 2)).await.0, 409);

    let wrong = json!({ "symbol": "?", "side": "SELL", "qty": 0, "limit_price": 0.5 });
    let (status, body) = world.post(path, &wrong).await;
    assert_eq!(status, 400, "{body}");
    let fields = &body["error"]["fields"];
    for name in [
        "symbol",
        "side",
        "qty",
        "limit_price",
        "asked_by",
        "idempotency_key",
    ] {
        assert!(fields[name].is_string(), "{name}: {body}");
    }
    let mut dear = asked("005930", 1);
    dear["limit_price"] = json!(900_000_000_000_001_i64);
    let (status, body) = world.post(path, &dear).await;
    assert_eq!(status, 400, "{body}");
    assert!(body["error"]["fields"]["limit_price"].is_string(), "{body}");
}
