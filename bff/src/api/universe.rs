//! Universe: which symbols the strategy looks at, and why not the others.

use axum::extract::State;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::strategy_runs::strategy;
use crate::envelope::Success;
use crate::error::{ApiError, Failure};
use crate::extract::Params;
use crate::queries;
use crate::queries::universe::Which;
use crate::seoul::SeoulTime;
use crate::state::AppState;

/// The universe of a day.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Universe {
    pub(crate) snapshot_id: Uuid,
    pub(crate) run_id: Uuid,
    pub(crate) strategy_id: String,
    /// The day.
    pub(crate) as_of: String,
    /// Listings, those that pass by tier, and those kept out by reason.
    #[schema(value_type = Object)]
    pub(crate) filter_stats: Value,
    pub(crate) created_ts: SeoulTime,
    /// By symbol.
    pub(crate) symbols: Vec<UniverseSymbol>,
}

/// What a universe says of a listing.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UniverseSymbol {
    pub(crate) symbol: String,
    /// Name of the stock.
    pub(crate) name: Option<String>,
    /// HOLDING, WATCHLIST, RANKING or LISTED; absent where it is kept out.
    pub(crate) tier: Option<String>,
    /// The list of a RANKING symbol.
    pub(crate) list: Option<String>,
    /// The filter that keeps it out.
    pub(crate) exclusion: Option<String>,
    pub(crate) market: String,
    pub(crate) sector: Option<String>,
    /// KRW.
    pub(crate) market_cap: Option<i64>,
    /// Mean of five days, shares.
    pub(crate) avg_volume_5d: Option<i64>,
    /// Mean of five days, KRW.
    pub(crate) avg_value_5d: Option<i64>,
}

/// The newest universe that was published.
#[utoipa::path(
    get, path = "/api/v1/universe/latest", tag = "strategy",
    params(
        ("strategy_id" = Option<String>, Query, description = "default: the configured strategy"),
        ("which" = Option<String>, Query, description = "passed (default), excluded or all"),
    ),
    responses(
        (status = 200, body = Success<Universe>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn latest(
    State(state): State<AppState>,
    mut params: Params,
) -> Result<Success<Universe>, ApiError> {
    let strategy = strategy(&state, &mut params);
    let which = match params.choice("which", &["passed", "excluded", "all"]) {
        "excluded" => Which::Excluded,
        "all" => Which::All,
        _ => Which::Passed,
    };
    params.finish()?;
    queries::universe::latest(&state.db, &strategy, which)
        .await?
        .map(Success::one)
        .ok_or_else(|| ApiError::not_found("universe", strategy))
}
