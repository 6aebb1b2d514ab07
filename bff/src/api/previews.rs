//! Previews: which positions would sell now if a rule were saved. The engine answers.

use std::time::Duration;

use axum::extract::State;
use serde::Serialize;
use serde_json::Value;
use tokio::time::Instant;
use turnstile_dataflows::model::ProfileId;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::exit_rules::{NAME_LENGTH_MAX, SCOPES, rules, scope_key};
use crate::envelope::Success;
use crate::error::{ApiError, Code, Failure};
use crate::extract::{Body, NoParams};
use crate::number::Number;
use crate::queries;
use crate::queries::previews::Asked;
use crate::seoul::SeoulTime;
use crate::state::AppState;

/// Pause between looks for the answer.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// What would follow at once if the rule were saved.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Preview {
    pub(crate) request_id: Uuid,
    /// The rule that it would replace; a made-up id for a new one.
    pub(crate) rule_id: String,
    /// When the engine answered.
    pub(crate) answered_ts: SeoulTime,
    /// Positions that would sell now.
    pub(crate) count: i64,
    /// They themselves, by id, 1,000 at most.
    pub(crate) positions: Vec<PreviewedSale>,
}

/// A sale that would be decided.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PreviewedSale {
    pub(crate) position_id: Uuid,
    pub(crate) symbol: String,
    /// Rule that would fire, such as SL1.
    pub(crate) reason: String,
    /// Custom rule, if it is one.
    pub(crate) rule_id: Option<String>,
    /// Shares.
    pub(crate) qty: i64,
    /// Price that is judged, KRW.
    pub(crate) price: Number,
    /// Price that has to be reached, KRW.
    pub(crate) level: Number,
}

/// A rule that is only asked about: by the rule that it would replace, or by its scope.
#[derive(Debug, ToSchema)]
pub(crate) struct PreviewQuestion {
    /// The rule that it would replace. Its scope holds unless another one is given.
    pub(crate) rule_id: Option<String>,
    /// DEFAULT, STRATEGY, SYMBOL, or POSITION with a rule_id.
    pub(crate) scope: Option<&'static str>,
    /// Strategy or symbol, for these two scopes.
    pub(crate) scope_key: Option<String>,
    /// The whole profile.
    #[schema(value_type = Object)]
    pub(crate) rules: Value,
    /// Who asks, at most 64 characters.
    pub(crate) asked_by: String,
}

/// Says which positions would sell now if the rule were saved. Nothing is saved or sold.
#[utoipa::path(
    post, path = "/api/v1/exit-rules/preview", tag = "exit rules",
    request_body = PreviewQuestion,
    responses(
        (status = 200, body = Success<Preview>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn preview(
    State(state): State<AppState>,
    _: NoParams,
    body: Body,
) -> Result<Success<Preview>, ApiError> {
    let question = question(body)?;
    let (request, rule_id) = match queries::previews::ask(&state.db, &question).await? {
        Asked::Stored(request, rule_id) => (request, rule_id),
        Asked::NoRule(rule_id) => return Err(ApiError::not_found("exit rule", rule_id)),
    };
    let until = Instant::now() + state.preview_timeout;
    loop {
        if let Some(answer) = queries::previews::answer(&state.db, request, &rule_id).await? {
            return Ok(Success::one(answer));
        }
        if Instant::now() >= until {
            queries::previews::withdraw(&state.db, request).await?;
            let message = "the engine has not answered in time; does the stream job run?";
            return Err(ApiError::new(Code::EngineSilent, message));
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

fn question(mut body: Body) -> Result<PreviewQuestion, ApiError> {
    let rule_id = body.parsed::<ProfileId>("rule_id");
    let rule_id = rule_id.map(|id| id.to_string());
    let scope = body.choice("scope", &SCOPES);
    if rule_id.is_none() && scope.is_none_or(|scope| scope == "POSITION") {
        let fault = "must be DEFAULT, STRATEGY or SYMBOL where no rule_id is given";
        body.fault_if_none("scope", fault);
    }
    let question = PreviewQuestion {
        rule_id,
        scope,
        scope_key: scope.and_then(|scope| scope_key(&mut body, scope)),
        rules: rules(&mut body),
        asked_by: body.actor("asked_by", NAME_LENGTH_MAX),
    };
    body.finish()?;
    Ok(question)
}
