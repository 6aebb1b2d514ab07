//! Cache-aside and subscriptions: Redis speeds up and never decides.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use redis::AsyncCommands;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};
use turnstile_connectors::redis::{
    BreakerState, Cache, Message, RedisConfig, Subscription, TTL_POSITION, cache_aside,
};
use turnstile_connectors::task;

use crate::dice::Dice;
use crate::prices::no_cache;
use crate::servers::{PATIENCE, RedisServer, eventually};

const KEY: &str = "position:1";

fn keys() -> Vec<String> {
    vec![KEY.to_owned()]
}

async fn read(cache: &Cache, value: u64) -> u64 {
    let load = async || Ok::<_, Infallible>(Some(value));
    cache_aside(cache, KEY, TTL_POSITION, load)
        .await
        .unwrap()
        .unwrap()
}

#[tokio::test]
async fn a_value_is_loaded_once_and_again_after_its_deletion() {
    let redis = RedisServer::start().await;
    let cache = redis.cache();
    assert_eq!(read(&cache, 1).await, 1);
    assert_eq!(read(&cache, 2).await, 1);
    cache.delete(&keys()).await;
    assert_eq!(read(&cache, 3).await, 3);
    assert_eq!(read(&cache, 4).await, 3);
    let stats = cache.stats();
    assert_eq!((stats.hits, stats.misses, stats.errors), (2, 2, 0));
    let mut client = redis.client().await;
    let stored: Vec<String> = client.keys("*").await.unwrap();
    for key in stored {
        let ttl: i64 = client.ttl(&key).await.unwrap();
        assert!(ttl > 0, "{key} has no time to live");
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_a_miss_and_nothing_is_cached_for_nothing() {
    let redis = RedisServer::start().await;
    let cache = redis.cache();
    let mut client = redis.client().await;
    let _: () = client.set_ex(KEY, "not a number", 30).await.unwrap();
    assert_eq!(read(&cache, 5).await, 5);
    let none = cache_aside(&cache, "position:2", TTL_POSITION, async || {
        Ok::<Option<u64>, Infallible>(None)
    });
    assert_eq!(none.await.unwrap(), None);
    assert!(!client.exists::<_, bool>("position:2").await.unwrap());
}

#[tokio::test]
async fn a_slow_load_does_not_bring_back_what_was_deleted_meanwhile() {
    let redis = RedisServer::start().await;
    let cache = redis.cache();
    // The second deletion within the life of the first one's mark must count as well.
    for round in 0..3 {
        let load = async || {
            cache.delete(&keys()).await;
            Ok::<_, Infallible>(Some(round))
        };
        let value = cache_aside(&cache, KEY, TTL_POSITION, load).await.unwrap();
        assert_eq!(value, Some(round));
        assert!(!redis.client().await.exists::<_, bool>(KEY).await.unwrap());
    }
    assert_eq!(read(&cache, 9).await, 9);
    assert!(redis.client().await.exists::<_, bool>(KEY).await.unwrap());
}

/// The marks of the first and of the second deletion differ, also where the first has ended.
#[tokio::test]
async fn an_ended_mark_does_not_return() {
    let redis = RedisServer::start().await;
    let (cache, mut client) = (redis.cache(), redis.client().await);
    cache.delete(&keys()).await;
    let guard = format!("guard:{KEY}");
    let load = async || {
        let ended: bool = client.del(&guard).await.unwrap();
        assert!(ended);
        cache.delete(&keys()).await;
        Ok::<_, Infallible>(Some(1_u64))
    };
    cache_aside(&cache, KEY, TTL_POSITION, load).await.unwrap();
    assert!(!redis.client().await.exists::<_, bool>(KEY).await.unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_and_writers_at_once_leave_no_old_value() {
    const SEED: u64 = 7;
    let redis = RedisServer::start().await;
    let truth = Arc::new(AtomicU64::new(0));
    let mut tasks = Vec::new();
    for number in 0..8 {
        let (cache, truth) = (redis.cache(), truth.clone());
        let mut dice = Dice::new(SEED + number);
        tasks.push(task::spawn("reader or writer", async move {
            for _ in 0..300 {
                if number < 2 {
                    truth.fetch_add(1, Ordering::SeqCst); // The commit.
                    cache.delete(&keys()).await;
                    tokio::time::sleep(Duration::from_micros(dice.between(0, 2_000))).await;
                } else {
                    let load = async || {
                        let value = truth.load(Ordering::SeqCst);
                        tokio::time::sleep(Duration::from_micros(dice.between(0, 1_000))).await;
                        Ok::<_, Infallible>(Some(value))
                    };
                    cache_aside(&cache, KEY, TTL_POSITION, load).await.unwrap();
                }
            }
        }));
    }
    for one in tasks {
        one.await.unwrap();
    }
    let cached: Option<u64> = redis.client().await.get(KEY).await.unwrap();
    let truth = truth.load(Ordering::SeqCst);
    assert!(
        cached.is_none_or(|cached| cached == truth),
        "{cached:?}, was {truth}"
    );
}

#[tokio::test]
async fn without_redis_everything_is_loaded_and_nobody_waits() {
    let mut redis = RedisServer::start().await;
    let cache = redis.cache();
    assert_eq!(read(&cache, 1).await, 1);
    redis.crash();
    let began = Instant::now();
    for value in 10..200 {
        assert_eq!(read(&cache, value).await, value);
    }
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "{:?}",
        began.elapsed()
    );
    assert_ne!(cache.stats().breaker, BreakerState::Closed);
    redis.resume().await;
    eventually("the breaker closes by itself", async || {
        read(&cache, 300).await;
        cache.stats().breaker == BreakerState::Closed
    })
    .await;
    eventually("the cache serves again", async || {
        read(&cache, 301).await == 300
    })
    .await;
}

#[tokio::test]
async fn no_redis_at_all_is_no_fault() {
    let cache = no_cache();
    for value in 0..3 {
        assert_eq!(read(&cache, value).await, value);
    }
    cache.delete(&keys()).await;
    assert_eq!(cache.stats().errors, 0);
    assert!(!cache.stats().is_enabled);
}

#[tokio::test]
async fn a_deletion_that_redis_did_not_confirm_is_made_up_for() {
    let redis = RedisServer::start().await;
    let cache = redis.cache_open_for(Duration::from_secs(1));
    let other = redis.cache();
    assert_eq!(read(&cache, 1).await, 1);
    redis.freeze();
    cache.delete(&keys()).await;
    redis.thaw();
    // The loader of somebody else may have put the old value back before the deletion came through.
    let mut client = redis.client().await;
    let _: () = client.set_ex(KEY, "1", 300).await.unwrap();
    assert_eq!(read(&cache, 2).await, 2, "owed, so not read from the cache");
    eventually("the old value is gone", async || {
        !client.exists::<_, bool>(KEY).await.unwrap()
    })
    .await;
    eventually("the cache is filled again", async || {
        read(&cache, 2).await;
        client.exists::<_, bool>(KEY).await.unwrap()
    })
    .await;
    assert_eq!(read(&other, 3).await, 2);
}

#[tokio::test]
async fn a_subscription_tells_when_messages_may_be_missing() {
    let mut redis = RedisServer::start().await;
    let cache = redis.cache();
    let mut live = Subscription::new(&cache, "news");
    assert_eq!(live.next().await, Message::Connected);
    let _: i64 = redis.client().await.publish("news", "first").await.unwrap();
    assert_eq!(live.next().await, Message::Payload("first".to_owned()));
    redis.crash();
    assert_eq!(
        timeout(PATIENCE, live.next()).await.unwrap(),
        Message::Disconnected
    );
    assert!(
        timeout(Duration::from_millis(200), live.next())
            .await
            .is_err()
    );
    redis.resume().await;
    assert_eq!(
        timeout(PATIENCE, live.next()).await.unwrap(),
        Message::Connected
    );
    let _: i64 = redis
        .client()
        .await
        .publish("news", "second")
        .await
        .unwrap();
    assert_eq!(live.next().await, Message::Payload("second".to_owned()));
}

#[tokio::test]
async fn of_many_misses_at_once_one_loads() {
    let redis = RedisServer::start().await;
    let cache = redis.cache();
    let loads = AtomicU64::new(0);
    let read = || {
        let load = async || {
            loads.fetch_add(1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(50)).await;
            Ok::<_, Infallible>(Some(7))
        };
        cache_aside(&cache, KEY, TTL_POSITION, load)
    };
    let values = futures_util::future::join_all((0..200).map(|_| read())).await;
    assert!(values.iter().all(|value| *value == Ok(Some(7))));
    assert_eq!(loads.load(Ordering::SeqCst), 1);
    // A failed load is nobody's: the next one tries.
    cache.delete(&keys()).await;
    let failed = async || Err::<Option<u64>, &str>("away");
    let failed = cache_aside(&cache, KEY, TTL_POSITION, failed).await;
    assert_eq!(failed, Err("away"));
    assert_eq!(read().await, Ok(Some(7)));
    assert_eq!(loads.load(Ordering::SeqCst), 2);
}

/// Reads in a load that goes on until `go`, having seen the value 1.
async fn slow_read(cache: &Cache, go: &Notify) -> Option<u64> {
    let load = async || {
        go.notified().await;
        Ok::<_, Infallible>(Some(1))
    };
    cache_aside(cache, KEY, TTL_POSITION, load).await.unwrap()
}

#[tokio::test]
async fn whoever_reads_after_a_deletion_shares_no_load_from_before() {
    let redis = RedisServer::start().await;
    let cache = redis.cache();
    let go = Notify::new();
    let later = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        cache.delete(&keys()).await;
        assert_eq!(read(&cache, 2).await, 2);
        go.notify_one();
    };
    let (first, ()) = futures_util::future::join(slow_read(&cache, &go), later).await;
    assert_eq!(first, Some(1), "as it was when it was asked");
    assert_eq!(read(&cache, 3).await, 2, "the late load filled nothing");
}

#[tokio::test]
async fn a_load_from_before_a_restart_of_redis_fills_nothing() {
    let mut redis = RedisServer::start().await;
    let cache = redis.cache();
    let go = Notify::new();
    let later = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        cache.delete(&keys()).await;
        // The mark of the deletion goes with everything else.
        redis.crash();
        redis.resume().await;
        eventually("redis answers", async || cache.ping().await).await;
        go.notify_one();
    };
    let (first, ()) = futures_util::future::join(slow_read(&cache, &go), later).await;
    assert_eq!(first, Some(1));
    assert_eq!(read(&cache, 2).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn five_connections_stay_open_and_ten_are_the_most() {
    let redis = RedisServer::start().await;
    let cache = redis.cache();
    let mut client = redis.client().await;
    assert_eq!(read(&cache, 1).await, 1);
    let open = async |client: &mut redis::aio::MultiplexedConnection| -> usize {
        let list: String = redis::cmd("CLIENT")
            .arg("LIST")
            .query_async(client)
            .await
            .unwrap();
        // One of them is the one that asks.
        list.lines().count() - 1
    };
    // While the pool is being filled a call may open one more.
    eventually("five connections are open", async || {
        open(&mut client.clone()).await >= 5
    })
    .await;
    // Many deletions at once, while each call takes its time.
    pause(&mut client, 100).await;
    let keys: Vec<[String; 1]> = (0..200)
        .map(|number| [format!("position:{number}")])
        .collect();
    let deletions = keys.iter().map(|keys| cache.delete(keys));
    futures_util::future::join_all(deletions).await;
    assert_eq!(open(&mut client).await, 10);
    let size = cache.pool_size().unwrap();
    assert_eq!((size.open, size.max), (10, 10));
    assert_eq!(cache.stats().errors, 0);
}

/// Lets Redis answer nobody for so many milliseconds.
async fn pause(client: &mut redis::aio::MultiplexedConnection, milliseconds: u32) {
    let mut pause = redis::cmd("CLIENT");
    pause.arg("PAUSE").arg(milliseconds);
    let _: () = pause.query_async(client).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_that_come_while_redis_is_asked_are_asked_for_together() {
    let redis = RedisServer::start().await;
    let cache = redis.cache();
    let mut client = redis.client().await;
    for number in 0..200_u32 {
        let _: () = client
            .set_ex(format!("price:{number}"), number, 300)
            .await
            .unwrap();
    }
    // Redis is given its epoch by the first read of all.
    assert_eq!(read(&cache, 1).await, 1);
    let before = reads_served(&mut client).await;
    pause(&mut client, 100).await;
    let readers = (0..200_u32).map(|number| {
        let (cache, key) = (cache.clone(), format!("price:{number}"));
        async move {
            let load = async || Ok::<_, Infallible>(None::<u32>);
            cache_aside(&cache, &key, TTL_POSITION, load).await.unwrap()
        }
    });
    let values = futures_util::future::join_all(readers).await;
    let each: Vec<Option<u32>> = (0..200).map(Some).collect();
    assert_eq!(values, each, "each reader has its own value");
    let calls = reads_served(&mut client).await - before;
    assert!((1..=50).contains(&calls), "{calls} calls for 200 reads");
}

/// Returns how many calls with reads Redis has served.
async fn reads_served(client: &mut redis::aio::MultiplexedConnection) -> u64 {
    let mut info = redis::cmd("INFO");
    info.arg("commandstats");
    let info: String = info.query_async(client).await.unwrap();
    let line = info
        .lines()
        .find_map(|line| line.strip_prefix("cmdstat_mget:calls="));
    let calls = line.and_then(|line| line.split(',').next());
    calls.map_or(0, |calls| calls.parse().unwrap())
}

#[tokio::test]
async fn a_slow_redis_is_isolated_and_its_answers_are_used() {
    let redis = RedisServer::start().await;
    let cache = Cache::new(&RedisConfig {
        slow_call: Duration::from_millis(50),
        call_timeout: Duration::from_secs(2),
        ..redis.config()
    });
    let cache = cache.unwrap();
    let mut client = redis.client().await;
    eventually("the value is cached, and Redis quick", async || {
        read(&cache, 1).await == 1 && cache.stats().breaker == BreakerState::Closed
    })
    .await;
    let faults = cache.stats().errors;
    for slow in 1..=3 {
        assert_eq!(cache.stats().breaker, BreakerState::Closed);
        pause(&mut client, 500).await;
        assert_eq!(read(&cache, 2).await, 1, "slow, and no miss");
        assert_eq!(cache.stats().errors, faults + slow);
    }
    assert_eq!(cache.stats().breaker, BreakerState::Open);
    assert_eq!(read(&cache, 3).await, 3, "nobody waits for it");
    eventually("it is quick again", async || {
        read(&cache, 3).await;
        cache.stats().breaker == BreakerState::Closed
    })
    .await;
}
