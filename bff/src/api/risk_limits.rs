//! Limits of the account: what is in force, and changing it.

use axum::extract::State;
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::Value;
use tracing::info;
use turnstile_dataflows::risk::RiskProfile;
use utoipa::ToSchema;

use crate::api::exit_rules::{NAME_LENGTH_MAX, TEXT_LENGTH_MAX};
use crate::envelope::Success;
use crate::error::{ApiError, Failure};
use crate::extract::{Body, NoParams};
use crate::number::{Number, PERCENT};
use crate::queries;
use crate::seoul::SeoulTime;
use crate::state::AppState;

/// What an entry may do to the account. Percentages are of the equity; all limits are inclusive.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RiskLimits {
    /// DEFAULT, CONSERVATIVE or AGGRESSIVE: the one in force.
    pub(crate) profile: String,
    /// Its limits now; null: it has none at this time, and nothing is bought.
    pub(crate) limits: Option<Figures>,
    /// Rises with every change.
    pub(crate) version: i32,
    pub(crate) reason: Option<String>,
    pub(crate) updated_by: String,
    pub(crate) updated_ts: SeoulTime,
}

/// The limits of a profile for a period.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Figures {
    /// Names held or being bought.
    pub(crate) positions_max: i32,
    /// Weight of one name.
    pub(crate) single_max_pct: Number,
    /// Weight of one sector.
    pub(crate) sector_max_pct: Number,
    /// Weight of one market.
    pub(crate) market_max_pct: Number,
    /// Realised loss of the day in Seoul.
    pub(crate) daily_loss_max_pct: Number,
    /// Realised loss of the month in Seoul.
    pub(crate) total_loss_max_pct: Number,
    pub(crate) active_from: SeoulTime,
    /// Exclusive; null: until others take their place.
    pub(crate) active_to: Option<SeoulTime>,
}

/// A profile to put in force, with its limits from now on. Every limit is needed.
#[derive(Debug, ToSchema)]
pub(crate) struct RiskLimitsChange {
    /// DEFAULT, CONSERVATIVE or AGGRESSIVE.
    pub(crate) profile: &'static str,
    /// At least 0.
    pub(crate) positions_max: i32,
    /// Above 0, at most 100, as the other percentages.
    #[schema(value_type = f64)]
    pub(crate) single_max_pct: Decimal,
    #[schema(value_type = f64)]
    pub(crate) sector_max_pct: Decimal,
    #[schema(value_type = f64)]
    pub(crate) market_max_pct: Decimal,
    #[schema(value_type = f64)]
    pub(crate) daily_loss_max_pct: Decimal,
    #[schema(value_type = f64)]
    pub(crate) total_loss_max_pct: Decimal,
    /// RFC 3339, exclusive; absent: until others take their place.
    #[schema(value_type = Option<String>)]
    pub(crate) active_to: Option<Timestamp>,
    /// Version that the change is made from.
    pub(crate) version: i32,
    /// Why, at most 500 characters.
    pub(crate) reason: String,
    /// Who sets them, at most 64 characters.
    pub(crate) updated_by: String,
}

/// The limits in force.
#[utoipa::path(
    get, path = "/api/v1/risk/limits", tag = "risk",
    responses(
        (status = 200, body = Success<RiskLimits>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn one(
    State(state): State<AppState>,
    _: NoParams,
) -> Result<Success<RiskLimits>, ApiError> {
    let limits = queries::risk_limits::one(&state.db).await?;
    limits.map(Success::one).ok_or_else(missing)
}

/// Puts a profile in force with its limits from now on, as a change of the version that it was made
/// from.
#[utoipa::path(
    put, path = "/api/v1/risk/limits", tag = "risk",
    request_body = RiskLimitsChange,
    responses(
        (status = 200, body = Success<RiskLimits>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn set(
    State(state): State<AppState>,
    _: NoParams,
    mut body: Body,
) -> Result<Success<RiskLimits>, ApiError> {
    let change = RiskLimitsChange {
        profile: body.required_choice("profile", &RiskProfile::ALL.map(RiskProfile::name)),
        positions_max: body.required_whole_i32("positions_max", 0),
        single_max_pct: body.required_number("single_max_pct", &PERCENT),
        sector_max_pct: body.required_number("sector_max_pct", &PERCENT),
        market_max_pct: body.required_number("market_max_pct", &PERCENT),
        daily_loss_max_pct: body.required_number("daily_loss_max_pct", &PERCENT),
        total_loss_max_pct: body.required_number("total_loss_max_pct", &PERCENT),
        active_to: body.parsed::<Timestamp>("active_to"),
        version: body.required_whole_i32("version", 1),
        reason: body.required_text("reason", TEXT_LENGTH_MAX),
        updated_by: body.actor("updated_by", NAME_LENGTH_MAX),
    };
    let is_over = |end: Timestamp| end.as_microsecond() <= SeoulTime::now().micros();
    if change.active_to.is_some_and(is_over) {
        body.fault("active_to", "must lie in the future".to_owned());
    }
    body.finish()?;
    let saved = queries::risk_limits::set(&state.db, &change).await?;
    let limits = saved.or_refuse("the limits", missing)?;
    let (profile, by) = (&limits.profile, &limits.updated_by);
    info!(profile, version = limits.version, by, "risk limits set");
    Ok(Success::one(limits))
}

fn missing() -> ApiError {
    ApiError::not_found("limits", Value::from("system.risk_profile"))
}
