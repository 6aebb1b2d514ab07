//! While Redis is isolated every read goes to PostgreSQL, whose pool is widened for as long.

use tokio_util::sync::CancellationToken;
use tracing::info;

use super::Cache;
use crate::postgres::Postgres;

/// Widens the pool of `postgres` while the breaker of `cache` is open, until `stop`.
pub async fn widen_while_isolated(cache: Cache, postgres: Postgres, stop: CancellationToken) {
    let mut isolated = cache.is_isolated();
    loop {
        let is_wide = *isolated.borrow_and_update();
        if postgres.widen(is_wide) {
            info!(
                connections = postgres.size_max(),
                "pool of PostgreSQL resized"
            );
        }
        match stop.run_until_cancelled(isolated.changed()).await {
            Some(Ok(())) => {}
            Some(Err(_)) | None => return,
        }
    }
}
