//! Topics over the WebSocket: snapshots, changes, numbers.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use turnstile_connectors::task::spawn;

use crate::alarms::ROWS;
use crate::fixture::LIVE;
use crate::live::publish;
use crate::servers::eventually;
use crate::world::{Socket, World};

const CANDIDATE: &str = "66666666-6666-4666-8666-666666666666";

/// Topics of rows: name, key of a row, and the list of the API that shows them.
const LISTS: [(&str, &str, &str); 4] = [
    ("positions", "position_id", "/api/v1/positions"),
    ("orders", "order_id", "/api/v1/orders"),
    ("exits", "exit_event_id", "/api/v1/exit-events"),
    ("candidates", "candidate_id", "/api/v1/reentry/candidates"),
];

async fn follow(socket: &mut Socket, topics: &[&str]) -> Value {
    socket
        .say(&json!({ "type": "subscribe", "topics": topics }))
        .await;
    socket.hear("subscribed").await
}

/// Returns the next change of `topic` in which `is_it` holds.
async fn change(socket: &mut Socket, topic: &str, is_it: impl Fn(&Value) -> bool) -> Value {
    let is_change = |message: &Value| {
        message["type"] == "change" && message["topic"] == topic && is_it(message)
    };
    socket.hear_where(topic, is_change).await
}

