//! The market regime: what producers say, and what the operator says instead.

use axum::extract::State;
use jiff::Timestamp;
use serde::Serialize;
use tracing::info;
use turnstile_dataflows::model::Regime;
use utoipa::ToSchema;

use crate::api::exit_rules::{NAME_LENGTH_MAX, TEXT_LENGTH_MAX};
use crate::envelope::Success;
use crate::error::{ApiError, Failure};
use crate::extract::{Body, NoParams};
use crate::queries;
use crate::seoul::SeoulTime;
use crate::state::AppState;

/// The market regime, as far as re-entries ask for it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RegimeNow {
    /// What the operator set; null: producers decide.
    pub(crate) regime: Option<String>,
    /// Until when, exclusive; null: until it is lifted.
    pub(crate) until_ts: Option<SeoulTime>,
    pub(crate) reason: Option<String>,
    pub(crate) updated_by: String,
    pub(crate) updated_ts: SeoulTime,
    /// What a producer said last. It counts for five minutes.
    pub(crate) snapshot: Option<String>,
    pub(crate) snapshot_asof: Option<SeoulTime>,
    pub(crate) snapshot_source: Option<String>,
}

/// The operator's regime.
#[derive(Debug, ToSchema)]
pub(crate) struct RegimeChange {
    /// RISK_ON, NEUTRAL, RISK_OFF or PANIC; null, which has to be said: producers decide.
    #[schema(value_type = Option<String>)]
    pub(crate) regime: Option<Regime>,
    /// RFC 3339, exclusive; absent: until it is lifted.
    #[schema(value_type = Option<String>)]
    pub(crate) until_ts: Option<Timestamp>,
    /// Why, at most 500 characters.
    pub(crate) reason: Option<String>,
    /// Who sets it, at most 64 characters.
    pub(crate) updated_by: String,
}

/// The market regime.
#[utoipa::path(
    get, path = "/api/v1/reentry/regime", tag = "reentry",
    responses(
        (status = 200, body = Success<RegimeNow>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn one(
    State(state): State<AppState>,
    _: NoParams,
) -> Result<Success<RegimeNow>, ApiError> {
    let regime = queries::regime::one(&state.db).await?;
    regime
        .map(Success::one)
        .ok_or_else(|| ApiError::not_found("regime", "market.regime_override"))
}

/// Sets the regime that counts instead of what producers say, or lifts it.
#[utoipa::path(
    put, path = "/api/v1/reentry/regime", tag = "reentry",
    request_body = RegimeChange,
    responses(
        (status = 200, body = Success<RegimeNow>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn set(
    State(state): State<AppState>,
    _: NoParams,
    mut body: Body,
) -> Result<Success<RegimeNow>, ApiError> {
    let change = RegimeChange {
        regime: regime(&mut body),
        until_ts: body.parsed::<Timestamp>("until_ts"),
        reason: body.text("reason", TEXT_LENGTH_MAX),
        updated_by: body.actor("updated_by", NAME_LENGTH_MAX),
    };
    if change.regime.is_none() && change.until_ts.is_some() {
        body.fault_if_none("until_ts", "must be absent without a regime");
    }
    body.finish()?;
    queries::regime::set(&state.db, &change).await?;
    let regime = change.regime.map_or("lifted", Regime::name);
    info!(regime, by = change.updated_by, "market regime set");
    one(State(state), NoParams).await
}

/// Takes the regime, or the null that lifts it: what was forgotten must not lift a PANIC.
fn regime(body: &mut Body) -> Option<Regime> {
    let value = body.given_value("regime")?;
    let text = value.as_str();
    let regime = text.and_then(|text| text.parse().ok());
    if regime.is_none() && !value.is_null() {
        let known = Regime::ALL.map(Regime::name).join(", ");
        body.fault(
            "regime",
            format!("must be one of {known}, or null, was {value}"),
        );
    }
    regime
}
