//! Names of the broker connection's metrics. Labels are bounded sets.

/// Counter: REST attempts, by `operation` and `outcome` (`ok` or the class of the error).
pub const CALLS: &str = "kis_calls_total";
/// Counter: failed REST attempts by `class`.
pub const ERRORS: &str = "kis_errors_total";
/// Histogram: seconds from sending a REST call to its whole answer, by `operation`.
pub const CALL_LATENCY: &str = "kis_call_latency_seconds";
/// Gauge: REST calls waiting for their turn, by `lane`.
pub const LIMITER_WAITING: &str = "kis_limiter_waiting";
/// Histogram: seconds that a REST call waited for its turn, by `lane`.
pub const LIMITER_WAIT: &str = "kis_limiter_wait_seconds";
/// Counter: REST calls let through, by `lane`; against [`LIMITER_RATE`] it is the use of the budget.
pub const LIMITER_TURNS: &str = "kis_limiter_turns_total";
/// Gauge: REST calls a second that all app keys may make together; 0 is no limit.
pub const LIMITER_RATE: &str = "kis_limiter_rate_per_second";
/// Counter: REST calls turned away because their lane was full, by `lane`.
pub const LIMITER_SHED: &str = "kis_limiter_shed_total";
/// Counter: access tokens asked for, by `outcome`.
pub const TOKENS: &str = "kis_tokens_total";
/// Counter: frames, records and rows that do not read as documented, and lists that broke off,
/// by `place`.
pub const MALFORMED: &str = "kis_malformed_total";
/// Counter: WebSocket sessions opened.
pub const CONNECTIONS: &str = "kis_ws_connections_total";
/// Counter: WebSocket sessions lost or not opened.
pub const RECONNECTS: &str = "kis_ws_reconnects_total";
/// Counter: trades read.
pub const TRADES: &str = "kis_ws_trades_total";
/// Counter: notices of other accounts of the same login, skipped.
pub const FOREIGN_NOTICES: &str = "kis_ws_foreign_notices_total";
/// Gauge: active registrations of a WebSocket session, by `session` (1 is the account's).
pub const REGISTRATIONS: &str = "kis_ws_registrations";

/// Gives every metric its help text. Call once after the recorder is installed.
pub fn describe() {
    use metrics::{describe_counter, describe_gauge, describe_histogram};
    describe_counter!(CALLS, "REST attempts by operation and outcome");
    describe_counter!(ERRORS, "Failed REST attempts by class");
    describe_histogram!(
        CALL_LATENCY,
        "Seconds from sending a REST call to its answer"
    );
    describe_gauge!(LIMITER_WAITING, "REST calls waiting for their turn by lane");
    describe_histogram!(LIMITER_WAIT, "Seconds a REST call waited for its turn");
    describe_counter!(LIMITER_TURNS, "REST calls let through by lane");
    describe_gauge!(
        LIMITER_RATE,
        "REST calls a second that all app keys may make; 0 is no limit"
    );
    describe_counter!(
        LIMITER_SHED,
        "REST calls turned away because their lane was full"
    );
    describe_counter!(TOKENS, "Access tokens asked for by outcome");
    describe_counter!(
        MALFORMED,
        "Frames and records that do not read as documented"
    );
    describe_counter!(CONNECTIONS, "WebSocket sessions opened");
    describe_counter!(RECONNECTS, "WebSocket sessions lost or not opened");
    describe_counter!(TRADES, "Trades read from the WebSocket");
    describe_counter!(FOREIGN_NOTICES, "Notices of other accounts, skipped");
    describe_gauge!(REGISTRATIONS, "Active registrations of a WebSocket session");
}
