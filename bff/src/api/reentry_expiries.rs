//! Candidates that the operator ends.

use axum::extract::State;
use serde::Serialize;
use serde_json::json;
use tracing::info;
use utoipa::ToSchema;
use uuid::Uuid;

use super::reentry_windows::Removal;
use crate::envelope::Success;
use crate::error::{ApiError, Failure};
use crate::extract::{Body, InPath, NoParams};
use crate::queries;
use crate::queries::reentry_expiries::Requested;
use crate::seoul::SeoulTime;
use crate::state::AppState;

/// A request to end a candidate.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Expiry {
    pub(crate) candidate_id: Uuid,
    pub(crate) asked_by: String,
    pub(crate) reason: Option<String>,
    pub(crate) created_ts: SeoulTime,
    /// How the candidate stands. It becomes EXPIRED once the engine has heard of the request; one that
    /// has bought stays ENTERED, and buys no more.
    pub(crate) state: String,
}

/// Asks that a candidate expires. Answers before it does. Asked twice it is one request, the first. A
/// candidate whose order is under way ends after it; the order is ended by its own cancel.
#[utoipa::path(
    post, path = "/api/v1/reentry/candidates/{id}/force-expire", tag = "reentry",
    params(("id" = Uuid, Path, description = "candidate_id")),
    request_body = Removal,
    responses(
        (status = 200, body = Success<Expiry>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn ask(
    State(state): State<AppState>,
    InPath(id): InPath<Uuid>,
    _: NoParams,
    body: Body,
) -> Result<Success<Expiry>, ApiError> {
    let asked = Removal::take(body)?;
    match queries::reentry_expiries::ask(&state.db, id, &asked).await? {
        Requested::Stands(expiry) => {
            info!(candidate = %id, by = expiry.asked_by, "candidate is to expire");
            Ok(Success::one(expiry))
        }
        Requested::NoCandidate => Err(ApiError::not_found("candidate", id)),
        Requested::Over { state } => Err(ApiError::conflict(
            format!("the candidate is over: {state}"),
            json!({ "state": state }),
        )),
    }
}
