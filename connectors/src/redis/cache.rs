//! Calls to Redis, each with a time limit and behind the breaker.

mod peeks;
mod reads;

use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use metrics::{counter, histogram};
use redis::aio::MultiplexedConnection;
use redis::{Client, RedisResult};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::breaker::Breaker;
use super::flights::{Flight, Flights};
use super::metrics as names;
use super::owed::Owed;
use super::pool::Connections;
use super::{BreakerState, PoolSize, RedisConfig};
use reads::Reads;

/// Deletions are remembered this long, so that a slow loader does not bring an old value back.
pub(super) const GUARD: Duration = Duration::from_secs(60);

/// Key that a Redis loses with everything else: another epoch, and no mark says what was deleted before.
const EPOCH_KEY: &str = "turnstile:epoch";
/// Life of an epoch. When it ends, loads under way fill nothing, and the next read begins another.
const EPOCH: Duration = Duration::from_secs(24 * 60 * 60);

/// What a reader saw beside the value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Seen {
    /// Mark of the last deletion of the key.
    pub(super) mark: Option<String>,
    /// Which life of Redis it was.
    pub(super) epoch: String,
}

/// The cache. Cheap to clone.
#[derive(Clone)]
pub struct Cache {
    inner: Arc<Inner>,
}

struct Inner {
    connections: Option<Connections>,
    client: Option<Client>,
    breaker: Breaker,
    owed: Owed,
    flights: Flights,
    reads: Reads,
    call_timeout: Duration,
    slow_call: Duration,
    retry: Duration,
    hits: AtomicU64,
    misses: AtomicU64,
    errors: AtomicU64,
}

/// Counters since the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheStats {
    /// Reads that the cache answered.
    pub hits: u64,
    /// Reads that went to PostgreSQL.
    pub misses: u64,
    /// Calls that failed.
    pub errors: u64,
    /// What the breaker lets through.
    pub breaker: BreakerState,
    /// Whether there is a Redis at all.
    pub is_enabled: bool,
}

impl std::fmt::Debug for Cache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cache")
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}

