//! What belongs to one request: its id, its deadline, who makes it, its log line and its metrics; and to
//! every answer: headers.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::time::Instant;
use tracing::{Instrument, debug, info_span};
use uuid::Uuid;

use crate::access::Guard;
use crate::error::{ApiError, Code};
use crate::metrics;

/// Header that names a request, in both directions.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Header of answers while the database is away: they are what the cache still holds, or failures.
const DATABASE: HeaderName = HeaderName::from_static("x-turnstile-database");
/// A longer id from outside is replaced by an own one.
const REQUEST_ID_LENGTH_MAX: usize = 64;

tokio::task_local! {
    static CURRENT_ID: String;
}

/// Returns the id of the request that is being answered; empty outside of one.
pub(crate) fn current_id() -> String {
    CURRENT_ID.try_with(Clone::clone).unwrap_or_default()
}

/// What every request is held to.
pub(crate) struct Frame {
    /// Longest time until the answer begins.
    pub(crate) timeout: Duration,
    pub(crate) guard: Guard,
}

/// Gives the request its id and the answer the same one, lets through who may, holds it to its deadline, and
/// measures it.
pub(crate) async fn frame(
    State(frame): State<Arc<Frame>>,
    mut request: Request,
    next: Next,
) -> Response {
    let timeout = frame.timeout;
    let id = accepted_id(&request).unwrap_or_else(|| Uuid::new_v4().to_string());
    let method = method_label(request.method());
    let path = request.extensions().get::<MatchedPath>().cloned();
    // Everything else is a file of the web app: one label, or labels would grow without end.
    let route = path.as_ref().map_or("other", MatchedPath::as_str);
    let header = HeaderValue::from_str(&id).ok();
    if let Some(header) = &header {
        request.headers_mut().insert(REQUEST_ID, header.clone());
    }
    let started = Instant::now();
    let span = info_span!("request", %id, %method, %route);
    let answer = async {
        match tokio::time::timeout(timeout, frame.guard.pass(request, next)).await {
            Ok(response) => response,
            Err(_) => ApiError::new(
                Code::RequestTimeout,
                format!("the request took longer than {}", in_words(timeout)),
            )
            .into_response(),
        }
    };
    let mut response = CURRENT_ID.scope(id, answer).instrument(span).await;
    let headers = response.headers_mut();
    if let Some(header) = header {
        headers.insert(REQUEST_ID, header);
    }
    if path.is_some() {
        // Answers of the API are of the moment.
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if frame.guard.is_database_away() {
            headers.insert(DATABASE, HeaderValue::from_static("away"));
        }
    }
    harden(headers);
    let status = response.status();
    debug!(%method, %route, status = status.as_u16(), elapsed = ?started.elapsed(), "answered");
    metrics::request_done(method, route.to_owned(), status, started.elapsed());
    response
}

/// No page may frame this one and press its buttons, and no content is guessed to be a script.
fn harden(headers: &mut HeaderMap) {
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "same-origin"),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
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
