//! Jobs: what was done at times of the trading calendar.

use turnstile_connectors::postgres::Postgres;

use crate::api::jobs::JobRun;
use crate::cursor::NumberCursor;
use crate::envelope::Listed;
use crate::extract::Page;
use crate::queries::{QueryError, listed};

/// Returns a page of runs, of one job or of all, newest first.
pub(crate) async fn list(
    db: &Postgres,
    job: Option<&str>,
    page: Page<NumberCursor>,
) -> Result<Listed<JobRun, NumberCursor>, QueryError> {
    let client = db.client().await?;
    let rows = client
        .query(
            "SELECT run_id, job, run_key, status, started_ts, ended_ts, fetched, changed, reason
             FROM system.job_runs WHERE run_id < $1 AND ($3::text IS NULL OR job = $3)
             ORDER BY run_id DESC LIMIT $2",
            &[&page.below.0, &(page.limit + 1), &job],
        )
        .await?;
    listed(
        &rows,
        &page,
        |row| Ok(NumberCursor(row.try_get("run_id")?)),
        |row| {
            Ok(JobRun {
                run_id: row.try_get("run_id")?,
                job: row.try_get("job")?,
                run_key: row.try_get("run_key")?,
                status: row.try_get("status")?,
                started_ts: row.try_get("started_ts")?,
                ended_ts: row.try_get("ended_ts")?,
                fetched: row.try_get("fetched")?,
                changed: row.try_get("changed")?,
                reason: row.try_get("reason")?,
            })
        },
    )
}
