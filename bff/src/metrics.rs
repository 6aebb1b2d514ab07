//! Metrics of the BFF.

use std::time::Duration;

use axum::http::StatusCode;
use metrics::{
    Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};

use crate::error::Code;

/// Time to answer a request, by method, route and status.
const REQUEST_DURATION: &str = "bff_request_duration_seconds";
/// Requests that were refused before they reached a handler, by code.
const REFUSED: &str = "bff_requests_refused_total";
/// WebSocket clients and streams that are connected.
const WS_CLIENTS: &str = "bff_ws_clients";
/// WebSocket clients and streams that were ended because they did not read.
const WS_SLOW_CLIENTS: &str = "bff_ws_slow_clients_total";
/// Messages of the price channel that could not be read.
const PRICE_MESSAGES_REFUSED: &str = "bff_price_messages_refused_total";
/// 1 while prices are polled from PostgreSQL because Redis is away.
const PRICES_POLLING: &str = "bff_prices_polling";

/// Describes the metrics of this crate to the recorder.
pub fn describe_metrics() {
    describe_histogram!(REQUEST_DURATION, Unit::Seconds, "Time to answer a request");
    describe_counter!(
        REFUSED,
        "Requests without the right token, role, origin or form, or too many of them"
    );
    describe_gauge!(
        WS_CLIENTS,
        "WebSocket clients and streams that are connected"
    );
    describe_counter!(
        WS_SLOW_CLIENTS,
        "WebSocket clients and streams ended because they did not read"
    );
    describe_counter!(
        PRICE_MESSAGES_REFUSED,
        "Messages of the price channel that are no prices"
    );
    describe_gauge!(PRICES_POLLING, "1 while prices are polled from PostgreSQL");
}

pub(crate) fn request_done(
    method: &'static str,
    route: String,
    status: StatusCode,
    elapsed: Duration,
) {
    let status = status.as_u16().to_string();
    histogram!(REQUEST_DURATION, "method" => method, "route" => route, "status" => status)
        .record(elapsed.as_secs_f64());
}

pub(crate) fn refused(code: Code) {
    counter!(REFUSED, "code" => format!("{code:?}")).increment(1);
}

pub(crate) fn ws_clients(count: u32) {
    gauge!(WS_CLIENTS).set(f64::from(count));
}

pub(crate) fn ws_slow_client() {
    counter!(WS_SLOW_CLIENTS).increment(1);
}

pub(crate) fn price_message_refused() {
    counter!(PRICE_MESSAGES_REFUSED).increment(1);
}

pub(crate) fn prices_polling(polling: bool) {
    gauge!(PRICES_POLLING).set(f64::from(u8::from(polling)));
}
