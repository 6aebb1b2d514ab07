//! Samples of the cache: a few keys a second, and what PostgreSQL says under them afterwards.
//!
//! 1. PostgreSQL is read after the cache, so what is committed by then is as new as what was cached, or
//!    newer.
//! 2. Nobody waits for it, and nothing is asked while the cache is isolated.
//! 3. Keys that were found broken are looked at again until they are not.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use metrics::counter;
use serde_json::Value;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use tracing::warn;
use turnstile_dataflows::invariants::{InvariantChange, Sampled, Version};

use super::config::InvariantsConfig;
use super::feed::InvariantFeed;
use super::metrics as names;
use super::truth::{Subject, stored};
use crate::postgres::{Postgres, PostgresError};
use crate::redis::Cache;

/// Broken keys that are looked at again, at most.
const AGAIN_MAX: usize = 1_000;

/// Compares the cache with PostgreSQL.
pub struct CacheSampler {
    config: InvariantsConfig,
    cache: Cache,
    postgres: Postgres,
    feed: InvariantFeed,
    /// Where the next portion of keys begins.
    cursor: u64,
    broken: BTreeSet<Arc<str>>,
    has_failed: bool,
}

impl CacheSampler {
    /// Returns what samples `cache` and tells `feed`.
    pub fn new(
        config: &InvariantsConfig,
        cache: &Cache,
        postgres: &Postgres,
        feed: InvariantFeed,
    ) -> Self {
        Self {
            config: config.clone(),
            cache: cache.clone(),
            postgres: postgres.clone(),
            feed,
            cursor: 0,
            broken: BTreeSet::new(),
            has_failed: false,
        }
    }

    /// Samples until `stop`.
    pub async fn run(mut self, stop: CancellationToken) {
        let isolated = self.cache.is_isolated();
        let mut next = tokio::time::interval(self.config.sample_every);
        next.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while stop.run_until_cancelled(next.tick()).await.is_some() {
            if *isolated.borrow() {
                continue;
            }
            match stop.run_until_cancelled(self.sample()).await {
                None => return,
                Some(Ok(())) => self.has_failed = false,
                Some(Err(error)) => {
                    if !std::mem::replace(&mut self.has_failed, true) {
                        warn!(%error, "the cache cannot be compared, retrying");
                    }
                }
            }
        }
    }

    async fn sample(&mut self) -> Result<(), PostgresError> {
        let Some((cursor, keys)) = self.cache.scan(self.cursor, self.config.sample_keys).await
        else {
            return Ok(());
        };
        let again = self.broken.iter().map(ToString::to_string);
        let keys: BTreeSet<String> = keys
            .into_iter()
            .chain(again)
            .filter(|key| Subject::of(key).is_some())
            .collect();
        let keys: Vec<String> = keys.into_iter().collect();
        let Some(values) = self.cache.peek(&keys).await else {
            return Ok(());
        };
        let mut subjects: BTreeMap<Arc<str>, Subject> = BTreeMap::new();
        let mut cached: BTreeMap<Arc<str>, Version> = BTreeMap::new();
        for (key, value) in keys.iter().zip(values) {
            let (Some(subject), Some(text)) = (Subject::of(key), value) else {
                continue;
            };
            let value: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
            let key: Arc<str> = key.as_str().into();
            cached.insert(key.clone(), subject.version(&value));
            subjects.insert(key, subject);
        }
        let mut stored = match subjects.is_empty() {
            true => BTreeMap::new(),
            false => stored(&self.postgres, &subjects, &cached).await?,
        };
        self.cursor = cursor;
        counter!(names::SAMPLED).increment(u64::try_from(cached.len()).unwrap_or_default());
        let sample = cached.into_iter().map(|(key, cached)| Sampled {
            stored: stored.remove(&key),
            key,
            cached,
        });
        let sample: Vec<Sampled> = sample.collect();
        let broken = sample.iter().filter(|row| row.is_broken());
        self.broken = broken.map(|row| row.key.clone()).take(AGAIN_MAX).collect();
        self.feed.tell(InvariantChange::Sample(sample));
        Ok(())
    }
}
