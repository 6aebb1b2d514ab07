//! Rankings of the strategy: what to buy first.

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::strategy_runs::strategy;
use crate::envelope::Success;
use crate::error::{ApiError, Failure};
use crate::extract::Params;
use crate::number::Number;
use crate::queries;
use crate::seoul::SeoulTime;
use crate::state::AppState;

/// The ranking of a day.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Rankings {
    pub(crate) snapshot_id: Uuid,
    pub(crate) signal_snapshot_id: Uuid,
    pub(crate) strategy_id: String,
    /// The day.
    pub(crate) as_of: String,
    pub(crate) created_ts: SeoulTime,
    /// By rank.
    pub(crate) rows: Vec<Ranked>,
}

/// Place of a symbol.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Ranked {
    /// From 1.
    pub(crate) rank: i32,
    pub(crate) symbol: String,
    /// Name of the stock.
    pub(crate) name: Option<String>,
    pub(crate) market: String,
    pub(crate) sector: Option<String>,
    /// Score less the points lost for diversity; may be below 0.
    pub(crate) total_score: Number,
    pub(crate) score: Number,
    /// 0 to 100.
    pub(crate) strength: Number,
    /// 0 to 100.
    pub(crate) risk_score: Number,
    /// Percent a year.
    pub(crate) volatility: Option<Number>,
    /// Mean value of a day, KRW.
    pub(crate) liquidity: Option<i64>,
    /// Points lost for its sector.
    pub(crate) sector_loss: i64,
    /// Points lost for its market.
    pub(crate) market_loss: i64,
    pub(crate) selected: bool,
    /// Why it is not selected: VOLATILITY, VALUE, SCORE or COUNT.
    pub(crate) reason: Option<String>,
}

/// The newest ranking.
#[utoipa::path(
    get, path = "/api/v1/rankings/latest", tag = "strategy",
    params(
        ("strategy_id" = Option<String>, Query, description = "default: the configured strategy"),
        ("selected_only" = Option<bool>, Query, description = "default false"),
    ),
    responses(
        (status = 200, body = Success<Rankings>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn latest(
    State(state): State<AppState>,
    mut params: Params,
) -> Result<Success<Rankings>, ApiError> {
    let strategy = strategy(&state, &mut params);
    let selected_only = params.parsed::<bool>("selected_only").unwrap_or(false);
    params.finish()?;
    queries::rankings::latest(&state.db, &strategy, selected_only)
        .await?
        .map(Success::one)
        .ok_or_else(|| ApiError::not_found("ranking", strategy))
}
