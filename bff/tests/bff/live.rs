//! The WebSocket.

use std::time::Duration;

use futures_util::StreamExt;
use serde_json::{Value, json};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::{Error, Message};
use turnstile_bff::BffConfig;
use turnstile_connectors::redis::PRICES_CHANNEL;
use turnstile_connectors::task::spawn;

use crate::fixture::ROWS;
use crate::servers::eventually;
use crate::world::{Socket, World};

/// Publishes prices as the sink does.
pub(crate) async fn publish(world: &World, ticks: &[(&str, i64, i64)]) {
    let prices: Vec<Value> = ticks
        .iter()
        .map(|(symbol, price, logical_us)| {
            json!({
                "symbol": symbol, "price": price, "bid": null, "ask": null, "change_price": null,
                "change_rate": null, "volume": 1, "source": "KIS_WS", "session": "REGULAR",
                "ts": "2026-11-24T15:00:02+09:00", "logical_us": logical_us,
            })
        })
        .collect();
    let message = Value::from(prices).to_string();
    assert!(
        world
            .cache
            .set_all_and_publish(&[], 60, PRICES_CHANNEL, &message)
            .await
    );
}

/// Subscribes, and returns once the server has read it: it answers the bad message that follows.
async fn subscribe(socket: &mut Socket, symbols: &[&str]) {
    socket
        .say(&json!({ "type": "subscribe", "symbols": symbols }))
        .await;
    socket.say(&json!({ "type": "dance" })).await;
    assert_eq!(socket.hear("error").await["code"], "INVALID_MESSAGE");
}

