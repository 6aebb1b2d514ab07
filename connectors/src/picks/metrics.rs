//! Names of the metrics of picks.

use metrics::{Unit, describe_counter, describe_histogram};

/// Picks that were decided, by `decision` (PLACED, REFUSED).
pub const DECISIONS: &str = "picks_decisions_total";
/// Picks that a gate refused, or began to hold, by `gate`.
pub const REJECTS: &str = "picks_gate_rejects_total";
/// Picks of symbols that had been decided that day by another run.
pub const CONFLICTS: &str = "picks_conflicts_total";
/// From the arrival of a pick until its first verdict, a decision or a hold, was stored.
pub const LATENCY: &str = "picks_verdict_latency_seconds";
/// Looks at picks that failed.
pub const FAILURES: &str = "picks_failures_total";

/// Describes every metric of this module to the recorder.
pub fn describe() {
    for (name, text) in [
        (DECISIONS, "Picks decided"),
        (REJECTS, "Picks refused or held by a gate"),
        (CONFLICTS, "Picks of symbols that another run had decided"),
        (FAILURES, "Looks at picks that failed"),
    ] {
        describe_counter!(name, text);
    }
    describe_histogram!(
        LATENCY,
        Unit::Seconds,
        "Arrival of a pick until its first verdict"
    );
}
