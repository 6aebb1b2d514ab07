//! Stocks: what is listed, each with its newest price.

use axum::extract::State;
use serde::Serialize;
use turnstile_dataflows::model::Symbol;
use utoipa::ToSchema;

use crate::envelope::Success;
use crate::error::{ApiError, Failure};
use crate::extract::{InPath, NoParams, Params};
use crate::number::Number;
use crate::queries;
use crate::queries::stocks::Filter;
use crate::seoul::SeoulTime;
use crate::state::AppState;

/// Longest text that is searched for, in characters: longer than any name.
const SEARCH_LENGTH_MAX: usize = 100;
/// Markets by which the list is narrowed, the first of them not at all.
const MARKETS: [&str; 4] = ["all", "KOSPI", "KOSDAQ", "KONEX"];

/// One issue of the exchange.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Stock {
    /// Short code, 1 to 9 letters or digits.
    pub(crate) symbol: String,
    pub(crate) name: String,
    /// KOSPI, KOSDAQ or KONEX; UNKNOWN where nobody has told.
    pub(crate) market: String,
    /// Part of the market, such as KOSDAQ GLOBAL.
    pub(crate) segment: Option<String>,
    /// STOCK, ETF, ETN or UNKNOWN.
    pub(crate) instrument_type: String,
    /// ACTIVE, SUSPENDED or DELISTED.
    pub(crate) status: String,
    /// A date such as 2026-11-24.
    pub(crate) listing_date: Option<String>,
    pub(crate) delisting_date: Option<String>,
    pub(crate) sector: Option<String>,
    pub(crate) industry: Option<String>,
    /// KRW.
    pub(crate) market_cap: Option<i64>,
    pub(crate) listed_shares: Option<i64>,
    pub(crate) is_tradable: bool,
    /// Under administration (관리종목).
    pub(crate) is_managed: bool,
    pub(crate) is_caution: bool,
    pub(crate) trade_halt_reason: Option<String>,
    /// Whether it is traded on NXT; null: not told.
    pub(crate) is_nxt_tradable: Option<bool>,
    pub(crate) is_nxt_stopped: Option<bool>,
    /// Day at the exchange for which the broker was last asked, and when it was.
    pub(crate) checked_on: Option<String>,
    pub(crate) checked_ts: Option<SeoulTime>,
    pub(crate) created_ts: SeoulTime,
    pub(crate) updated_ts: SeoulTime,
    #[serde(flatten)]
    pub(crate) price: LastPrice,
}

/// The newest price of an issue; everything is null where it has none.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LastPrice {
    /// Last trade, KRW.
    pub(crate) last_price: Option<Number>,
    /// Against the previous close, KRW, signed.
    pub(crate) change_price: Option<Number>,
    /// Against the previous close, percent, signed.
    pub(crate) change_rate: Option<Number>,
    /// Exchange time of the last trade.
    pub(crate) price_ts: Option<SeoulTime>,
}

/// Issues of the exchange, by symbol.
#[utoipa::path(
    get, path = "/api/v1/stocks", tag = "stocks",
    params(
        ("market" = Option<String>, Query, description = "KOSPI, KOSDAQ, KONEX or all (default)"),
        ("search" = Option<String>, Query,
            description = "only those with this in code or name, in whichever case; at most 100 characters"),
        ("is_tradable" = Option<bool>, Query, description = "only those that may be traded, or may not"),
        ("limit" = Option<i64>, Query, description = "1 to 100, default 20"),
        ("cursor" = Option<String>, Query, description = "next_cursor of the page before"),
    ),
    responses(
        (status = 200, body = Success<Vec<Stock>>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn list(
    State(state): State<AppState>,
    mut params: Params,
) -> Result<Success<Vec<Stock>>, ApiError> {
    let market = Some(params.choice("market", &MARKETS));
    let filter = Filter {
        market: market.filter(|market| *market != MARKETS[0]),
        search: params.text("search", SEARCH_LENGTH_MAX),
        is_tradable: params.parsed("is_tradable"),
    };
    let page = params.page();
    params.finish()?;
    Ok(Success::page(
        queries::stocks::list(&state.db, &filter, page).await?,
    ))
}

/// Issues with a text in code or name, the best match first: exact code, exact name, beginning of one of
/// them, part of one. Upper and lower case are the same; no character stands for others.
#[utoipa::path(
    get, path = "/api/v1/stocks/search", tag = "stocks",
    params(
        ("q" = String, Query, description = "what is looked for, at most 100 characters"),
        ("limit" = Option<i64>, Query, description = "1 to 100, default 20"),
    ),
    responses(
        (status = 200, body = Success<Vec<Stock>>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn search(
    State(state): State<AppState>,
    mut params: Params,
) -> Result<Success<Vec<Stock>>, ApiError> {
    let text = params.required_text("q", SEARCH_LENGTH_MAX);
    let limit = params.limit();
    params.finish()?;
    let found = queries::stocks::search(&state.db, text.trim(), limit).await?;
    Ok(Success::one(found))
}

/// One issue.
#[utoipa::path(
    get, path = "/api/v1/stocks/{symbol}", tag = "stocks",
    params(("symbol" = String, Path, description = "1 to 9 letters or digits")),
    responses(
        (status = 200, body = Success<Stock>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn one(
    State(state): State<AppState>,
    InPath(symbol): InPath<Symbol>,
    _: NoParams,
) -> Result<Success<Stock>, ApiError> {
    let stock = queries::stocks::one(&state.db, &symbol.text()).await?;
    stock
        .map(Success::one)
        .ok_or_else(|| ApiError::not_found("stock", symbol))
}
