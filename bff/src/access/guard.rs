//! Who may pass: the right token or session, from a page of this server, as JSON, not too often.
//!
//! 1. A form of a foreign page cannot send `application/json`, so it cannot change anything.
//! 2. A script of a foreign page is recognised by its Origin; what a browser's session does besides
//!    carries a value that only a page of this server can know.
//! 3. While no token exists only loopback names are a valid host, or a foreign name that was pointed
//!    at 127.0.0.1 (DNS rebinding) would count as the same origin.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{ConnectInfo, MatchedPath, Request};
use axum::http::{HeaderMap, HeaderName, Method, header, uri::Authority};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use subtle::ConstantTimeEq;

use super::keyring::{Found, Keyring};
use super::principal::Principal;
use super::rate::Rates;
use super::routes::{Need, need};
use super::sessions::COOKIE;
use crate::config::BffConfig;
use crate::error::{ApiError, Code};
use crate::{metrics, openapi};

/// Header with which a browser's session shows that a page of this server asks.
const CSRF: HeaderName = HeaderName::from_static("x-csrf-token");
/// Headers of a proxy: who asks is not on this machine.
const FORWARDED: [&str; 3] = ["forwarded", "x-forwarded-for", "x-forwarded-host"];

/// What requests are checked against. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Guard {
    keys: Keyring,
    rates: Arc<Rates>,
}

impl Guard {
    /// Returns whether the database did not answer when it was asked last.
    pub(crate) fn is_database_away(&self) -> bool {
        self.keys.is_database_away()
    }

    /// Makes a guard that knows the tokens of `keys`, with the limits of `config`.
    pub(crate) fn new(keys: Keyring, config: &BffConfig) -> Self {
        let (requests, failures) = (config.requests_per_second, config.wrong_tokens_per_minute);
        Self {
            keys,
            rates: Arc::new(Rates::new(requests, failures)),
        }
    }

    /// Checks that the request comes from a page of this server, or from no page at all.
    ///
    /// # Errors
    /// [`Code::ForbiddenOrigin`].
    pub(crate) fn check_origin(&self, headers: &HeaderMap) -> Result<(), ApiError> {
        if is_own_origin(headers, self.keys.has_any()) {
            return Ok(());
        }
        Err(ApiError::new(
            Code::ForbiddenOrigin,
            "the request comes from a page of another origin",
        ))
    }

    /// Returns who asks, none where the route needs nobody.
    fn check(&self, request: &Request) -> Result<Option<Principal>, ApiError> {
        let (headers, method) = (request.headers(), request.method());
        let route = request.extensions().get::<MatchedPath>();
        let route = route.map(MatchedPath::as_str);
        if let Some(allowed) = route.and_then(|route| openapi::allowed_other(method, route)) {
            return Err(ApiError::wrong_method(
                method,
                request.uri().path(),
                Some(allowed),
            ));
        }
        let is_change = ![Method::GET, Method::HEAD, Method::OPTIONS].contains(method);
        if is_change {
            self.check_origin(headers)?;
        }
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
        let peer = peer.map(|ConnectInfo(address)| address.ip());
        let principal = match need(method, route) {
            Need::Nothing => None,
            Need::Role(role) => {
                let principal = self.who(headers, peer)?;
                let counted = self.rates.request(&principal.name);
                counted.map_err(too_often)?;
                if is_change {
                    check_csrf(&principal, headers)?;
                }
                principal.require(role)?;
                Some(principal)
            }
        };
        if is_change {
            check_json(headers)?;
        }
        Ok(principal)
    }

    fn who(&self, headers: &HeaderMap, peer: Option<IpAddr>) -> Result<Principal, ApiError> {
        let found = match (bearer(headers), cookie(headers)) {
            (Some(token), _) => self.keys.by_token(token),
            (None, Some(cookie)) => self.keys.by_session(cookie),
            (None, None) => self.keys.by_token(""),
        };
        let refusal = match found {
            Found::Known(principal) => return Ok(principal),
            // Who sends a token wants it checked; a cookie may be left from another database.
            Found::NoTokens if bearer(headers).is_none() && is_this_machine(headers, peer) => {
                return Ok(Principal::this_machine());
            }
            Found::NotRead => {
                return Err(ApiError::new(
                    Code::DatabaseUnavailable,
                    "the tokens could not be read yet, try again later",
                ));
            }
            Found::NoTokens => {
                "while there is no token, only this machine is answered: make one with \
                 \"turnstile token create\""
            }
            Found::Unknown => "the header \"authorization: Bearer <token>\" or a session is needed",
        };
        if let Some(peer) = peer.filter(|_| bearer(headers).is_some() || cookie(headers).is_some())
        {
            self.failed_sign_in(peer)?;
        }
        Err(ApiError::new(Code::Unauthorized, refusal))
    }

    /// Refuses a request that may not pass, and tells the others who makes them.
    pub(crate) async fn pass(&self, request: Request, next: Next) -> Response {
        match self.check(&request) {
            Ok(Some(principal)) => principal.scope(next.run(request)).await,
            Ok(None) => next.run(request).await,
            Err(error) => {
                metrics::refused(error.code());
                error.into_response()
            }
        }
    }

