//! Exit events: positions that were closed.

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

/// One closed position.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ExitEvent {
    pub(crate) exit_event_id: Uuid,
    pub(crate) position_id: Uuid,
    pub(crate) symbol: String,
    /// Name of the stock, if it is known.
    pub(crate) name: Option<String>,
    pub(crate) exit_ts: SeoulTime,
    /// Shares sold.
    pub(crate) exit_qty: i64,
    /// Average of the sales, KRW.
    pub(crate) exit_avg_price: Number,
    /// Rule that closed it.
    pub(crate) exit_reason_code: String,
    /// AUTO_EXIT, MANUAL, BROKER or UNKNOWN.
    pub(crate) source: String,
    /// KRW, net of fee and tax.
    pub(crate) realized_pnl: Number,
    /// Of the cost, percent.
    pub(crate) realized_pnl_pct: Number,
}

/// Exit events, last exit first.
#[utoipa::path(
    get, path = "/api/v1/exit-events", tag = "exit-events",
    params(
        ("position_id" = Option<Uuid>, Query, description = "of this position only"),
        ("limit" = Option<i64>, Query, description = "1 to 100, default 20"),
        ("cursor" = Option<String>, Query, description = "next_cursor of the page before"),
    ),
    responses(
        (status = 200, body = Success<Vec<ExitEvent>>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn list(
    State(state): State<AppState>,
    mut params: Params,
) -> Result<Success<Vec<ExitEvent>>, ApiError> {
    let position = params.parsed("position_id");
    let page = params.page();
    params.finish()?;
    Ok(Success::page(
        queries::exit_events::list(&state.db, position, page).await?,
    ))
}
