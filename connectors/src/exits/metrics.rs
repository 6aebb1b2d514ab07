//! Names of the metrics of what the exits say beside decisions.

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};

/// Rows of levels written or deleted.
pub const LEVELS_ROWS: &str = "exit_levels_rows_total";
/// Positions whose levels wait to be written.
pub const LEVELS_WAITING: &str = "exit_levels_waiting_positions";
/// Duration of a statement that writes levels.
pub const LEVELS_SECONDS: &str = "exit_levels_write_seconds";
/// Statements with levels that failed.
pub const LEVELS_FAILURES: &str = "exit_levels_failures_total";
/// Withheld hits, by `why`.
pub const WITHHELD: &str = "exit_withheld_total";
/// Records that found their queue full or were refused, by `kind` (withheld, preview, journal).
pub const LOST: &str = "exit_records_lost_total";
/// Held symbols whose price is stale.
pub const STALE_SYMBOLS: &str = "exit_stale_symbols";
/// Previews answered.
pub const PREVIEWS: &str = "exit_previews_answered_total";
/// Rows of sampled verdicts.
pub const SIGNALS_ROWS: &str = "exit_signals_rows_total";
/// Duration of a sample.
pub const SIGNALS_SECONDS: &str = "exit_signals_sample_seconds";
/// Samples that failed.
pub const SIGNALS_FAILURES: &str = "exit_signals_failures_total";

/// Describes every metric of this module to the recorder.
pub fn describe() {
    for (name, text) in [
        (LEVELS_ROWS, "Rows of levels written or deleted"),
        (LEVELS_FAILURES, "Statements with levels that failed"),
        (WITHHELD, "Hits that were not decided"),
        (LOST, "Records of the exits that could not be stored"),
        (PREVIEWS, "Previews answered"),
        (SIGNALS_ROWS, "Rows of sampled verdicts"),
        (SIGNALS_FAILURES, "Samples of verdicts that failed"),
    ] {
        describe_counter!(name, text);
    }
    describe_gauge!(LEVELS_WAITING, "Positions whose levels wait to be written");
    describe_gauge!(STALE_SYMBOLS, "Held symbols whose price is stale");
    describe_histogram!(LEVELS_SECONDS, Unit::Seconds, "Writing changed levels");
    describe_histogram!(SIGNALS_SECONDS, Unit::Seconds, "Sampling verdicts");
}
