//! Names of the metrics of replays.

use metrics::{Unit, describe_gauge};

/// Differences that the last replay of the nightly job found.
pub const DIFFERENCES: &str = "replay_differences";

/// Stored decisions of that day which it could not compare: no run has proven them.
pub const UNPROVEN: &str = "replay_unproven";

/// Describes every metric of this module to the recorder.
pub fn describe() {
    describe_gauge!(
        DIFFERENCES,
        Unit::Count,
        "Decisions of the last day that the nightly job replayed and that came out differently"
    );
    describe_gauge!(
        UNPROVEN,
        Unit::Count,
        "Stored decisions of the last day that the nightly job replayed and that no run has proven"
    );
}
