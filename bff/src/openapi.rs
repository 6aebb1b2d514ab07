//! The description of the API.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use axum::http::{HeaderMap, Method, header};
use axum::response::IntoResponse;
use utoipa::openapi::RefOr;
use utoipa::openapi::extensions::Extensions;
use utoipa::openapi::schema::{Schema, SchemaType, Type};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme,
};
use utoipa::{Modify, OpenApi};

use crate::access::routes::{Need, need};
use crate::access::sessions::COOKIE;
use crate::api::{
    alarms, audit, bars, best_prices, calendar, cash_flows, control, coverage, emergency_stop,
    executions, exit_events, exit_pauses, exit_rules, exit_signals, invariants, jobs, levels, logs,
    manual_entries, manual_exits, market_rankings, measured, order_requests, orders, performance,
    pick_decisions, picks, portfolios, positions, previews, prices, rankings, rebalances, reentry,
    reentry_blacklist, reentry_expiries, reentry_limits, reentry_windows, regime, risk,
    risk_limits, rule_resolution, session, settings, signals, stocks, strategy_runs, trades,
    universe, watchlist, withheld,
};
use crate::health;
use crate::versioned::{Named, digest};

/// Names of the ways in which a request says who makes it.
const TOKEN: &str = "token";
const SESSION: &str = "session";

/// Who acts: a request with a token may leave it out.
const ACTORS: [&str; 3] = ["updated_by", "asked_by", "by"];

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Turnstile",
        description = "Positions, orders, prices and control of the trading engine. Success is \
            {data, meta, pagination?}, failure is {error}. Prices are JSON numbers in KRW, times \
            are RFC 3339 in Seoul time. Lists go on with the parameter cursor. Requests \
            carry authorization: Bearer with a token, or the cookie of a session and, where they \
            change something, its x-csrf-token; x-role says which role an operation needs. While \
            no token exists, this machine may do everything. Changing requests carry content-type \
            application/json; with a token, who acts (updated_by, asked_by) may be left out. Live \
            data: WebSocket /ws, or the events of /api/v1/stream; docs/api-live.md describes them.",
    ),
    paths(
        health::live,
        health::ready,
        health::detailed,
        session::one,
        session::begin,
        session::end,
        audit::list,
        prices::one,
        prices::batch,
        stocks::list,
        stocks::search,
        stocks::one,
        bars::list,
        market_rankings::first,
        watchlist::list,
        watchlist::add,
        watchlist::change,
        watchlist::remove,
        best_prices::list,
        best_prices::one,
        positions::list,
        positions::one,
        levels::of_position,
        withheld::of_position,
        exit_signals::of_position,
        levels::live,
        manual_exits::sell,
        exit_rules::list,
        exit_rules::one,
        exit_rules::save,
        previews::preview,
        rule_resolution::resolve,
        orders::list,
        orders::one,
        manual_entries::buy,
        order_requests::approve,
        order_requests::reject,
        order_requests::cancel,
        executions::list,
        exit_events::list,
        reentry::history,
        reentry::candidates,
        reentry_expiries::ask,
        reentry_limits::one,
        reentry_limits::set,
        reentry_windows::list,
        reentry_windows::save,
        reentry_windows::remove,
        reentry_blacklist::list,
        reentry_blacklist::save,
        reentry_blacklist::remove,
        regime::one,
        regime::set,
        control::exit,
        control::set_exit,
        exit_pauses::list,
        control::reentry,
        control::set_reentry,
        risk_limits::one,
        risk_limits::set,
        emergency_stop::one,
        emergency_stop::set,
        risk::report,
        risk::violations,
        performance::figures,
        performance::daily,
        trades::list,
        trades::attribution,
        cash_flows::list,
        cash_flows::enter,
        crate::live::stream,
        logs::list,
        alarms::list,
        alarms::acknowledge,
        invariants::list,
        settings::list,
        settings::one,
        settings::set,
        jobs::list,
        calendar::list,
        coverage::collections,
        coverage::gaps,
        measured::latest,
        strategy_runs::list,
        strategy_runs::ask,
        universe::latest,
        signals::latest,
        signals::snapshot,
        signals::factors,
        rankings::latest,
        portfolios::list,
        portfolios::latest,
        portfolios::active,
        portfolios::compare,
        portfolios::one,
        portfolios::put_in_force,
        rebalances::one,
        picks::list,
        picks::send,
        pick_decisions::list,
    ),
    modifiers(&Token),
)]
struct Api;

/// Declares how a request says who makes it, and writes which role each operation needs.
struct Token;

