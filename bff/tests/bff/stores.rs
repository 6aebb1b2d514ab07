//! What happens when a store is away.

use serde_json::json;

use crate::fixture::{LIVE, ROWS};
use crate::servers::eventually;
use crate::world::World;

const PRICE: &str = "/api/v1/prices/005930";

#[tokio::test(flavor = "multi_thread")]
async fn reads_fill_the_cache_and_take_from_it() {
    let world = World::start().await;
    world.sql(ROWS).await;
    let price = world.data(PRICE).await;
    let cached = world.redis.ask(&["GET", "price:005930"]);
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(&cached).unwrap(),
        price
    );
    let ttl: u32 = world.redis.ask(&["TTL", "price:005930"]).parse().unwrap();
    assert!((50..=60).contains(&ttl), "{ttl}");
    world.redis.ask(&[
        "SET",
        "price:005930",
        &cached.replace("70100", "99999"),
        "EX",
        "60",
    ]);
    assert_eq!(world.data(PRICE).await["price"], 99_999);
    world
        .redis
        .ask(&["SET", "price:005930", "broken", "EX", "60"]);
    assert_eq!(
        world.data(PRICE).await["price"],
        70_100,
        "what cannot be read is a miss"
    );

    let path = format!("/api/v1/positions/{LIVE}");
    let key = format!("position:{LIVE}");
    // The feed still deletes what the insertion of the row has changed.
    let ttl = eventually("the position is cached", async || {
        assert_eq!(world.data(&path).await["qty"], 90);
        world.redis.ask(&["TTL", &key]).parse::<u32>().ok()
    })
    .await;
    assert!((20..=30).contains(&ttl), "{ttl}");
    world
        .sql("UPDATE trade.positions SET qty = 80 WHERE status = 'OPEN'")
        .await;
    eventually("the new quantity", async || {
        (world.data(&path).await["qty"] == 80).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_redis_everything_is_answered() {
    let mut world = World::start().await;
    world.sql(ROWS).await;
    assert_eq!(world.data("/health/ready").await["status"], "ok");
    world.data(PRICE).await;
    world.redis.stop();
    for path in [
        PRICE,
        "/api/v1/positions",
        "/api/v1/orders",
        "/api/v1/exit/control",
        "/health",
    ] {
        world.data(path).await;
    }
    world.data(&format!("/api/v1/positions/{LIVE}")).await;
    let change = json!({ "mode": "PAUSE_PROFIT", "updated_by": "kim" });
    assert_eq!(world.post("/api/v1/exit/control", &change).await.0, 200);
    assert_eq!(
        world.data("/api/v1/exit/control").await["mode"],
        "PAUSE_PROFIT"
    );
    let ready = world.data("/health/ready").await;
    assert_eq!(
        (&ready["status"], &ready["cache"]),
        (&json!("degraded"), &json!("down"))
    );
    let detailed = world.data("/api/health/detailed").await;
    assert_eq!(detailed["status"], "degraded");
    assert_eq!(detailed["cache"]["breaker"], "open");
    world.redis.restart().await;
    eventually("Redis is used again", async || {
        (world.data("/health/ready").await["status"] == "ok").then_some(())
    })
    .await;
    world.data(PRICE).await;
    assert!(world.redis.ask(&["GET", "price:005930"]).contains("70100"));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_postgresql_the_server_says_so_and_recovers() {
    let mut world = World::start().await;
    world.sql(ROWS).await;
    world.data(PRICE).await;
    let detailed = world.data("/api/health/detailed").await;
    assert_eq!(detailed["status"], "ok", "{detailed}");
    assert_eq!(
        detailed["prices"]["newest_ts"],
        "2026-11-24T15:00:01.2+09:00"
    );
    assert!(detailed["feed"]["lag_ms"].is_number(), "{detailed}");
    world.postgres.stop();
    for path in ["/api/v1/orders", "/api/v1/positions", "/health/ready"] {
        let (status, body) = world.get(path).await;
        assert_eq!(status, 503, "{path}: {body}");
        assert_eq!(body["error"]["code"], "DATABASE_UNAVAILABLE");
        assert!(
            !body.to_string().contains("/tmp"),
            "no inner details: {body}"
        );
    }
    let change = json!({ "mode": "PAUSE_ALL", "updated_by": "kim" });
    assert_eq!(world.post("/api/v1/exit/control", &change).await.0, 503);
    assert_eq!(world.data("/health").await["status"], "ok");
    assert_eq!(world.data("/api/health/detailed").await["status"], "down");
    assert_eq!(world.data(PRICE).await["price"], 70_100, "from the cache");
    let says_away = async || {
        let answer = world.http.get(world.url(PRICE)).send().await.unwrap();
        let said = answer.headers().get("x-turnstile-database").cloned();
        said.is_some_and(|said| said == "away")
    };
    eventually("the answer says so", async || {
        says_away().await.then_some(())
    })
    .await;
    world.postgres.restart();
    eventually("PostgreSQL is used again", async || {
        (world.get("/api/v1/orders").await.0 == 200).then_some(())
    })
    .await;
    assert_eq!(world.data("/api/v1/exit/control").await["mode"], "RUNNING");
    eventually("the answer no longer says so", async || {
        let answer = world.http.get(world.url(PRICE)).send().await.unwrap();
        let said = answer.headers().contains_key("x-turnstile-database");
        (!said).then_some(())
    })
    .await;
}
