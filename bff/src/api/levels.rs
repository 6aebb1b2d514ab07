//! Levels: where each rule of a position fires, and how far that is.

use axum::extract::State;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::envelope::Success;
use crate::error::{ApiError, Failure};
use crate::extract::{InPath, NoParams};
use crate::number::Number;
use crate::queries;
use crate::seoul::SeoulTime;
use crate::state::AppState;

/// The levels of a position, and the profile they come from.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PositionLevels {
    pub(crate) position_id: Uuid,
    pub(crate) symbol: String,
    /// ENABLED, DISABLED or MANUAL_ONLY; without ENABLED no rule is judged.
    pub(crate) exit_mode: String,
    /// Price that is judged, the bid where there is one, else the last trade, KRW.
    pub(crate) price: Option<Number>,
    /// Exchange time of its trade.
    pub(crate) price_ts: Option<SeoulTime>,
    /// High-water mark, KRW.
    pub(crate) hwm: Option<Number>,
    /// The profile in force; none: no rule serves the position, or it is closed.
    pub(crate) profile: Option<EffectiveProfile>,
    /// The nearest first.
    pub(crate) levels: Vec<RuleLevel>,
}

/// The profile that decides about a position.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EffectiveProfile {
    pub(crate) rule_id: String,
    /// Version in force.
    pub(crate) version: i32,
    /// What chose it: POSITION, SYMBOL, STRATEGY or DEFAULT.
    pub(crate) level: String,
    /// Whether the engine says so. Otherwise it has told no levels of the position, and this is
    /// what the stored rules come to.
    pub(crate) is_in_force: bool,
    /// Version that is stored: another one where the engine has not taken it, because it has just
    /// been saved or cannot be read.
    pub(crate) stored_version: Option<i32>,
    pub(crate) name: Option<String>,
    /// The profile of the stored version.
    #[schema(value_type = Option<Object>)]
    pub(crate) rules: Option<Box<RawValue>>,
}

/// One level.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RuleLevel {
    /// Rule that fires there, such as SL1.
    pub(crate) reason: String,
    /// Custom rule, if it is one.
    pub(crate) rule_id: Option<String>,
    /// BELOW: fires at or below the level. ABOVE: at or above.
    pub(crate) side: String,
    /// Price that has to be reached, KRW.
    pub(crate) level: Number,
    /// Way to it as a ratio of the price; 0 or less: reached.
    pub(crate) distance: Option<Number>,
    /// Since when the level stands there.
    pub(crate) since: SeoulTime,
}

/// Where the rules of a live position fire, as the engine has told last.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LiveLevels {
    pub(crate) position_id: Uuid,
    pub(crate) symbol: String,
    /// The profile in force.
    pub(crate) profile_id: String,
    /// Version in force.
    pub(crate) profile_version: i32,
    /// What chose it: POSITION, SYMBOL, STRATEGY or DEFAULT.
    pub(crate) profile_level: String,
    /// High-water mark, KRW.
    pub(crate) hwm: Option<Number>,
    /// The highest first.
    pub(crate) levels: Vec<StandingLevel>,
}

/// One level, without the way to it: whoever has a price knows that.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StandingLevel {
    /// Rule that fires there, such as SL1.
    pub(crate) reason: String,
    /// Custom rule, if it is one.
    pub(crate) rule_id: Option<String>,
    /// BELOW: fires at or below the level. ABOVE: at or above.
    pub(crate) side: String,
    /// Price that has to be reached, KRW.
    pub(crate) level: Number,
    /// Since when the level stands there.
    pub(crate) since: SeoulTime,
}

/// The levels of the live positions, at most 1,000 of them (the latest entries), by position. A position
/// without any is left out.
#[utoipa::path(
    get, path = "/api/v1/levels", tag = "positions",
    responses(
        (status = 200, body = Success<Vec<LiveLevels>>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn live(
    State(state): State<AppState>,
    _: NoParams,
) -> Result<Success<Vec<LiveLevels>>, ApiError> {
    Ok(Success::one(queries::levels::live(&state.db).await?))
}

/// The levels of one position with the profile in force.
#[utoipa::path(
    get, path = "/api/v1/positions/{id}/levels", tag = "positions",
    params(("id" = Uuid, Path, description = "position_id")),
    responses(
        (status = 200, body = Success<PositionLevels>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn of_position(
    State(state): State<AppState>,
    InPath(id): InPath<Uuid>,
    _: NoParams,
) -> Result<Success<PositionLevels>, ApiError> {
    let levels = queries::levels::of_position(&state.db, id).await?;
    levels
        .map(Success::one)
        .ok_or_else(|| ApiError::not_found("position", id))
}
