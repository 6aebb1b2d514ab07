//! Pauses of the system, beside the modes of the operator.

use serde_json::{Value, json};

use crate::fixture::ROWS;
use crate::servers::eventually;
use crate::world::World;

const CONTROL: &str = "/api/v1/exit/control";
const REENTRY: &str = "/api/v1/reentry/control";
const PAUSES: &str = "/api/v1/exit/pauses";
const PAUSE: &str = "INSERT INTO trade.exit_pauses (reason, message, since_ts)
    VALUES ('BROKER_DOWN', 'no answer', '2026-11-24 10:00+09')";

/// Waits until the mode in force is `mode`; returns what is shown.
async fn in_force(world: &World, path: &str, mode: &str) -> Value {
    eventually(mode, async || {
        let shown = world.data(path).await;
        (shown["effective_mode"] == mode).then_some(shown)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_is_in_force_beside_the_modes_and_lifts_only_itself() {
    let world = World::start().await;
    for path in [CONTROL, REENTRY] {
        let shown = world.data(path).await;
        assert_eq!(shown["pauses"], json!([]));
        assert_eq!(shown["effective_mode"], "RUNNING");
    }
    assert_eq!(world.data(PAUSES).await, json!([]));
    world.sql(PAUSE).await;
    for (path, mode) in [(CONTROL, "PAUSE_ALL"), (REENTRY, "PAUSE_ENTRY")] {
        let shown = in_force(&world, path, mode).await;
        assert_eq!(shown["mode"], "RUNNING", "the operator's own");
        assert_eq!(shown["pauses"], json!(["BROKER_DOWN"]));
    }
    // What the operator sets is answered with what is in force.
    for (path, mode, in_force) in [
        (CONTROL, "PAUSE_PROFIT", "PAUSE_ALL"),
        (CONTROL, "EMERGENCY_FLATTEN", "EMERGENCY_FLATTEN"),
        (REENTRY, "PAUSE_ALL", "PAUSE_ALL"),
    ] {
        let change = json!({ "mode": mode, "updated_by": "kim" });
        let (status, body) = world.post(path, &change).await;
        assert_eq!(status, 200, "{body}");
        assert_eq!(body["data"]["effective_mode"], in_force, "{mode}");
        assert_eq!(world.data(path).await, body["data"]);
    }
    world.sql("DELETE FROM trade.exit_pauses").await;
    let shown = eventually("the pause is over", async || {
        let shown = world.data(CONTROL).await;
        (shown["pauses"] == json!([])).then_some(shown)
    })
    .await;
    assert_eq!(shown["effective_mode"], "EMERGENCY_FLATTEN");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_tells_how_many_sales_wait() {
    let world = World::start().await;
    world.sql(ROWS).await;
    // Of the live position: two that wait, one that has left, one that is over, and a purchase.
    world
        .sql(
            "INSERT INTO trade.orders (order_id, action_key, account_id, position_id, symbol, side,
                 intent_type, qty, order_type, reason_code, price, level, decided_us, explanation)
             SELECT ('33333333-3333-4333-8333-00000000000' || n)::uuid, 'k' || n, 'A',
                 '11111111-1111-4111-8111-111111111111', '005930',
                 CASE n WHEN 5 THEN 'BUY' ELSE 'SELL' END, CASE n WHEN 5 THEN 'ENTRY' ELSE 'EXIT_PARTIAL' END,
                 n, 'MKT', 'HARDSTOP', 1, 1, n, '{}' FROM generate_series(1, 5) n;
             INSERT INTO trade.order_events (order_id, status, send_attempt)
             SELECT order_id, 'NEW', 0 FROM trade.orders WHERE action_key LIKE 'k%';
             INSERT INTO trade.order_events (order_id, status, send_attempt) VALUES
                 ('33333333-3333-4333-8333-000000000002', 'SENDING', 1),
                 ('33333333-3333-4333-8333-000000000002', 'NEW', 1),
                 ('33333333-3333-4333-8333-000000000003', 'SENDING', 1),
                 ('33333333-3333-4333-8333-000000000003', 'SUBMITTED', 1),
                 ('33333333-3333-4333-8333-000000000004', 'CANCELLED', 0)",
        )
        .await;
    world.sql(PAUSE).await;
    let expected = json!([{
        "reason": "BROKER_DOWN", "message": "no answer",
        "since_ts": "2026-11-24T10:00:00+09:00", "stops_waiting": 2,
    }]);
    assert_eq!(world.data(PAUSES).await, expected);
}
