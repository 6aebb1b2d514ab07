//! Orders: decisions and what became of them.

use axum::extract::State;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::envelope::Success;
use crate::error::{ApiError, Failure};
use crate::extract::{InPath, NoParams, Params};
use crate::number::Number;
use crate::queries;
use crate::queries::orders::Filter;
use crate::seoul::SeoulTime;
use crate::state::AppState;

/// One order.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Order {
    pub(crate) order_id: Uuid,
    /// One effective order exists per key.
    pub(crate) action_key: String,
    /// Absent for an entry.
    pub(crate) position_id: Option<Uuid>,
    pub(crate) symbol: String,
    /// Name of the stock.
    pub(crate) name: String,
    /// BUY or SELL.
    pub(crate) side: String,
    /// ENTRY, EXIT_PARTIAL or EXIT_FULL.
    pub(crate) intent_type: String,
    /// Shares decided.
    pub(crate) qty: i64,
    /// Shares filled so far.
    pub(crate) filled_qty: i64,
    /// MKT or LMT.
    pub(crate) order_type: String,
    /// KRW, of a limit order.
    pub(crate) limit_price: Option<Number>,
    /// Rule that fired, such as SL1 or TRAIL.
    pub(crate) reason_code: String,
    /// Phase of the position before the decision.
    pub(crate) phase: Option<String>,
    /// Price that was judged, KRW.
    pub(crate) price: Number,
    /// Price that had to be reached, KRW.
    pub(crate) level: Number,
    /// NEW, PENDING_APPROVAL, SENDING, UNKNOWN, SUBMITTED, PARTIAL, FILLED, REJECTED, CANCELLED,
    /// CANCELLED_PARTIAL or ERROR.
    pub(crate) status: String,
    /// Number that the broker gave it.
    pub(crate) broker_order_no: Option<String>,
    pub(crate) created_ts: SeoulTime,
    /// Time of the last event.
    pub(crate) updated_ts: SeoulTime,
    /// Text of the last event that has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) message: Option<String>,
}

/// One order with its events and the inputs of the decision.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OrderDetail {
    #[serde(flatten)]
    pub(crate) order: Order,
    /// Oldest first.
    pub(crate) events: Vec<OrderEvent>,
    /// Every input of the decision with its version, as stored.
    #[schema(value_type = Object)]
    pub(crate) explanation: Box<RawValue>,
}

/// One fact in the life of an order.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OrderEvent {
    pub(crate) event_id: i64,
    pub(crate) status: String,
    /// How often the order had been sent.
    pub(crate) send_attempt: i32,
    /// Shares asked of the broker, if fewer than decided.
    pub(crate) sent_qty: Option<i64>,
    /// Shares filled by then.
    pub(crate) filled_qty: i64,
    pub(crate) broker_order_no: Option<String>,
    /// The broker's code.
    pub(crate) code: Option<String>,
    pub(crate) message: Option<String>,
    pub(crate) ts: SeoulTime,
}

/// Orders, newest first.
#[utoipa::path(
    get, path = "/api/v1/orders", tag = "orders",
    params(
        ("position_id" = Option<Uuid>, Query, description = "of this position only"),
        ("symbol" = Option<String>, Query, description = "of this symbol only, 1 to 9 letters or digits"),
        ("limit" = Option<i64>, Query, description = "1 to 100, default 20"),
        ("cursor" = Option<String>, Query, description = "next_cursor of the page before"),
    ),
    responses(
        (status = 200, body = Success<Vec<Order>>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn list(
    State(state): State<AppState>,
    mut params: Params,
) -> Result<Success<Vec<Order>>, ApiError> {
    let filter = Filter {
        position: params.parsed("position_id"),
        symbol: params.symbol(),
    };
    let page = params.page();
    params.finish()?;
    Ok(Success::page(
        queries::orders::list(&state.db, &filter, page).await?,
    ))
}

/// One order with its events and explanation.
#[utoipa::path(
    get, path = "/api/v1/orders/{id}", tag = "orders",
    params(("id" = Uuid, Path, description = "order_id")),
    responses(
        (status = 200, body = Success<OrderDetail>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn one(
    State(state): State<AppState>,
    InPath(id): InPath<Uuid>,
    _: NoParams,
) -> Result<Success<OrderDetail>, ApiError> {
    let order = queries::orders::one(&state.db, id).await?;
    order
        .map(Success::one)
        .ok_or_else(|| ApiError::not_found("order", id))
}
