//! Control: whether exits and re-entries run.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use tracing::info;
use turnstile_connectors::redis::{TTL_CONFIG, cache_aside};
use utoipa::ToSchema;

use crate::envelope::Success;
use crate::error::{ApiError, Failure};
use crate::extract::{Body, NoParams};
use crate::queries;
use crate::queries::control::Scope;
use crate::seoul::SeoulTime;
use crate::state::AppState;

/// Longest name of an operator, in characters.
const UPDATED_BY_LENGTH_MAX: usize = 64;
/// Longest reason, in characters.
const REASON_LENGTH_MAX: usize = 500;

/// The mode that the operator set, and what is in force: pauses that the system has set by itself stand
/// beside it, and the strictest counts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Control {
    /// Exit: RUNNING, PAUSE_PROFIT, PAUSE_ALL or EMERGENCY_FLATTEN. Re-entry: RUNNING, PAUSE_ENTRY
    /// or PAUSE_ALL.
    pub(crate) mode: String,
    pub(crate) reason: Option<String>,
    /// Who set it.
    pub(crate) updated_by: String,
    pub(crate) updated_ts: SeoulTime,
    /// Reasons of the pauses of the system, such as BROKER_DOWN; `/api/v1/exit/pauses` has more of each.
    pub(crate) pauses: Vec<String>,
    /// The mode in force. A pause makes it PAUSE_ALL of exits and PAUSE_ENTRY of re-entries, where the
    /// operator's mode is not stricter.
    pub(crate) effective_mode: String,
}

/// A new mode.
#[derive(Debug, ToSchema)]
pub(crate) struct ControlChange {
    /// One of the modes of the scope.
    pub(crate) mode: &'static str,
    /// Why, at most 500 characters.
    pub(crate) reason: Option<String>,
    /// Who sets it, at most 64 characters.
    pub(crate) updated_by: String,
}

/// The mode of the exit engine.
#[utoipa::path(
    get, path = "/api/v1/exit/control", tag = "control",
    responses(
        (status = 200, body = Success<Control>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn exit(
    State(state): State<AppState>,
    _: NoParams,
) -> Result<Success<Control>, ApiError> {
    get(&state, Scope::Exit).await
}

/// Sets the mode of the exit engine.
#[utoipa::path(
    post, path = "/api/v1/exit/control", tag = "control",
    request_body = ControlChange,
    responses(
        (status = 200, body = Success<Control>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn set_exit(
    State(state): State<AppState>,
    _: NoParams,
    body: Body,
) -> Result<Success<Control>, ApiError> {
    set(&state, Scope::Exit, body).await
}

/// The mode of the re-entry engine.
#[utoipa::path(
    get, path = "/api/v1/reentry/control", tag = "control",
    responses(
        (status = 200, body = Success<Control>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn reentry(
    State(state): State<AppState>,
    _: NoParams,
) -> Result<Success<Control>, ApiError> {
    get(&state, Scope::Reentry).await
}

/// Sets the mode of the re-entry engine.
#[utoipa::path(
    post, path = "/api/v1/reentry/control", tag = "control",
    request_body = ControlChange,
    responses(
        (status = 200, body = Success<Control>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn set_reentry(
    State(state): State<AppState>,
    _: NoParams,
    body: Body,
) -> Result<Success<Control>, ApiError> {
    set(&state, Scope::Reentry, body).await
}

async fn get(state: &AppState, scope: Scope) -> Result<Success<Control>, ApiError> {
    let load = || queries::control::get(&state.db, scope);
    let control = cache_aside(&state.cache, scope.cache_key(), TTL_CONFIG, load).await?;
    control
        .map(Success::one)
        .ok_or_else(|| ApiError::not_found("control", format!("{scope:?}")))
}

async fn set(state: &AppState, scope: Scope, mut body: Body) -> Result<Success<Control>, ApiError> {
    let change = ControlChange {
        mode: body.required_choice("mode", scope.modes()),
        reason: body.text("reason", REASON_LENGTH_MAX),
        updated_by: body.actor("updated_by", UPDATED_BY_LENGTH_MAX),
    };
    body.finish()?;
    let control = queries::control::set(&state.db, scope, &change).await?;
    info!(
        ?scope,
        mode = control.mode,
        by = control.updated_by,
        "mode set"
    );
    state.cache.delete(&[scope.cache_key().to_owned()]).await;
    Ok(Success::one(control))
}
