//! The description of the API.

use axum::Json;
use axum::response::IntoResponse;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi};

use crate::api::{
    alarms, best_prices, calendar, control, emergency_stop, executions, exit_events, exit_rules,
    jobs, levels, logs, manual_entries, manual_exits, order_requests, orders, pick_decisions,
    picks, portfolios, positions, previews, prices, rankings, rebalances, reentry,
    reentry_blacklist, reentry_expiries, reentry_limits, reentry_windows, regime, risk,
    risk_limits, signals, strategy_runs, universe,
};
use crate::health;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Turnstile",
        description = "Positions, orders, prices and control of the trading engine. Success is \
            {data, meta, pagination?}, failure is {error}. Prices are JSON numbers in KRW, times \
            are RFC 3339 in Seoul time. Lists go on with the parameter cursor. Changing requests \
            carry content-type application/json and, if the server has a token, authorization: \
            Bearer. Live data: WebSocket /ws.",
    ),
    paths(
        health::live,
        health::ready,
        health::detailed,
        prices::one,
        prices::batch,
        best_prices::list,
        best_prices::one,
        positions::list,
        positions::one,
        levels::of_position,
        manual_exits::sell,
        exit_rules::list,
        exit_rules::one,
        exit_rules::save,
        previews::preview,
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
        control::reentry,
        control::set_reentry,
        risk_limits::one,
        risk_limits::set,
        emergency_stop::one,
        emergency_stop::set,
        risk::report,
        risk::violations,
        logs::list,
        alarms::list,
        alarms::acknowledge,
        jobs::list,
        calendar::list,
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

/// Declares the token of changing requests.
struct Token;

impl Modify for Token {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let components = openapi.components.get_or_insert_with(Default::default);
        let bearer = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        components.add_security_scheme("token", bearer);
    }
}

/// Returns the description of the API as JSON (OpenAPI 3.1).
///
/// # Errors
/// Only if the description cannot be written as JSON, which a test excludes.
pub fn openapi_json() -> Result<String, serde_json::Error> {
    Api::openapi().to_pretty_json()
}

/// Answers with the description, as it is rather than in an envelope: tools read it.
pub(crate) async fn document() -> impl IntoResponse {
    Json(Api::openapi())
}
