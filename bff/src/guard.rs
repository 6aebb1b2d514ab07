//! Who may change something: the right token, from a page of this server, as JSON.
//!
//! 1. A form of a foreign page cannot send `application/json`, so it cannot change anything.
//! 2. A script of a foreign page is recognised by its Origin.
//! 3. Without a token only loopback names are a valid host, or a foreign name that was pointed at
//!    127.0.0.1 (DNS rebinding) would count as the same origin.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, Method, header, uri::Authority};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use secrecy::{ExposeSecret, SecretString};

use crate::error::{ApiError, Code};

/// Paths whose POST only reads, so that it needs no token.
const READING_POSTS: [&str; 1] = ["/api/v1/prices/batch"];

/// What a changing request is checked against.
#[derive(Clone, Debug)]
pub(crate) struct Guard {
    token: Option<Arc<SecretString>>,
}

impl Guard {
    /// Makes a guard that wants `token`, if there is one.
    pub(crate) fn new(token: Option<SecretString>) -> Self {
        Self {
            token: token.map(Arc::new),
        }
    }

    /// Checks that the request comes from a page of this server, or from no page at all.
    ///
    /// # Errors
    /// [`Code::ForbiddenOrigin`].
    pub(crate) fn check_origin(&self, headers: &HeaderMap) -> Result<(), ApiError> {
        let Some(origin) = headers.get(header::ORIGIN) else {
            return Ok(());
        };
        let text = |value: Option<&header::HeaderValue>| {
            value
                .and_then(|value| value.to_str().ok())
                .unwrap_or_default()
                .to_ascii_lowercase()
        };
        let origin = text(Some(origin));
        let host = text(headers.get(header::HOST));
        let authority = origin
            .strip_prefix("http://")
            .or_else(|| origin.strip_prefix("https://"));
        let same = !host.is_empty() && authority == Some(host.as_str());
        if same && (self.token.is_some() || is_loopback(&host)) {
            return Ok(());
        }
        Err(ApiError::new(
            Code::ForbiddenOrigin,
            "the request comes from a page of another origin",
        ))
    }

    fn check(&self, request: &Request) -> Result<(), ApiError> {
        if [Method::GET, Method::HEAD, Method::OPTIONS].contains(request.method()) {
            return Ok(());
        }
        let headers = request.headers();
        self.check_origin(headers)?;
        let route = request
            .extensions()
            .get::<MatchedPath>()
            .map(MatchedPath::as_str);
        if !route.is_some_and(|route| READING_POSTS.contains(&route)) {
            self.check_token(headers)?;
        }
        check_json(headers)
    }

    fn check_token(&self, headers: &HeaderMap) -> Result<(), ApiError> {
        let Some(token) = &self.token else {
            return Ok(());
        };
        let given = headers
            .get(header::AUTHORIZATION)
            .map(header::HeaderValue::as_bytes);
        let given = given.and_then(|value| value.split_at_checked("Bearer ".len()));
        match given {
            Some((scheme, given))
                if scheme.eq_ignore_ascii_case(b"Bearer ")
                    && is_same(given, token.expose_secret().as_bytes()) =>
            {
                Ok(())
            }
            Some(_) | None => Err(ApiError::new(
                Code::Unauthorized,
                "a changing request needs the header \"authorization: Bearer <token>\"",
            )),
        }
    }
}

/// Refuses changing requests that may not pass.
pub(crate) async fn guard(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    match guard.check(&request) {
        Ok(()) => next.run(request).await,
        Err(error) => error.into_response(),
    }
}

fn check_json(headers: &HeaderMap) -> Result<(), ApiError> {
    let given = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let essence = given
        .unwrap_or_default()
        .split(';')
        .next()
        .unwrap_or_default()
        .trim();
    if essence.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    Err(ApiError::new(
        Code::UnsupportedMediaType,
        format!("content-type must be application/json, was \"{essence}\""),
    ))
}

/// Compares without stopping at the first difference, so that timing does not tell where it is.
fn is_same(left: &[u8], right: &[u8]) -> bool {
    left.len() == right.len()
        && left
            .iter()
            .zip(right)
            .fold(0, |seen, (left, right)| seen | (left ^ right))
            == 0
}

fn is_loopback(host: &str) -> bool {
    let Ok(authority) = host.parse::<Authority>() else {
        return false;
    };
    let name = authority.host();
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    name == "localhost"
        || bare
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(None, "127.0.0.1:8099", true)]
    #[case(Some("http://127.0.0.1:8099"), "127.0.0.1:8099", true)]
    #[case(Some("http://localhost:8099"), "localhost:8099", true)]
    #[case(Some("http://[::1]:8099"), "[::1]:8099", true)]
    #[case(Some("http://127.0.0.1:3000"), "127.0.0.1:8099", false)]
    #[case(Some("https://evil.example"), "127.0.0.1:8099", false)]
    #[case(Some("http://evil.example:8099"), "evil.example:8099", false)]
    #[case(Some("http://localhost.evil.example"), "localhost.evil.example", false)]
    #[case(Some("null"), "127.0.0.1:8099", false)]
    #[case(Some(""), "", false)]
    fn only_pages_of_this_server_pass(
        #[case] origin: Option<&str>,
        #[case] host: &str,
        #[case] passes: bool,
    ) {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, origin.parse().unwrap());
        }
        assert_eq!(Guard::new(None).check_origin(&headers).is_ok(), passes);
    }

    #[test]
    fn with_a_token_any_host_name_is_its_own_origin() {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, "desk.example".parse().unwrap());
        headers.insert(header::ORIGIN, "https://desk.example".parse().unwrap());
        assert!(
            Guard::new(Some("0123456789abcdef".into()))
                .check_origin(&headers)
                .is_ok()
        );
    }
}
