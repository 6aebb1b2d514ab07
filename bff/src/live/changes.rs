//! Changes: the change feed of PostgreSQL, one for the whole process.
//!
//! What has changed gathers for a moment. Then the rows that stand now are read, once for all clients
//! and once however often they changed; so a client is told states that were committed, in their order,
//! and not each of them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{Fuse, FusedFuture};
use serde_json::Value;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};
use turnstile_connectors::postgres::{ChangeFeed, PostgresError, RowChange, TransactionChanges};
use turnstile_connectors::settings::Setting;
use uuid::Uuid;

use super::retry_delay;
use super::rows::{self, RowsError};
use super::topic::Topic;
use crate::api::{positions, settings};
use crate::error::chain;
use crate::queries;
use crate::queries::control::Scope;
use crate::state::AppState;

/// How long to wait after a feed has ended.
const PAUSE: Duration = Duration::from_secs(1);
/// Least time between two readings of changed rows.
const SPACING: Duration = Duration::from_millis(50);
/// Rows that gather while others are told; with more of them clients begin anew.
const GATHERED_MAX: usize = 10_000;
/// Most rows of one message, about 100 kB.
const ROWS_MAX: usize = 200;

/// What has changed and was not told.
#[derive(Debug, Default)]
struct Changed {
    tables: BTreeSet<String>,
    rows: BTreeMap<Topic, BTreeSet<Uuid>>,
    /// Last transaction among them.
    xid: Option<u64>,
}

/// Tells every client what has changed, and deletes what the cache holds of the rows, whoever changed
/// them. The feed itself survives a loss of its connection; where it cannot go on without a gap, a new
/// one begins.
pub(super) async fn run(state: AppState, stop: CancellationToken) {
    while let Some(feed) = stop.run_until_cancelled(Box::pin(open(&state))).await {
        let Some(lost) = stop
            .run_until_cancelled(Box::pin(follow(&state, feed)))
            .await
        else {
            return;
        };
        state.live.feed_xid.send_replace(None);
        warn!(error = %lost, "change feed has a gap, beginning anew");
        // Also what makes a new feed fail at once must not make this loop spin.
        stop.run_until_cancelled(tokio::time::sleep(PAUSE)).await;
    }
}

