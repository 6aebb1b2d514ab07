//! Risk: the account beside its limits, and what the gate refused.

use axum::extract::State;
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::envelope::Success;
use crate::error::{ApiError, Failure};
use crate::extract::{NoParams, Params};
use crate::number::Number;
use crate::queries;
use crate::seoul::SeoulTime;
use crate::state::AppState;

/// The account beside its limits. Amounts in KRW, percentages cut off to two decimals.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RiskReport {
    pub(crate) ts: SeoulTime,
    /// By the highest usage: GREEN below 70 %, YELLOW from 70, ORANGE from 85 to 95, RED above; RED
    /// also where something is not known.
    pub(crate) level: String,
    /// What is not known, and makes it RED.
    pub(crate) unknown: Option<String>,
    pub(crate) profile: Option<String>,
    /// Whether entries are stopped.
    pub(crate) is_stopped: bool,
    /// Names held or being bought.
    pub(crate) positions: i32,
    pub(crate) equity: Option<Number>,
    pub(crate) largest_symbol: Option<String>,
    /// Percent of the equity.
    pub(crate) largest_weight: Option<Number>,
    /// Percent of the equity, by sector; a name without a sector in brackets.
    #[schema(value_type = Object)]
    pub(crate) sector_weights: Box<RawValue>,
    /// Percent of the equity, by market.
    #[schema(value_type = Object)]
    pub(crate) market_weights: Box<RawValue>,
    /// Realised, of the day in Seoul.
    pub(crate) day_result: Number,
    /// Realised, of the month in Seoul.
    pub(crate) month_result: Number,
    pub(crate) day_result_pct: Option<Number>,
    pub(crate) month_result_pct: Option<Number>,
    /// Percent of the limit that is used most.
    pub(crate) highest_usage: Option<Number>,
    /// Percent of each limit, by check. A limit of 100 % bounds nothing and has none.
    #[schema(value_type = Object)]
    pub(crate) usages: Box<RawValue>,
    /// (1 − loss ÷ limit) · 100.
    pub(crate) daily_buffer_pct: Option<Number>,
    /// Of the month, realised and unrealised; a gain on paper makes up for nothing.
    pub(crate) total_buffer_pct: Option<Number>,
    /// What is held against its average cost, at the price of its weight.
    pub(crate) unrealized_result: Option<Number>,
    /// Realised in the month, and unrealised.
    pub(crate) total_result: Option<Number>,
    pub(crate) total_result_pct: Option<Number>,
}

/// An entry that the gate refused.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RiskViolation {
    pub(crate) id: i64,
    pub(crate) ts: SeoulTime,
    /// Of the order that was not placed.
    pub(crate) action_key: String,
    pub(crate) symbol: String,
    /// ENTRY.
    pub(crate) intent_type: String,
    pub(crate) qty: i64,
    pub(crate) price: Number,
    /// The check that refused.
    pub(crate) check_type: String,
    /// After the order: names, else KRW; null: not known, or no number.
    pub(crate) current_value: Option<Number>,
    pub(crate) limit_value: Option<Number>,
    /// For people.
    pub(crate) message: String,
    /// Every check up to the one that refused.
    #[schema(value_type = Vec<Object>)]
    pub(crate) results: Box<RawValue>,
}

/// The newest report.
#[utoipa::path(
    get, path = "/api/v1/risk/report", tag = "risk",
    responses(
        (status = 200, body = Success<RiskReport>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn report(
    State(state): State<AppState>,
    _: NoParams,
) -> Result<Success<RiskReport>, ApiError> {
    let report = queries::risk::report(&state.db).await?;
    report
        .map(Success::one)
        .ok_or_else(|| ApiError::not_found("report", Value::from("system.risk_reports")))
}

/// What the gate refused, newest first.
#[utoipa::path(
    get, path = "/api/v1/risk/violations", tag = "risk",
    params(
        ("limit" = Option<i64>, Query, description = "1 to 100, default 20"),
        ("cursor" = Option<String>, Query, description = "next_cursor of the page before"),
    ),
    responses(
        (status = 200, body = Success<Vec<RiskViolation>>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn violations(
    State(state): State<AppState>,
    mut params: Params,
) -> Result<Success<Vec<RiskViolation>>, ApiError> {
    let page = params.page();
    params.finish()?;
    Ok(Success::page(
        queries::risk::violations(&state.db, page).await?,
    ))
}
