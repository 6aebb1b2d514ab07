//! The WebSocket service: sessions, registrations, trade frames and encrypted notices.

mod cipher;
mod hub;
mod messages;
mod session;

use std::sync::Arc;

use axum::{
    Router,
    extract::{State, WebSocketUpgrade},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::any,
};

use crate::shared::Shared;

pub(crate) use hub::{Hub, deliver};

/// Largest message that a client may send.
const MESSAGE_MAX: usize = 64 * 1024;

/// Returns the service. It accepts any path: clients use `/`, `/tryitout` and `/tryitout/<TR id>`.
pub(crate) fn router(shared: Arc<Shared>) -> Router {
    Router::new().fallback(any(upgrade)).with_state(shared)
}

async fn upgrade(State(shared): State<Arc<Shared>>, request: WebSocketUpgrade) -> Response {
    if shared.faults().kis_down {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    request
        .max_message_size(MESSAGE_MAX)
        .on_upgrade(move |socket| session::run(socket, shared))
}
