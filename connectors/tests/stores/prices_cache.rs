//! The price sink and the cache: never ahead of the database, never in its way.

use std::time::Duration;

use redis::AsyncCommands;
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use turnstile_connectors::postgres::{PriceSink, PriceSinkConfig};
use turnstile_connectors::redis::{Message, PRICES_CHANNEL, Subscription};
use turnstile_connectors::task;

use crate::servers::{PATIENCE, PostgresServer, RedisServer, eventually};
use crate::ticks::{START_US, stored, tick};

const TICKS: u64 = 20_000;
const SYMBOLS: u64 = 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_cache_never_holds_a_price_that_the_database_lacks() {
    let (mut server, mut redis) = (PostgresServer::start().await, RedisServer::start().await);
    let postgres = server.connect().await;
    let config = PriceSinkConfig::default();
    let (sink, prices) = PriceSink::start(config, &postgres, redis.cache(), None)
        .await
        .unwrap();
    let enough = CancellationToken::new();
    let stop = enough.clone();
    let sending = task::spawn("sending", async move {
        let mut sent = 0;
        while sent < TICKS || !stop.is_cancelled() {
            assert!(prices.send(tick(sent, SYMBOLS)).await);
            sent += 1;
            if sent.is_multiple_of(20) {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        }
        sent
    });
    let mut checked = 0;
    let query = "SELECT trim_scale(last_price)::text FROM market.prices WHERE logical_us = $1";
    for round in 0..30 {
        if round == 10 {
            redis.crash();
            redis.resume().await;
        }
        if round == 20 {
            server.crash();
            server.resume().await;
        }
        let (mut cache, client) = (redis.client().await, server.client().await);
        for symbol in 0..SYMBOLS {
            let key = format!("price:{symbol:06}");
            let cached: Option<String> = cache.get(&key).await.unwrap();
            let Some(cached) = cached else { continue };
            let cached: Value = serde_json::from_str(&cached).unwrap();
            let row = client
                .query_opt(query, &[&cached["logical_us"].as_i64().unwrap()])
                .await;
            let row = row.unwrap().expect("a cached price is committed");
            assert_eq!(row.get::<_, &str>(0), cached["price"].to_string());
            let ttl: i64 = cache.ttl(&key).await.unwrap();
            assert!((1..=60).contains(&ttl), "{ttl}");
            checked += 1;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    enough.cancel();
    let sent = sending.await.unwrap();
    sink.join().await;
    assert!(checked > 100, "{checked} checked");
    assert_eq!(
        stored(&server.client().await).await.len(),
        usize::try_from(sent).unwrap()
    );
    let mut cache = redis.client().await;
    for symbol in 0..SYMBOLS {
        let cached: String = cache.get(format!("price:{symbol:06}")).await.unwrap();
        let cached: Value = serde_json::from_str(&cached).unwrap();
        let newest = (0..sent)
            .rfind(|number| number % SYMBOLS == symbol)
            .unwrap();
        assert_eq!(cached["logical_us"], START_US + newest, "the newest");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hanging_cache_delays_no_tick() {
    let (server, redis) = (PostgresServer::start().await, RedisServer::start().await);
    let postgres = server.connect().await;
    let config = PriceSinkConfig::default();
    let (sink, prices) = PriceSink::start(config, &postgres, redis.cache(), None)
        .await
        .unwrap();
    assert!(prices.send(tick(0, SYMBOLS)).await);
    crate::ticks::flushed(&prices, START_US).await;
    redis.freeze();
    let began = tokio::time::Instant::now();
    for number in 1..5_000 {
        assert!(prices.send(tick(number, SYMBOLS)).await);
    }
    crate::ticks::flushed(&prices, START_US + 4_999).await;
    // One waiting call would take 250 ms; there are five batches or more.
    assert!(
        began.elapsed() < Duration::from_secs(10),
        "{:?}",
        began.elapsed()
    );
    redis.thaw();
    let mut cache = redis.client().await;
    eventually("the newest price", async || {
        let cached: Option<String> = cache.get("price:000019").await.unwrap();
        cached.is_some_and(|json| json.contains(&(START_US + 4_999).to_string()))
    })
    .await;
    drop(prices);
    sink.join().await;
}

#[tokio::test]
async fn prices_are_published_after_their_commit() {
    let (server, redis) = (PostgresServer::start().await, RedisServer::start().await);
    let cache = redis.cache();
    let mut live = Subscription::new(&cache, PRICES_CHANNEL);
    assert_eq!(live.next().await, Message::Connected);
    let postgres = server.connect().await;
    let config = PriceSinkConfig::default();
    let (_sink, prices) = PriceSink::start(config, &postgres, cache, None)
        .await
        .unwrap();
    for number in [3, 4] {
        assert!(prices.send(tick(number, SYMBOLS)).await);
    }
    let mut symbols = Vec::new();
    while symbols.len() < 2 {
        let message = tokio::time::timeout(PATIENCE, live.next()).await.unwrap();
        let Message::Payload(text) = message else {
            panic!("{message:?}");
        };
        let array: Vec<Value> = serde_json::from_str(&text).unwrap();
        symbols.extend(array.iter().map(|price| price["symbol"].to_string()));
    }
    assert_eq!(symbols, ["\"000003\"", "\"000004\""]);
    assert_eq!(stored(&server.client().await).await.len(), 2);
}
