//! Names of the metrics of jobs. Each has the label `job`.

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};

/// When a run of the job last ended well, Unix time.
pub const LAST_SUCCESS: &str = "job_last_success_timestamp_seconds";
/// Duration of a run, however it ended.
pub const DURATION: &str = "job_duration_seconds";
/// Runs that failed.
pub const FAILURES: &str = "job_failures_total";

/// Describes every metric of this module to the recorder.
pub fn describe() {
    describe_gauge!(
        LAST_SUCCESS,
        Unit::Seconds,
        "When a run of the job last ended well, Unix time"
    );
    describe_histogram!(DURATION, Unit::Seconds, "Duration of a run");
    describe_counter!(FAILURES, "Runs that failed");
}
