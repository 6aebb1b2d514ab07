//! The one place that reads the clock: benches measure real time.

use std::time::{Duration, Instant};

use crate::process;

/// Returns the present instant.
#[expect(
    clippy::disallowed_methods,
    reason = "a measurement needs the clock on the wall"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Returns the time of day, microseconds since the Unix epoch.
#[expect(
    clippy::disallowed_methods,
    reason = "a measurement needs the clock on the wall"
)]
pub(crate) fn now_us() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| u64::try_from(since.as_micros()).unwrap_or(0))
}

/// Time on the wall, and time that this thread had a processor.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stopwatch {
    at: Instant,
    worked: Duration,
}

/// Two times between the same two points.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Took {
    pub(crate) seconds: f64,
    pub(crate) cpu_seconds: f64,
}

impl Stopwatch {
    /// Begins.
    ///
    /// # Errors
    /// If the system does not tell the time of this thread.
    pub(crate) fn start() -> anyhow::Result<Self> {
        let worked = process::thread_time()?;
        Ok(Self { at: now(), worked })
    }

    /// Returns the time on the wall so far.
    pub(crate) fn elapsed(&self) -> Duration {
        now().saturating_duration_since(self.at)
    }

    /// Returns both times so far; on the thread that began.
    ///
    /// # Errors
    /// If the system does not tell the time of this thread.
    pub(crate) fn took(&self) -> anyhow::Result<Took> {
        let elapsed = self.elapsed();
        let worked = process::thread_time()?.saturating_sub(self.worked);
        Ok(Took {
            seconds: elapsed.as_secs_f64(),
            cpu_seconds: worked.as_secs_f64(),
        })
    }
}
