//! The emergency stop: nothing is bought while it is on; exits go on.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::IntoResponse;
use serde::Serialize;
use serde_json::Value;
use tracing::warn;
use utoipa::ToSchema;

use crate::access::{self, Role};
use crate::api::exit_rules::{NAME_LENGTH_MAX, TEXT_LENGTH_MAX};
use crate::envelope::Success;
use crate::error::{ApiError, Failure};
use crate::extract::{Body, NoParams};
use crate::queries;
use crate::seoul::SeoulTime;
use crate::state::AppState;
use crate::versioned::named;

/// Whether entries are stopped.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EmergencyStop {
    pub(crate) is_enabled: bool,
    /// Rises with every change.
    pub(crate) version: i32,
    pub(crate) reason: String,
    /// Who set it last.
    pub(crate) updated_by: String,
    pub(crate) updated_ts: SeoulTime,
}

/// A stop, or its end.
#[derive(Debug, ToSchema)]
pub(crate) struct EmergencyStopChange {
    pub(crate) is_enabled: bool,
    /// Version that the change is made from. A stop needs none: it is never late.
    pub(crate) version: Option<i32>,
    /// Why, at most 500 characters.
    pub(crate) reason: String,
    /// Who sets it, at most 64 characters.
    pub(crate) updated_by: String,
}

/// Whether entries are stopped. Where nobody knows, they are.
#[utoipa::path(
    get, path = "/api/v1/risk/emergency-stop", tag = "risk",
    responses(
        (status = 200, body = Success<EmergencyStop>),
        (status = 304, description = "the client has it, by its header if-none-match"),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn one(
    State(state): State<AppState>,
    headers: HeaderMap,
    _: NoParams,
) -> Result<impl IntoResponse, ApiError> {
    let stop = queries::emergency_stop::one(&state.db).await?;
    let stop = stop.ok_or_else(missing)?;
    Ok(named(&stop, &headers)?)
}

/// Stops entries at once, or lets them go on as a change of the version that it was made from. Only an
/// ADMIN lifts a stop.
#[utoipa::path(
    put, path = "/api/v1/risk/emergency-stop", tag = "risk",
    request_body = EmergencyStopChange,
    responses(
        (status = 200, body = Success<EmergencyStop>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn set(
    State(state): State<AppState>,
    _: NoParams,
    mut body: Body,
) -> Result<Success<EmergencyStop>, ApiError> {
    let is_enabled = body.flag("is_enabled");
    if is_enabled.is_none() {
        body.fault_if_none("is_enabled", "is required");
    }
    // Only who lifts a stop has to have seen it.
    let version = match is_enabled {
        Some(false) => Some(body.required_whole_i32("version", 1)),
        Some(true) | None => body.whole_i32("version", 1),
    };
    let change = EmergencyStopChange {
        is_enabled: is_enabled.unwrap_or(true),
        version,
        reason: body.required_text("reason", TEXT_LENGTH_MAX),
        updated_by: body.actor("updated_by", NAME_LENGTH_MAX),
    };
    body.finish()?;
    if !change.is_enabled {
        access::require(Role::Admin)?;
    }
    let saved = queries::emergency_stop::set(&state.db, &change).await?;
    let stop = saved.or_refuse("the emergency stop", missing)?;
    let (is_enabled, by) = (stop.is_enabled, &stop.updated_by);
    warn!(is_enabled, by, "emergency stop set");
    Ok(Success::one(stop))
}

fn missing() -> ApiError {
    ApiError::not_found("emergency stop", Value::from("system.emergency_stop"))
}