fn seen(message: &Value) -> Vec<(String, i64)> {
    let prices = message["data"].as_array().unwrap().iter();
    let pair = |price: &Value| {
        (
            price["symbol"].as_str().unwrap().to_owned(),
            price["price"].as_i64().unwrap(),
        )
    };
    prices.map(pair).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn prices_of_the_channel_arrive_newest_per_symbol() {
    let world = World::start().await;
    let mut socket = world.socket().await;
    socket.hear_mode("redis").await;
    // One message carries both, so they gather in the same tenth of a second.
    publish(
        &world,
        &[("005930", 1, 10), ("000660", 2, 11), ("005930", 3, 12)],
    )
    .await;
    let prices = socket.hear("prices").await;
    assert_eq!(
        seen(&prices),
        [("000660".to_owned(), 2), ("005930".to_owned(), 3)]
    );
    let fields: Vec<_> = prices["data"][0]
        .as_object()
        .unwrap()
        .keys()
        .cloned()
        .collect();
    let mut expected = [
        "symbol",
        "price",
        "bid",
        "ask",
        "change_price",
        "change_rate",
        "volume",
        "source",
        "ts",
        "logical_us",
        "is_stale",
    ];
    expected.sort_unstable();
    assert_eq!(fields, expected);

    subscribe(&mut socket, &["000660"]).await;
    publish(&world, &[("005930", 4, 13), ("000660", 5, 14)]).await;
    assert_eq!(
        seen(&socket.hear("prices").await),
        [("000660".to_owned(), 5)]
    );

    let many: Vec<_> = (0..501).map(|n| format!("{n:06}")).collect();
    socket
        .say(&json!({ "type": "subscribe", "symbols": many }))
        .await;
    assert!(
        socket.hear("error").await["message"]
            .as_str()
            .unwrap()
            .contains("at most 500")
    );
    world
        .cache
        .set_all_and_publish(&[], 60, PRICES_CHANNEL, "no prices")
        .await;
    publish(&world, &[("000660", 6, 15)]).await;
    assert_eq!(
        seen(&socket.hear("prices").await),
        [("000660".to_owned(), 6)]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn changed_tables_are_told_to_every_client() {
    let world = World::start().await;
    let mut sockets = [world.socket().await, world.socket().await];
    for socket in &mut sockets {
        socket.hear("hello").await;
    }
    world
        .sql(
            "BEGIN; INSERT INTO strategy.watchlist (symbol) VALUES ('005930');
        UPDATE trade.exit_control SET mode = 'PAUSE_ALL'; COMMIT;",
        )
        .await;
    for socket in &mut sockets {
        let tables = &socket.hear("changed").await["tables"];
        assert_eq!(*tables, json!(["strategy.watchlist", "trade.exit_control"]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_gap_in_the_feed_every_table_counts_as_changed() {
    let world = World::start().await;
    let mut socket = world.socket().await;
    socket.hear("hello").await;
    // As if changes had been pruned that this feed had not read.
    let pruned = "INSERT INTO system.sink_progress (sink, durable_us)
        VALUES ('change_log.pruned_xid', 9000000000000000000)";
    world.sql(pruned).await;
    let tables = socket.hear("changed").await["tables"].clone();
    assert!(
        tables
            .as_array()
            .unwrap()
            .contains(&json!("trade.positions")),
        "{tables}"
    );
    world.sql("DELETE FROM system.sink_progress").await;
    // A row that comes before the new feed makes every table count once more.
    for n in 0.. {
        world
            .sql(&format!(
                "INSERT INTO strategy.watchlist (symbol) VALUES ('{n}')"
            ))
            .await;
        if socket.hear("changed").await["tables"] == json!(["strategy.watchlist"]) {
            break;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_may_go_and_come_back() {
    let mut world = World::start().await;
    world.sql(ROWS).await;
    let mut socket = world.socket().await;
    socket.hear_mode("redis").await;
    subscribe(&mut socket, &["005930"]).await;
    publish(&world, &[("005930", 70_100, 1_795_500_000_000_003)]).await;
    socket.hear("prices").await;

    world.redis.stop();
    socket.hear_mode("polling").await;
    insert_price(&world, "2026-11-24", 1_795_500_000_000_004, 70_200).await;
    assert_eq!(
        seen(&socket.hear("prices").await),
        [("005930".to_owned(), 70_200)]
    );
    insert_price(&world, "2026-11-25", 1_795_560_000_000_000, 70_300).await;
    assert_eq!(
        seen(&socket.hear("prices").await),
        [("005930".to_owned(), 70_300)],
        "next day"
    );

    world.redis.restart().await;
    socket.hear_mode("redis").await;
    publish(&world, &[("005930", 70_400, 1_795_560_000_000_001)]).await;
    loop {
        let prices = seen(&socket.hear("prices").await);
        if prices == [("005930".to_owned(), 70_400)] {
            break;
        }
        assert_ne!(
            prices,
            [("005930".to_owned(), 70_100)],
            "nothing old is repeated"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_redis_is_as_good_as_none() {
    let world = World::start().await;
    world.sql(ROWS).await;
    let mut socket = world.socket().await;
    socket.hear_mode("redis").await;
    subscribe(&mut socket, &["005930"]).await;
    world.redis.freeze();
    socket.hear_mode("polling").await;
    insert_price(&world, "2026-11-24", 1_795_500_000_000_004, 70_200).await;
    while seen(&socket.hear("prices").await) != [("005930".to_owned(), 70_200)] {}
}

async fn insert_price(world: &World, day: &str, logical_us: i64, price: i64) {
    let row = format!(
        "INSERT INTO market.prices (trade_date, logical_us, symbol, ts, recv_ts, source, last_price,
             volume, session)
         VALUES ('{day}', {logical_us}, '005930', now(), now(), 'KIS_WS', {price}, 1, 'REGULAR')"
    );
    world.sql(&row).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_pages_of_this_server_may_listen() {
    let config = BffConfig {
        ws_clients_max: 1,
        ..BffConfig::default()
    };
    let world = World::start_with(config).await;
    let refused = async |origin: Option<&str>| {
        let Err(Error::Http(response)) = connect_async(world.socket_request(origin)).await else {
            panic!("accepted {origin:?}");
        };
        response.status().as_u16()
    };
    assert_eq!(refused(Some("https://evil.example")).await, 403);
    assert_eq!(refused(Some("null")).await, 403);
    let own = format!("http://{}", world.bff.local_addr());
    let (socket, _) = connect_async(world.socket_request(Some(&own)))
        .await
        .unwrap();
    assert_eq!(refused(None).await, 503, "one client too many");
    drop(socket);
    eventually("the place is free", async || {
        connect_async(world.socket_request(None)).await.ok()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_does_not_read_is_disconnected_and_stops_nobody() {
    let config = BffConfig {
        ws_send_timeout: Duration::from_millis(300),
        ..BffConfig::default()
    };
    let world = World::start_with(config).await;
    let mut slow = world.socket().await;
    slow.hear_mode("redis").await;
    let mut quick = world.socket().await;
    quick.hear_mode("redis").await;
    quick
        .say(&json!({ "type": "subscribe", "symbols": ["000001"] }))
        .await;
    let symbols: Vec<String> = (1..=2_000).map(|n| format!("{n:06}")).collect();
    let mut us = 0;
    eventually("the slow client is gone", async || {
        us += 1;
        let ticks: Vec<_> = symbols
            .iter()
            .map(|symbol| (symbol.as_str(), us, us))
            .collect();
        publish(&world, &ticks).await;
        while seen(&quick.hear("prices").await).last().unwrap().1 < us {}
        (world.data("/api/health/detailed").await["ws_clients"] == 1).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_closes_sockets_and_lets_requests_finish() {
    let world = World::start().await;
    let mut socket = world.socket().await;
    socket.hear("hello").await;
    let mut blocker = world.db.connect_alone().await.unwrap();
    let lock = blocker.transaction().await.unwrap();
    lock.batch_execute("LOCK system.logs IN ACCESS EXCLUSIVE MODE")
        .await
        .unwrap();
    let address = world.bff.local_addr();
    let request = spawn("request", world.http.get(world.url("/api/v1/logs")).send());
    eventually("the request waits", async || {
        let waiting = "SELECT count(*)::text FROM pg_locks WHERE NOT granted";
        (world.value(waiting).await.unwrap() != "0").then_some(())
    })
    .await;
    let World { bff, postgres, .. } = world;
    let stopped = spawn("stop", bff.stop());
    let close = loop {
        if let Message::Close(frame) = socket.0.next().await.unwrap().unwrap() {
            break frame.unwrap();
        }
    };
    assert_eq!(u16::from(close.code), 1001);
    assert!(
        tokio::net::TcpStream::connect(address).await.is_err(),
        "nothing new is accepted"
    );
    assert!(!stopped.is_finished(), "the request is still in flight");
    lock.rollback().await.unwrap();
    assert_eq!(request.await.unwrap().unwrap().status(), 200);
    stopped.await.unwrap().unwrap();
    drop(postgres);
}
