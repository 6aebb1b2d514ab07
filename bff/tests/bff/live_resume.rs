//! Going on after a break, and what happens where that is not possible.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use turnstile_bff::BffConfig;

use crate::fixture::LIVE;
use crate::live::publish;
use crate::servers::eventually;
use crate::world::{Socket, World};

const TOPICS: [&str; 2] = ["positions", "candidates"];

/// Changes one row of each topic, `count` times.
async fn write(world: &World, count: usize) {
    for _ in 0..count {
        world
            .sql("UPDATE trade.positions SET qty = qty - 1 WHERE status = 'OPEN'")
            .await;
        world
            .sql("UPDATE trade.reentry_candidates SET original_qty = original_qty + 1")
            .await;
    }
}

/// Hears changes until the position has `qty` shares and the candidate as many fewer than 100.
async fn changes_until(socket: &mut Socket, qty: i64) -> BTreeMap<u64, String> {
    let mut texts = BTreeMap::new();
    let (mut position, mut candidate) = (Value::Null, Value::Null);
    while (&position, &candidate) != (&json!(qty), &json!(100 - qty)) {
        let text = socket.text().await;
        let message: Value = serde_json::from_str(&text).unwrap();
        assert_ne!(message["type"], "snapshot", "{text}");
        if message["type"] != "change" {
            continue;
        }
        let row = &message["upsert"][0];
        if message["topic"] == "positions" {
            position = row["qty"].clone();
        } else {
            candidate = row["original_qty"].clone();
        }
        let seq = message["seq"].as_u64().unwrap();
        assert!(texts.insert(seq, text).is_none(), "twice: {seq}");
    }
    texts
}