#[tokio::test(flavor = "multi_thread")]
async fn each_topic_of_rows_begins_with_a_snapshot_and_goes_on_with_changes() {
    let world = World::start().await;
    world.fill().await;
    let mut socket = world.socket().await;
    let topics = LISTS.map(|(topic, ..)| topic);
    assert_eq!(follow(&mut socket, &topics).await["resumed"], json!([]));
    for (topic, _, path) in LISTS {
        let snapshot = socket.snapshot(topic).await;
        assert_eq!(snapshot["rows"], world.data(path).await, "{topic}");
        assert_ne!(snapshot["rows"], json!([]), "{topic}");
    }
    for (topic, statement) in [
        ("positions", format!("UPDATE trade.positions SET qty = 80 WHERE position_id = '{LIVE}'")),
        (
            "positions",
            format!("UPDATE trade.position_state SET hwm_price = 72000 WHERE position_id = '{LIVE}'"),
        ),
        (
            "orders",
            "INSERT INTO trade.orders (order_id, action_key, account_id, position_id, symbol, side,
                 intent_type, qty, order_type, reason_code, phase, price, level, decided_us, explanation)
             VALUES ('33333333-3333-4333-8333-333333333334', 'exit:11111111:SL1:1', 'A',
                 '11111111-1111-4111-8111-111111111111', '005930', 'SELL', 'EXIT_FULL', 10, 'MKT', 'SL1',
                 'OPEN', 60000, 60000, 1, '{}')"
                .to_owned(),
        ),
        (
            "orders",
            "INSERT INTO trade.order_events (order_id, status, send_attempt, filled_qty, message)
             VALUES ('33333333-3333-4333-8333-333333333334', 'REJECTED', 1, 0, 'no such order')"
                .to_owned(),
        ),
        (
            "exits",
            "INSERT INTO trade.exit_events (exit_event_id, position_id, account_id, symbol, exit_ts,
                 exit_qty, original_qty, exit_avg_price, exit_reason_code, source, realized_pnl,
                 realized_pnl_pct)
             VALUES ('55555555-5555-4555-8555-555555555556', '11111111-1111-4111-8111-111111111111', 'A',
                 '005930', '2026-11-24 15:00:00+09', 100, 100, 70000, 'MANUAL', 'MANUAL', 1, 1)"
                .to_owned(),
        ),
        (
            "candidates",
            format!("UPDATE trade.reentry_candidates SET state = 'WATCH' WHERE candidate_id = '{CANDIDATE}'"),
        ),
    ] {
        world.sql(&statement).await;
        let change = change(&mut socket, topic, |_| true).await;
        assert!(change["after"].as_u64() < change["seq"].as_u64());
        let (_, key, path) = *LISTS.iter().find(|(name, ..)| *name == topic).unwrap();
        let [row] = &change["upsert"].as_array().unwrap()[..] else {
            panic!("{change}");
        };
        let listed = world.data(path).await;
        let listed = listed.as_array().unwrap();
        assert!(listed.iter().any(|shown| shown == row), "{topic} by {key}: {row}");
        assert_eq!(change["removed"], json!([]));
    }
    let close = "UPDATE trade.positions SET status = 'CLOSED', qty = 0, closed_ts = now()
        WHERE status = 'OPEN'";
    world.sql(close).await;
    let change = change(&mut socket, "positions", |_| true).await;
    assert_eq!(
        (&change["upsert"], &change["removed"]),
        (&json!([]), &json!([LIVE]))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn alarms_and_health_are_told_within_seconds() {
    let world = World::start().await;
    world.sql(ROWS).await;
    let mut socket = world.socket().await;
    follow(&mut socket, &["alarms", "health"]).await;
    let health = socket.snapshot("health").await;
    assert_eq!(health["rows"][0]["status"], "ok");
    let alarms = socket.snapshot("alarms").await;
    assert_eq!(alarms["rows"].as_array().unwrap().len(), 2);
    assert_eq!(alarms["rows"], world.data("/api/v1/alarms").await);
    let raise = "INSERT INTO system.alarms (id, key, name, level, instance, message, raised_ts, last_ts)
        VALUES ('77777777-7777-4777-8777-777777777777', 'lag@bff', 'lag', 'CRITICAL', 'bff', 'behind',
            now(), now())";
    world.sql(raise).await;
    // A change may repeat what the snapshot has.
    let lag_of = |change: &Value| {
        let mut told = change["upsert"].as_array().unwrap().iter();
        told.find(|alarm| alarm["name"] == "lag").cloned()
    };
    let told = change(&mut socket, "alarms", |change| lag_of(change).is_some()).await;
    let lag = lag_of(&told).unwrap();
    assert_eq!(lag["cleared_ts"], Value::Null);
    world
        .sql("UPDATE system.alarms SET cleared_ts = now() WHERE name = 'lag'")
        .await;
    let told = change(&mut socket, "alarms", |change| {
        lag_of(change).is_some_and(|lag| !lag["cleared_ts"].is_null())
    })
    .await;
    assert_eq!(lag_of(&told).unwrap()["id"], lag["id"]);
    assert_eq!(told["removed"], json!([]));
    let told = change(&mut socket, "health", |_| true).await;
    assert_eq!(told["upsert"][0]["ws_clients"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn prices_begin_with_what_is_known_and_tell_when_they_grow_stale() {
    let world = World::start().await;
    world.fill().await;
    let mut socket = world.socket().await;
    socket.hear_mode("redis").await;
    let wish = json!({
        "type": "subscribe", "topics": ["prices"], "symbols": ["005930", "0001A0"],
    });
    socket.say(&wish).await;
    let snapshot = socket.snapshot("prices").await;
    let mut known = world.data("/api/v1/prices/005930").await;
    known["is_stale"] = Value::Null;
    assert_eq!(snapshot["rows"], json!([known]));
    publish(
        &world,
        &[("005930", 70_200, 1_795_500_000_000_004), ("000660", 1, 1)],
    )
    .await;
    let prices = socket.hear("prices").await;
    assert_eq!(prices["data"].as_array().unwrap().len(), 1);
    assert_eq!(prices["data"][0]["price"], 70_200);
    world
        .sql(
            "INSERT INTO market.best_prices (symbol, price, source, received_ts, session, fresh_until,
                 logical_us)
             VALUES ('005930', 70200, 'KIS_WS', now(), 'REGULAR', now() + interval '1 hour', 1)",
        )
        .await;
    let fresh = socket.hear("prices").await;
    assert_eq!(fresh["data"][0]["is_stale"], false);
    world
        .sql("UPDATE market.best_prices SET stale_reason = 'WS_TIMEOUT'")
        .await;
    assert_eq!(socket.hear("prices").await["data"][0]["is_stale"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn prices_are_followed_while_redis_is_away() {
    let mut world = World::start().await;
    world.fill().await;
    world.redis.stop();
    let mut socket = world.socket().await;
    socket.hear_mode("polling").await;
    let wish =
        json!({ "type": "subscribe", "topics": ["prices", "orders"], "symbols": ["005930"] });
    socket.say(&wish).await;
    assert_eq!(socket.snapshot("prices").await["rows"][0]["price"], 70_100);
    socket.snapshot("orders").await;
    world
        .sql(
            "INSERT INTO market.prices (trade_date, logical_us, symbol, ts, recv_ts, source, last_price,
                 volume, session)
             VALUES ('2026-11-24', 1795500000000009, '005930', now(), now(), 'KIS_WS', 70300, 1, 'REGULAR')",
        )
        .await;
    let is_new =
        |message: &Value| message["type"] == "prices" && message["data"][0]["price"] == 70_300;
    socket.hear_where("the new price", is_new).await;
}

/// Hears `socket` until `is_done` of the rows known; returns all texts by number. Checks that no change
/// is left out.
async fn gather(
    socket: &mut Socket,
    keys: &BTreeMap<&str, &str>,
    is_done: impl Fn(&BTreeMap<String, Value>) -> bool,
) -> BTreeMap<u64, String> {
    let (mut rows, mut last) = (BTreeMap::new(), BTreeMap::new());
    let (mut texts, mut highest) = (BTreeMap::new(), 0);
    while last.len() < keys.len() || !is_done(&rows) {
        let text = socket.text().await;
        let message: Value = serde_json::from_str(&text).unwrap();
        let topic = message["topic"].as_str().unwrap_or_default();
        let Some(key) = keys.get(topic) else { continue };
        let seq = message["seq"].as_u64().unwrap();
        let upsert = if message["type"] == "snapshot" {
            last.insert(topic.to_owned(), seq);
            &message["rows"]
        } else {
            let known = last.insert(topic.to_owned(), seq).unwrap();
            assert!(
                message["after"].as_u64().unwrap() <= known && known < seq,
                "{text}"
            );
            assert!(seq > highest, "{text}");
            &message["upsert"]
        };
        assert!(seq >= highest, "{text}");
        highest = seq;
        for row in upsert.as_array().unwrap() {
            rows.insert(row[*key].as_str().unwrap().to_owned(), row.clone());
        }
        texts.insert(seq, text);
    }
    texts
}

#[tokio::test(flavor = "multi_thread")]
async fn under_concurrent_writes_nothing_is_left_out_and_clients_get_equal_bytes() {
    let world = World::start().await;
    world.fill().await;
    let writers: Vec<_> = [
        format!("UPDATE trade.positions SET qty = qty - 1 WHERE position_id = '{LIVE}'"),
        format!(
            "UPDATE trade.position_state SET hwm_price = hwm_price + 1 WHERE position_id = '{LIVE}'"
        ),
        format!(
            "UPDATE trade.reentry_candidates SET original_qty = original_qty + 1
             WHERE candidate_id = '{CANDIDATE}'"
        ),
    ]
    .into_iter()
    .map(|statement| {
        let db = world.db.clone();
        spawn("writer", async move {
            for _ in 0..60 {
                db.client()
                    .await
                    .unwrap()
                    .batch_execute(&statement)
                    .await
                    .unwrap();
            }
        })
    })
    .collect();
    let keys = BTreeMap::from([("positions", "position_id"), ("candidates", "candidate_id")]);
    let mut sockets = [world.socket().await, world.socket().await];
    let mut heard = Vec::new();
    for socket in &mut sockets {
        follow(socket, &["positions", "candidates"]).await;
    }
    for socket in &mut sockets {
        let gathering = gather(socket, &keys, |rows| {
            let position = rows
                .get(LIVE)
                .is_some_and(|row| row["qty"] == 30 && row["hwm"] == 71_060);
            position
                && rows
                    .get(CANDIDATE)
                    .is_some_and(|row| row["original_qty"] == 70)
        });
        heard.push(gathering.await);
    }
    for writer in writers {
        writer.await.unwrap();
    }
    let from = |texts: &BTreeMap<u64, String>| {
        let is_snapshot = |(_, text): &(&u64, &String)| text.contains("\"snapshot\"");
        texts
            .iter()
            .filter(is_snapshot)
            .map(|(seq, _)| *seq)
            .max()
            .unwrap()
    };
    let from = from(&heard[0]).max(from(&heard[1]));
    let after = |texts: &BTreeMap<u64, String>| {
        texts
            .range(from + 1..)
            .map(|(_, text)| text.clone())
            .collect::<Vec<_>>()
    };
    let (one, other) = (after(&heard[0]), after(&heard[1]));
    let shared = one.len().min(other.len());
    assert_eq!(one[..shared], other[..shared]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_faulty_message_is_answered_by_its_fault_and_changes_nothing() {
    let world = World::start().await;
    world.fill().await;
    let mut socket = world.socket().await;
    follow(&mut socket, &["orders"]).await;
    socket.snapshot("orders").await;
    for (message, fault) in [
        (
            json!({ "type": "subscribe" }),
            "topics or symbols must be given",
        ),
        (
            json!({ "type": "subscribe", "topics": ["trades"] }),
            "unknown variant `trades`",
        ),
        (
            json!({ "type": "subscribe", "topics": ["orders"], "since": 1 }),
            "epoch",
        ),
        (
            json!({ "type": "subscribe", "topics": [], "symbols": [] }),
            "at least one",
        ),
        (json!([1]), "expected"),
    ] {
        socket.say(&message).await;
        let error = socket.hear("error").await;
        assert_eq!(error["code"], "INVALID_MESSAGE");
        assert!(
            error["message"].as_str().unwrap().contains(fault),
            "{error}"
        );
    }
    world
        .sql(
            "INSERT INTO trade.order_events (order_id, status, send_attempt, filled_qty, message)
             VALUES ('33333333-3333-4333-8333-333333333333', 'ERROR', 1, 10, 'late')",
        )
        .await;
    let told = change(&mut socket, "orders", |_| true).await;
    assert_eq!(told["upsert"][0]["message"], "late");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_waits_for_postgresql_and_health_says_why() {
    let mut world = World::start().await;
    world.fill().await;
    let mut socket = world.socket().await;
    follow(&mut socket, &["health"]).await;
    socket.snapshot("health").await;
    world.postgres.stop();
    change(&mut socket, "health", |change| {
        change["upsert"][0]["status"] == "down"
    })
    .await;
    follow(&mut socket, &["orders", "health"]).await;
    socket.snapshot("health").await;
    let late = socket.hear("error").await;
    assert_eq!(late["code"], "SNAPSHOT_LATE", "{late}");
    world.postgres.restart();
    let orders = socket.snapshot("orders").await;
    assert_eq!(orders["rows"].as_array().unwrap().len(), 1);
    eventually("the feed goes on", async || {
        world.data("/api/health/detailed").await["feed"]["lag_ms"].as_i64()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_rise_also_where_a_snapshot_is_shared() {
    let world = World::start().await;
    world.fill().await;
    let topics = ["prices", "positions"];
    let mut one = world.socket().await;
    one.hear_mode("redis").await;
    follow(&mut one, &topics).await;
    one.snapshot("positions").await;
    publish(&world, &[("005930", 70_300, 1_795_500_000_000_009)]).await;
    one.hear("prices").await;
    // Within a second the next client takes the snapshot that was made for the first.
    let mut other = world.socket().await;
    follow(&mut other, &topics).await;
    let [prices, positions] = [
        other.snapshot("prices").await,
        other.snapshot("positions").await,
    ];
    let seq = |message: &Value| message["seq"].as_u64().unwrap();
    assert!(seq(&prices) <= seq(&positions), "{prices} {positions}");
}
