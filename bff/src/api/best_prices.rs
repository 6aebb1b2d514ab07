//! Best prices: of all sources, with their age.

use axum::extract::State;
use serde::Serialize;
use turnstile_dataflows::model::Symbol;
use utoipa::ToSchema;

use crate::envelope::Success;
use crate::error::{ApiError, Failure};
use crate::extract::{InPath, NoParams};
use crate::number::Number;
use crate::queries::best_prices as queries;
use crate::seoul::SeoulTime;
use crate::state::AppState;

/// The best price of a symbol. The engine writes it once a second where it has changed.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct BestPrice {
    /// Symbol, 1 to 9 letters or digits.
    pub(crate) symbol: String,
    /// KRW.
    pub(crate) price: Number,
    /// `KIS_WS`, `KIS_REST` or `NAVER`.
    pub(crate) source: String,
    /// When it was received, or last confirmed by its source.
    pub(crate) received_ts: SeoulTime,
    /// Milliseconds since then.
    pub(crate) age_ms: i64,
    /// Until when it counts as fresh.
    pub(crate) fresh_until: SeoulTime,
    /// Whether that has passed.
    pub(crate) is_stale: bool,
    /// Why it is stale: `WS_TIMEOUT`, `REST_TIMEOUT`, `NAVER_TIMEOUT`, `ALL_SOURCES_STALE`;
    /// `ENGINE_AWAY` where nobody writes prices any more.
    pub(crate) stale_reason: Option<String>,
    /// A worse source that says otherwise at the same moment.
    pub(crate) apart_source: Option<String>,
    /// What it says, KRW.
    pub(crate) apart_price: Option<Number>,
    /// How far it is apart: `LOW`, `MEDIUM` or `HIGH`.
    pub(crate) apart_level: Option<String>,
}

/// The best price of every symbol of the running engine, by symbol.
#[utoipa::path(
    get, path = "/api/v1/best-prices", tag = "prices",
    responses(
        (status = 200, body = Success<Vec<BestPrice>>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn list(
    State(state): State<AppState>,
    _: NoParams,
) -> Result<Success<Vec<BestPrice>>, ApiError> {
    Ok(Success::one(queries::list(&state.db).await?))
}

/// The best price of one symbol.
#[utoipa::path(
    get, path = "/api/v1/best-prices/{symbol}", tag = "prices",
    params(("symbol" = String, Path, description = "1 to 9 letters or digits")),
    responses(
        (status = 200, body = Success<BestPrice>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn one(
    State(state): State<AppState>,
    InPath(symbol): InPath<Symbol>,
    _: NoParams,
) -> Result<Success<BestPrice>, ApiError> {
    queries::one(&state.db, &symbol)
        .await?
        .map(Success::one)
        .ok_or_else(|| ApiError::not_found("best price", symbol))
}
