//! Executions: what the broker filled.

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::envelope::Success;
use crate::error::{ApiError, Failure};
use crate::extract::Params;
use crate::number::Number;
use crate::queries;
use crate::seoul::SeoulTime;
use crate::state::AppState;

/// One fill.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Execution {
    pub(crate) fill_id: Uuid,
    pub(crate) order_id: Uuid,
    pub(crate) symbol: String,
    /// Name of the stock.
    pub(crate) name: String,
    /// BUY or SELL.
    pub(crate) side: String,
    /// When the broker filled it.
    pub(crate) ts: SeoulTime,
    /// Shares.
    pub(crate) qty: i64,
    /// Of one share, KRW.
    pub(crate) price: Number,
    /// KRW.
    pub(crate) fee: Number,
    /// KRW.
    pub(crate) tax: Number,
    /// NOTICE (the broker told) or POLL (it was asked).
    pub(crate) source: String,
}

/// Executions, last stored first.
#[utoipa::path(
    get, path = "/api/v1/executions", tag = "executions",
    params(
        ("position_id" = Option<Uuid>, Query, description = "of this position only"),
        ("limit" = Option<i64>, Query, description = "1 to 100, default 20"),
        ("cursor" = Option<String>, Query, description = "next_cursor of the page before"),
    ),
    responses(
        (status = 200, body = Success<Vec<Execution>>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn list(
    State(state): State<AppState>,
    mut params: Params,
) -> Result<Success<Vec<Execution>>, ApiError> {
    let position = params.parsed("position_id");
    let page = params.page();
    params.finish()?;
    Ok(Success::page(
        queries::executions::list(&state.db, position, page).await?,
    ))
}
