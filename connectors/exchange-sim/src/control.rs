//! The control port: JSON over HTTP. It shows the market and the books, steers prices and time, and
//! injects faults. Unknown keys are refused.

mod faults;
mod market;
mod terminal;
mod views;

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::rejection::JsonRejection,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::json;

use crate::shared::Shared;

pub(crate) use faults::{AnswerFault, Faults};

/// Returns the service.
pub(crate) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/session", get(views::session))
        .route("/status", get(views::status))
        .route("/orders", get(views::orders).post(terminal::order))
        .route("/orders/cancel", post(terminal::cancel))
        .route("/holdings", get(views::holdings).post(terminal::hold))
        .route("/log", get(views::log))
        .route("/pause", post(market::pause))
        .route("/resume", post(market::resume))
        .route("/price", post(market::price))
        .route("/script", post(market::script))
        .route("/clock", post(market::clock))
        .route("/holidays", post(market::holiday))
        .route("/stocks", post(market::stock))
        .route("/faults", get(faults::show).post(faults::change))
        .with_state(shared)
}

/// A request that cannot be done.
#[derive(Debug)]
struct Refused {
    status: StatusCode,
    reason: String,
}

impl Refused {
    fn new(status: StatusCode, reason: impl Into<String>) -> Self {
        Self {
            status,
            reason: reason.into(),
        }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        (self.status, Json(json!({ "error": self.reason }))).into_response()
    }
}

/// Returns the body of a request.
fn body_of<T>(body: Result<Json<T>, JsonRejection>) -> Result<T, Refused> {
    match body {
        Ok(Json(body)) => Ok(body),
        Err(rejection) => Err(Refused::new(rejection.status(), rejection.body_text())),
    }
}
