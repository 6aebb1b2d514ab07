//! Coverage: what is stored of the market, and where days are missing.

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::envelope::Success;
use crate::error::{ApiError, Failure};
use crate::extract::{NoParams, Params};
use crate::queries;
use crate::seoul::SeoulTime;
use crate::state::AppState;

/// Gaps of an answer unless the client asks for fewer or more.
const LIMIT_DEFAULT: i64 = 100;
/// Most gaps of an answer.
const LIMIT_MAX: i64 = 1_000;

/// What is stored of one collection.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Collection {
    /// daily_bars, minute_bars, prices, investor_flows, fundamentals, disclosures, stocks, calendar or
    /// stock_rankings.
    pub(crate) collection: String,
    /// Rows, counted where they are few.
    pub(crate) rows: i64,
    /// Whether the rows are an estimate of the database.
    pub(crate) is_estimate: bool,
    /// Symbols; of prices and stock_rankings those of the last day. Absent for the calendar.
    pub(crate) symbols: Option<i64>,
    /// First date in Seoul; absent where a collection has no days or no rows.
    pub(crate) first_day: Option<String>,
    /// Last date in Seoul.
    pub(crate) last_day: Option<String>,
    /// When something was written last.
    pub(crate) updated_ts: Option<SeoulTime>,
}

/// A day on which an issue has no bar.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Gap {
    pub(crate) symbol: String,
    /// Name of the stock.
    pub(crate) name: String,
    /// Date in Seoul.
    pub(crate) day: String,
}

/// What is stored of the market, collection by collection.
#[utoipa::path(
    get, path = "/api/v1/data/coverage", tag = "data",
    responses(
        (status = 200, body = Success<Vec<Collection>>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn collections(
    State(state): State<AppState>,
    _: NoParams,
) -> Result<Success<Vec<Collection>>, ApiError> {
    Ok(Success::one(queries::coverage::all(&state.db).await?))
}

/// Days among the last 60 on which the exchange was open and an active issue has no daily bar, though it has
/// some before and after; the newest first.
#[utoipa::path(
    get, path = "/api/v1/data/gaps", tag = "data",
    params(("limit" = Option<i64>, Query, description = "1 to 1000, default 100")),
    responses(
        (status = 200, body = Success<Vec<Gap>>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn gaps(
    State(state): State<AppState>,
    mut params: Params,
) -> Result<Success<Vec<Gap>>, ApiError> {
    let limit = params.limit_within(LIMIT_DEFAULT, LIMIT_MAX);
    params.finish()?;
    Ok(Success::one(
        queries::coverage::gaps(&state.db, limit).await?,
    ))
}
