//! What the account is worth, as the broker states it beside the holdings.

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::broker::Worth;
use super::store::{GivenUp, Store};

/// The moment is that of the question: an answer that is stored late is as old as it is.
const STORE: &str = "INSERT INTO trade.account_equity AS e (account_id, equity, cash, asof_ts)
    VALUES ($1, $2::bigint, $3::bigint, clock_timestamp() - $4::bigint * interval '1 microsecond')
    ON CONFLICT (account_id) DO UPDATE
    SET equity = excluded.equity, cash = excluded.cash, asof_ts = excluded.asof_ts
    WHERE e.asof_ts < excluded.asof_ts";

/// Stores what the broker answered to a question of `asked`.
pub(super) async fn note(
    store: &Store,
    account: &str,
    worth: Worth,
    asked: Instant,
    stop: &CancellationToken,
) {
    let work = |client: crate::postgres::PostgresClient| async move {
        let statement = client.prepare_cached(STORE).await?;
        let age_us = i64::try_from(asked.elapsed().as_micros()).unwrap_or(i64::MAX);
        let values: [&(dyn tokio_postgres::types::ToSql + Sync); 4] =
            [&account, &worth.equity_won, &worth.cash_won, &age_us];
        Ok(client.execute(&statement, &values).await?)
    };
    if let Err(GivenUp::Refused(error)) = store.persist("equity", stop, work).await {
        warn!(%error, "what the account is worth cannot be stored");
    }
}
