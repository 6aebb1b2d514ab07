//! Exit rules: what stands, and saving it.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::IntoResponse;
use jiff::civil::Date;
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tracing::info;
use turnstile_dataflows::model::{Profile, ProfileId, Symbol};
use utoipa::ToSchema;

use crate::envelope::Success;
use crate::error::{ApiError, Failure};
use crate::extract::{Body, InPath, NoParams, Params};
use crate::queries;
use crate::seoul::SeoulTime;
use crate::state::AppState;
use crate::versioned::named;

/// Whom a rule serves.
pub(crate) const SCOPES: [&str; 4] = ["DEFAULT", "STRATEGY", "SYMBOL", "POSITION"];
/// Longest name of a person, a rule or a strategy, in characters.
pub(crate) const NAME_LENGTH_MAX: usize = 64;
/// Longest description or reason, in characters.
pub(crate) const TEXT_LENGTH_MAX: usize = 500;

/// One exit rule.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ExitRule {
    pub(crate) rule_id: String,
    /// DEFAULT: every position. STRATEGY, SYMBOL: those of scope_key. POSITION: those that name it.
    pub(crate) scope: String,
    /// Strategy or symbol that it serves.
    pub(crate) scope_key: Option<String>,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    /// One profile: stops, take-profits, trailing, time, custom rules. What is absent is off.
    #[schema(value_type = Object)]
    pub(crate) rules: Box<RawValue>,
    /// Rises with every change.
    pub(crate) version: i32,
    pub(crate) is_active: bool,
    /// First day on which it is in force, in Seoul.
    pub(crate) effective_from: Option<String>,
    /// Why it stands as it does.
    pub(crate) reason: Option<String>,
    pub(crate) created_by: String,
    /// Who changed it last.
    pub(crate) updated_by: Option<String>,
    pub(crate) created_ts: SeoulTime,
    pub(crate) updated_ts: SeoulTime,
}

/// A rule to save.
#[derive(Debug, ToSchema)]
pub(crate) struct RuleChange {
    /// DEFAULT, STRATEGY, SYMBOL or POSITION.
    pub(crate) scope: &'static str,
    /// Strategy or symbol, for these two scopes.
    pub(crate) scope_key: Option<String>,
    /// At most 64 characters; the id if absent.
    pub(crate) name: Option<String>,
    /// At most 500 characters.
    pub(crate) description: Option<String>,
    /// The whole profile.
    #[schema(value_type = Object)]
    pub(crate) rules: Value,
    /// True if absent.
    #[schema(value_type = Option<bool>)]
    pub(crate) is_active: bool,
    /// A date such as 2026-11-24.
    pub(crate) effective_from: Option<String>,
    /// Why, at most 500 characters.
    pub(crate) reason: Option<String>,
    /// Version that the change is made from; absent for a new rule.
    pub(crate) version: Option<i32>,
    /// Who saves it, at most 64 characters.
    pub(crate) updated_by: String,
}

/// Exit rules, by id.
#[utoipa::path(
    get, path = "/api/v1/exit-rules", tag = "exit rules",
    params(
        ("limit" = Option<i64>, Query, description = "1 to 100, default 20"),
        ("cursor" = Option<String>, Query, description = "next_cursor of the page before"),
    ),
    responses(
        (status = 200, body = Success<Vec<ExitRule>>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn list(
    State(state): State<AppState>,
    mut params: Params,
) -> Result<Success<Vec<ExitRule>>, ApiError> {
    let page = params.page();
    params.finish()?;
    Ok(Success::page(
        queries::exit_rules::list(&state.db, page).await?,
    ))
}

/// One exit rule.
#[utoipa::path(
    get, path = "/api/v1/exit-rules/{id}", tag = "exit rules",
    params(("id" = String, Path, description = "rule_id")),
    responses(
        (status = 200, body = Success<ExitRule>),
        (status = 304, description = "the client has it, by its header if-none-match"),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn one(
    State(state): State<AppState>,
    InPath(id): InPath<ProfileId>,
    headers: HeaderMap,
    _: NoParams,
) -> Result<impl IntoResponse, ApiError> {
    let rule = queries::exit_rules::one(&state.db, id.as_str()).await?;
    let rule = rule.ok_or_else(|| ApiError::not_found("exit rule", id))?;
    Ok(named(&rule, &headers)?)
}

/// Saves an exit rule: a new one, or a change of the version that it was made from.
#[utoipa::path(
    put, path = "/api/v1/exit-rules/{id}", tag = "exit rules",
    params(("id" = String, Path, description = "rule_id")),
    request_body = RuleChange,
    responses(
        (status = 200, body = Success<ExitRule>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn save(
    State(state): State<AppState>,
    InPath(id): InPath<ProfileId>,
    _: NoParams,
    body: Body,
) -> Result<Success<ExitRule>, ApiError> {
    let change = change(body)?;
    let saved = queries::exit_rules::save(&state.db, id.as_str(), &change).await?;
    let saved = saved.map_err(|taken| {
        ApiError::conflict(
            "another active rule has this scope already",
            json!({ "rule_id": taken.rule_id }),
        )
    })?;
    let what = format!("exit rule \"{id}\"");
    let rule = saved.or_refuse(&what, || ApiError::not_found("exit rule", &id))?;
    let (version, by) = (rule.version, &change.updated_by);
    info!(rule = %id, version, by, "exit rule saved");
    Ok(Success::one(rule))
}

fn change(mut body: Body) -> Result<RuleChange, ApiError> {
    let scope = body.required_choice("scope", &SCOPES);
    let change = RuleChange {
        scope,
        scope_key: scope_key(&mut body, scope),
        name: body.text("name", NAME_LENGTH_MAX),
        description: body.text("description", TEXT_LENGTH_MAX),
        rules: rules(&mut body),
        is_active: body.flag("is_active").unwrap_or(true),
        effective_from: body
            .parsed::<Date>("effective_from")
            .map(|date| date.to_string()),
        reason: body.text("reason", TEXT_LENGTH_MAX),
        version: body.whole_i32("version", 1),
        updated_by: body.actor("updated_by", NAME_LENGTH_MAX),
    };
    body.finish()?;
    Ok(change)
}

/// Takes the key that goes with `scope`.
pub(crate) fn scope_key(body: &mut Body, scope: &str) -> Option<String> {
    match scope {
        "SYMBOL" => {
            let symbol = body.parsed::<Symbol>("scope_key");
            if symbol.is_none() {
                body.fault_if_none("scope_key", "must be a symbol");
            }
            symbol.map(|symbol| symbol.to_string())
        }
        "STRATEGY" => Some(body.required_text("scope_key", NAME_LENGTH_MAX)),
        _ => {
            if body.text("scope_key", usize::MAX).is_some() {
                body.fault("scope_key", format!("must be absent with {scope}"));
            }
            None
        }
    }
}

/// Takes the profile, with every fault under the path of its key.
pub(crate) fn rules(body: &mut Body) -> Value {
    let rules = body.required_value("rules");
    if let (false, Err(faults)) = (rules.is_null(), Profile::from_value(&rules)) {
        for fault in faults.0 {
            let path = match fault.path.as_str() {
                "rules" => fault.path,
                path => format!("rules.{path}"),
            };
            body.fault(&path, fault.message);
        }
    }
    rules
}
