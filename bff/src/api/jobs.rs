//! Jobs: what was done at times of the trading calendar.

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::envelope::Success;
use crate::error::{ApiError, Failure};
use crate::extract::Params;
use crate::queries;
use crate::seoul::SeoulTime;
use crate::state::AppState;

/// Longest name of a job, in characters.
const JOB_LENGTH_MAX: usize = 64;

/// One run of a job.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct JobRun {
    pub(crate) run_id: i64,
    /// Name of the job.
    pub(crate) job: String,
    /// What the run is for: a day, a day with a time, a start.
    pub(crate) run_key: String,
    /// RUNNING, DONE, FAILED or SKIPPED.
    pub(crate) status: String,
    pub(crate) started_ts: SeoulTime,
    /// Absent while it runs.
    pub(crate) ended_ts: Option<SeoulTime>,
    /// Answers or rows that came from outside.
    pub(crate) fetched: i64,
    /// Rows that are different since.
    pub(crate) changed: i64,
    /// Why it failed or was skipped.
    pub(crate) reason: Option<String>,
}

/// Runs of jobs, newest first.
#[utoipa::path(
    get, path = "/api/v1/jobs", tag = "jobs",
    params(
        ("job" = Option<String>, Query, description = "of this job only"),
        ("limit" = Option<i64>, Query, description = "1 to 100, default 20"),
        ("cursor" = Option<String>, Query, description = "next_cursor of the page before"),
    ),
    responses(
        (status = 200, body = Success<Vec<JobRun>>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn list(
    State(state): State<AppState>,
    mut params: Params,
) -> Result<Success<Vec<JobRun>>, ApiError> {
    let job = params.text("job", JOB_LENGTH_MAX);
    let page = params.page();
    params.finish()?;
    Ok(Success::page(
        queries::jobs::list(&state.db, job.as_deref(), page).await?,
    ))
}
