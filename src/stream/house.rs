//! What is put in order from time to time.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::warn;
use turnstile_connectors::exits::prune_previews;
use turnstile_connectors::postgres::{Postgres, prune_change_log};

/// How long changed rows are kept for followers that are behind, and answers to previews.
const CHANGE_LOG_AGE: Duration = Duration::from_secs(24 * 3_600);
const EVERY: Duration = Duration::from_secs(60);

/// Keeps house until `stop`.
pub(super) async fn keep_house(postgres: Postgres, stop: CancellationToken) {
    while stop
        .run_until_cancelled(tokio::time::sleep(EVERY))
        .await
        .is_some()
    {
        postgres.retire_connections();
        if let Err(error) = prune_change_log(&postgres, CHANGE_LOG_AGE).await {
            warn!(%error, "old changes not pruned");
        }
        if let Err(error) = prune_previews(&postgres, CHANGE_LOG_AGE).await {
            warn!(%error, "old previews not pruned");
        }
    }
}
