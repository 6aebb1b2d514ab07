//! Cache-aside: read the cache; on a miss read PostgreSQL and set with the time to live.

use std::future::Future;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use tokio::time::Instant;

use super::Cache;
use super::cache::GUARD;
use super::flights::Found;

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
/// 1. A loader may read PostgreSQL right before a commit and arrive here right after the deletion that
///    followed the commit. Every deletion therefore leaves a mark of its own beside the key, and the
///    cache is filled only where the mark is what it was before the load, in the same life of Redis, and
///    only where nobody set a newer value. A load that took longer than half the life of a mark fills
///    nothing.
/// 2. Of many that miss the key at once, and to whom nothing was deleted in between, one loads.
/// 3. Where Redis does not answer, each loads for itself: nothing would say what was deleted.
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
    let Some((value, seen)) = cache.read(key).await else {
        return load().await;
    };
    if let Some(text) = &value
        && let Ok(value) = serde_json::from_str(text)
    {
        return Ok(Some(value));
    }
    let (mut load, mut own) = (Some(load), None);
    let flight = cache.flight(key, &seen);
    let flown = flight.get_or_try_init(|| async {
        let Some(load) = load.take() else {
            return Ok(Found::NoText);
        };
        let began = Instant::now();
        let value = load().await?;
        let text = value.as_ref().map(serde_json::to_string).transpose();
        own = Some(value);
        Ok(match text {
            Ok(Some(text)) => {
                if began.elapsed() < GUARD / 2 {
                    cache.fill(key, &text, ttl, &seen).await;
                }
                Found::Text(text)
            }
            Ok(None) => Found::Nothing,
            Err(_no_text) => Found::NoText,
        })
    });
    let found = flown.await?;
    if let Some(own) = own {
        return Ok(own);
    }
    match (found, load) {
        (Found::Nothing, _) => Ok(None),
        (Found::Text(text), load) => match (serde_json::from_str(text), load) {
            (Ok(value), _) => Ok(Some(value)),
            (Err(_of_another_type), Some(load)) => load().await,
            (Err(_), None) => Ok(None),
        },
        (Found::NoText, Some(load)) => load().await,
        (Found::NoText, None) => Ok(None),
    }
}
