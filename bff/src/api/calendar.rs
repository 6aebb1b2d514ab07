//! Calendar: the days of the exchange.

use axum::extract::State;
use jiff::Span;
use serde::Serialize;
use utoipa::ToSchema;

use crate::envelope::Success;
use crate::error::{ApiError, Failure};
use crate::extract::Params;
use crate::queries;
use crate::seoul::SeoulTime;
use crate::state::AppState;

/// Days after `from` that are shown unless the client says otherwise.
const DAYS_DEFAULT: i32 = 30;
/// Most days after `from`.
const DAYS_MAX: i32 = 366;

/// A day of the exchange.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CalendarDay {
    /// Date in Seoul.
    pub(crate) date: String,
    /// Whether the exchange takes orders on it.
    pub(crate) is_open: bool,
    /// Who says so: OPERATOR, KIS (the broker) or CONFIG.
    pub(crate) source: String,
    /// Whether it counts as a trading day; absent where nobody says.
    pub(crate) is_trading_day: Option<bool>,
    /// Whether banks and brokers work.
    pub(crate) is_business_day: Option<bool>,
    /// Whether trades of earlier days settle.
    pub(crate) is_settlement_day: Option<bool>,
    /// Whether the broker says other than the configuration.
    pub(crate) is_conflict: bool,
    /// When it was last told so.
    pub(crate) fetched_ts: SeoulTime,
    /// Since when.
    pub(crate) changed_ts: SeoulTime,
}

/// Days of the exchange in order, as they count. A day that is absent is not known: the exchange counts
/// as closed.
#[utoipa::path(
    get, path = "/api/v1/calendar", tag = "calendar",
    params(
        ("from" = Option<String>, Query, description = "first date, default today in Seoul"),
        ("to" = Option<String>, Query,
            description = "last date, default 30 days after from, at most 366"),
    ),
    responses(
        (status = 200, body = Success<Vec<CalendarDay>>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn list(
    State(state): State<AppState>,
    mut params: Params,
) -> Result<Success<Vec<CalendarDay>>, ApiError> {
    let from = params
        .date("from")
        .unwrap_or_else(|| SeoulTime::now().date());
    let later = |days| from.saturating_add(Span::new().days(days));
    let to = params.date("to").unwrap_or_else(|| later(DAYS_DEFAULT));
    if to < from || to > later(DAYS_MAX) {
        let fault = format!("must be 0 to {DAYS_MAX} days after from ({from}), was {to}");
        params.fault("to", fault);
    }
    params.finish()?;
    let days = queries::calendar::list(&state.db, from, to).await?;
    Ok(Success::one(days))
}