async fn begin(socket: &mut Socket) -> (String, u64) {
    let hello = socket.hear("hello").await;
    socket
        .say(&json!({ "type": "subscribe", "topics": TOPICS }))
        .await;
    let mut last = 0;
    for topic in TOPICS {
        last = socket.snapshot(topic).await["seq"].as_u64().unwrap();
    }
    (hello["epoch"].as_str().unwrap().to_owned(), last)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_comes_back_gets_exactly_what_it_missed() {
    let world = World::start().await;
    world.fill().await;
    world
        .sql("UPDATE trade.reentry_candidates SET original_qty = 10")
        .await;
    let mut socket = world.socket().await;
    let (epoch, begun) = begin(&mut socket).await;
    let mut observer = world.socket().await;
    begin(&mut observer).await;
    write(&world, 3).await;
    let seen = changes_until(&mut socket, 87).await;
    drop(socket);
    write(&world, 5).await;
    let all = changes_until(&mut observer, 82).await;

    let last = *seen.last_key_value().unwrap().0;
    let missed: BTreeMap<_, _> = all
        .range(last + 1..)
        .map(|(seq, text)| (*seq, text.clone()))
        .collect();
    assert!(missed.len() > 1);
    let mut by_topic = BTreeMap::from([("positions", begun), ("candidates", begun)]);
    for (seq, text) in &seen {
        let topic = if text.contains("\"positions\"") {
            "positions"
        } else {
            "candidates"
        };
        by_topic.insert(topic, *seq);
    }
    for since in [json!(last), json!(by_topic)] {
        let mut back = world.socket().await;
        let wish = json!({ "type": "subscribe", "topics": TOPICS, "epoch": epoch, "since": since });
        back.say(&wish).await;
        assert_eq!(back.hear("subscribed").await["resumed"], json!(TOPICS));
        assert_eq!(changes_until(&mut back, 82).await, missed);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_epoch_or_a_number_that_is_unknown_gets_a_snapshot() {
    let world = World::start().await;
    world.fill().await;
    let mut socket = world.socket().await;
    let (epoch, last) = begin(&mut socket).await;
    for (epoch, since) in [
        ("another".to_owned(), json!(last)),
        (epoch.clone(), json!(last + 1_000_000)),
        (epoch.clone(), json!({})),
    ] {
        let wish = json!({ "type": "subscribe", "topics": TOPICS, "epoch": epoch, "since": since });
        socket.say(&wish).await;
        assert_eq!(
            socket.hear("subscribed").await["resumed"],
            json!([]),
            "{since}"
        );
        for topic in TOPICS {
            assert_eq!(
                socket.snapshot(topic).await["rows"]
                    .as_array()
                    .unwrap()
                    .len(),
                1
            );
        }
    }
    // Of two topics one goes on.
    let wish = json!({
        "type": "subscribe", "topics": TOPICS, "epoch": epoch, "since": { "positions": last },
    });
    socket.say(&wish).await;
    assert_eq!(
        socket.hear("subscribed").await["resumed"],
        json!(["positions"])
    );
    socket.snapshot("candidates").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_gap_in_the_feed_clients_get_a_snapshot_and_old_numbers_are_too_old() {
    let world = World::start().await;
    world.fill().await;
    let mut socket = world.socket().await;
    let (epoch, last) = begin(&mut socket).await;
    let pruned = "INSERT INTO system.sink_progress (sink, durable_us)
        VALUES ('change_log.pruned_xid', 9000000000000000000)";
    world.sql(pruned).await;
    let gap = socket.hear("gap").await;
    assert_eq!(gap["topics"], json!(TOPICS));
    let snapshot = socket.snapshot("positions").await;
    assert!(snapshot["seq"].as_u64().unwrap() > last);
    assert_eq!(snapshot["rows"][0]["position_id"], LIVE);
    let mut old = world.socket().await;
    let wish = json!({ "type": "subscribe", "topics": TOPICS, "epoch": epoch, "since": last });
    old.say(&wish).await;
    assert_eq!(old.hear("subscribed").await["resumed"], json!([]));
    old.snapshot("candidates").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn prices_go_on_with_the_newest_of_those_that_moved() {
    let world = World::start().await;
    let mut socket = world.socket().await;
    let is_it = |message: &Value| message["mode"] == "redis";
    let hello = socket.hear_where("hello", is_it).await;
    socket
        .say(&json!({ "type": "subscribe", "topics": ["prices"] }))
        .await;
    socket.snapshot("prices").await;
    publish(&world, &[("A", 1, 1), ("B", 1, 2)]).await;
    let last = socket.hear("prices").await["seq"].clone();
    drop(socket);
    let mut observer = world.socket().await;
    publish(&world, &[("A", 2, 3), ("A", 3, 4)]).await;
    observer.hear("prices").await;
    let mut back = world.socket().await;
    let wish = json!({
        "type": "subscribe", "topics": ["prices"], "epoch": hello["epoch"], "since": last,
    });
    back.say(&wish).await;
    assert_eq!(back.hear("subscribed").await["resumed"], json!(["prices"]));
    let data = back.hear("prices").await["data"].clone();
    let seen: Vec<_> = data
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (&row["symbol"], &row["price"]))
        .collect();
    assert_eq!(seen, [(&json!("A"), &json!(3))]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_does_not_read_is_let_go_and_rows_reach_others_in_time() {
    let config = BffConfig {
        ws_send_timeout: Duration::from_millis(300),
        ..BffConfig::default()
    };
    let world = World::start_with(config).await;
    world.fill().await;
    world
        .sql("UPDATE trade.reentry_candidates SET original_qty = 10")
        .await;
    let mut slow = world.socket().await;
    slow.hear_mode("redis").await;
    slow.say(&json!({ "type": "subscribe", "topics": ["prices", "positions", "candidates"] }))
        .await;
    slow.snapshot("candidates").await;
    let mut quick = world.socket().await;
    begin(&mut quick).await;
    let symbols: Vec<String> = (1..=2_000).map(|n| format!("{n:06}")).collect();
    let (mut us, mut qty) = (0, 90);
    eventually("the slow client is gone", async || {
        us += 1;
        let ticks: Vec<_> = symbols
            .iter()
            .map(|symbol| (symbol.as_str(), us, us))
            .collect();
        publish(&world, &ticks).await;
        if qty > 40 {
            qty -= 1;
            write(&world, 1).await;
            let hearing = changes_until(&mut quick, qty);
            tokio::time::timeout(Duration::from_secs(2), hearing)
                .await
                .expect("in time");
        }
        (world.data("/api/health/detailed").await["ws_clients"] == 1).then_some(())
    })
    .await;
}
