//! Pauses of exits that the system has set by itself: manual-order mode.

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::envelope::Success;
use crate::error::{ApiError, Failure};
use crate::extract::NoParams;
use crate::queries;
use crate::seoul::SeoulTime;
use crate::state::AppState;

/// A pause in force.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ExitPause {
    /// BROKER_DOWN: the broker does not answer, and no order leaves.
    pub(crate) reason: String,
    /// What has happened.
    pub(crate) message: String,
    pub(crate) since_ts: SeoulTime,
    /// Sales that are decided and wait to be sent: hard stops, sales by hand, and what was decided before
    /// the pause and had not left.
    pub(crate) stops_waiting: i64,
}

/// The pauses that the system has set by itself and that are in force, the first to begin first. In health
/// there is none.
#[utoipa::path(
    get, path = "/api/v1/exit/pauses", tag = "control",
    responses(
        (status = 200, body = Success<Vec<ExitPause>>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn list(
    State(state): State<AppState>,
    _: NoParams,
) -> Result<Success<Vec<ExitPause>>, ApiError> {
    Ok(Success::one(queries::exit_pauses::list(&state.db).await?))
}
