//! Runs of the daily strategy: what is asked for, and what came of each.

use axum::extract::State;
use jiff::civil::Date;
use serde::Serialize;
use serde_json::{Value, json};
use tracing::info;
use turnstile_connectors::strategy::StrategyId;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::exit_rules::{NAME_LENGTH_MAX, TEXT_LENGTH_MAX};
use crate::envelope::Success;
use crate::error::{ApiError, Failure};
use crate::extract::{Body, NoParams, Params};
use crate::queries;
use crate::queries::strategy_runs::Requested;
use crate::seoul::SeoulTime;
use crate::state::AppState;

/// Takes the parameter `strategy_id`; the configured strategy if it is absent.
pub(crate) fn strategy(state: &AppState, params: &mut Params) -> String {
    let given = params.parsed::<StrategyId>("strategy_id");
    given.as_ref().unwrap_or(&state.strategy).to_string()
}

/// A run of a strategy for one day.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StrategyRun {
    pub(crate) run_id: Uuid,
    pub(crate) strategy_id: String,
    /// The day.
    pub(crate) as_of: String,
    /// SCHEDULE, CLI or API.
    pub(crate) trigger: String,
    pub(crate) asked_by: String,
    /// RUNNING, DONE, FAILED or REFUSED.
    pub(crate) state: String,
    /// LOAD, UNIVERSE, FACTORS, SIGNALS, RANKINGS, PORTFOLIO or STORE: the one under way, or the last.
    pub(crate) stage: Option<String>,
    /// Why it failed or was refused, or why it has no portfolio.
    pub(crate) reason: Option<String>,
    /// Equal ones are of equal input.
    pub(crate) input_digest: Option<String>,
    /// Milliseconds by stage.
    #[schema(value_type = Object)]
    pub(crate) durations: Value,
    /// Rows by what they are.
    #[schema(value_type = Object)]
    pub(crate) counts: Value,
    pub(crate) universe_snapshot_id: Option<Uuid>,
    pub(crate) signal_snapshot_id: Option<Uuid>,
    pub(crate) ranking_snapshot_id: Option<Uuid>,
    pub(crate) portfolio_id: Option<Uuid>,
    pub(crate) created_ts: SeoulTime,
    /// Absent while it runs.
    pub(crate) ended_ts: Option<SeoulTime>,
}

/// A request to run the strategy.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RunRequest {
    pub(crate) request_id: Uuid,
    /// The day; none: the last session that has bars.
    pub(crate) as_of: Option<String>,
    pub(crate) asked_by: String,
    pub(crate) reason: Option<String>,
    /// ASKED, RUNNING, DONE, REFUSED or FAILED.
    pub(crate) state: String,
    /// Why it was refused or failed.
    pub(crate) message: Option<String>,
    /// The run that it became, or one of before of the same input.
    pub(crate) run_id: Option<Uuid>,
    pub(crate) created_ts: SeoulTime,
    pub(crate) updated_ts: SeoulTime,
}

/// What to run.
#[derive(Debug, ToSchema)]
pub(crate) struct AskRun {
    /// The day; without it the last session that has bars.
    #[schema(value_type = Option<String>)]
    pub(crate) as_of: Option<Date>,
    /// Why, at most 500 characters.
    pub(crate) reason: Option<String>,
    /// Who asks, at most 64 characters.
    pub(crate) asked_by: String,
    /// Makes the request known again: sent twice, it is one request. At most 64 characters.
    pub(crate) idempotency_key: String,
}

/// Runs, newest first.
#[utoipa::path(
    get, path = "/api/v1/strategy/runs", tag = "strategy",
    params(
        ("limit" = Option<i64>, Query, description = "1 to 100, default 20"),
        ("cursor" = Option<String>, Query, description = "next_cursor of the page before"),
    ),
    responses(
        (status = 200, body = Success<Vec<StrategyRun>>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn list(
    State(state): State<AppState>,
    mut params: Params,
) -> Result<Success<Vec<StrategyRun>>, ApiError> {
    let page = params.page();
    params.finish()?;
    Ok(Success::page(
        queries::strategy_runs::list(&state.db, page).await?,
    ))
}

/// Asks for a run. Answers before it is made; the request says what became of it when it is sent again.
/// The stream job makes it, one run at a time.
#[utoipa::path(
    post, path = "/api/v1/strategy/runs", tag = "strategy",
    request_body = AskRun,
    responses(
        (status = 200, body = Success<RunRequest>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn ask(
    State(state): State<AppState>,
    _: NoParams,
    mut body: Body,
) -> Result<Success<RunRequest>, ApiError> {
    let asked = AskRun {
        as_of: body.parsed("as_of"),
        reason: body.text("reason", TEXT_LENGTH_MAX),
        asked_by: body.actor("asked_by", NAME_LENGTH_MAX),
        idempotency_key: body.required_text("idempotency_key", NAME_LENGTH_MAX),
    };
    let today = SeoulTime::now().date();
    if let Some(day) = asked.as_of
        && !(jiff::civil::date(1970, 1, 1)..=today).contains(&day)
    {
        body.fault_if_none("as_of", &format!("must be from 1970 to {today}, was {day}"));
    }
    body.finish()?;
    let as_of = asked.as_of.map(|day| day.to_string());
    match queries::strategy_runs::ask(&state.db, as_of.as_deref(), &asked).await? {
        Requested::Stored(request) => {
            info!(as_of, by = request.asked_by, "run of the strategy asked");
            Ok(Success::one(request))
        }
        Requested::Known(request) if request.as_of == as_of => Ok(Success::one(request)),
        Requested::Known(request) => Err(ApiError::key_taken(
            json!({ "request_id": request.request_id, "as_of": request.as_of }),
        )),
    }
}
