//! Changes: the change feed of PostgreSQL, one for the whole process.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;
use tokio_util::sync::CancellationToken;
use tracing::warn;
use turnstile_connectors::postgres::{ChangeFeed, PostgresError, RowChange, TransactionChanges};
use uuid::Uuid;

use crate::api::positions;
use crate::live::retry_delay;
use crate::queries;
use crate::queries::control::Scope;
use crate::state::AppState;

/// How long to wait after a feed has ended.
const PAUSE: Duration = Duration::from_secs(1);

/// Tells every client which tables have changed, and deletes what the cache holds of the rows,
/// whoever changed them. The feed itself survives a loss of its connection; where it cannot go on
/// without a gap, a new one begins.
pub(super) async fn run(state: AppState, stop: CancellationToken) {
    while let Some(mut feed) = stop.run_until_cancelled(open(&state)).await {
        let lost = loop {
            match stop.run_until_cancelled(feed.next()).await {
                None => return,
                Some(Ok(transactions)) => take(&state, &transactions).await,
                Some(Err(error)) => break error,
            }
        };
        state.live.feed_xid.send_replace(None);
        warn!(error = %lost, "change feed has a gap, beginning anew");
        // Also what makes a new feed fail at once must not make this loop spin.
        stop.run_until_cancelled(tokio::time::sleep(PAUSE)).await;
    }
}

/// Opens the feed, however long PostgreSQL is away.
async fn open(state: &AppState) -> ChangeFeed {
    let mut failures = 0;
    loop {
        match try_open(state).await {
            Ok(feed) => return feed,
            Err(error) => {
                failures += 1;
                let delay = retry_delay(failures);
                if failures == 1 {
                    warn!(%error, "change feed not opened, retrying");
                }
                tokio::time::sleep(delay).await;
            }
        }
    }
}

/// Opens the feed. What changed before it begins is not in it, so everything counts as changed.
async fn try_open(state: &AppState) -> Result<ChangeFeed, PostgresError> {
    let (feed, snapshot) = ChangeFeed::open(&state.db).await?;
    let begin = queries::feed::begin(snapshot.client()).await?;
    let keys = [Scope::Exit, Scope::Reentry].map(|scope| scope.cache_key().to_owned());
    state.cache.delete(&keys).await;
    state.live.publish_changes(&begin.tables);
    state.live.feed_xid.send_replace(Some(begin.xid));
    Ok(feed)
}

async fn take(state: &AppState, transactions: &[TransactionChanges]) {
    let changes = || {
        transactions
            .iter()
            .flat_map(|transaction| &transaction.changes)
    };
    let keys: BTreeSet<String> = changes().filter_map(cached_as).collect();
    state.cache.delete(&Vec::from_iter(keys)).await;
    let tables = changes().map(|change| change.table.clone()).collect();
    state.live.publish_changes(&tables);
    let last = transactions.iter().map(|transaction| transaction.xid).max();
    state.live.feed_xid.send_if_modified(|seen| {
        let newer = last > *seen;
        *seen = (*seen).max(last);
        newer
    });
}

/// Returns the key under which the cache may hold what has changed.
fn cached_as(change: &RowChange) -> Option<String> {
    match change.table.as_str() {
        "trade.positions" | "trade.position_state" => {
            let id = change.content.get("position_id").and_then(Value::as_str)?;
            Some(positions::cache_key(Uuid::try_parse(id).ok()?))
        }
        "trade.exit_control" => Some(Scope::Exit.cache_key().to_owned()),
        "trade.reentry_control" => Some(Scope::Reentry.cache_key().to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    const ID: &str = "7f3cbd1e-98f4-4f0c-a8a5-6b5d3f6f2f01";

    #[rstest]
    #[case("trade.positions", json!({ "position_id": ID }), Some(format!("position:{ID}")))]
    #[case("trade.position_state", json!({ "position_id": ID }), Some(format!("position:{ID}")))]
    #[case("trade.positions", json!({ "position_id": "x" }), None)]
    #[case("trade.exit_control", json!({}), Some("config:exit_control".to_owned()))]
    #[case("trade.reentry_control", json!({}), Some("config:reentry_control".to_owned()))]
    #[case("trade.orders", json!({ "position_id": ID }), None)]
    fn a_change_names_the_cached_copy(
        #[case] table: &str,
        #[case] content: Value,
        #[case] key: Option<String>,
    ) {
        let change = RowChange {
            table: table.to_owned(),
            is_deleted: false,
            content,
        };
        assert_eq!(cached_as(&change), key);
    }
}
