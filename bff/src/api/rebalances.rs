//! What a portfolio came to when it was traded.

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::envelope::Success;
use crate::error::{ApiError, Failure};
use crate::extract::{InPath, NoParams};
use crate::number::Number;
use crate::queries;
use crate::seoul::SeoulTime;
use crate::state::AppState;

/// The trading of one portfolio.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Rebalance {
    pub(crate) portfolio_id: Uuid,
    /// Day at the exchange.
    pub(crate) day: String,
    pub(crate) account_id: String,
    /// What the account was worth at the beginning, KRW.
    pub(crate) equity: Number,
    /// SELLING, or DONE: everything is asked for.
    pub(crate) state: String,
    /// Why not everything was bought.
    pub(crate) reason: Option<String>,
    /// In the order of trades, those that are not traded last.
    pub(crate) lines: Vec<Line>,
    pub(crate) created_ts: SeoulTime,
    pub(crate) updated_ts: SeoulTime,
}

/// What it came to for one name.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Line {
    pub(crate) symbol: String,
    /// Name of the stock.
    pub(crate) name: Option<String>,
    /// BUY, SELL or NONE.
    pub(crate) side: String,
    pub(crate) action_key: String,
    /// Target share of equity, 0 to 1.
    pub(crate) weight: Number,
    /// Shares at the beginning.
    pub(crate) held: i64,
    /// Shares that were aimed at.
    pub(crate) target: Option<i64>,
    /// Shares asked for.
    pub(crate) qty: i64,
    /// Price that it was computed at.
    pub(crate) price: Option<Number>,
    /// Why fewer shares are traded than are missing, or none.
    pub(crate) skipped: Option<String>,
    /// Status of the order.
    pub(crate) order_status: Option<String>,
    /// Shares traded.
    pub(crate) filled_qty: Option<i64>,
    /// Why the request was refused.
    pub(crate) refused: Option<String>,
}

/// How a portfolio was traded.
#[utoipa::path(
    get, path = "/api/v1/portfolios/{id}/rebalance", tag = "strategy",
    params(("id" = Uuid, Path, description = "portfolio_id")),
    responses(
        (status = 200, body = Success<Rebalance>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn one(
    State(state): State<AppState>,
    InPath(id): InPath<Uuid>,
    _: NoParams,
) -> Result<Success<Rebalance>, ApiError> {
    let found = queries::rebalances::one(&state.db, id).await?;
    found
        .map(Success::one)
        .ok_or_else(|| ApiError::not_found("rebalance", id))
}
