//! What was read after a change is not older than the change, whatever happens to the cache.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use reqwest::Client;
use serde_json::{Value, json};
use turnstile_bff::BffConfig;
use turnstile_connectors::task;

use crate::servers::eventually;
use crate::world::World;

/// What one resource was last set to by a change that was answered, and how often it was read since.
#[derive(Default)]
struct Told {
    acknowledged: AtomicU64,
    reads: AtomicU64,
}

/// Sets the mode again and again, each time with the next number as the reason.
async fn write(http: Client, url: String, told: Arc<Told>, stop: Arc<AtomicBool>) {
    for number in 1_u64.. {
        if stop.load(Ordering::SeqCst) {
            return;
        }
        let change = json!({
            "mode": if number % 2 == 0 { "RUNNING" } else { "PAUSE_ALL" },
            "reason": number.to_string(), "updated_by": "writer",
        });
        let answer = http.post(&url).json(&change).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        let body: Value = answer.json().await.unwrap();
        assert_eq!(
            body["data"]["reason"],
            number.to_string(),
            "a write answers with its row"
        );
        told.acknowledged.store(number, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(number * 7 % 23)).await;
    }
}

async fn read(http: Client, url: String, told: Arc<Told>, stop: Arc<AtomicBool>) {
    while !stop.load(Ordering::SeqCst) {
        let at_least = told.acknowledged.load(Ordering::SeqCst);
        let answer = http.get(&url).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        let body: Value = answer.json().await.unwrap();
        let reason = body["data"]["reason"].as_str().unwrap_or("0");
        let read: u64 = reason.parse().unwrap_or(0);
        assert!(
            read >= at_least,
            "{read} was read after {at_least} was answered: {body}"
        );
        told.reads.fetch_add(1, Ordering::SeqCst);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_after_a_write_is_never_older_while_redis_goes_and_comes() {
    let config = BffConfig {
        requests_per_second: 0,
        ..BffConfig::default()
    };
    let mut world = World::start_with(config).await;
    let stop = Arc::new(AtomicBool::default());
    let mut tasks = Vec::new();
    let mut all = Vec::new();
    for path in ["/api/v1/exit/control", "/api/v1/reentry/control"] {
        let told = Arc::<Told>::default();
        all.push(Arc::clone(&told));
        let url = world.url(path);
        let client = || {
            (
                world.http.clone(),
                url.clone(),
                Arc::clone(&told),
                Arc::clone(&stop),
            )
        };
        let (http, url_of, shared, until) = client();
        tasks.push(task::spawn("writer", write(http, url_of, shared, until)));
        for _ in 0..3 {
            let (http, url_of, shared, until) = client();
            tasks.push(task::spawn("reader", read(http, url_of, shared, until)));
        }
    }
    for round in 0..6 {
        tokio::time::sleep(Duration::from_millis(500)).await;
        if round % 2 == 0 {
            world.redis.stop();
        } else {
            world.redis.freeze();
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
        world.redis.restart().await;
    }
    // Also once everything is well again.
    eventually("the cache serves", async || {
        (world.cache.stats().hits > 0).then_some(())
    })
    .await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    stop.store(true, Ordering::SeqCst);
    for one in tasks {
        one.await.unwrap();
    }
    for told in all {
        let (writes, reads) = (
            told.acknowledged.load(Ordering::SeqCst),
            told.reads.load(Ordering::SeqCst),
        );
        println!("{writes} writes, {reads} reads");
        assert!(writes > 50 && reads > 200, "{writes} writes, {reads} reads");
    }
}

async fn connections(world: &World) -> Option<u64> {
    world.data("/api/v1/exit/control").await;
    world.data("/api/health/detailed").await["database"]["pool_max"].as_u64()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pool_of_postgresql_is_wider_while_redis_is_isolated() {
    let mut world = World::start().await;
    assert_eq!(connections(&world).await, Some(25));
    world.redis.stop();
    eventually("the pool is wide", async || {
        (connections(&world).await == Some(40)).then_some(())
    })
    .await;
    world.redis.restart().await;
    eventually("the pool is as usual", async || {
        (connections(&world).await == Some(25)).then_some(())
    })
    .await;
}
