//! Bars: open, high, low and close of a symbol by days or minutes.

use axum::extract::State;
use serde::Serialize;
use turnstile_dataflows::model::Symbol;
use utoipa::ToSchema;

use crate::envelope::Success;
use crate::error::{ApiError, Failure};
use crate::extract::{InPath, Params};
use crate::number::Number;
use crate::queries;
use crate::queries::bars::{Interval, Span};
use crate::seoul::SeoulTime;
use crate::state::AppState;

/// Bars of an answer unless the client asks for fewer or more: a year of days.
const LIMIT_DEFAULT: i64 = 250;
/// Most bars of an answer.
const LIMIT_MAX: i64 = 1_000;

/// One bar.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Bar {
    /// Its begin: of a minute, or midnight in Seoul of a day.
    pub(crate) time: SeoulTime,
    /// Its date in Seoul, such as 2026-11-24.
    pub(crate) date: String,
    /// First price, KRW.
    pub(crate) open: Number,
    /// Highest, KRW.
    pub(crate) high: Number,
    /// Lowest, KRW.
    pub(crate) low: Number,
    /// Last, KRW.
    pub(crate) close: Number,
    /// Shares traded.
    pub(crate) volume: i64,
}

/// The newest bars of a symbol, the oldest of them first. Days on which it was halted have none; the minute
/// that is under way grows.
#[utoipa::path(
    get, path = "/api/v1/stocks/{symbol}/bars", tag = "stocks",
    params(
        ("symbol" = String, Path, description = "1 to 9 letters or digits"),
        ("interval" = Option<String>, Query, description = "day (default) or minute"),
        ("from" = Option<String>, Query, description = "first date in Seoul; none by default"),
        ("to" = Option<String>, Query, description = "last date in Seoul; none by default"),
        ("limit" = Option<i64>, Query, description = "1 to 1000, default 250"),
    ),
    responses(
        (status = 200, body = Success<Vec<Bar>>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn list(
    State(state): State<AppState>,
    InPath(symbol): InPath<Symbol>,
    mut params: Params,
) -> Result<Success<Vec<Bar>>, ApiError> {
    let interval = match params.choice("interval", &["day", "minute"]) {
        "minute" => Interval::Minute,
        _ => Interval::Day,
    };
    let (from, to) = (params.date("from"), params.date("to"));
    if let (Some(from), Some(to)) = (from, to)
        && to < from
    {
        params.fault("to", format!("must not be before from ({from}), was {to}"));
    }
    let limit = params.limit_within(LIMIT_DEFAULT, LIMIT_MAX);
    params.finish()?;
    let span = Span { from, to, limit };
    let bars = queries::bars::list(&state.db, &symbol, interval, &span).await?;
    Ok(Success::one(bars))
}
