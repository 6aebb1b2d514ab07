//! Signals of the strategy, and the factors behind them.

use axum::extract::State;
use serde::Serialize;
use turnstile_dataflows::model::Symbol;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::strategy_runs::strategy;
use crate::envelope::Success;
use crate::error::{ApiError, Failure};
use crate::extract::{InPath, NoParams, Params};
use crate::number::Number;
use crate::queries;
use crate::seoul::SeoulTime;
use crate::state::AppState;

/// The signals of a day.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Signals {
    pub(crate) snapshot_id: Uuid,
    pub(crate) universe_snapshot_id: Uuid,
    pub(crate) strategy_id: String,
    /// The day.
    pub(crate) as_of: String,
    pub(crate) created_ts: SeoulTime,
    /// By rank.
    pub(crate) buy: Vec<Signal>,
    /// By rank.
    pub(crate) sell: Vec<Signal>,
}

/// One signal.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Signal {
    /// From 1, among its kind.
    pub(crate) rank: i32,
    pub(crate) symbol: String,
    /// Name of the stock.
    pub(crate) name: Option<String>,
    /// 0 to 100.
    pub(crate) strength: Number,
    /// 0 to 100.
    pub(crate) conviction: Number,
    /// -1 to 1.
    pub(crate) total_score: Number,
    pub(crate) factors: Factors,
}

/// Factors, -1 to 1; absent: missing.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Factors {
    pub(crate) momentum: Option<Number>,
    pub(crate) technical: Option<Number>,
    pub(crate) value: Option<Number>,
    pub(crate) quality: Option<Number>,
    pub(crate) flow: Option<Number>,
    pub(crate) event: Option<Number>,
}

/// What the factors of a symbol say.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Evaluation {
    pub(crate) snapshot_id: Uuid,
    pub(crate) strategy_id: String,
    /// The day.
    pub(crate) as_of: String,
    pub(crate) symbol: String,
    /// Name of the stock.
    pub(crate) name: Option<String>,
    pub(crate) factors: Factors,
    /// -1 to 1; absent, like the next two, with fewer than four factors.
    pub(crate) total_score: Option<Number>,
    /// 0 to 100.
    pub(crate) strength: Option<Number>,
    /// 0 to 100.
    pub(crate) conviction: Option<Number>,
    /// BUY or SELL where it is a signal.
    pub(crate) signal: Option<String>,
    /// Its rank among those.
    pub(crate) rank: Option<i32>,
}

/// The newest signals.
#[utoipa::path(
    get, path = "/api/v1/signals/latest", tag = "strategy",
    params(("strategy_id" = Option<String>, Query, description = "default: the configured strategy")),
    responses(
        (status = 200, body = Success<Signals>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn latest(
    State(state): State<AppState>,
    mut params: Params,
) -> Result<Success<Signals>, ApiError> {
    let strategy = strategy(&state, &mut params);
    params.finish()?;
    queries::signals::latest(&state.db, &strategy)
        .await?
        .map(Success::one)
        .ok_or_else(|| ApiError::not_found("signals", strategy))
}

/// The signals of a snapshot.
#[utoipa::path(
    get, path = "/api/v1/signals/snapshots/{id}", tag = "strategy",
    params(("id" = Uuid, Path, description = "snapshot_id")),
    responses(
        (status = 200, body = Success<Signals>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn snapshot(
    State(state): State<AppState>,
    InPath(id): InPath<Uuid>,
    _: NoParams,
) -> Result<Success<Signals>, ApiError> {
    queries::signals::snapshot(&state.db, id)
        .await?
        .map(Success::one)
        .ok_or_else(|| ApiError::not_found("signal snapshot", id))
}

/// The factors of a symbol, of the newest signals.
#[utoipa::path(
    get, path = "/api/v1/signals/factors/{symbol}", tag = "strategy",
    params(
        ("symbol" = String, Path, description = "1 to 9 letters or digits"),
        ("strategy_id" = Option<String>, Query, description = "default: the configured strategy"),
    ),
    responses(
        (status = 200, body = Success<Evaluation>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn factors(
    State(state): State<AppState>,
    InPath(symbol): InPath<Symbol>,
    mut params: Params,
) -> Result<Success<Evaluation>, ApiError> {
    let strategy = strategy(&state, &mut params);
    params.finish()?;
    queries::signals::factors(&state.db, &strategy, symbol)
        .await?
        .map(Success::one)
        .ok_or_else(|| ApiError::not_found("evaluation", symbol))
}
