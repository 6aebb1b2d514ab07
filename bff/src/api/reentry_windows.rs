//! Times of day in which candidates are followed and nothing is bought.

use axum::extract::State;
use jiff::civil::Time;
use serde::Serialize;
use tracing::info;
use turnstile_dataflows::model::ProfileId;
use utoipa::ToSchema;

use crate::api::exit_rules::{NAME_LENGTH_MAX, TEXT_LENGTH_MAX};
use crate::envelope::Success;
use crate::error::{ApiError, Failure};
use crate::extract::{Body, InPath, NoParams, Params};
use crate::queries;
use crate::seoul::SeoulTime;
use crate::state::AppState;

/// One time of day in which nothing is bought back.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Window {
    pub(crate) window_id: String,
    /// First second, HH:MM:SS in Seoul.
    pub(crate) from_time: String,
    /// First second after it.
    pub(crate) until_time: String,
    /// Whether it is in force.
    pub(crate) is_active: bool,
    pub(crate) reason: Option<String>,
    pub(crate) updated_by: String,
    pub(crate) updated_ts: SeoulTime,
}

/// A window to save.
#[derive(Debug, ToSchema)]
pub(crate) struct WindowChange {
    /// HH:MM or HH:MM:SS in Seoul.
    #[schema(value_type = String)]
    pub(crate) from_time: Time,
    /// Exclusive, after from_time.
    #[schema(value_type = String)]
    pub(crate) until_time: Time,
    /// True if absent.
    #[schema(value_type = Option<bool>)]
    pub(crate) is_active: bool,
    /// Why, at most 500 characters.
    pub(crate) reason: Option<String>,
    /// Who saves it, at most 64 characters.
    pub(crate) updated_by: String,
}

/// Who removes something, and why.
#[derive(Debug, ToSchema)]
pub(crate) struct Removal {
    /// Why, at most 500 characters.
    pub(crate) reason: Option<String>,
    /// Who asks, at most 64 characters.
    pub(crate) asked_by: String,
}

impl Removal {
    /// Takes the whole body.
    pub(crate) fn take(mut body: Body) -> Result<Self, ApiError> {
        let removal = Self {
            reason: body.text("reason", TEXT_LENGTH_MAX),
            asked_by: body.actor("asked_by", NAME_LENGTH_MAX),
        };
        body.finish()?;
        Ok(removal)
    }
}

/// Times of day without entries, by id.
#[utoipa::path(
    get, path = "/api/v1/reentry/windows", tag = "reentry",
    params(
        ("limit" = Option<i64>, Query, description = "1 to 100, default 20"),
        ("cursor" = Option<String>, Query, description = "next_cursor of the page before"),
    ),
    responses(
        (status = 200, body = Success<Vec<Window>>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn list(
    State(state): State<AppState>,
    mut params: Params,
) -> Result<Success<Vec<Window>>, ApiError> {
    let page = params.page();
    params.finish()?;
    Ok(Success::page(
        queries::reentry_windows::list(&state.db, page).await?,
    ))
}

/// Adds a time of day without entries, or changes it.
#[utoipa::path(
    put, path = "/api/v1/reentry/windows/{id}", tag = "reentry",
    params(("id" = String, Path, description = "window_id")),
    request_body = WindowChange,
    responses(
        (status = 200, body = Success<Window>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn save(
    State(state): State<AppState>,
    InPath(id): InPath<ProfileId>,
    _: NoParams,
    mut body: Body,
) -> Result<Success<Window>, ApiError> {
    let change = WindowChange {
        from_time: second(&mut body, "from_time"),
        until_time: second(&mut body, "until_time"),
        is_active: body.flag("is_active").unwrap_or(true),
        reason: body.text("reason", TEXT_LENGTH_MAX),
        updated_by: body.actor("updated_by", NAME_LENGTH_MAX),
    };
    if change.from_time >= change.until_time {
        body.fault_if_none("until_time", "must be after from_time");
    }
    body.finish()?;
    let window = queries::reentry_windows::save(&state.db, id.as_str(), &change).await?;
    info!(window = %id, by = window.updated_by, "window without entries saved");
    Ok(Success::one(window))
}

/// Removes a time of day without entries. Answers with what it was.
#[utoipa::path(
    post, path = "/api/v1/reentry/windows/{id}/remove", tag = "reentry",
    params(("id" = String, Path, description = "window_id")),
    request_body = Removal,
    responses(
        (status = 200, body = Success<Window>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn remove(
    State(state): State<AppState>,
    InPath(id): InPath<ProfileId>,
    _: NoParams,
    body: Body,
) -> Result<Success<Window>, ApiError> {
    let removal = Removal::take(body)?;
    let removed = queries::reentry_windows::remove(&state.db, id.as_str(), &removal).await?;
    let window = removed.ok_or_else(|| ApiError::not_found("window", &id))?;
    info!(window = %id, by = removal.asked_by, "window without entries removed");
    Ok(Success::one(window))
}

/// Takes the required time of day `name`, of whole seconds.
fn second(body: &mut Body, name: &str) -> Time {
    let time = body.parsed::<Time>(name);
    if time.is_none() {
        body.fault_if_none(name, "is required");
    }
    let time = time.unwrap_or_default();
    if time.subsec_nanosecond() != 0 {
        body.fault(name, "must be a whole second".to_owned());
    }
    time
}
