//! Limits of re-entries: what stands, and changing it.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::IntoResponse;
use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::Value;
use tracing::info;
use turnstile_dataflows::model::Regime;
use utoipa::ToSchema;

use crate::api::exit_rules::{NAME_LENGTH_MAX, TEXT_LENGTH_MAX};
use crate::envelope::Success;
use crate::error::{ApiError, Failure};
use crate::extract::{Body, NoParams};
use crate::number::{Number, PERCENT, WON};
use crate::queries;
use crate::seoul::SeoulTime;
use crate::state::AppState;
use crate::versioned::named;

/// What re-entries may do to the account. What is null limits nothing.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Limits {
    /// Regimes under which something may be bought at all (gate G0).
    pub(crate) entry_regimes: Vec<String>,
    /// Positions at most (gate G3).
    pub(crate) positions_max: Option<i32>,
    /// KRW at cost, all positions and purchases under way (gate G3).
    pub(crate) exposure_max: Option<Number>,
    /// The same in percent of equity.
    pub(crate) exposure_max_pct: Option<Number>,
    /// Realised loss of the day, KRW (gate G4).
    pub(crate) daily_loss_max: Option<Number>,
    /// The same in percent of equity.
    pub(crate) daily_loss_max_pct: Option<Number>,
    /// What the account is worth, KRW, as the broker stated it last.
    pub(crate) equity: Option<Number>,
    /// When that was. It counts for five minutes.
    pub(crate) equity_asof: Option<SeoulTime>,
    /// Rises with every change.
    pub(crate) version: i32,
    pub(crate) reason: Option<String>,
    pub(crate) updated_by: String,
    pub(crate) updated_ts: SeoulTime,
}

/// Limits to set: every key is needed, null says that there is no such limit.
#[derive(Debug, ToSchema)]
pub(crate) struct LimitsChange {
    /// RISK_ON, NEUTRAL, RISK_OFF, PANIC: at least one of them.
    #[schema(value_type = Vec<String>)]
    pub(crate) entry_regimes: Vec<Regime>,
    /// At least 0.
    pub(crate) positions_max: Option<i32>,
    /// KRW, at least 0.
    #[schema(value_type = Option<f64>)]
    pub(crate) exposure_max: Option<Decimal>,
    /// Above 0, at most 100.
    #[schema(value_type = Option<f64>)]
    pub(crate) exposure_max_pct: Option<Decimal>,
    /// KRW, at least 0.
    #[schema(value_type = Option<f64>)]
    pub(crate) daily_loss_max: Option<Decimal>,
    /// Above 0, at most 100.
    #[schema(value_type = Option<f64>)]
    pub(crate) daily_loss_max_pct: Option<Decimal>,
    /// Version that the change is made from; absent where there are no limits.
    pub(crate) version: Option<i32>,
    /// Why, at most 500 characters.
    pub(crate) reason: String,
    /// Who sets them, at most 64 characters.
    pub(crate) updated_by: String,
}

/// The limits of re-entries. Without any nothing is bought.
#[utoipa::path(
    get, path = "/api/v1/reentry/limits", tag = "reentry",
    responses(
        (status = 200, body = Success<Limits>),
        (status = 304, description = "the client has it, by its header if-none-match"),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn one(
    State(state): State<AppState>,
    headers: HeaderMap,
    _: NoParams,
) -> Result<impl IntoResponse, ApiError> {
    let limits = queries::reentry_limits::one(&state.db).await?;
    let limits = limits.ok_or_else(missing)?;
    Ok(named(&limits, &headers)?)
}

/// Sets the limits of re-entries, as a change of the version that it was made from.
#[utoipa::path(
    put, path = "/api/v1/reentry/limits", tag = "reentry",
    request_body = LimitsChange,
    responses(
        (status = 200, body = Success<Limits>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn set(
    State(state): State<AppState>,
    _: NoParams,
    mut body: Body,
) -> Result<Success<Limits>, ApiError> {
    // What was forgotten must not lift a limit: null has to be said.
    body.all_given(&[
        "positions_max",
        "exposure_max",
        "exposure_max_pct",
        "daily_loss_max",
        "daily_loss_max_pct",
    ]);
    let change = LimitsChange {
        entry_regimes: body.required_list("entry_regimes", Regime::ALL.len()),
        positions_max: body.whole_i32("positions_max", 0),
        exposure_max: body.number("exposure_max", &WON),
        exposure_max_pct: body.number("exposure_max_pct", &PERCENT),
        daily_loss_max: body.number("daily_loss_max", &WON),
        daily_loss_max_pct: body.number("daily_loss_max_pct", &PERCENT),
        version: body.whole_i32("version", 1),
        reason: body.required_text("reason", TEXT_LENGTH_MAX),
        updated_by: body.actor("updated_by", NAME_LENGTH_MAX),
    };
    body.finish()?;
    let saved = queries::reentry_limits::set(&state.db, &change).await?;
    let limits = saved.or_refuse("the limits", missing)?;
    let (version, by) = (limits.version, &limits.updated_by);
    info!(version, by, "limits of re-entries set");
    Ok(Success::one(limits))
}

fn missing() -> ApiError {
    ApiError::not_found("limits", Value::from("trade.reentry_limits"))
}
