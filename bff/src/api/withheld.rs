//! Withheld hits: levels of a position that were reached and decided nothing.

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::envelope::Success;
use crate::error::{ApiError, Failure};
use crate::extract::{InPath, Params};
use crate::number::Number;
use crate::queries;
use crate::seoul::SeoulTime;
use crate::state::AppState;

/// A hit that was not decided.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WithheldHit {
    /// When the level was reached, in the engine's time.
    pub(crate) ts: SeoulTime,
    /// The same as logical time, microseconds since the Unix epoch.
    pub(crate) logical_us: i64,
    /// Rule that was reached, such as SL1.
    pub(crate) reason: String,
    /// Custom rule or request, if it is one.
    pub(crate) rule_id: Option<String>,
    /// MODE (exits are paused), SEVERITY (something at least as severe is under way), QUANTITY (nothing is
    /// left to sell) or ATTEMPTS (tried as often as may be).
    pub(crate) why: String,
    /// Price that was judged, KRW.
    pub(crate) price: Number,
    /// Price that had to be reached, KRW.
    pub(crate) level: Number,
}

/// Hits of a position that decided nothing, once per crossing and reason, newest first.
#[utoipa::path(
    get, path = "/api/v1/positions/{id}/withheld", tag = "positions",
    params(
        ("id" = Uuid, Path, description = "position_id"),
        ("limit" = Option<i64>, Query, description = "1 to 100, default 20"),
        ("cursor" = Option<String>, Query, description = "next_cursor of the page before"),
    ),
    responses(
        (status = 200, body = Success<Vec<WithheldHit>>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn of_position(
    State(state): State<AppState>,
    InPath(id): InPath<Uuid>,
    mut params: Params,
) -> Result<Success<Vec<WithheldHit>>, ApiError> {
    let page = params.page();
    params.finish()?;
    Ok(Success::page(
        queries::withheld::of_position(&state.db, id, &page).await?,
    ))
}
