//! Names of the reference prices' metrics. Labels are bounded sets.

/// Counter: calls sent, repetitions included, by `result` (`ok` or the class of the error).
pub const CALLS: &str = "naver_calls_total";
/// Counter: rows that are no quotes, by `reason`.
pub const ROWS_REFUSED: &str = "naver_rows_refused_total";
/// Histogram: seconds from sending a call to its whole answer or its failure.
pub const CALL_LATENCY: &str = "naver_call_latency_seconds";

/// Gives every metric its help text. Call once after the recorder is installed.
pub fn describe() {
    use metrics::{describe_counter, describe_histogram};
    describe_counter!(CALLS, "Calls for reference prices by result");
    describe_counter!(ROWS_REFUSED, "Rows of reference prices refused by reason");
    describe_histogram!(
        CALL_LATENCY,
        "Seconds from sending a call for reference prices to its answer"
    );
}
