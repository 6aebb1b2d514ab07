//! Errors as the client sees them, and the one place that maps causes to status codes.

use std::collections::BTreeMap;
use std::error::Error;
use std::time::Duration;

use axum::Json;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::Value;
use tracing::{error, warn};
use utoipa::ToSchema;

use crate::queries::QueryError;
use crate::request;
use crate::seoul::SeoulTime;

/// Why a request failed. Codes are stable; texts are not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Code {
    /// A path or query parameter is unknown or cannot be used; `fields` names it.
    InvalidParameter,
    /// The body is not the expected JSON object; `fields` names the keys, if it is one.
    InvalidBody,
    /// The token or session is missing, wrong, revoked or over.
    Unauthorized,
    /// The role of the token may not do this.
    ForbiddenRole,
    /// Too many requests; `details` and the header `retry-after` say when to go on.
    TooManyRequests,
    /// The request comes from a page of another origin, or a session does not show that it does not.
    ForbiddenOrigin,
    /// There is no such thing or path.
    NotFound,
    /// What is asked for does not go with how things stand; `details` says how.
    Conflict,
    /// The path exists, but not with this method.
    MethodNotAllowed,
    /// The body is larger than allowed.
    BodyTooLarge,
    /// A changing request must carry JSON.
    UnsupportedMediaType,
    /// A request that must be a WebSocket handshake is none.
    UpgradeRequired,
    /// PostgreSQL cannot be asked now; try again later.
    DatabaseUnavailable,
    /// The engine has not answered in time; the stream job may not run.
    EngineSilent,
    /// As many clients of live data as allowed are connected.
    TooManyClients,
    /// The request took too long.
    RequestTimeout,
    /// A fault of the server; the log has its cause under the request id.
    Internal,
}

impl Code {
    fn status(self) -> StatusCode {
        match self {
            Self::InvalidParameter | Self::InvalidBody => StatusCode::BAD_REQUEST,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::ForbiddenOrigin | Self::ForbiddenRole => StatusCode::FORBIDDEN,
            Self::TooManyRequests => StatusCode::TOO_MANY_REQUESTS,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Conflict => StatusCode::CONFLICT,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::UpgradeRequired => StatusCode::UPGRADE_REQUIRED,
            Self::DatabaseUnavailable | Self::TooManyClients => StatusCode::SERVICE_UNAVAILABLE,
            Self::EngineSilent | Self::RequestTimeout => StatusCode::GATEWAY_TIMEOUT,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

/// A failed request.
#[derive(Debug)]
pub(crate) struct ApiError {
    code: Code,
    message: String,
    details: Option<Value>,
    fields: BTreeMap<String, String>,
    /// A header that belongs to the answer.
    header: Option<Box<(HeaderName, HeaderValue)>>,
}

/// The shape of every failed answer.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Failure {
    error: FailureBody,
}

/// What went wrong.
#[derive(Debug, Serialize, ToSchema)]
struct FailureBody {
    code: Code,
    /// For people; may change.
    message: String,
    /// Same as the header `x-request-id`.
    request_id: String,
    timestamp: SeoulTime,
    /// Facts that a program can use.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    details: Option<Value>,
    /// What is wrong with which parameter or key.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    fields: BTreeMap<String, String>,
}

impl ApiError {
    /// Makes an error without details.
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            details: None,
            fields: BTreeMap::new(),
            header: None,
        }
    }

    /// Returns the code.
    pub(crate) fn code(&self) -> Code {
        self.code
    }

    /// Makes the error of a client that asks too often; it may go on after `pause`.
    pub(crate) fn too_often(pause: Duration) -> Self {
        let seconds = pause.as_secs() + u64::from(pause.subsec_nanos() > 0);
        Self {
            details: Some(serde_json::json!({ "retry_after_ms": whole_millis(pause) })),
            header: Some(Box::new((
                header::RETRY_AFTER,
                HeaderValue::from(seconds.max(1)),
            ))),
            ..Self::new(Code::TooManyRequests, "too many requests, go on later")
        }
    }

    /// Makes the error of a path that is not available with `method`, but with `allowed`.
    pub(crate) fn wrong_method(method: &Method, path: &str, allowed: Option<&str>) -> Self {
        let allowed = allowed.and_then(|methods| HeaderValue::from_str(methods).ok());
        let message = format!("{path} is not available with {method}");
        Self {
            header: allowed.map(|methods| Box::new((header::ALLOW, methods))),
            ..Self::new(Code::MethodNotAllowed, message)
        }
    }

    /// Makes the error of a thing that does not exist.
    pub(crate) fn not_found(resource: &'static str, id: impl ToString) -> Self {
        let id = id.to_string();
        Self {
            details: Some(serde_json::json!({ "resource": resource, "id": id })),
            ..Self::new(Code::NotFound, format!("there is no {resource} \"{id}\""))
        }
    }

    /// Makes the error of something that does not go with how things stand.
    pub(crate) fn conflict(message: impl Into<String>, details: Value) -> Self {
        Self {
            details: Some(details),
            ..Self::new(Code::Conflict, message)
        }
    }

    /// Makes the error of an idempotency key that was given to another request, which `details` name.
    pub(crate) fn key_taken(details: Value) -> Self {
        Self::conflict("the idempotency key belongs to another request", details)
    }

    /// Makes the error of a change of `what` that was made from another version than the one that stands.
    pub(crate) fn stands_at(what: &str, version: i32) -> Self {
        let message = format!("version {version} of {what} stands, the change is of another one");
        Self::conflict(message, serde_json::json!({ "version": version }))
    }

    /// Makes the error of input with the given faults by name.
    pub(crate) fn fields(code: Code, fields: BTreeMap<String, String>) -> Self {
        let named: Vec<_> = fields
            .iter()
            .map(|(name, fault)| format!("{name} {fault}"))
            .collect();
        Self {
            fields,
            ..Self::new(code, named.join("; "))
        }
    }
}

impl From<serde_json::Error> for ApiError {
    fn from(cause: serde_json::Error) -> Self {
        error!(error = %cause, "answer not written");
        Self::new(Code::Internal, "the request failed, the log has the cause")
    }
}

impl From<QueryError> for ApiError {
    fn from(cause: QueryError) -> Self {
        if cause.is_unavailable() {
            warn!(error = %chain(&cause), "database unavailable");
            Self::new(
                Code::DatabaseUnavailable,
                "the database cannot be reached, try again later",
            )
        } else {
            error!(error = %chain(&cause), "request failed");
            Self::new(Code::Internal, "the request failed, the log has the cause")
        }
    }
}

fn whole_millis(pause: Duration) -> u64 {
    u64::try_from(pause.as_millis()).unwrap_or(u64::MAX)
}

/// Returns the message of `error` with those of its causes.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body = Failure {
            error: FailureBody {
                code: self.code,
                message: self.message,
                request_id: request::current_id(),
                timestamp: SeoulTime::now(),
                details: self.details,
                fields: self.fields,
            },
        };
        let mut response = (self.code.status(), Json(body)).into_response();
        if let Some(header) = self.header {
            let (name, value) = *header;
            response.headers_mut().insert(name, value);
        }
        if self.code == Code::Unauthorized {
            let scheme = HeaderValue::from_static("Bearer");
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, scheme);
        }
        response
    }
}
