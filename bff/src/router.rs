//! Routes and what surrounds them.
//!
//! ```text
//! request ─► id, deadline, metrics, who may, headers ─► body limit ─► handler
//! ```

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{Method, Uri};
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post, put};

use crate::api::{
    alarms, audit, bars, best_prices, calendar, cash_flows, control, coverage, emergency_stop,
    executions, exit_events, exit_pauses, exit_rules, exit_signals, invariants, jobs, levels, logs,
    manual_entries, manual_exits, market_rankings, measured, order_requests, orders, performance,
    pick_decisions, picks, portfolios, positions, previews, prices, rankings, rebalances, reentry,
    reentry_blacklist, reentry_expiries, reentry_limits, reentry_windows, regime, risk,
    risk_limits, rule_resolution, session, settings, signals, stocks, strategy_runs, trades,
    universe, watchlist, withheld,
};
use crate::config::BffConfig;
use crate::error::ApiError;
use crate::request::Frame;
use crate::state::AppState;
use crate::{health, live, openapi, request, web_files};

/// Returns the service of all paths.
pub(crate) fn router(config: &BffConfig, state: AppState) -> Router {
    let api = Router::new()
        .route("/health", get(health::live))
        .route("/health/ready", get(health::ready))
        .route("/metrics", get(health::metrics))
        .route("/api/health/detailed", get(health::detailed))
        .route("/api/openapi.json", get(openapi::document))
        .route("/api/v1/session", get(session::one).post(session::begin))
        .route("/api/v1/session/end", post(session::end))
        .route("/api/v1/audit", get(audit::list))
        .route("/api/v1/prices/{symbol}", get(prices::one))
        .route("/api/v1/prices/batch", post(prices::batch))
        .route("/api/v1/stocks", get(stocks::list))
        .route("/api/v1/stocks/search", get(stocks::search))
        .route("/api/v1/stocks/{symbol}", get(stocks::one))
        .route("/api/v1/stocks/{symbol}/bars", get(bars::list))
        .route(
            "/api/v1/watchlist",
            get(watchlist::list).post(watchlist::add),
        )
        .route(
            "/api/v1/watchlist/{category}/{symbol}",
            put(watchlist::change),
        )
        .route(
            "/api/v1/watchlist/{category}/{symbol}/remove",
            post(watchlist::remove),
        )
        .route("/api/v1/market/rankings", get(market_rankings::first))
        .route("/api/v1/best-prices", get(best_prices::list))
        .route("/api/v1/best-prices/{symbol}", get(best_prices::one))
        .route("/api/v1/positions", get(positions::list))
        .route("/api/v1/positions/{id}", get(positions::one))
        .route("/api/v1/positions/{id}/levels", get(levels::of_position))
        .route(
            "/api/v1/positions/{id}/withheld",
            get(withheld::of_position),
        )
        .route(
            "/api/v1/positions/{id}/signals",
            get(exit_signals::of_position),
        )
        .route("/api/v1/levels", get(levels::live))
        .route("/api/v1/positions/{id}/sell", post(manual_exits::sell))
        .route("/api/v1/exit-rules", get(exit_rules::list))
        .route("/api/v1/exit-rules/preview", post(previews::preview))
        .route("/api/v1/exit-rules/resolve", get(rule_resolution::resolve))
        .route(
            "/api/v1/exit-rules/{id}",
            get(exit_rules::one).put(exit_rules::save),
        )
        .route(
            "/api/v1/orders",
            get(orders::list).post(manual_entries::buy),
        )
        .route("/api/v1/orders/{id}", get(orders::one))
        .route("/api/v1/orders/{id}/approve", post(order_requests::approve))
        .route("/api/v1/orders/{id}/reject", post(order_requests::reject))
        .route("/api/v1/orders/{id}/cancel", post(order_requests::cancel))
        .route("/api/v1/executions", get(executions::list))
        .route("/api/v1/exit-events", get(exit_events::list))
        .route("/api/v1/invariants", get(invariants::list))
        .route("/api/v1/reentry/history", get(reentry::history))
        .route("/api/v1/reentry/candidates", get(reentry::candidates))
        .route(
            "/api/v1/reentry/candidates/{id}/force-expire",
            post(reentry_expiries::ask),
        )
        .route(
            "/api/v1/reentry/limits",
            get(reentry_limits::one).put(reentry_limits::set),
        )
        .route("/api/v1/reentry/windows", get(reentry_windows::list))
        .route("/api/v1/reentry/windows/{id}", put(reentry_windows::save))
        .route(
            "/api/v1/reentry/windows/{id}/remove",
            post(reentry_windows::remove),
        )
        .route("/api/v1/reentry/blacklist", get(reentry_blacklist::list))
        .route(
            "/api/v1/reentry/blacklist/{symbol}",
            put(reentry_blacklist::save),
        )
        .route(
            "/api/v1/reentry/blacklist/{symbol}/remove",
            post(reentry_blacklist::remove),
        )
        .route("/api/v1/reentry/regime", get(regime::one).put(regime::set))
        .route(
            "/api/v1/exit/control",
            get(control::exit).post(control::set_exit),
        )
        .route("/api/v1/exit/pauses", get(exit_pauses::list))
        .route(
            "/api/v1/reentry/control",
            get(control::reentry).post(control::set_reentry),
        )
        .route(
            "/api/v1/risk/limits",
            get(risk_limits::one).put(risk_limits::set),
        )
        .route(
            "/api/v1/risk/emergency-stop",
            get(emergency_stop::one).put(emergency_stop::set),
        )
        .route("/api/v1/risk/report", get(risk::report))
        .route("/api/v1/risk/violations", get(risk::violations))
        .route("/api/v1/performance", get(performance::figures))
        .route("/api/v1/performance/daily", get(performance::daily))
        .route("/api/v1/performance/trades", get(trades::list))
        .route("/api/v1/performance/attribution", get(trades::attribution))
        .route(
            "/api/v1/performance/cash-flows",
            get(cash_flows::list).post(cash_flows::enter),
        )
        .route("/api/v1/stream", get(live::stream))
        .route("/api/v1/logs", get(logs::list))
        .route("/api/v1/alarms", get(alarms::list))
        .route("/api/v1/alarms/{id}/acknowledge", post(alarms::acknowledge))
        .route("/api/v1/config", get(settings::list))
        .route(
            "/api/v1/config/{key}",
            get(settings::one).put(settings::set),
        )
        .route("/api/v1/jobs", get(jobs::list))
        .route("/api/v1/calendar", get(calendar::list))
        .route("/api/v1/data/coverage", get(coverage::collections))
        .route("/api/v1/data/gaps", get(coverage::gaps))
        .route("/api/v1/metrics/latest", get(measured::latest))
        .route(
            "/api/v1/strategy/runs",
            get(strategy_runs::list).post(strategy_runs::ask),
        )
        .route("/api/v1/universe/latest", get(universe::latest))
        .route("/api/v1/signals/latest", get(signals::latest))
        .route("/api/v1/signals/snapshots/{id}", get(signals::snapshot))
        .route("/api/v1/signals/factors/{symbol}", get(signals::factors))
        .route("/api/v1/rankings/latest", get(rankings::latest))
        .route("/api/v1/portfolios", get(portfolios::list))
        .route("/api/v1/portfolios/latest", get(portfolios::latest))
        .route("/api/v1/portfolios/active", get(portfolios::active))
        .route("/api/v1/portfolios/compare", get(portfolios::compare))
        .route("/api/v1/portfolios/{id}", get(portfolios::one))
        .route("/api/v1/portfolios/{id}/rebalance", get(rebalances::one))
        .route(
            "/api/v1/portfolios/{id}/activate",
            post(portfolios::put_in_force),
        )
        .route(
            "/api/v1/picks",
            get(picks::list)
                .post(picks::send)
                .layer(DefaultBodyLimit::max(picks::BODY_MAX)),
        )
        .route("/api/v1/pick_decisions", get(pick_decisions::list))
        .route("/api", get(unknown_path))
        .route(
            "/api/{*path}",
            get(unknown_path).post(unknown_path).put(unknown_path),
        )
        .route("/ws", get(live::upgrade))
        .method_not_allowed_fallback(wrong_method);
    // One layer for all of it: each costs a request about as much as a call of Redis.
    let frame = Arc::new(Frame {
        timeout: config.request_timeout,
        guard: state.guard.clone(),
    });
    web_files::serve(api, config.web_dir.as_deref())
        .layer(DefaultBodyLimit::max(config.body_limit))
        .layer(from_fn_with_state(frame, request::frame))
        .with_state(state)
}

/// Answers for a path of the API that does not exist.
pub(crate) async fn unknown_path(uri: Uri) -> ApiError {
    ApiError::not_found("path", uri.path())
}

async fn wrong_method(method: Method, uri: Uri) -> ApiError {
    ApiError::wrong_method(&method, uri.path(), None)
}
