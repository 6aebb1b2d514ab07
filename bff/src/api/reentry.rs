//! Re-entry: candidates and the history of their verdicts.

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::envelope::Success;
use crate::error::{ApiError, Failure};
use crate::extract::Params;
use crate::number::Number;
use crate::queries;
use crate::seoul::SeoulTime;
use crate::state::AppState;

/// One verdict on a candidate.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Verdict {
    pub(crate) id: i64,
    pub(crate) candidate_id: Uuid,
    pub(crate) exit_event_id: Uuid,
    pub(crate) symbol: String,
    /// Name of the stock, if it is known.
    pub(crate) name: Option<String>,
    pub(crate) ts: SeoulTime,
    /// COOLDOWN, WATCH, SUBMITTED, ENTERED, BLOCKED or EXPIRED.
    pub(crate) status: String,
    /// Gate that blocked it.
    pub(crate) gate: Option<String>,
    /// Why.
    pub(crate) reason: Option<String>,
    /// Price that was judged, KRW.
    pub(crate) price: Option<Number>,
    /// The buy order, if one was made.
    pub(crate) order_id: Option<Uuid>,
    /// Re-entry rule in force.
    pub(crate) rule_id: Option<String>,
}

/// A symbol that was sold and may be bought back.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Candidate {
    pub(crate) candidate_id: Uuid,
    pub(crate) exit_event_id: Uuid,
    /// Position whose exit made the candidate.
    pub(crate) origin_position_id: Uuid,
    pub(crate) symbol: String,
    /// Name of the stock, if it is known.
    pub(crate) name: Option<String>,
    /// Rule that closed the position.
    pub(crate) exit_reason_code: String,
    pub(crate) exit_ts: SeoulTime,
    /// KRW.
    pub(crate) exit_price: Number,
    /// Shares at the first entry.
    pub(crate) original_qty: i64,
    /// High-water mark of the position, KRW.
    pub(crate) prior_hwm: Option<Number>,
    pub(crate) cooldown_until: Option<SeoulTime>,
    /// COOLDOWN, WATCH, READY, ENTERED, EXPIRED or BLOCKED.
    pub(crate) state: String,
    /// Re-entry rule in force.
    pub(crate) rule_id: Option<String>,
    pub(crate) blocked_gate: Option<String>,
    pub(crate) blocked_reason: Option<String>,
    pub(crate) updated_ts: SeoulTime,
}

/// Verdicts on candidates, last stored first.
#[utoipa::path(
    get, path = "/api/v1/reentry/history", tag = "reentry",
    params(
        ("limit" = Option<i64>, Query, description = "1 to 100, default 20"),
        ("cursor" = Option<String>, Query, description = "next_cursor of the page before"),
    ),
    responses(
        (status = 200, body = Success<Vec<Verdict>>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn history(
    State(state): State<AppState>,
    mut params: Params,
) -> Result<Success<Vec<Verdict>>, ApiError> {
    let page = params.page();
    params.finish()?;
    Ok(Success::page(
        queries::reentry::history(&state.db, page).await?,
    ))
}

/// Candidates, last exit first.
#[utoipa::path(
    get, path = "/api/v1/reentry/candidates", tag = "reentry",
    params(
        ("limit" = Option<i64>, Query, description = "1 to 100, default 20"),
        ("cursor" = Option<String>, Query, description = "next_cursor of the page before"),
    ),
    responses(
        (status = 200, body = Success<Vec<Candidate>>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn candidates(
    State(state): State<AppState>,
    mut params: Params,
) -> Result<Success<Vec<Candidate>>, ApiError> {
    let page = params.page();
    params.finish()?;
    Ok(Success::page(
        queries::reentry::candidates(&state.db, page).await?,
    ))
}