    /// Counts a wrong token or session.
    ///
    /// # Errors
    /// [`Code::TooManyRequests`] where there were too many.
    pub(crate) fn failed_sign_in(&self, peer: IpAddr) -> Result<(), ApiError> {
        self.rates.failure(peer).map_err(too_often)
    }
}

impl Principal {
    /// Checks that this role may do what needs `role`.
    ///
    /// # Errors
    /// [`Code::ForbiddenRole`].
    pub(crate) fn require(&self, role: super::Role) -> Result<(), ApiError> {
        if self.role >= role {
            return Ok(());
        }
        let (has, needs) = (self.role.name(), role.name());
        let message = format!("the token is of a {has}, a {needs} may do this");
        Err(ApiError::new(Code::ForbiddenRole, message))
    }
}

/// Returns the session cookie of a request.
pub(crate) fn cookie(headers: &HeaderMap) -> Option<&str> {
    let all = headers.get_all(header::COOKIE).into_iter();
    let all = all.filter_map(|value| value.to_str().ok());
    let mut pairs = all.flat_map(|value| value.split(';'));
    pairs.find_map(|pair| {
        let (name, value) = pair.trim().split_once('=')?;
        (name == COOKIE).then_some(value)
    })
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?;
    // What is no text is no token, and says so rather than falling back to a cookie.
    let Ok(value) = value.to_str() else {
        return Some("");
    };
    match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Some(token.trim()),
        Some(_) | None => Some(""),
    }
}

fn check_csrf(principal: &Principal, headers: &HeaderMap) -> Result<(), ApiError> {
    let Some(expected) = &principal.csrf else {
        return Ok(());
    };
    let given = headers.get(CSRF).map_or(&b""[..], |value| value.as_bytes());
    if bool::from(given.ct_eq(expected.as_bytes())) {
        return Ok(());
    }
    Err(ApiError::new(
        Code::ForbiddenOrigin,
        "a session changes something only with the header x-csrf-token of GET /api/v1/session",
    ))
}

fn too_often(pause: Duration) -> ApiError {
    ApiError::too_often(pause)
}

fn is_own_origin(headers: &HeaderMap, has_tokens: bool) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else {
        return true;
    };
    let (origin, host) = (text(Some(origin)), text(headers.get(header::HOST)));
    let authority = origin
        .strip_prefix("http://")
        .or_else(|| origin.strip_prefix("https://"));
    let is_same = !host.is_empty() && authority == Some(host.as_str());
    is_same && (has_tokens || is_loopback(&host))
}

fn text(value: Option<&header::HeaderValue>) -> String {
    value
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
        .to_ascii_lowercase()
}

/// Returns whether somebody on this machine asks, by a name of it.
fn is_this_machine(headers: &HeaderMap, peer: Option<IpAddr>) -> bool {
    peer.is_some_and(|peer| peer.to_canonical().is_loopback())
        && is_loopback(&text(headers.get(header::HOST)))
        && !FORWARDED.iter().any(|name| headers.contains_key(*name))
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
        assert_eq!(is_own_origin(&headers, false), passes);
    }

    #[test]
    fn with_a_token_any_host_name_is_its_own_origin() {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, "desk.example".parse().unwrap());
        headers.insert(header::ORIGIN, "https://desk.example".parse().unwrap());
        assert!(is_own_origin(&headers, true));
    }

    #[rstest]
    #[case("127.0.0.1", "localhost:8099", None, true)]
    #[case("::1", "[::1]:8099", None, true)]
    #[case("::ffff:127.0.0.1", "127.0.0.1:8099", None, true)]
    #[case("192.0.2.1", "localhost:8099", None, false)]
    #[case("127.0.0.1", "desk.example", None, false)]
    #[case("127.0.0.1", "localhost:8099", Some("x-forwarded-for"), false)]
    fn this_machine_is_asked_by_its_own_names_and_not_for_others(
        #[case] peer: IpAddr,
        #[case] host: &str,
        #[case] proxy: Option<&'static str>,
        #[case] is_it: bool,
    ) {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        if let Some(name) = proxy {
            headers.insert(name, "192.0.2.1".parse().unwrap());
        }
        assert_eq!(is_this_machine(&headers, Some(peer)), is_it);
    }

    #[rstest]
    #[case("turnstile_session=a", Some("a"))]
    #[case("other=x; turnstile_session=a=b; more=y", Some("a=b"))]
    #[case("turnstile_sessions=a", None)]
    #[case("turnstile_session", None)]
    fn the_session_is_found_among_cookies(#[case] cookies: &str, #[case] found: Option<&str>) {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, cookies.parse().unwrap());
        assert_eq!(cookie(&headers), found);
    }

    #[rstest]
    #[case("Bearer abc", Some("abc"))]
    #[case("bearer  abc ", Some("abc"))]
    #[case("Basic abc", Some(""))]
    #[case("abc", Some(""))]
    fn another_scheme_is_a_wrong_token(#[case] given: &str, #[case] token: Option<&str>) {
        let mut headers = HeaderMap::new();
        assert_eq!(bearer(&headers), None);
        headers.insert(header::AUTHORIZATION, given.parse().unwrap());
        assert_eq!(bearer(&headers), token);
    }
}
