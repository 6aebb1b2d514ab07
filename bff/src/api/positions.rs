//! Positions.

use std::sync::Arc;

use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use turnstile_connectors::redis::{TTL_POSITION, cache_aside};
use turnstile_dataflows::model::Symbol;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::prices;
use crate::cursor::TimeCursor;
use crate::envelope::{Success, WrittenPage};
use crate::error::{ApiError, Failure};
use crate::extract::{InPath, NoParams, Page, Params};
use crate::number::Number;
use crate::queries;
use crate::queries::positions::Which;
use crate::seoul::SeoulTime;
use crate::state::AppState;

/// One position. The cache holds it without a price, which changes more often.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Position {
    pub(crate) position_id: Uuid,
    pub(crate) symbol: String,
    /// Name of the stock.
    pub(crate) name: String,
    /// Shares held now.
    pub(crate) qty: i64,
    /// Shares at entry.
    pub(crate) original_qty: i64,
    /// Average cost of a share, KRW.
    pub(crate) avg_price: Number,
    /// OPEN, CLOSING or CLOSED.
    pub(crate) status: String,
    /// OPEN, TP1_DONE, TP2_DONE, TP3_DONE, TRAILING_ACTIVE or EXITED.
    pub(crate) phase: String,
    /// Floor under the price, KRW, if one is set.
    pub(crate) stop_floor: Option<Number>,
    /// High-water mark as last saved, KRW.
    pub(crate) hwm: Option<Number>,
    pub(crate) strategy_id: String,
    /// ENABLED, DISABLED or MANUAL_ONLY.
    pub(crate) exit_mode: String,
    /// Exit rule that this position names itself.
    pub(crate) exit_profile_id: Option<String>,
    /// 1 for the first entry, one more for each re-entry.
    pub(crate) cycle: i32,
    /// Rises with every change of quantity or average cost.
    pub(crate) version: i32,
    pub(crate) entry_ts: SeoulTime,
    pub(crate) closed_ts: Option<SeoulTime>,
    pub(crate) updated_ts: SeoulTime,
}

/// One position with the newest price of its symbol, if there is one.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PositionView {
    #[serde(flatten)]
    pub(crate) position: Position,
    /// Last trade, KRW.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_price: Option<Number>,
    /// Best bid, KRW.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) bid: Option<Number>,
    /// Exchange time of the last trade.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) price_ts: Option<SeoulTime>,
}

/// Positions, latest entry first.
#[utoipa::path(
    get, path = "/api/v1/positions", tag = "positions",
    params(
        ("status" = Option<String>, Query, description = "live (default), closed or all"),
        ("limit" = Option<i64>, Query, description = "1 to 100, default 20"),
        ("cursor" = Option<String>, Query, description = "next_cursor of the page before"),
    ),
    responses(
        (status = 200, body = Success<Vec<PositionView>>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn list(
    State(state): State<AppState>,
    mut params: Params,
) -> Result<Success<Arc<RawValue>>, ApiError> {
    let which = match params.choice("status", &["live", "closed", "all"]) {
        "closed" => Which::Closed,
        "all" => Which::All,
        _ => Which::Live,
    };
    let page: Page<TimeCursor> = params.page();
    params.finish()?;
    let key = format!("{which:?} {} {}", page.limit, page.below);
    let load = || async {
        let listed = queries::positions::list(&state.db, which, page).await?;
        Ok::<_, ApiError>(WrittenPage::of(&listed)?)
    };
    Ok(state.positions.read(&key, load).await?.into())
}

/// One position.
#[utoipa::path(
    get, path = "/api/v1/positions/{id}", tag = "positions",
    params(("id" = Uuid, Path, description = "position_id")),
    responses(
        (status = 200, body = Success<PositionView>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn one(
    State(state): State<AppState>,
    InPath(id): InPath<Uuid>,
    _: NoParams,
) -> Result<Success<PositionView>, ApiError> {
    let load = || queries::positions::one(&state.db, id);
    let position: Option<Position> =
        cache_aside(&state.cache, &cache_key(id), TTL_POSITION, load).await?;
    let position = position.ok_or_else(|| ApiError::not_found("position", id))?;
    let price = match position.symbol.parse::<Symbol>() {
        Ok(symbol) => prices::newest(&state, &symbol).await?,
        Err(_) => None,
    };
    Ok(Success::one(PositionView {
        position,
        last_price: price.as_ref().map(|price| price.price),
        bid: price.as_ref().and_then(|price| price.bid),
        price_ts: price.as_ref().map(|price| price.ts),
    }))
}

/// Returns the key of the cached copy of a position.
pub(crate) fn cache_key(id: Uuid) -> String {
    format!("position:{id}")
}
