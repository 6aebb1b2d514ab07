//! The one place that reads the clock: benches measure real time.

use std::time::Instant;

/// Returns the present instant.
#[expect(
    clippy::disallowed_methods,
    reason = "a measurement needs the clock on the wall"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}