/// Follows the feed until it has a gap.
async fn follow(state: &AppState, mut feed: ChangeFeed) -> PostgresError {
    let mut changed = Changed::default();
    let mut due = Instant::now();
    // Copies in the cache are deleted while clients are told, however long that takes.
    let mut telling = std::pin::pin!(Fuse::terminated());
    loop {
        tokio::select! {
            biased;
            () = &mut telling, if !telling.is_terminated() => due = Instant::now() + SPACING,
            () = sleep_until(due), if telling.is_terminated() && changed.xid.is_some() => {
                telling.set(tell(state, std::mem::take(&mut changed)).fuse());
            }
            fetched = feed.next() => match fetched {
                Ok(transactions) => take(state, &transactions, &mut changed).await,
                Err(error) => return error,
            },
        }
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
    let xid = queries::feed::begin_xid(snapshot.client()).await?;
    let scopes = [Scope::Exit, Scope::Reentry].map(|scope| scope.cache_key().to_owned());
    let settings = Setting::all().into_iter();
    let settings = settings.map(|setting| settings::cache_key(&setting.key()));
    let keys: Vec<String> = scopes.into_iter().chain(settings).collect();
    state.cache.delete(&keys).await;
    state.live.forget();
    state.live.feed_xid.send_replace(Some(xid));
    Ok(feed)
}

async fn take(state: &AppState, transactions: &[TransactionChanges], changed: &mut Changed) {
    let changes = || {
        transactions
            .iter()
            .flat_map(|transaction| &transaction.changes)
    };
    let keys: BTreeSet<String> = changes().flat_map(cached_as).collect();
    state.cache.delete(&Vec::from_iter(keys)).await;
    for change in changes() {
        changed.tables.insert(change.table.clone());
        if let Some((topic, id)) = row_of(change) {
            changed.rows.entry(topic).or_default().insert(id);
        }
    }
    let last = transactions.iter().map(|transaction| transaction.xid).max();
    changed.xid = changed.xid.max(last);
    if changed.rows.values().map(BTreeSet::len).sum::<usize>() > GATHERED_MAX {
        warn!("more has changed than is told row by row, clients begin anew");
        changed.rows.clear();
        state.live.forget();
    }
}

/// Tells clients what has changed, however long PostgreSQL is away.
async fn tell(state: &AppState, changed: Changed) {
    let live = &state.live;
    if let Err(error) = live.tell_tables(&changed.tables) {
        error!(%error, "changed tables not told");
    }
    for (topic, ids) in &changed.rows {
        let ids = Vec::from_iter(ids.iter().copied());
        for ids in ids.chunks(ROWS_MAX) {
            tell_rows(state, *topic, ids).await;
        }
    }
    live.feed_xid.send_if_modified(|seen| {
        let newer = changed.xid > *seen;
        *seen = (*seen).max(changed.xid);
        newer
    });
}

async fn tell_rows(state: &AppState, topic: Topic, ids: &[Uuid]) {
    let mut failures = 0;
    loop {
        let told = try_tell_rows(state, topic, ids).await;
        match told {
            Ok(()) => return,
            Err(error) if error.is_transient() => {
                failures += 1;
                if failures == 1 {
                    warn!(%topic, error = %chain(&error), "changed rows not read, retrying");
                }
                tokio::time::sleep(retry_delay(failures)).await;
            }
            Err(error) => {
                error!(%topic, error = %chain(&error), "changed rows not told, clients begin anew");
                return state.live.forget();
            }
        }
    }
}

async fn try_tell_rows(state: &AppState, topic: Topic, ids: &[Uuid]) -> Result<(), RowsError> {
    let snapshot = state.live.snapshots.of(topic);
    let _turn = snapshot.lock().await;
    let (rows, removed) = rows::some(&state.db, topic, ids).await?;
    Ok(state.live.tell(topic, &rows, &removed)?)
}

/// Returns the row of a topic that a change is of.
fn row_of(change: &RowChange) -> Option<(Topic, Uuid)> {
    let (topic, key) = match change.table.as_str() {
        "trade.positions" | "trade.position_state" => (Topic::Positions, "position_id"),
        "trade.orders" | "trade.order_events" => (Topic::Orders, "order_id"),
        "trade.exit_events" => (Topic::Exits, "exit_event_id"),
        "trade.reentry_candidates" => (Topic::Candidates, "candidate_id"),
        "system.alarms" => (Topic::Alarms, "id"),
        _ => return None,
    };
    let id = change.content.get(key).and_then(Value::as_str)?;
    Some((topic, Uuid::try_parse(id).ok()?))
}

/// Returns the keys under which the cache may hold what has changed.
fn cached_as(change: &RowChange) -> Vec<String> {
    let scopes = |scopes: &[Scope]| {
        scopes
            .iter()
            .map(|scope| scope.cache_key().to_owned())
            .collect()
    };
    match change.table.as_str() {
        "trade.positions" | "trade.position_state" => row_of(change)
            .map(|(_, id)| positions::cache_key(id))
            .into_iter()
            .collect(),
        "trade.exit_control" => scopes(&[Scope::Exit]),
        "trade.reentry_control" => scopes(&[Scope::Reentry]),
        // A pause is in force beside both modes.
        "trade.exit_pauses" => scopes(&[Scope::Exit, Scope::Reentry]),
        "system.config" => {
            let key = change.content.get("key").and_then(Value::as_str);
            key.map(settings::cache_key).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    const ID: &str = "7f3cbd1e-98f4-4f0c-a8a5-6b5d3f6f2f01";
    const POSITION: &str = "position:7f3cbd1e-98f4-4f0c-a8a5-6b5d3f6f2f01";

    #[rstest]
    #[case("trade.positions", json!({ "position_id": ID }), &[POSITION])]
    #[case("trade.position_state", json!({ "position_id": ID }), &[POSITION])]
    #[case("trade.positions", json!({ "position_id": "x" }), &[])]
    #[case("trade.exit_control", json!({}), &["config:exit_control"])]
    #[case("trade.reentry_control", json!({}), &["config:reentry_control"])]
    #[case(
        "trade.exit_pauses",
        json!({ "reason": "BROKER_DOWN" }),
        &["config:exit_control", "config:reentry_control"]
    )]
    #[case("system.config", json!({ "key": "alarms.x" }), &["config:alarms.x"])]
    #[case("trade.orders", json!({ "position_id": ID }), &[])]
    fn a_change_names_the_cached_copies(
        #[case] table: &str,
        #[case] content: Value,
        #[case] keys: &[&str],
    ) {
        let change = RowChange {
            table: table.to_owned(),
            is_deleted: false,
            content,
        };
        assert_eq!(cached_as(&change), keys);
    }
}
