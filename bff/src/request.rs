//! What belongs to one request: its id, its deadline, its log line and its metrics.

use std::time::Duration;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::time::Instant;
use tracing::{Instrument, debug, info_span};
use uuid::Uuid;

use crate::error::{ApiError, Code};
use crate::metrics;

/// Header that names a request, in both directions.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// A longer id from outside is replaced by an own one.
const REQUEST_ID_LENGTH_MAX: usize = 64;

tokio::task_local! {
    static CURRENT_ID: String;
}

/// Returns the id of the request that is being answered; empty outside of one.
pub(crate) fn current_id() -> String {
    CURRENT_ID.try_with(Clone::clone).unwrap_or_default()
}

/// Gives the request its id and the answer the same one, holds it to `timeout`, and measures it.
pub(crate) async fn frame(
    State(timeout): State<Duration>,
    mut request: Request,
    next: Next,
) -> Response {
    let id = accepted_id(&request).unwrap_or_else(|| Uuid::new_v4().to_string());
    let method = method_label(request.method());
    let route = match request.extensions().get::<MatchedPath>() {
        Some(path) => path.as_str().to_owned(),
        // Everything else is a file of the web app: one label, or labels would grow without end.
        None => "other".to_owned(),
    };
    let header = HeaderValue::from_str(&id).ok();
    if let Some(header) = &header {
        request.headers_mut().insert(REQUEST_ID, header.clone());
    }
    let started = Instant::now();
    let span = info_span!("request", %id, %method, %route);
    let answer = async {
        match tokio::time::timeout(timeout, next.run(request)).await {
            Ok(response) => response,
            Err(_) => ApiError::new(
                Code::RequestTimeout,
                format!("the request took longer than {}", in_words(timeout)),
            )
            .into_response(),
        }
    };
    let mut response = CURRENT_ID.scope(id, answer).instrument(span).await;
    if let Some(header) = header {
        response.headers_mut().insert(REQUEST_ID, header);
    }
    let status = response.status();
    debug!(%method, %route, status = status.as_u16(), elapsed = ?started.elapsed(), "answered");
    metrics::request_done(method, route, status, started.elapsed());
    response
}

/// Returns the id that the client chose, if it is short and harmless in a log.
fn accepted_id(request: &Request) -> Option<String> {
    let id = request.headers().get(REQUEST_ID)?.to_str().ok()?;
    let harmless = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    ((1..=REQUEST_ID_LENGTH_MAX).contains(&id.len()) && id.bytes().all(harmless))
        .then(|| id.to_owned())
}

/// Returns the method as a label; a client can make up further ones.
fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        _ => "other",
    }
}

fn in_words(duration: Duration) -> String {
    format!("{} ms", duration.as_millis())
}
