//! Rankings of the market, from what is stored of it.

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::envelope::Success;
use crate::error::{ApiError, Failure};
use crate::extract::Params;
use crate::number::Number;
use crate::queries;
use crate::queries::market_rankings::Category;
use crate::state::AppState;

/// The issues that are first by something.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MarketRanking {
    pub(crate) category: String,
    /// ALL, KOSPI or KOSDAQ.
    pub(crate) market: String,
    /// The day of what is ranked; absent where nothing is known.
    pub(crate) as_of: Option<String>,
    /// By rank.
    pub(crate) stocks: Vec<RankedStock>,
}

/// One issue of a ranking.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RankedStock {
    /// From 1.
    pub(crate) rank: i64,
    pub(crate) symbol: String,
    /// Name of the stock.
    pub(crate) name: String,
    /// KOSPI or KOSDAQ.
    pub(crate) market: String,
    /// Last close, KRW.
    pub(crate) price: Option<Number>,
    /// Of the last close against the one before, percent.
    pub(crate) change_rate: Option<Number>,
    /// Shares traded on the day of the last close.
    pub(crate) volume: Option<i64>,
    /// KRW traded on it.
    pub(crate) trading_value: Option<Number>,
    /// What is ranked: shares, KRW, percent, or the place in the list it comes from.
    pub(crate) value: Number,
}

/// The first issues of a category. All but `foreign_net_buy`, `institution_net_buy` (shares bought less
/// shares sold on the last day of flows) and `popular` (place among what is searched for most) are of the
/// day of the newest daily bars: `volume` (shares), `trading_value` (KRW), `gainers` and `losers` (change in
/// percent, those beyond the limit of a day left out: their prices are not of the same shares),
/// `high_52week` (close in percent of the highest price of 52 weeks) and `market_cap` (KRW). Shares only,
/// without those that are delisted.
#[utoipa::path(
    get, path = "/api/v1/market/rankings", tag = "stocks",
    params(
        ("category" = Option<String>, Query, description = "volume (default), trading_value, gainers, losers, foreign_net_buy, institution_net_buy, high_52week, market_cap or popular"),
        ("market" = Option<String>, Query, description = "ALL (default), KOSPI or KOSDAQ"),
        ("limit" = Option<i64>, Query, description = "1 to 100, default 20"),
    ),
    responses(
        (status = 200, body = Success<MarketRanking>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn first(
    State(state): State<AppState>,
    mut params: Params,
) -> Result<Success<MarketRanking>, ApiError> {
    let name = params.choice("category", &Category::ALL.map(Category::name));
    let market = params.choice("market", &["ALL", "KOSPI", "KOSDAQ"]);
    let limit = params.limit();
    params.finish()?;
    let category = Category::named(name);
    let of = Some(market).filter(|market| *market != "ALL");
    let (as_of, stocks) = queries::market_rankings::first(&state.db, category, of, limit).await?;
    Ok(Success::one(MarketRanking {
        category: name.to_owned(),
        market: market.to_owned(),
        as_of,
        stocks,
    }))
}
