//! Cached values, compared with what was committed under their keys.

use std::collections::BTreeMap;

use redis::AsyncCommands;
use tokio::sync::mpsc;
use turnstile_connectors::invariants::{CacheSampler, InvariantsConfig};
use turnstile_connectors::task;
use turnstile_dataflows::invariants::{InvariantChange, InvariantEvent};

use super::{POSITION, World};
use crate::servers::{RedisServer, eventually};

/// Waits until a sample says of every key of the cache what is expected.
async fn sampled(told: &mut mpsc::Receiver<InvariantEvent>, expected: &[(&str, bool)]) {
    let expected: BTreeMap<&str, bool> = expected.iter().copied().collect();
    let reading = async {
        while let Some(event) = told.recv().await {
            for change in &event.changes {
                let InvariantChange::Sample(rows) = change else {
                    continue;
                };
                let seen = rows.iter().map(|row| (&*row.key, row.is_broken()));
                if seen.collect::<BTreeMap<_, _>>() == expected {
                    return;
                }
            }
        }
    };
    let read = tokio::time::timeout(crate::servers::PATIENCE, reading).await;
    assert!(read.is_ok(), "{expected:?}");
}

#[tokio::test]
async fn cached_values_are_compared_with_what_was_committed() {
    let mut world = World::start().await;
    let redis = RedisServer::start().await;
    let mut cache = redis.client().await;
    world
        .sql(&format!(
            "INSERT INTO market.stocks (symbol, name, market) VALUES ('005930', 'x', 'KOSPI');
             INSERT INTO trade.positions (position_id, account_id, symbol, qty, original_qty, avg_price,
                 entry_ts, updated_ts)
             VALUES ('{POSITION}', 'A', '005930', 10, 10, 70000.5, now(), '2026-11-24 10:00:00.25+09');
             INSERT INTO system.config (key, value, version, updated_by)
             VALUES ('alarms.x', '{{\"warning\": 1.50}}', 3, 'test')"
        ))
        .await;
    let position = |updated: &str, qty: i64| {
        format!(
            r#"{{"position_id":"{POSITION}","updated_ts":"2026-11-24T{updated}+09:00","qty":{qty},
                "original_qty":10,"avg_price":70000.5,"status":"OPEN","cycle":1,"version":1,"hwm":1}}"#
        )
    };
    let key = format!("position:{POSITION}");
    let setting = |version: i64| format!(r#"{{"value":{{"warning":1.5}},"version":{version}}}"#);
    let mut set = async |key: &str, value: &str| {
        let done: () = cache.set_ex(key, value, 600).await.unwrap();
        done
    };
    set(&key, &position("10:00:00.25", 10)).await;
    set("config:alarms.x", &setting(3)).await;
    set("config:alarms.y", r#"{"value":null,"version":0}"#).await;
    // No value of a row.
    set("guard:config:alarms.x", "mark").await;
    let config = InvariantsConfig {
        sample_every: std::time::Duration::from_millis(20),
        ..InvariantsConfig::default()
    };
    let sampler = CacheSampler::new(&config, &redis.cache(), &world.postgres, world.feed.clone());
    world
        .tasks
        .push(task::spawn("samples", sampler.run(world.stop.clone())));
    let (x, y) = ("config:alarms.x", "config:alarms.y");
    sampled(&mut world.told, &[(&key, false), (x, false), (y, false)]).await;
    // Older is no lie; of the same version and different, later, or of nothing at all is.
    set(&key, &position("09:00:00", 9)).await;
    set(x, &setting(4)).await;
    sampled(&mut world.told, &[(&key, false), (x, true), (y, false)]).await;
    set(&key, &position("10:00:00.25", 9)).await;
    set(x, &setting(2)).await;
    set(y, &setting(1)).await;
    sampled(&mut world.told, &[(&key, true), (x, false), (y, true)]).await;
    set(&key, "torn").await;
    set("price:005930", r#"{"logical_us":1,"price":1}"#).await;
    set(
        "portfolio:core",
        r#"{"activated_ts":"2026-11-24T10:00:00+09:00"}"#,
    )
    .await;
    set(
        "config:exit_control",
        r#"{"updated_ts":"2020-01-01T00:00:00Z","mode":"RUNNING"}"#,
    )
    .await;
    let all = [
        (&*key, true),
        (x, false),
        (y, true),
        ("price:005930", true),
        ("portfolio:core", true),
        ("config:exit_control", false),
    ];
    sampled(&mut world.told, &all).await;
    for key in [&key, y, "price:005930", "portfolio:core"] {
        let _deleted: i64 = cache.del(key).await.unwrap();
    }
    let left = [(x, false), ("config:exit_control", false)];
    sampled(&mut world.told, &left).await;
    world.end().await;
}

#[tokio::test]
async fn a_cached_price_is_compared_without_the_days_before_it() {
    let mut world = World::start().await;
    let redis = RedisServer::start().await;
    let mut cache = redis.client().await;
    // 10:00 in Seoul on each of three days.
    let us = |day: i64| 1_795_482_000_000_000 + day * 86_400_000_000;
    for (day, date) in [(0, "2026-11-24"), (1, "2026-11-25"), (2, "2026-11-26")] {
        let logical_us = us(day);
        let symbols = if day < 2 {
            "('005930'), ('000660')"
        } else {
            "('005930')"
        };
        world
            .sql(&format!(
                "SELECT market.ensure_prices_partition('{date}');
                 INSERT INTO market.prices (trade_date, logical_us, symbol, ts, recv_ts, source,
                     last_price, volume, session)
                 SELECT '{date}', {logical_us} + row_number() OVER (), symbol, now(), now(), 'KIS_WS', 100,
                     1, 'REGULAR' FROM (VALUES {symbols}) AS s (symbol)"
            ))
            .await;
    }
    let config = InvariantsConfig {
        sample_every: std::time::Duration::from_millis(20),
        ..InvariantsConfig::default()
    };
    let price = |us: i64| {
        format!(r#"{{"logical_us":{us},"price":100.0,"bid":null,"ask":null,"volume":1}}"#)
    };
    let (one, two) = ("price:005930", "price:000660");
    let mut set = async |key: &str, us: i64| {
        let done: () = cache.set_ex(key, price(us), 600).await.unwrap();
        done
    };
    set(one, us(1)).await;
    let sampler = CacheSampler::new(&config, &redis.cache(), &world.postgres, world.feed.clone());
    world
        .tasks
        .push(task::spawn("samples", sampler.run(world.stop.clone())));
    sampled(&mut world.told, &[(one, false)]).await;
    // Old and equal are well; newer than the last is not, also where that is of an earlier day.
    let scans = |date: &str| {
        format!(
            "SELECT (coalesce(seq_scan, 0) + coalesce(idx_scan, 0))::text FROM pg_stat_user_tables
             WHERE relname = 'prices_{date}'"
        )
    };
    // The first plans look at the ends of every partition; what is asked for after that does not.
    let (oldest, newest) = (scans("20261124"), scans("20261126"));
    let reaches = async |count: u64| {
        eventually("statistics", async || {
            world.text(&newest).await.parse::<u64>().unwrap() >= count
        })
        .await;
    };
    reaches(20).await;
    let planned = world.text(&oldest).await;
    reaches(40).await;
    assert_eq!(world.text(&oldest).await, planned);
    set(two, us(2)).await;
    sampled(&mut world.told, &[(one, false), (two, true)]).await;
    let stored = loop {
        let event = world.told.recv().await.unwrap();
        let [InvariantChange::Sample(rows)] = &event.changes[..] else {
            continue;
        };
        if let Some(row) = rows.iter().find(|row| &*row.key == two) {
            break row.stored.clone();
        }
    };
    assert_eq!(stored.map(|version| version.number), Some(us(1) + 2));
    set(two, us(1) + 2).await;
    set(one, us(0)).await;
    sampled(&mut world.told, &[(one, false), (two, false)]).await;
    world.end().await;
}
