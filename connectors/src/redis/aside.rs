//! Cache-aside: read the cache; on a miss read PostgreSQL and set with the time to live.

use std::future::Future;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use tokio::time::Instant;

use super::Cache;
use super::cache::GUARD;

/// Time to live of `price:{symbol}`.
pub const TTL_PRICE: Duration = Duration::from_secs(60);
/// Time to live of `position:{id}`.
pub const TTL_POSITION: Duration = Duration::from_secs(30);
/// Time to live of `portfolio:{strategy_id}`.
pub const TTL_PORTFOLIO: Duration = Duration::from_secs(300);
/// Time to live of `config:{key}`.
pub const TTL_CONFIG: Duration = Duration::from_secs(600);

/// Returns the value of `key` from the cache, or from `load`, which then fills the cache.
///
/// A loader may read PostgreSQL right before a commit and arrive here right after the deletion that
/// followed the commit. Every deletion therefore leaves a mark of its own beside the key, and the
/// cache is filled only where the mark is what it was before the load, and only where nobody set a
/// newer value. A load that took longer than half the life of a mark fills nothing.
///
/// # Errors
/// What `load` returns. A fault of the cache is a miss.
pub async fn cache_aside<T, E, F>(
    cache: &Cache,
    key: &str,
    ttl: Duration,
    load: impl FnOnce() -> F,
) -> Result<Option<T>, E>
where
    T: Serialize + DeserializeOwned,
    F: Future<Output = Result<Option<T>, E>>,
{
    let read = cache.read(key).await;
    if let Some((Some(text), _)) = &read
        && let Ok(value) = serde_json::from_str(text)
    {
        return Ok(Some(value));
    }
    let began = Instant::now();
    let value = load().await?;
    if began.elapsed() < GUARD / 2
        && let (Some(value), Some((_, guard))) = (&value, read)
        && let Ok(text) = serde_json::to_string(value)
    {
        cache.fill(key, &text, ttl, guard).await;
    }
    Ok(value)
}
