//! Cash flows: money that came into an account or left it, and was not earned.

use axum::extract::State;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::json;
use tracing::info;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::exit_rules::{NAME_LENGTH_MAX, TEXT_LENGTH_MAX};
use crate::envelope::Success;
use crate::error::{ApiError, Code, Failure};
use crate::extract::{Body, NoParams, Params};
use crate::number::{Number, SIGNED_WON};
use crate::queries;
use crate::queries::cash_flows::Entered;
use crate::seoul::SeoulTime;
use crate::state::AppState;

/// Money that was paid in or out.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CashFlow {
    pub(crate) flow_id: Uuid,
    pub(crate) account_id: String,
    /// Date in Seoul.
    pub(crate) day: String,
    /// KRW; above 0: paid in.
    pub(crate) amount: Number,
    /// What it is.
    pub(crate) note: String,
    pub(crate) asked_by: String,
    pub(crate) created_ts: SeoulTime,
}

/// What was paid in or out.
#[derive(Debug, ToSchema)]
pub(crate) struct EnterFlow {
    /// One that is known; without it, the one whose equity was told last.
    pub(crate) account_id: Option<String>,
    /// Date in Seoul, today at the latest: the first day whose equity holds the money.
    #[schema(value_type = String)]
    pub(crate) day: Option<Date>,
    /// KRW, not 0, with at most 4 decimals; above 0: paid in, below: out.
    #[schema(value_type = f64)]
    pub(crate) amount: Decimal,
    /// What it is, at most 500 characters.
    pub(crate) note: String,
    /// Who enters it, at most 64 characters.
    pub(crate) asked_by: String,
    /// Makes the request known again: sent twice, it is one flow. At most 64 characters.
    pub(crate) idempotency_key: String,
}

/// Cash flows of an account, last entered first.
#[utoipa::path(
    get, path = "/api/v1/performance/cash-flows", tag = "performance",
    params(
        ("account_id" = Option<String>, Query, description = "default: the account whose equity was told last"),
        ("limit" = Option<i64>, Query, description = "1 to 100, default 20"),
        ("cursor" = Option<String>, Query, description = "next_cursor of the page before"),
    ),
    responses(
        (status = 200, body = Success<Vec<CashFlow>>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn list(
    State(state): State<AppState>,
    mut params: Params,
) -> Result<Success<Vec<CashFlow>>, ApiError> {
    let named = params.text("account_id", NAME_LENGTH_MAX);
    let page = params.page();
    params.finish()?;
    let account = queries::performance::account(&state.db, named).await?;
    Ok(Success::page(
        queries::cash_flows::list(&state.db, account.as_deref(), page).await?,
    ))
}

/// Enters money that was paid in or out, so that it counts for no return. What was entered stays; a wrong
/// flow is made good by its opposite.
#[utoipa::path(
    post, path = "/api/v1/performance/cash-flows", tag = "performance",
    request_body = EnterFlow,
    responses(
        (status = 200, body = Success<CashFlow>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn enter(
    State(state): State<AppState>,
    _: NoParams,
    mut body: Body,
) -> Result<Success<CashFlow>, ApiError> {
    let asked = EnterFlow {
        account_id: body.text("account_id", NAME_LENGTH_MAX),
        day: body.parsed("day"),
        amount: body.required_number("amount", &SIGNED_WON),
        note: body.required_text("note", TEXT_LENGTH_MAX),
        asked_by: body.actor("asked_by", NAME_LENGTH_MAX),
        idempotency_key: body.required_text("idempotency_key", NAME_LENGTH_MAX),
    };
    if asked.amount.is_zero() {
        body.fault_if_none("amount", "must not be 0");
    }
    let today = SeoulTime::now().date();
    match asked.day {
        None => body.fault_if_none("day", "is required"),
        Some(day) if !(jiff::civil::date(1970, 1, 1)..=today).contains(&day) => {
            body.fault_if_none("day", &format!("must be from 1970 to {today}, was {day}"));
        }
        Some(_) => {}
    }
    body.finish()?;
    let day = asked.day.unwrap_or(today).to_string();
    let account = queries::performance::account(&state.db, asked.account_id.clone()).await?;
    let Some(account) = account else {
        let message = "no account is known yet: nobody has told an equity";
        return Err(ApiError::new(Code::NotFound, message));
    };
    match queries::cash_flows::enter(&state.db, &account, &day, &asked).await? {
        Entered::Stored(flow) => {
            info!(day, by = flow.asked_by, "cash flow entered");
            Ok(Success::one(flow))
        }
        Entered::Known(flow)
            if (asked.account_id.is_none() || flow.account_id == account)
                && flow.day == day
                && flow.amount == Number::from(asked.amount) =>
        {
            Ok(Success::one(flow))
        }
        Entered::Known(flow) => Err(ApiError::key_taken(
            json!({ "flow_id": flow.flow_id, "day": flow.day, "amount": flow.amount }),
        )),
        Entered::NoAccount => Err(ApiError::not_found("account", account)),
    }
}
