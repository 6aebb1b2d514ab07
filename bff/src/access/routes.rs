//! Which role a route needs.

use axum::http::Method;

use super::role::Role;

/// What a route needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// Nothing: it says whether the process lives, or how to get in.
    Nothing,
    /// At least this role.
    Role(Role),
}

/// Routes that anybody may ask.
const OPEN: [(&str, &str); 4] = [
    ("GET", "/health"),
    ("GET", "/health/ready"),
    ("GET", "/api/openapi.json"),
    ("POST", "/api/v1/session"),
];

/// Reading routes that need more than a viewer.
const GUARDED_READS: [(&str, Role); 1] = [("/api/v1/audit", Role::Admin)];

/// Changing routes. One that is not here needs the highest role.
const CHANGES: [(&str, &str, Role); 29] = [
    // They only read, or end what is the caller's own.
    ("POST", "/api/v1/prices/batch", Role::Viewer),
    ("POST", "/api/v1/session/end", Role::Viewer),
    ("POST", "/api/v1/positions/{id}/sell", Role::Trader),
    ("POST", "/api/v1/orders", Role::Trader),
    ("POST", "/api/v1/orders/{id}/approve", Role::Trader),
    ("POST", "/api/v1/orders/{id}/reject", Role::Trader),
    ("POST", "/api/v1/orders/{id}/cancel", Role::Trader),
    ("POST", "/api/v1/exit-rules/preview", Role::Trader),
    ("POST", "/api/v1/exit/control", Role::Trader),
    ("POST", "/api/v1/reentry/control", Role::Trader),
    (
        "POST",
        "/api/v1/reentry/candidates/{id}/force-expire",
        Role::Trader,
    ),
    ("PUT", "/api/v1/reentry/windows/{id}", Role::Trader),
    ("POST", "/api/v1/reentry/windows/{id}/remove", Role::Trader),
    ("PUT", "/api/v1/reentry/blacklist/{symbol}", Role::Trader),
    (
        "POST",
        "/api/v1/reentry/blacklist/{symbol}/remove",
        Role::Trader,
    ),
    ("PUT", "/api/v1/reentry/regime", Role::Trader),
    ("POST", "/api/v1/strategy/runs", Role::Trader),
    ("POST", "/api/v1/portfolios/{id}/activate", Role::Trader),
    ("POST", "/api/v1/picks", Role::Trader),
    ("POST", "/api/v1/alarms/{id}/acknowledge", Role::Trader),
    ("POST", "/api/v1/watchlist", Role::Trader),
    ("PUT", "/api/v1/watchlist/{category}/{symbol}", Role::Trader),
    (
        "POST",
        "/api/v1/watchlist/{category}/{symbol}/remove",
        Role::Trader,
    ),
    ("POST", "/api/v1/performance/cash-flows", Role::Trader),
    // Stopping needs no more than acting; the handler asks for more where a stop is lifted.
    ("PUT", "/api/v1/risk/emergency-stop", Role::Trader),
    ("PUT", "/api/v1/exit-rules/{id}", Role::Admin),
    ("PUT", "/api/v1/reentry/limits", Role::Admin),
    ("PUT", "/api/v1/risk/limits", Role::Admin),
    ("PUT", "/api/v1/config/{key}", Role::Admin),
];

/// Returns what a request of `method` needs on `route`; without a route it is a file of the web app.
pub(crate) fn need(method: &Method, route: Option<&str>) -> Need {
    let is_read = [Method::GET, Method::HEAD, Method::OPTIONS].contains(method);
    let Some(route) = route else {
        return if is_read {
            Need::Nothing
        } else {
            Need::Role(Role::Admin)
        };
    };
    let name = if is_read { "GET" } else { method.as_str() };
    if OPEN.contains(&(name, route)) {
        return Need::Nothing;
    }
    if is_read {
        let guarded = GUARDED_READS.iter().find(|(path, _)| *path == route);
        return Need::Role(guarded.map_or(Role::Viewer, |(_, role)| *role));
    }
    let change = CHANGES
        .iter()
        .find(|(method, path, _)| (*method, *path) == (name, route));
    Need::Role(change.map_or(Role::Admin, |(_, _, role)| *role))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_that_is_not_named_needs_the_highest_role() {
        let need_of = |method: &Method| need(method, Some("/api/v1/unheard-of"));
        assert_eq!(need_of(&Method::DELETE), Need::Role(Role::Admin));
        assert_eq!(need_of(&Method::POST), Need::Role(Role::Admin));
        assert_eq!(need_of(&Method::GET), Need::Role(Role::Viewer));
        assert_eq!(need(&Method::GET, None), Need::Nothing);
        assert_eq!(need(&Method::POST, None), Need::Role(Role::Admin));
    }
}
