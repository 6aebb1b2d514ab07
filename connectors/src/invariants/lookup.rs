//! Whether the rows of orders account for them, where no decision of this run does: orders of an earlier
//! run, and what others write.

use std::time::Duration;

use serde_json::Value;
use tokio_postgres::Row;
use tokio_util::sync::CancellationToken;
use tracing::warn;
use turnstile_dataflows::exit::Explanation;
use turnstile_dataflows::invariants::InvariantChange;
use turnstile_dataflows::model::ActionKey;

use super::board::InvariantBoard;
use super::feed::InvariantFeed;
use crate::postgres::{Postgres, PostgresError};

/// How often orders are looked up.
const EVERY: Duration = Duration::from_secs(1);
/// Orders of one look.
const ORDERS_MAX: usize = 100;

/// A purchase is accounted for by the verdict about its candidate, or by whoever asked for it.
const ORDERS: &str = "SELECT o.action_key, o.side, o.symbol, o.qty, o.explanation,
        EXISTS (SELECT FROM trade.reentry_history h
            WHERE h.candidate_id = o.candidate_id AND h.order_id = o.order_id)
        OR EXISTS (SELECT FROM trade.manual_entries e WHERE e.order_id = o.order_id) AS is_asked_for
    FROM trade.orders o WHERE o.action_key = ANY($1)";

/// Looks up orders that the desk asks for.
pub struct OrderLookup {
    postgres: Postgres,
    board: InvariantBoard,
    feed: InvariantFeed,
}

impl OrderLookup {
    /// Returns what looks up the orders that `board` asks for and tells `feed`.
    pub fn new(postgres: &Postgres, board: InvariantBoard, feed: InvariantFeed) -> Self {
        Self {
            postgres: postgres.clone(),
            board,
            feed,
        }
    }

    /// Looks them up until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let mut has_failed = false;
        let pause = || tokio::time::sleep(EVERY);
        while stop.run_until_cancelled(pause()).await.is_some() {
            let orders = self.board.orders(ORDERS_MAX);
            if orders.is_empty() {
                continue;
            }
            match self.find(&orders).await {
                Ok(found) => {
                    has_failed = false;
                    for (key, does) in found {
                        self.feed.tell(InvariantChange::Found(key, does));
                    }
                }
                Err(error) if !std::mem::replace(&mut has_failed, true) => {
                    warn!(%error, "orders cannot be looked up, retrying");
                }
                Err(_) => {}
            }
        }
    }

    async fn find(&self, orders: &[ActionKey]) -> Result<Vec<(ActionKey, bool)>, PostgresError> {
        let keys: Vec<&str> = orders.iter().map(ActionKey::as_str).collect();
        let client = self.postgres.client().await?;
        let statement = client.prepare_cached(ORDERS).await?;
        let rows = client.query(&statement, &[&keys]).await?;
        let found = rows.iter().map(|row| {
            let key: &str = row.try_get("action_key")?;
            Ok((ActionKey::stored(key), accounts(row)?))
        });
        found.collect()
    }
}

/// Returns whether a row accounts for its order. The inputs of a sale must make the same decision again.
fn accounts(row: &Row) -> Result<bool, tokio_postgres::Error> {
    if row.try_get::<_, &str>("side")? == "BUY" {
        return row.try_get("is_asked_for");
    }
    let explanation: Value = row.try_get("explanation")?;
    let (key, symbol): (&str, &str) = (row.try_get("action_key")?, row.try_get("symbol")?);
    let qty: i64 = row.try_get("qty")?;
    let explanation = serde_json::from_value::<Explanation>(explanation).ok();
    let decision = explanation.and_then(|explanation| explanation.decide());
    Ok(decision.is_some_and(|decision| {
        decision.action_key.as_str() == key
            && decision.symbol.to_string() == symbol
            && decision.qty.shares() == qty
    }))
}
