//! Limits of the account: what is in force, and changing it.

use axum::extract::State;
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::{Value, json};
use tracing::info;
use turnstile_dataflows::risk::RiskProfile;
use utoipa::ToSchema;

use crate::api::exit_rules::{NAME_LENGTH_MAX, TEXT_LENGTH_MAX};
use crate::envelope::Success;
use crate::error::{ApiError, Failure};
use crate::extract::{Body, NoParams};
use crate::number::Number;
use crate::queries;
use crate::queries::risk_limits::Saved;
use crate::seoul::SeoulTime;
use crate::state::AppState;

/// Decimals of a percentage as stored.
const SCALE: u32 = 4;

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
    request_body = RiskLimitsChange, security(("token" = [])),
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
        positions_max: whole(&mut body, "positions_max", 0),
        single_max_pct: percent(&mut body, "single_max_pct"),
        sector_max_pct: percent(&mut body, "sector_max_pct"),
        market_max_pct: percent(&mut body, "market_max_pct"),
        daily_loss_max_pct: percent(&mut body, "daily_loss_max_pct"),
        total_loss_max_pct: percent(&mut body, "total_loss_max_pct"),
        active_to: body.parsed::<Timestamp>("active_to"),
        version: whole(&mut body, "version", 1),
        reason: body.required_text("reason", TEXT_LENGTH_MAX),
        updated_by: body.required_text("updated_by", NAME_LENGTH_MAX),
    };
    let is_over = |end: Timestamp| end.as_microsecond() <= SeoulTime::now().micros();
    if change.active_to.is_some_and(is_over) {
        body.fault("active_to", "must lie in the future".to_owned());
    }
    body.finish()?;
    match queries::risk_limits::set(&state.db, &change).await? {
        Saved::Done(limits) => {
            let (profile, by) = (&limits.profile, &limits.updated_by);
            info!(profile, version = limits.version, by, "risk limits set");
            Ok(Success::one(*limits))
        }
        Saved::Missing => Err(missing()),
        Saved::Changed { version } => Err(ApiError::conflict(
            format!("the limits stand at version {version}"),
            json!({ "version": version }),
        )),
    }
}

/// Takes a whole number that the database has room for.
pub(super) fn whole(body: &mut Body, name: &str, least: i64) -> i32 {
    i32::try_from(body.required_whole(name, least)).unwrap_or(i32::MAX)
}

fn percent(body: &mut Body, name: &str) -> Decimal {
    let value = body.required_value(name);
    let number = Some(&value).filter(|value| value.is_number());
    let number = number.and_then(|number| Decimal::from_str_exact(&number.to_string()).ok());
    let is_percent = |part: &Decimal| {
        *part > Decimal::ZERO && *part <= Decimal::ONE_HUNDRED && part.normalize().scale() <= SCALE
    };
    let number = number.filter(is_percent);
    if number.is_none() && !value.is_null() {
        let expected = "must be a percentage above 0 and at most 100 with at most 4 decimals";
        body.fault(name, format!("{expected}, was {value}"));
    }
    number.unwrap_or_default()
}

fn missing() -> ApiError {
    ApiError::not_found("limits", Value::from("system.risk_profile"))
}
