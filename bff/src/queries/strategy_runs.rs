//! Runs of the daily strategy.

use tokio_postgres::Row;
use turnstile_connectors::postgres::Postgres;
use uuid::Uuid;

use crate::api::strategy_runs::{AskRun, RunRequest, StrategyRun};
use crate::cursor::TimeCursor;
use crate::envelope::Listed;
use crate::extract::Page;
use crate::queries::{QueryError, acting, listed, time_key};

/// The namespace of the identities of requests, which come from their idempotency keys.
const NAMESPACE: Uuid = Uuid::from_u128(0x5a4e_9d17_20c3_4b68_8f2d_71c6_0e35_b98a);

const REQUEST: &str = "request_id, as_of::text AS as_of, asked_by, reason, state, message, run_id,
    created_ts, updated_ts";

/// What became of a request.
pub(crate) enum Requested {
    /// Asked now.
    Stored(RunRequest),
    /// Asked before, under the same key.
    Known(RunRequest),
}

/// Returns a page of runs, newest first.
pub(crate) async fn list(
    db: &Postgres,
    page: Page<TimeCursor>,
) -> Result<Listed<StrategyRun, TimeCursor>, QueryError> {
    let client = db.client().await?;
    let rows = client
        .query(
            "SELECT r.*, r.as_of::text AS day FROM (
                 SELECT run_id FROM strategy.runs WHERE (created_ts, run_id) < ($1, $2)
                 ORDER BY created_ts DESC, run_id DESC LIMIT $3) page
             JOIN strategy.run_results r USING (run_id)
             ORDER BY r.created_ts DESC, r.run_id DESC",
            &[&page.below.ts, &page.below.id, &(page.limit + 1)],
        )
        .await?;
    let key = time_key("created_ts", "run_id");
    listed(&rows, &page, key, |row| {
        Ok(StrategyRun {
            run_id: row.try_get("run_id")?,
            strategy_id: row.try_get("strategy_id")?,
            as_of: row.try_get("day")?,
            trigger: row.try_get("trigger")?,
            asked_by: row.try_get("asked_by")?,
            state: row.try_get("state")?,
            stage: row.try_get("stage")?,
            reason: row.try_get("reason")?,
            input_digest: row.try_get("input_digest")?,
            durations: row.try_get("durations")?,
            counts: row.try_get("counts")?,
            universe_snapshot_id: row.try_get("universe_snapshot_id")?,
            signal_snapshot_id: row.try_get("signal_snapshot_id")?,
            ranking_snapshot_id: row.try_get("ranking_snapshot_id")?,
            portfolio_id: row.try_get("portfolio_id")?,
            created_ts: row.try_get("created_ts")?,
            ended_ts: row.try_get("ended_ts")?,
        })
    })
}

/// Asks for a run. Of two equal requests the second finds the first.
pub(crate) async fn ask(
    db: &Postgres,
    as_of: Option<&str>,
    asked: &AskRun,
) -> Result<Requested, QueryError> {
    let mut client = db.client().await?;
    let client = acting(&mut client).await?;
    let id = Uuid::new_v5(&NAMESPACE, asked.idempotency_key.as_bytes());
    let insert = format!(
        "INSERT INTO strategy.run_requests (request_id, as_of, asked_by, reason)
         VALUES ($1, $2::text::date, $3, $4) ON CONFLICT (request_id) DO NOTHING RETURNING {REQUEST}"
    );
    let stored = client
        .query_opt(&insert, &[&id, &as_of, &asked.asked_by, &asked.reason])
        .await?;
    if let Some(row) = stored {
        let request = request(&row)?;
        client.commit().await?;
        return Ok(Requested::Stored(request));
    }
    let known = format!("SELECT {REQUEST} FROM strategy.run_requests WHERE request_id = $1");
    let row = client.query_one(&known, &[&id]).await?;
    Ok(Requested::Known(request(&row)?))
}

fn request(row: &Row) -> Result<RunRequest, tokio_postgres::Error> {
    Ok(RunRequest {
        request_id: row.try_get("request_id")?,
        as_of: row.try_get("as_of")?,
        asked_by: row.try_get("asked_by")?,
        reason: row.try_get("reason")?,
        state: row.try_get("state")?,
        message: row.try_get("message")?,
        run_id: row.try_get("run_id")?,
        created_ts: row.try_get("created_ts")?,
        updated_ts: row.try_get("updated_ts")?,
    })
}
