//! Exit signals: how every rule of a position was judged last.

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

/// The last evaluation of a position. They are sampled once a minute; without one, all but the position and
/// its symbol is absent.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PositionSignals {
    pub(crate) position_id: Uuid,
    pub(crate) symbol: String,
    pub(crate) evaluated_ts: Option<SeoulTime>,
    /// Price that was judged, the bid where there is one, else the last trade, KRW.
    pub(crate) price: Option<Number>,
    /// Percent of the average cost.
    pub(crate) pnl_pct: Option<Number>,
    /// High-water mark, KRW.
    pub(crate) hwm: Option<Number>,
    /// Floor under the price, KRW.
    pub(crate) stop_floor: Option<Number>,
    /// The nearest first.
    pub(crate) rules: Vec<RuleSignal>,
}

/// The verdict of one rule.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RuleSignal {
    /// Rule, such as SL1.
    pub(crate) reason: String,
    /// Custom rule, if it is one.
    pub(crate) rule_id: Option<String>,
    /// BELOW: fires at or below the level. ABOVE: at or above.
    pub(crate) side: String,
    /// Price that has to be reached, KRW.
    pub(crate) level: Number,
    /// Way to it as a ratio of the price; 0 or less: reached.
    pub(crate) distance: Number,
    /// Whether the price has reached it.
    pub(crate) is_triggered: bool,
}

/// The last evaluation of a position, with every rule.
#[utoipa::path(
    get, path = "/api/v1/positions/{id}/signals", tag = "positions",
    params(("id" = Uuid, Path, description = "position_id")),
    responses(
        (status = 200, body = Success<PositionSignals>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn of_position(
    State(state): State<AppState>,
    InPath(id): InPath<Uuid>,
    _: NoParams,
) -> Result<Success<PositionSignals>, ApiError> {
    let signals = queries::exit_signals::of_position(&state.db, id).await?;
    signals
        .map(Success::one)
        .ok_or_else(|| ApiError::not_found("position", id))
}
