//! Names of the metrics of this module.

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};

pub(super) const DAYS: &str = "retention_archived_days_total";
pub(super) const ROWS: &str = "retention_archived_rows_total";
pub(super) const SECONDS: &str = "retention_archive_seconds";
pub(super) const HELD: &str = "retention_held_days";
pub(super) const BUSY: &str = "retention_busy_total";
/// Counted by whoever looks from time to time.
pub const FAILURES: &str = "retention_failures_total";

/// Describes the metrics of this module to the installed recorder.
pub fn describe() {
    describe_counter!(DAYS, "Days of prices archived and detached");
    describe_counter!(ROWS, "Prices of these days");
    describe_histogram!(SECONDS, Unit::Seconds, "Time to archive one day");
    describe_gauge!(
        HELD,
        "Old days that stay attached because something needs them"
    );
    describe_counter!(
        BUSY,
        "Old days that stay attached for now because market.prices is in use"
    );
    describe_counter!(FAILURES, "Looks for old days that failed");
}
