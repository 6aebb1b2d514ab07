//! Manual entries: what the operator asks to buy.

use axum::extract::State;
use serde::Serialize;
use serde_json::json;
use tracing::info;
use turnstile_dataflows::model::Symbol;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::exit_rules::{NAME_LENGTH_MAX, TEXT_LENGTH_MAX};
use crate::envelope::Success;
use crate::error::{ApiError, Failure};
use crate::extract::{Body, NoParams};
use crate::number::{Number, WON_MAX};
use crate::queries;
use crate::queries::manual_entries::Requested;
use crate::seoul::SeoulTime;
use crate::state::AppState;

/// A request to buy.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ManualEntry {
    pub(crate) request_id: Uuid,
    pub(crate) symbol: String,
    /// Shares asked for.
    pub(crate) qty: i64,
    /// KRW at most for a share; none at market.
    pub(crate) limit_price: Option<Number>,
    pub(crate) asked_by: String,
    pub(crate) reason: Option<String>,
    /// ASKED, ORDERED or REFUSED.
    pub(crate) state: String,
    /// Why it was refused.
    pub(crate) message: Option<String>,
    /// The order that it became.
    pub(crate) order_id: Option<Uuid>,
    pub(crate) created_ts: SeoulTime,
    pub(crate) updated_ts: SeoulTime,
}

/// What to buy.
#[derive(Debug, ToSchema)]
pub(crate) struct BuyRequest {
    /// Symbol, 1 to 9 letters or digits.
    #[schema(value_type = String)]
    pub(crate) symbol: Option<Symbol>,
    /// BUY. What is held is sold by `POST /api/v1/positions/{id}/sell`.
    pub(crate) side: &'static str,
    /// Shares, at least 1.
    pub(crate) qty: i64,
    /// KRW at most for a share, whole; without it the order is at market.
    pub(crate) limit_price: Option<i64>,
    /// Why, at most 500 characters.
    pub(crate) reason: Option<String>,
    /// Who asks, at most 64 characters.
    pub(crate) asked_by: String,
    /// Makes the request known again: sent twice, it is one request. At most 64 characters.
    pub(crate) idempotency_key: String,
}

/// Asks to buy. Answers before the order stands; the request says what became of it when it is sent
/// again. The position belongs to strategy MANUAL.
#[utoipa::path(
    post, path = "/api/v1/orders", tag = "orders",
    request_body = BuyRequest,
    responses(
        (status = 200, body = Success<ManualEntry>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn buy(
    State(state): State<AppState>,
    _: NoParams,
    mut body: Body,
) -> Result<Success<ManualEntry>, ApiError> {
    let symbol = body.parsed::<Symbol>("symbol");
    if symbol.is_none() {
        body.fault_if_none("symbol", "is required");
    }
    let request = BuyRequest {
        symbol,
        side: body.required_choice("side", &["BUY"]),
        qty: body.required_whole("qty", 1),
        limit_price: body.whole_in("limit_price", 1..=WON_MAX),
        reason: body.text("reason", TEXT_LENGTH_MAX),
        asked_by: body.actor("asked_by", NAME_LENGTH_MAX),
        idempotency_key: body.required_text("idempotency_key", NAME_LENGTH_MAX),
    };
    body.finish()?;
    let symbol = request.symbol.map(|symbol| symbol.to_string());
    let symbol = symbol.unwrap_or_default();
    match queries::manual_entries::ask(&state.db, &symbol, &request).await? {
        Requested::Stored(entry) => {
            info!(
                symbol,
                qty = entry.qty,
                by = entry.asked_by,
                side = request.side,
                "purchase asked"
            );
            Ok(Success::one(entry))
        }
        Requested::Known(entry) if entry.symbol == symbol && entry.qty == request.qty => {
            Ok(Success::one(entry))
        }
        Requested::Known(entry) => Err(ApiError::key_taken(
            json!({ "request_id": entry.request_id, "symbol": entry.symbol, "qty": entry.qty }),
        )),
        Requested::NoStock => Err(ApiError::not_found("stock", symbol)),
    }
}
