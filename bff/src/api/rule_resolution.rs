//! Resolution: which exit rule serves a position, what chose it, and what was passed over.

use axum::extract::State;
use serde::Serialize;
use serde_json::json;
use turnstile_dataflows::model::Symbol;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::exit_rules::NAME_LENGTH_MAX;
use crate::envelope::Success;
use crate::error::{ApiError, Failure};
use crate::extract::Params;
use crate::queries;
use crate::queries::rule_resolution::Found;
use crate::seoul::SeoulTime;
use crate::state::AppState;

/// Which rule serves a position, or would serve a new one.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Resolution {
    /// The position that was asked about.
    pub(crate) position_id: Option<Uuid>,
    pub(crate) symbol: String,
    pub(crate) strategy_id: String,
    /// Exit rule that the position names itself.
    pub(crate) exit_profile_id: Option<String>,
    /// The rule that serves it, by the rules as they are stored; null: it is not guarded.
    pub(crate) rule: Option<ServingRule>,
    /// Rules that would serve it but do not, the most specific first.
    pub(crate) passed_over: Vec<PassedOver>,
    /// What the engine has said of the position; another rule than the one above where it has not taken a
    /// change yet, or cannot read it. Null where it has told no levels of it.
    pub(crate) told: Option<ServingRule>,
}

/// A rule that serves.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ServingRule {
    pub(crate) rule_id: String,
    /// What chose it: POSITION (the position names it), SYMBOL, STRATEGY or DEFAULT.
    pub(crate) level: String,
    pub(crate) version: i32,
}

/// A rule that does not serve, though it is for such a position.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PassedOver {
    pub(crate) rule_id: String,
    /// What would choose it: POSITION, SYMBOL, STRATEGY or DEFAULT.
    pub(crate) level: String,
    /// Absent where there is no such rule.
    pub(crate) version: Option<i32>,
    /// OUTRANKED: another one is chosen before it. INACTIVE: it is switched off. NOT_YET: its first day is
    /// to come. UNREADABLE: it is faulty; the engine keeps what it had of it. MISSING: there is none.
    pub(crate) why: &'static str,
    /// The same in words.
    pub(crate) detail: String,
}

/// Which exit rule serves the position, or would serve a new position of the symbol and the strategy.
/// Either position_id or symbol is needed.
#[utoipa::path(
    get, path = "/api/v1/exit-rules/resolve", tag = "exit rules",
    params(
        ("position_id" = Option<Uuid>, Query, description = "a live position"),
        ("symbol" = Option<String>, Query, description = "of a new position: 1 to 9 letters or digits"),
        ("strategy_id" = Option<String>, Query,
            description = "of a new position; the configured one by default"),
    ),
    responses(
        (status = 200, body = Success<Resolution>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn resolve(
    State(state): State<AppState>,
    mut params: Params,
) -> Result<Success<Resolution>, ApiError> {
    let today = SeoulTime::now().date();
    if params.has("position_id") {
        let id = params.parsed::<Uuid>("position_id");
        for name in ["symbol", "strategy_id"] {
            if params.text(name, usize::MAX).is_some() {
                params.fault(name, "must be absent with position_id".to_owned());
            }
        }
        let Some(id) = id else {
            return Err(params.refusal());
        };
        params.finish()?;
        return match queries::rule_resolution::of_position(&state.db, id, today).await? {
            Found::Live(resolution) => Ok(Success::one(resolution)),
            Found::Closed => Err(ApiError::conflict(
                "the position is closed: no rule serves it",
                json!({ "position_id": id }),
            )),
            Found::Nothing => Err(ApiError::not_found("position", id)),
        };
    }
    let strategy = params.text("strategy_id", NAME_LENGTH_MAX);
    let strategy = strategy.unwrap_or_else(|| state.strategy.to_string());
    let Some(symbol) = params.parsed::<Symbol>("symbol") else {
        params.fault_if_none("symbol", "is required without position_id");
        return Err(params.refusal());
    };
    params.finish()?;
    let resolution = queries::rule_resolution::of_new(&state.db, symbol, strategy, today).await?;
    Ok(Success::one(resolution))
}
