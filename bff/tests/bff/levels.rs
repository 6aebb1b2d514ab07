//! Levels of all live positions: over HTTP, and as a topic that is looked at while it is followed.

use serde_json::{Value, json};

use crate::fixture::LIVE;
use crate::world::{Socket, World};

const PATH: &str = "/api/v1/levels";
/// Levels of the live position, of the closed one, and of one that is not there.
const LEVELS: &str =
    "INSERT INTO trade.exit_levels (position_id, symbol, reason, rule_id, side, level,
        profile_id, profile_version, profile_level, hwm_price, since) VALUES
    ('11111111-1111-4111-8111-111111111111', '005930', 'SL1', NULL, 'BELOW', 63469.5,
        'tight', 1, 'POSITION', 71000, '2026-11-24 09:00:00+09'),
    ('11111111-1111-4111-8111-111111111111', '005930', 'CUSTOM_PROFIT', 'c1', 'ABOVE', 72000,
        'tight', 1, 'POSITION', 71000, '2026-11-24 09:00:01+09'),
    ('22222222-2222-4222-8222-222222222222', '000660', 'SL1', NULL, 'BELOW', 1,
        'tight', 1, 'POSITION', NULL, now()),
    ('99999999-9999-4999-8999-999999999999', '000660', 'SL1', NULL, 'BELOW', 1,
        'tight', 1, 'POSITION', NULL, now())";

async fn follow(world: &World) -> Socket {
    let mut socket = world.socket().await;
    socket
        .say(&json!({ "type": "subscribe", "topics": ["levels"] }))
        .await;
    socket
}

/// Returns the next change of levels.
async fn change(socket: &mut Socket) -> Value {
    let is_change = |message: &Value| message["type"] == "change" && message["topic"] == "levels";
    socket.hear_where("levels", is_change).await
}

#[tokio::test(flavor = "multi_thread")]
async fn levels_of_live_positions_are_shown_the_highest_first() {
    let world = World::start().await;
    world.fill().await;
    assert_eq!(world.data(PATH).await, json!([]));
    world.sql(LEVELS).await;
    let expected = json!([{
        "position_id": LIVE, "symbol": "005930", "profile_id": "tight", "profile_version": 1,
        "profile_level": "POSITION", "hwm": 71_000,
        "levels": [
            { "reason": "CUSTOM_PROFIT", "rule_id": "c1", "side": "ABOVE", "level": 72_000,
                "since": "2026-11-24T09:00:01+09:00" },
            { "reason": "SL1", "rule_id": null, "side": "BELOW", "level": 63_469.5,
                "since": "2026-11-24T09:00:00+09:00" },
        ],
    }]);
    assert_eq!(world.data(PATH).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_follows_is_told_what_is_other_than_before() {
    let world = World::start().await;
    world.fill().await;
    world.sql(LEVELS).await;
    let mut socket = follow(&world).await;
    let snapshot = socket.snapshot("levels").await;
    assert_eq!(snapshot["rows"], world.data(PATH).await);
    // A mark moves, and nothing else.
    world
        .sql("UPDATE trade.exit_levels SET hwm_price = 71500 WHERE symbol = '005930'")
        .await;
    let told = change(&mut socket).await;
    assert_eq!(told["upsert"], world.data(PATH).await);
    assert_eq!(told["upsert"][0]["hwm"], 71_500);
    assert_eq!(told["removed"], json!([]));
    assert!(told["after"].as_u64() < told["seq"].as_u64());
    world
        .sql("UPDATE trade.positions SET status = 'CLOSED', qty = 0, closed_ts = now() WHERE status = 'OPEN'")
        .await;
    let told = change(&mut socket).await;
    assert_eq!(told["upsert"], json!([]));
    assert_eq!(told["removed"], json!([LIVE]));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_back_is_told_what_changed_while_nobody_looked() {
    let world = World::start().await;
    world.fill().await;
    world.sql(LEVELS).await;
    let mut socket = world.socket().await;
    let wish = json!({ "type": "subscribe", "topics": ["levels"] });
    socket.say(&wish).await;
    let epoch = socket.hear("subscribed").await["epoch"].clone();
    let seq = socket.snapshot("levels").await["seq"].clone();
    drop(socket);
    world
        .sql("DELETE FROM trade.exit_levels WHERE reason = 'SL1' AND symbol = '005930'")
        .await;
    let mut socket = world.socket().await;
    socket
        .say(&json!({ "type": "subscribe", "topics": ["levels"], "epoch": epoch, "since": seq }))
        .await;
    assert_eq!(
        socket.hear("subscribed").await["resumed"],
        json!(["levels"])
    );
    let told = change(&mut socket).await;
    assert_eq!(told["upsert"][0]["levels"].as_array().unwrap().len(), 1);
}