impl Cache {
    /// Returns the cache of `config`. Redis need not be there yet, nor ever.
    ///
    /// # Errors
    /// If the address is malformed.
    pub fn new(config: &RedisConfig) -> RedisResult<Self> {
        let client = config.client()?;
        let connections = match &client {
            Some(client) => Some(Connections::new(client.clone(), config)?),
            None => None,
        };
        let inner = Inner {
            connections,
            client,
            breaker: Breaker::new(config.breaker_faults, config.breaker_open),
            owed: Owed::default(),
            flights: Flights::default(),
            reads: Reads::default(),
            call_timeout: config.call_timeout,
            slow_call: config.slow_call,
            retry: config.breaker_open,
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
            errors: AtomicU64::new(0),
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// Returns the counters since the start.
    pub fn stats(&self) -> CacheStats {
        let inner = &self.inner;
        CacheStats {
            hits: inner.hits.load(Ordering::Relaxed),
            misses: inner.misses.load(Ordering::Relaxed),
            errors: inner.errors.load(Ordering::Relaxed),
            breaker: inner.breaker.state(),
            is_enabled: inner.connections.is_some(),
        }
    }

    /// Returns how many connections there are; none without Redis.
    pub fn pool_size(&self) -> Option<PoolSize> {
        self.inner.connections.as_ref().map(Connections::size)
    }

    /// Returns whether Redis answers now, and soon enough not to be isolated.
    pub async fn ping(&self) -> bool {
        let ping = self.call(async |mut connection| {
            redis::cmd("PING")
                .query_async::<String>(&mut connection)
                .await
        });
        ping.await.is_some() && !*self.inner.breaker.is_open().borrow()
    }

    /// Returns how much memory Redis uses, in bytes. None where it does not answer.
    pub async fn memory(&self) -> Option<f64> {
        let info = self.call(async |mut connection| {
            let mut info = redis::cmd("INFO");
            info.arg("memory")
                .query_async::<String>(&mut connection)
                .await
        });
        let info = info.await?;
        let line = info
            .lines()
            .find_map(|line| line.strip_prefix("used_memory:"));
        line?.trim().parse().ok()
    }

    /// Deletes `keys`, and makes loads that began before have no effect.
    ///
    /// Where Redis does not answer, the deletion is owed: this process reads the keys from
    /// PostgreSQL, and deletes them as soon as Redis answers again. Other processes may read the
    /// old value until then, at most for its time to live.
    pub async fn delete(&self, keys: &[String]) {
        if keys.is_empty() || self.inner.connections.is_none() {
            return;
        }
        // Owed first: a caller that gives up half-way has not forgotten the deletion.
        let bill = self.inner.owed.add(keys);
        if self.delete_now(&bill.keys).await {
            self.inner.owed.settle(&bill);
        } else if self.inner.owed.becomes_payer() {
            let (cache, pause) = (Arc::downgrade(&self.inner), self.inner.retry);
            drop(crate::task::spawn("owed deletions", pay(cache, pause)));
        }
    }

    async fn delete_now(&self, keys: &[String]) -> bool {
        self.inner.breaker.admits() && self.delete_owed(keys).await
    }

    /// As [`Cache::delete_now`], also while nobody else may call: who reads does not take the turn of what is
    /// owed.
    async fn delete_owed(&self, keys: &[String]) -> bool {
        let mark = Uuid::new_v4().to_string();
        let mut pipeline = redis::pipe();
        pipeline.atomic();
        for key in keys {
            pipeline.del(key).ignore();
            pipeline
                .set_ex(guard_of(key), &mark, GUARD.as_secs())
                .ignore();
        }
        let done = self.call_within(None, async |mut connection| {
            pipeline.query_async::<()>(&mut connection).await
        });
        done.await.is_some()
    }

    /// Sets every key for `seconds` and publishes `message`, in one round trip. Returns whether
    /// Redis did.
    pub async fn set_all_and_publish(
        &self,
        entries: &[(String, String)],
        seconds: u64,
        channel: &str,
        message: &str,
    ) -> bool {
        let mut pipeline = redis::pipe();
        for (key, value) in entries {
            pipeline.set_ex(key, value, seconds).ignore();
        }
        pipeline.publish(channel, message).ignore();
        let done =
            self.call(async |mut connection| pipeline.query_async::<()>(&mut connection).await);
        done.await.is_some()
    }

    /// Sets `key` unless it has a value, was deleted since `seen`, or Redis has begun anew since.
    pub(super) async fn fill(&self, key: &str, value: &str, ttl: Duration, seen: &Seen) {
        const FILL: &str = "if (redis.call('GET', KEYS[2]) or '') == ARGV[3] \
             and redis.call('GET', KEYS[3]) == ARGV[4] then \
             return redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2], 'NX') end return false";
        let mark_key = guard_of(key);
        self.call_soon(async |mut connection| {
            redis::cmd("EVAL")
                .arg(FILL)
                .arg(3)
                .arg(key)
                .arg(&mark_key)
                .arg(EPOCH_KEY)
                .arg(value)
                .arg(ttl.as_secs().max(1))
                .arg(seen.mark.as_deref().unwrap_or_default())
                .arg(&seen.epoch)
                .query_async::<redis::Value>(&mut connection)
                .await
        })
        .await;
    }

    /// Returns the load of `key` that a reader who saw `seen` may share.
    pub(super) fn flight(&self, key: &str, seen: &Seen) -> Flight {
        self.inner.flights.join(key, seen)
    }

    /// Returns whether the breaker isolates Redis, and follows it.
    pub fn is_isolated(&self) -> watch::Receiver<bool> {
        self.inner.breaker.is_open()
    }

    /// Returns the client for connections of their own, such as subscriptions.
    pub(super) fn client(&self) -> Option<&Client> {
        self.inner.client.as_ref()
    }

    /// As [`Cache::call`]; where no connection comes free in twice the time of a call it is a miss, and no fault
    /// of Redis: PostgreSQL answers sooner. One that cannot be made is a fault before that.
    async fn call_soon<T, F>(&self, call: impl FnOnce(MultiplexedConnection) -> F) -> Option<T>
    where
        F: Future<Output = RedisResult<T>>,
    {
        if !self.inner.breaker.admits() {
            return None;
        }
        let patience = Some(self.inner.call_timeout * 2);
        self.call_within(patience, call).await
    }

    async fn call<T, F>(&self, call: impl FnOnce(MultiplexedConnection) -> F) -> Option<T>
    where
        F: Future<Output = RedisResult<T>>,
    {
        if !self.inner.breaker.admits() {
            return None;
        }
        self.call_within(None, call).await
    }

    /// Calls Redis, whatever the breaker says, once a connection comes free; after `patience` nobody waits any
    /// longer for one.
    async fn call_within<T, F>(
        &self,
        patience: Option<Duration>,
        call: impl FnOnce(MultiplexedConnection) -> F,
    ) -> Option<T>
    where
        F: Future<Output = RedisResult<T>>,
    {
        let inner = &self.inner;
        let connections = inner.connections.as_ref()?;
        let mut isolated = inner.breaker.is_open();
        let is_trial = *isolated.borrow_and_update();
        let lent = tokio::select! {
            biased;
            lent = connections.lend() => lent,
            // Whoever waits for a connection would only find out the same.
            _ = isolated.wait_for(|is_isolated| *is_isolated), if !is_trial => return None,
            () = sleep(patience.unwrap_or_default()), if patience.is_some() && !is_trial => return None,
        };
        let lent = match lent {
            Ok(lent) => lent,
            Err(error) => {
                self.failed(&error);
                return None;
            }
        };
        let began = Instant::now();
        let answer = tokio::time::timeout(inner.call_timeout * 2, call(lent.inner.clone())).await;
        let took = began.elapsed();
        histogram!(names::CALL_SECONDS).record(took.as_secs_f64());
        match answer {
            Ok(Ok(value)) => {
                if took <= inner.slow_call {
                    inner.breaker.succeeded();
                } else {
                    self.failed(&"a slow answer");
                }
                return Some(value);
            }
            Ok(Err(error)) => {
                if error.is_timeout() && !is_trial {
                    Connections::discard(lent);
                } else if error.is_timeout() || error.is_unrecoverable_error() {
                    connections.discard_all(lent);
                }
                self.failed(&error);
            }
            Err(_elapsed) => {
                // Whoever tries whether Redis is back must not find one dead connection after the other.
                match is_trial {
                    true => connections.discard_all(lent),
                    false => Connections::discard(lent),
                }
                self.failed(&"no answer in time");
            }
        }
        None
    }

    fn missed(&self) {
        self.inner.misses.fetch_add(1, Ordering::Relaxed);
        counter!(names::MISSES).increment(1);
    }

    fn failed(&self, error: &dyn std::fmt::Display) {
        self.inner.errors.fetch_add(1, Ordering::Relaxed);
        counter!(names::ERRORS).increment(1);
        self.inner.breaker.failed(error);
    }
}

/// Deletes what is owed, until nothing is or nobody has the cache any more.
async fn pay(cache: Weak<Inner>, pause: Duration) {
    loop {
        tokio::time::sleep(pause).await;
        let Some(inner) = cache.upgrade() else {
            return;
        };
        let Some(bill) = inner.owed.bill_of_payer() else {
            return;
        };
        let cache = Cache { inner };
        if cache.delete_owed(&bill.keys).await {
            cache.inner.owed.settle(&bill);
        }
    }
}

fn guard_of(key: &str) -> String {
    format!("guard:{key}")
}
