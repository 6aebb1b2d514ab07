//! Manual exits: what the operator asks to sell.

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
use crate::queries::manual_exits::Requested;
use crate::seoul::SeoulTime;
use crate::state::AppState;

/// A request to sell.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ManualExit {
    pub(crate) request_id: Uuid,
    pub(crate) position_id: Uuid,
    pub(crate) symbol: String,
    /// Shares asked for.
    pub(crate) qty: i64,
    pub(crate) asked_by: String,
    pub(crate) reason: Option<String>,
    /// ASKED, ORDERED, WITHDRAWN or REFUSED.
    pub(crate) state: String,
    /// Why it was refused.
    pub(crate) message: Option<String>,
    /// The order that it became.
    pub(crate) order_id: Option<Uuid>,
    pub(crate) created_ts: SeoulTime,
    pub(crate) updated_ts: SeoulTime,
}

/// What to sell.
#[derive(Debug, ToSchema)]
pub(crate) struct SellRequest {
    /// Shares, at least 1 and at most what is held.
    pub(crate) qty: i64,
    /// Why, at most 500 characters.
    pub(crate) reason: Option<String>,
    /// Who asks, at most 64 characters.
    pub(crate) asked_by: String,
    /// Makes the request known again: sent twice, it is one request. At most 64 characters.
    pub(crate) idempotency_key: String,
}

/// Asks to sell shares of a position at the market. Answers before the order stands; the request
/// says what became of it when it is sent again.
#[utoipa::path(
    post, path = "/api/v1/positions/{id}/sell", tag = "positions",
    params(("id" = Uuid, Path, description = "position_id")),
    request_body = SellRequest,
    responses(
        (status = 200, body = Success<ManualExit>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn sell(
    State(state): State<AppState>,
    InPath(id): InPath<Uuid>,
    _: NoParams,
    mut body: Body,
) -> Result<Success<ManualExit>, ApiError> {
    let request = SellRequest {
        qty: body.required_whole("qty", 1),
        reason: body.text("reason", TEXT_LENGTH_MAX),
        asked_by: body.actor("asked_by", NAME_LENGTH_MAX),
        idempotency_key: body.required_text("idempotency_key", NAME_LENGTH_MAX),
    };
    body.finish()?;
    match queries::manual_exits::ask(&state.db, id, &request).await? {
        Requested::Stored(exit) => {
            info!(position = %id, qty = exit.qty, by = exit.asked_by, "manual exit asked");
            Ok(Success::one(exit))
        }
        Requested::Known(exit) if exit.qty == request.qty => Ok(Success::one(exit)),
        Requested::Known(exit) => Err(ApiError::conflict(
            "the idempotency key belongs to a request for another quantity",
            json!({ "request_id": exit.request_id, "qty": exit.qty }),
        )),
        Requested::NoPosition => Err(ApiError::not_found("position", id)),
        Requested::Closed => Err(ApiError::conflict(
            "the position is closed",
            json!({ "status": "CLOSED" }),
        )),
        Requested::Disabled => Err(ApiError::conflict(
            "exit_mode of the position is DISABLED: nobody may sell it",
            json!({ "exit_mode": "DISABLED" }),
        )),
        Requested::TooMany { held } => Err(ApiError::conflict(
            format!("{} shares asked for where {held} are held", request.qty),
            json!({ "held": held }),
        )),
    }
}
