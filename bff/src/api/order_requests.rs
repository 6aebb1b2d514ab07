//! What the operator asks of orders: approve, refuse, cancel.

use axum::extract::State;
use serde::Serialize;
use serde_json::json;
use tracing::info;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::exit_rules::{NAME_LENGTH_MAX, TEXT_LENGTH_MAX};
use crate::envelope::Success;
use crate::error::{ApiError, Failure};
use crate::extract::{Body, InPath, NoParams};
use crate::queries;
use crate::queries::order_requests::{Kind, Requested};
use crate::seoul::SeoulTime;
use crate::state::AppState;

/// Something asked of an order. The engine follows it; the order's events say what became of it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OrderRequest {
    pub(crate) request_id: Uuid,
    pub(crate) order_id: Uuid,
    /// APPROVE, REJECT or CANCEL.
    pub(crate) kind: String,
    pub(crate) asked_by: String,
    pub(crate) reason: Option<String>,
    /// How the order stands now.
    pub(crate) status: String,
    pub(crate) created_ts: SeoulTime,
}

/// Who asks, and why.
#[derive(Debug, ToSchema)]
pub(crate) struct OrderAsk {
    /// Why, at most 500 characters.
    pub(crate) reason: Option<String>,
    /// Who asks, at most 64 characters.
    pub(crate) asked_by: String,
    /// Makes the request known again: sent twice, it is one request. At most 64 characters.
    pub(crate) idempotency_key: String,
}

/// Lets an order that waits for the operator be sent.
#[utoipa::path(
    post, path = "/api/v1/orders/{id}/approve", tag = "orders",
    params(("id" = Uuid, Path, description = "order_id")),
    request_body = OrderAsk,
    responses(
        (status = 200, body = Success<OrderRequest>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn approve(
    State(state): State<AppState>,
    InPath(id): InPath<Uuid>,
    _: NoParams,
    body: Body,
) -> Result<Success<OrderRequest>, ApiError> {
    ask(&state, id, Kind::Approve, body).await
}

/// Ends an order that waits for the operator.
#[utoipa::path(
    post, path = "/api/v1/orders/{id}/reject", tag = "orders",
    params(("id" = Uuid, Path, description = "order_id")),
    request_body = OrderAsk,
    responses(
        (status = 200, body = Success<OrderRequest>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn reject(
    State(state): State<AppState>,
    InPath(id): InPath<Uuid>,
    _: NoParams,
    body: Body,
) -> Result<Success<OrderRequest>, ApiError> {
    ask(&state, id, Kind::Reject, body).await
}

/// Cancels what is left of an order: withdraws it where it was not sent, asks the broker where it
/// was. A rule that still holds decides again, so pause exits first where nothing shall follow.
#[utoipa::path(
    post, path = "/api/v1/orders/{id}/cancel", tag = "orders",
    params(("id" = Uuid, Path, description = "order_id")),
    request_body = OrderAsk,
    responses(
        (status = 200, body = Success<OrderRequest>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn cancel(
    State(state): State<AppState>,
    InPath(id): InPath<Uuid>,
    _: NoParams,
    body: Body,
) -> Result<Success<OrderRequest>, ApiError> {
    ask(&state, id, Kind::Cancel, body).await
}

async fn ask(
    state: &AppState,
    order: Uuid,
    kind: Kind,
    mut body: Body,
) -> Result<Success<OrderRequest>, ApiError> {
    let asked = OrderAsk {
        reason: body.text("reason", TEXT_LENGTH_MAX),
        asked_by: body.actor("asked_by", NAME_LENGTH_MAX),
        idempotency_key: body.required_text("idempotency_key", NAME_LENGTH_MAX),
    };
    body.finish()?;
    match queries::order_requests::ask(&state.db, order, kind, &asked).await? {
        Requested::Stored(request) => {
            info!(%order, kind = request.kind, by = request.asked_by, "asked of an order");
            Ok(Success::one(request))
        }
        Requested::Known(request) if request.kind == kind.name() => Ok(Success::one(request)),
        Requested::Known(request) => Err(ApiError::key_taken(
            json!({ "request_id": request.request_id, "kind": request.kind }),
        )),
        Requested::NoOrder => Err(ApiError::not_found("order", order)),
        Requested::NotNow { status } => Err(ApiError::conflict(
            match kind {
                Kind::Approve | Kind::Reject => "the order does not wait for the operator",
                Kind::Cancel => "the order has ended",
            },
            json!({ "status": status }),
        )),
    }
}
