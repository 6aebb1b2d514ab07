//! Names of the metrics of this module.

use metrics::{Unit, counter, describe_counter, describe_gauge, gauge};

pub(super) const BYTES: &str = "spill_bytes";
pub(super) const KEPT: &str = "spill_kept_total";
pub(super) const RESTORED: &str = "spill_restored_total";
pub(super) const DAMAGED: &str = "spill_damaged_lines_total";
pub(super) const REFUSED: &str = "spill_refused_total";

/// Describes the metrics of this module to the installed recorder.
pub fn describe() {
    describe_gauge!(
        BYTES,
        Unit::Bytes,
        "Bytes kept on disk while PostgreSQL is away"
    );
    describe_counter!(KEPT, "Ticks and notices kept on disk");
    describe_counter!(
        RESTORED,
        "Ticks stored from there that were not stored before"
    );
    describe_counter!(DAMAGED, "Lines there that could not be read");
    describe_counter!(REFUSED, "Times that the disk took nothing more");
}

/// Shows them before anything happens.
pub(super) fn begin() {
    gauge!(BYTES).set(0.0);
    for name in [KEPT, RESTORED, DAMAGED, REFUSED] {
        counter!(name).increment(0);
    }
}