impl Modify for Token {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let bodies = request_bodies(openapi);
        let components = openapi.components.get_or_insert_with(Default::default);
        let bearer = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        components.add_security_scheme(TOKEN, bearer);
        let cookie = SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(COOKIE)));
        components.add_security_scheme(SESSION, cookie);
        for (name, schema) in &mut components.schemas {
            if let RefOr::T(Schema::Object(object)) = schema
                && bodies.contains(name)
            {
                object
                    .required
                    .retain(|name| !ACTORS.contains(&name.as_str()));
                for name in ACTORS {
                    if let Some(RefOr::T(Schema::Object(actor))) = object.properties.get_mut(name) {
                        actor.schema_type = SchemaType::Array(vec![Type::String, Type::Null]);
                    }
                }
            }
        }
        for (path, item) in &mut openapi.paths.paths {
            let operations = [
                (Method::GET, &mut item.get),
                (Method::POST, &mut item.post),
                (Method::PUT, &mut item.put),
            ];
            for (method, operation) in operations {
                let Some(operation) = operation else { continue };
                operation.operation_id = Some(operation_id(&method, path));
                let Need::Role(role) = need(&method, Some(path)) else {
                    operation.security = Some(vec![]);
                    continue;
                };
                let scheme = |name| SecurityRequirement::new(name, Vec::<String>::new());
                operation.security = Some(vec![scheme(TOKEN), scheme(SESSION)]);
                let role = Extensions::builder().add("x-role", role.name()).build();
                operation.extensions.get_or_insert_default().merge(role);
            }
        }
    }
}

/// Returns a name of an operation that no other has, such as get_api_v1_positions_id.
fn operation_id(method: &Method, path: &str) -> String {
    let words = path.split(['/', '{', '}', '-', '.']);
    let words = words.filter(|word| !word.is_empty());
    let method = method.as_str().to_lowercase();
    [method.as_str()]
        .into_iter()
        .chain(words)
        .collect::<Vec<_>>()
        .join("_")
}

/// Returns the names of the schemas that requests carry.
fn request_bodies(openapi: &utoipa::openapi::OpenApi) -> BTreeSet<String> {
    let items = openapi.paths.paths.values();
    let operations = items.flat_map(|item| [&item.post, &item.put]).flatten();
    let bodies = operations.filter_map(|operation| operation.request_body.as_ref());
    let contents = bodies.flat_map(|body| body.content.values());
    let names = contents.filter_map(|content| match &content.schema {
        Some(RefOr::Ref(schema)) => schema.ref_location.rsplit('/').next(),
        Some(RefOr::T(_)) | None => None,
    });
    names.map(str::to_owned).collect()
}

/// Methods by path, as HTTP lists them, such as "GET,HEAD,PUT".
static METHODS: LazyLock<BTreeMap<String, String>> = LazyLock::new(|| {
    let paths = Api::openapi().paths.paths.into_iter();
    let of_path = paths.map(|(path, item)| {
        let named = [
            ("GET,HEAD", item.get.is_some()),
            ("POST", item.post.is_some()),
            ("PUT", item.put.is_some()),
        ];
        let named = named.into_iter().filter(|(_, is_there)| *is_there);
        let methods: Vec<_> = named.map(|(name, _)| name).collect();
        (path, methods.join(","))
    });
    of_path.collect()
});

/// Returns the methods of a described path if `method` is none of them.
pub(crate) fn allowed_other(method: &Method, path: &str) -> Option<&'static str> {
    let allowed = METHODS.get(path)?;
    let is_allowed = allowed.split(',').any(|name| name == method.as_str());
    (!is_allowed).then_some(allowed.as_str())
}

/// Returns the description of the API as JSON (OpenAPI 3.1).
///
/// # Errors
/// Only if the description cannot be written as JSON, which a test excludes.
pub fn openapi_json() -> Result<String, serde_json::Error> {
    Api::openapi().to_pretty_json()
}

/// The description as it is served, and its name: it is the same as long as the program is.
static DOCUMENT: LazyLock<(String, String)> = LazyLock::new(|| {
    // A test shows that it can be written.
    let text = Api::openapi().to_json().unwrap_or_default();
    let name = format!("\"{}\"", digest(&text));
    (text, name)
});

/// Answers with the description, as it is rather than in an envelope: tools read it.
pub(crate) async fn document(headers: HeaderMap) -> impl IntoResponse {
    let (text, name) = &*DOCUMENT;
    Named::of(name, &headers, || {
        ([(header::CONTENT_TYPE, "application/json")], text.as_str())
    })
}
