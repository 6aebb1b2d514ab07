//! Figures of a report.
#![expect(
    clippy::float_arithmetic,
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "figures for people"
)]

use std::time::Duration;

use hdrhistogram::Histogram;

/// Returns a time in milliseconds.
pub(crate) fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

/// Returns an empty histogram of microseconds, up to ten minutes.
///
/// # Errors
/// Never: the bounds are right.
pub(crate) fn histogram() -> anyhow::Result<Histogram<u64>> {
    Ok(Histogram::new_with_bounds(1, 600_000_000, 3)?)
}

/// A count that can be shown as a fraction.
pub(crate) trait Count {
    /// Returns the count, rounded where it is very large.
    fn float(self) -> f64;
}

impl Count for u64 {
    fn float(self) -> f64 {
        self as f64
    }
}

impl Count for usize {
    fn float(self) -> f64 {
        self as f64
    }
}

/// Returns `part ÷ whole`.
pub(crate) fn ratio(part: impl Count, whole: impl Count) -> f64 {
    part.float() / whole.float()
}

/// Returns the median; zero of nothing, the mean of the middle two of an even count.
pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => 0.0,
        count if count % 2 == 1 => values[middle],
        _ => f64::midpoint(values[middle - 1], values[middle]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::float_cmp, reason = "halves are exact")]
    fn the_median_is_the_middle() {
        assert_eq!(median([3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median([4.0, 1.0, 2.0, 3.0]), 2.5);
        assert_eq!(median([]), 0.0);
    }
}
