//! Prices: the newest tick of a symbol.

use std::collections::BTreeSet;

use axum::extract::State;
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize};
use turnstile_connectors::redis::{TTL_PRICE, cache_aside};
use turnstile_dataflows::model::Symbol;
use utoipa::ToSchema;

use crate::envelope::Success;
use crate::error::{ApiError, Failure};
use crate::extract::{Body, InPath, NoParams};
use crate::number::Number;
use crate::queries;
use crate::queries::QueryError;
use crate::seoul::SeoulTime;
use crate::state::AppState;

/// Most symbols of one batch.
const BATCH_MAX: usize = 100;
/// How many symbols of a batch are looked up at once. A batch must not take the whole pool.
const BATCH_PARALLEL: usize = 4;

/// The newest tick of a symbol. Also what the cache holds and the price channel carries, one
/// message being a list of these.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Price {
    /// Symbol, 1 to 9 letters or digits.
    pub(crate) symbol: String,
    /// Last trade, KRW.
    pub(crate) price: Number,
    /// Best bid, KRW.
    pub(crate) bid: Option<Number>,
    /// Best ask, KRW.
    pub(crate) ask: Option<Number>,
    /// Against the previous close, KRW, signed.
    pub(crate) change_price: Option<Number>,
    /// Against the previous close, percent, signed.
    pub(crate) change_rate: Option<Number>,
    /// Shares of this trade.
    pub(crate) volume: i64,
    /// `KIS_WS`, `KIS_REST` or `NAVER`.
    pub(crate) source: String,
    /// Exchange time.
    pub(crate) ts: SeoulTime,
    /// Logical time of the tick, microseconds since the Unix epoch.
    pub(crate) logical_us: i64,
}

/// The symbols of a batch.
#[derive(Debug, ToSchema)]
#[expect(
    dead_code,
    reason = "describes the body in OpenAPI; the handler reads it key by key"
)]
pub(crate) struct PriceBatch {
    /// 1 to 100 symbols.
    #[schema(min_items = 1, max_items = 100)]
    symbols: Vec<String>,
}

/// The newest price of one symbol.
#[utoipa::path(
    get, path = "/api/v1/prices/{symbol}", tag = "prices",
    params(("symbol" = String, Path, description = "1 to 9 letters or digits")),
    responses(
        (status = 200, body = Success<Price>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn one(
    State(state): State<AppState>,
    InPath(symbol): InPath<Symbol>,
    _: NoParams,
) -> Result<Success<Price>, ApiError> {
    let price = newest(&state, &symbol).await?;
    price
        .map(Success::one)
        .ok_or_else(|| ApiError::not_found("price", symbol))
}

/// The newest prices of several symbols, by symbol. Symbols without a price are left out.
#[utoipa::path(
    post, path = "/api/v1/prices/batch", tag = "prices",
    request_body = PriceBatch,
    responses(
        (status = 200, body = Success<Vec<Price>>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn batch(
    State(state): State<AppState>,
    _: NoParams,
    mut body: Body,
) -> Result<Success<Vec<Price>>, ApiError> {
    let symbols: Vec<Symbol> = body.required_list("symbols", BATCH_MAX);
    body.finish()?;
    let symbols: BTreeSet<Symbol> = symbols.into_iter().collect();
    let found: Vec<Option<Price>> = stream::iter(symbols)
        .map(|symbol| {
            let state = state.clone();
            async move { newest(&state, &symbol).await }
        })
        .buffered(BATCH_PARALLEL)
        .try_collect()
        .await?;
    Ok(Success::one(found.into_iter().flatten().collect()))
}

/// Returns the newest price of `symbol`, from the cache if it has it.
pub(crate) async fn newest(state: &AppState, symbol: &Symbol) -> Result<Option<Price>, QueryError> {
    let key = format!("price:{symbol}");
    cache_aside(&state.cache, &key, TTL_PRICE, || {
        queries::prices::newest(&state.db, symbol)
    })
    .await
}
