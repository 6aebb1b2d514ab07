//! Standing invariants: what must never be so, and was.

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::envelope::Success;
use crate::error::{ApiError, Failure};
use crate::extract::Params;
use crate::queries;
use crate::seoul::SeoulTime;
use crate::state::AppState;

/// An invariant that does not hold, or did not.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct InvariantViolation {
    pub(crate) id: i64,
    /// OVERSELL, BREACH, ORDER, HOLDINGS or CACHE.
    pub(crate) kind: String,
    /// Of what: a position, an action key, a symbol or a key of the cache.
    pub(crate) key: String,
    /// Issue concerned.
    pub(crate) symbol: Option<String>,
    /// Position concerned.
    pub(crate) position_id: Option<Uuid>,
    /// What is wrong, in words, as it was last.
    pub(crate) detail: String,
    /// Since when, in the engine's time.
    pub(crate) since: SeoulTime,
    /// Until when; null while it stands.
    pub(crate) until: Option<SeoulTime>,
}

/// Invariants that do not hold, the last first. In health there is none.
#[utoipa::path(
    get, path = "/api/v1/invariants", tag = "invariants",
    params(
        ("state" = Option<String>, Query, description = "broken (default), over or all"),
        ("limit" = Option<i64>, Query, description = "1 to 100, default 20"),
        ("cursor" = Option<String>, Query, description = "next_cursor of the page before"),
    ),
    responses(
        (status = 200, body = Success<Vec<InvariantViolation>>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn list(
    State(state): State<AppState>,
    mut params: Params,
) -> Result<Success<Vec<InvariantViolation>>, ApiError> {
    let is_over = match params.choice("state", &["broken", "over", "all"]) {
        "broken" => Some(false),
        "over" => Some(true),
        _ => None,
    };
    let page = params.page();
    params.finish()?;
    Ok(Success::page(
        queries::invariants::list(&state.db, is_over, page).await?,
    ))
}
