//! Trades: positions that were closed, one by one and by what they have in common.

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::performance::Scope;
use crate::envelope::Success;
use crate::error::{ApiError, Failure};
use crate::extract::Params;
use crate::number::Number;
use crate::queries;
use crate::seoul::SeoulTime;
use crate::state::AppState;

/// A closed position. Amounts in KRW.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Trade {
    /// Of the exit event.
    pub(crate) exit_event_id: Uuid,
    pub(crate) position_id: Uuid,
    pub(crate) symbol: String,
    /// Name of the stock, if it is known.
    pub(crate) name: Option<String>,
    pub(crate) strategy_id: String,
    pub(crate) entry_ts: SeoulTime,
    /// Of the last sale.
    pub(crate) exit_ts: SeoulTime,
    /// Shares sold.
    pub(crate) qty: i64,
    /// Average cost of a share, with what its purchase cost.
    pub(crate) entry_avg_price: Number,
    /// Average of the sales.
    pub(crate) exit_avg_price: Number,
    /// Of the sales.
    pub(crate) fee: Number,
    /// Of the sales.
    pub(crate) tax: Number,
    /// Net of fee and tax.
    pub(crate) realized_pnl: Number,
    /// Of the cost, percent.
    pub(crate) realized_pnl_pct: Number,
    /// Rule that closed it.
    pub(crate) exit_reason_code: String,
    /// AUTO_EXIT, MANUAL, BROKER or UNKNOWN.
    pub(crate) source: String,
}

/// Where the result of the closed positions comes from. Each list holds all of them, the best result first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Attribution {
    /// None while nothing is known of any account.
    pub(crate) account_id: Option<String>,
    pub(crate) by_exit_reason: Vec<Share>,
    pub(crate) by_strategy: Vec<Share>,
    pub(crate) by_symbol: Vec<Share>,
}

/// Closed positions that have something in common. Amounts in KRW.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Share {
    /// The exit reason, strategy or symbol.
    pub(crate) key: String,
    /// Name of the stock, if it is one and known.
    pub(crate) name: Option<String>,
    /// How many.
    pub(crate) trades: i64,
    /// Those with a result above 0.
    pub(crate) wins: i64,
    /// Net of fee and tax.
    pub(crate) realized_pnl: Number,
    /// Of the sales.
    pub(crate) fee: Number,
    /// Of the sales.
    pub(crate) tax: Number,
    /// From entry to exit, on average, rounded.
    pub(crate) average_holding_seconds: i64,
}

/// Closed positions of a period, last exit first.
#[utoipa::path(
    get, path = "/api/v1/performance/trades", tag = "performance",
    params(
        ("period" = Option<String>, Query, description = "1M, 3M (default), 6M, 1Y, YTD or ALL"),
        ("account_id" = Option<String>, Query, description = "default: the account whose equity was told last"),
        ("limit" = Option<i64>, Query, description = "1 to 100, default 20"),
        ("cursor" = Option<String>, Query, description = "next_cursor of the page before"),
    ),
    responses(
        (status = 200, body = Success<Vec<Trade>>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn list(
    State(state): State<AppState>,
    mut params: Params,
) -> Result<Success<Vec<Trade>>, ApiError> {
    let scope = Scope::take(&mut params);
    let page = params.page();
    params.finish()?;
    let account = scope.account(&state).await?;
    let trades = queries::trades::list(&state.db, account.as_deref(), scope.since, page).await?;
    Ok(Success::page(trades))
}

/// What the closed positions of a period came to, by exit reason, by strategy and by symbol.
#[utoipa::path(
    get, path = "/api/v1/performance/attribution", tag = "performance",
    params(
        ("period" = Option<String>, Query, description = "1M, 3M (default), 6M, 1Y, YTD or ALL"),
        ("account_id" = Option<String>, Query, description = "default: the account whose equity was told last"),
    ),
    responses(
        (status = 200, body = Success<Attribution>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn attribution(
    State(state): State<AppState>,
    mut params: Params,
) -> Result<Success<Attribution>, ApiError> {
    let scope = Scope::take(&mut params);
    params.finish()?;
    let account_id = scope.account(&state).await?;
    let shares = queries::trades::shares(&state.db, account_id.as_deref(), scope.since).await?;
    let queries::trades::Shares {
        by_exit_reason,
        by_strategy,
        by_symbol,
    } = shares;
    Ok(Success::one(Attribution {
        account_id,
        by_exit_reason,
        by_strategy,
        by_symbol,
    }))
}
