//! Percentiles of latencies.

use std::time::Duration;

use anyhow::Context;
use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

/// Latencies as they come in; nothing is allocated by one.
#[derive(Debug)]
pub(crate) struct Latencies(Histogram<u64>);

/// Percentiles in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Percentiles {
    pub(crate) samples: u64,
    pub(crate) p50_us: f64,
    pub(crate) p90_us: f64,
    pub(crate) p99_us: f64,
    pub(crate) p99_9_us: f64,
    pub(crate) max_us: f64,
}

impl Latencies {
    /// Returns no latencies yet, with three digits and up to a minute.
    ///
    /// # Errors
    /// Never, with these bounds.
    pub(crate) fn new() -> anyhow::Result<Self> {
        let histogram = Histogram::new_with_bounds(1, 60_000_000_000, 3);
        histogram.map(Self).context("bounds of latencies")
    }

    /// Takes in one latency; one beyond a minute counts as a minute.
    pub(crate) fn record(&mut self, latency: Duration) {
        let nanos = u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX);
        self.0.saturating_record(nanos);
    }

    /// Takes in all of `other`.
    ///
    /// # Errors
    /// Never: all have the same bounds.
    pub(crate) fn add(&mut self, other: &Self) -> anyhow::Result<()> {
        self.0.add(&other.0).context("latencies of other bounds")
    }

    /// Returns the percentiles.
    pub(crate) fn percentiles(&self) -> Percentiles {
        let at = |quantile| micros(self.0.value_at_quantile(quantile));
        Percentiles {
            samples: self.0.len(),
            p50_us: at(0.5),
            p90_us: at(0.9),
            p99_us: at(0.99),
            p99_9_us: at(0.999),
            max_us: micros(self.0.max()),
        }
    }
}

/// Returns nanoseconds as microseconds with one decimal.
#[expect(
    clippy::float_arithmetic,
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "a figure for people"
)]
fn micros(nanos: u64) -> f64 {
    ((nanos + 50) / 100) as f64 / 10.0
}

impl Percentiles {
    /// Returns one line of a table.
    pub(crate) fn text(&self, name: &str) -> String {
        format!(
            "{name:<8}{:>9} samples  p50 {:>8.1}  p90 {:>8.1}  p99 {:>8.1}  p99.9 {:>8.1}  max {:>9.1} us",
            self.samples, self.p50_us, self.p90_us, self.p99_us, self.p99_9_us, self.max_us
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::float_cmp, reason = "one decimal is exact enough to name")]
    fn percentiles_are_those_of_what_came_in() {
        let (mut first, mut second) = (Latencies::new().unwrap(), Latencies::new().unwrap());
        for micros in 1..=500 {
            first.record(Duration::from_micros(micros));
            second.record(Duration::from_micros(micros + 500));
        }
        first.add(&second).unwrap();
        let found = first.percentiles();
        assert_eq!(found.samples, 1_000);
        // Three digits are kept.
        assert!((499.5..=500.5).contains(&found.p50_us), "{found:?}");
        assert!((899.0..=901.0).contains(&found.p90_us), "{found:?}");
        assert!((989.0..=991.0).contains(&found.p99_us), "{found:?}");
        assert!((998.0..=1_001.0).contains(&found.max_us), "{found:?}");
        assert_eq!(micros(1_249), 1.2);
    }

    #[test]
    fn a_latency_beyond_a_minute_counts_as_a_minute() {
        let mut latencies = Latencies::new().unwrap();
        latencies.record(Duration::from_secs(3_600));
        assert!(latencies.percentiles().max_us >= 60_000_000.0);
    }
}
