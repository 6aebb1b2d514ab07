//! Names of the metrics of this module.

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};

pub(super) const HITS: &str = "cache_hits_total";
pub(super) const MISSES: &str = "cache_misses_total";
pub(super) const ERRORS: &str = "cache_errors_total";
pub(super) const CALL_SECONDS: &str = "cache_call_seconds";
pub(super) const BREAKER_OPEN: &str = "cache_breaker_open";

/// Describes the metrics of this module to the installed recorder.
pub fn describe() {
    describe_counter!(HITS, "Reads that the cache answered");
    describe_counter!(MISSES, "Reads that went to PostgreSQL");
    describe_counter!(ERRORS, "Calls to Redis that failed");
    describe_histogram!(CALL_SECONDS, Unit::Seconds, "Time of one call to Redis");
    describe_gauge!(BREAKER_OPEN, "1 while Redis is isolated");
}
