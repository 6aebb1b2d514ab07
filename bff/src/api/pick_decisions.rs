//! What became of picks.

use axum::extract::State;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::envelope::Success;
use crate::error::{ApiError, Failure};
use crate::extract::Params;
use crate::number::Number;
use crate::queries;
use crate::seoul::SeoulTime;
use crate::state::AppState;

/// What was decided on a symbol for a day, or what held it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PickDecision {
    pub(crate) id: i64,
    pub(crate) account_id: String,
    /// Day in Seoul.
    pub(crate) day: String,
    pub(crate) symbol: String,
    /// Name of the stock.
    pub(crate) name: String,
    /// PLACED, REFUSED or HELD.
    pub(crate) decision: String,
    /// The gate that did not let it pass.
    pub(crate) gate: Option<String>,
    /// Why.
    pub(crate) reason: Option<String>,
    /// PRIORITY, WEIGHTED or CONSENSUS.
    pub(crate) mode: String,
    /// Merged score, 0 to 1.
    pub(crate) score: Number,
    /// LOW, MEDIUM or HIGH.
    pub(crate) confidence: String,
    /// Everybody who names it, with run, score, confidence and rank; the first one leads.
    #[schema(value_type = Vec<Object>)]
    pub(crate) producers: Value,
    pub(crate) action_key: String,
    /// Shares asked for.
    pub(crate) qty: Option<i64>,
    /// KRW at most for a share.
    pub(crate) limit_price: Option<Number>,
    /// What the account was worth, KRW.
    pub(crate) equity: Option<Number>,
    /// The request to buy.
    pub(crate) request_id: Option<Uuid>,
    /// ASKED, ORDERED or REFUSED.
    pub(crate) request_state: Option<String>,
    /// Why the request was refused.
    pub(crate) request_message: Option<String>,
    /// The order that it became.
    pub(crate) order_id: Option<Uuid>,
    pub(crate) created_ts: SeoulTime,
}

/// Decisions, newest first: one an account, day and symbol. Or what held picks, one whenever it was
/// something else than before.
#[utoipa::path(
    get, path = "/api/v1/pick_decisions", tag = "picks",
    params(
        ("which" = Option<String>, Query, description = "decided (default) or held"),
        ("limit" = Option<i64>, Query, description = "1 to 100, default 20"),
        ("cursor" = Option<String>, Query, description = "next_cursor of the page before"),
    ),
    responses(
        (status = 200, body = Success<Vec<PickDecision>>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn list(
    State(state): State<AppState>,
    mut params: Params,
) -> Result<Success<Vec<PickDecision>>, ApiError> {
    let is_held = params.choice("which", &["decided", "held"]) == "held";
    let page = params.page();
    params.finish()?;
    Ok(Success::page(
        queries::pick_decisions::list(&state.db, is_held, page).await?,
    ))
}
