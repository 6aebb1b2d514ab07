//! Metrics as they were kept last, of every process.

use axum::extract::State;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::envelope::Success;
use crate::error::{ApiError, Failure};
use crate::extract::Params;
use crate::queries;
use crate::seoul::SeoulTime;
use crate::state::AppState;

/// Longest beginning of a name, in characters.
const NAME_LENGTH_MAX: usize = 64;

/// The newest value of one series.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Measured {
    /// As in docs/metrics.md; of a histogram its `_sum` and `_count`.
    pub(crate) name: String,
    /// The process that measured it: stream, bff or run.
    pub(crate) instance: String,
    /// Labels and their values.
    #[schema(value_type = Object)]
    pub(crate) labels: Box<RawValue>,
    /// In the unit that the name says.
    pub(crate) value: f64,
    /// When it was kept; what has not changed is kept again every five minutes.
    pub(crate) ts: SeoulTime,
}

/// The newest value of each series that was kept in the last ten minutes, at most 1,000, by name.
#[utoipa::path(
    get, path = "/api/v1/metrics/latest", tag = "health",
    params(("name" = Option<String>, Query, description = "beginning of the name, such as kis_ws; all by default")),
    responses(
        (status = 200, body = Success<Vec<Measured>>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn latest(
    State(state): State<AppState>,
    mut params: Params,
) -> Result<Success<Vec<Measured>>, ApiError> {
    let name = params.text("name", NAME_LENGTH_MAX).unwrap_or_default();
    params.finish()?;
    Ok(Success::one(
        queries::measured::latest(&state.db, &name).await?,
    ))
}
