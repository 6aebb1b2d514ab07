//! Names of the metrics of the standing invariants.

use metrics::{describe_counter, describe_gauge};

/// Invariants that do not hold, by `kind`.
pub const BROKEN: &str = "invariants_broken";
/// 1 while the desk is told everything; 0 once it fell behind and was given up, and while the process has no
/// engine.
pub const WATCHED: &str = "invariants_watched";
/// Keys of the cache that were compared with PostgreSQL.
pub const SAMPLED: &str = "invariants_cache_keys_compared_total";

/// Describes every metric of this module to the recorder.
pub fn describe() {
    describe_gauge!(BROKEN, "Standing invariants that do not hold");
    describe_gauge!(WATCHED, "Whether the standing invariants are watched");
    describe_counter!(SAMPLED, "Keys of the cache compared with PostgreSQL");
}
