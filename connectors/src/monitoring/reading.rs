//! What a rule looks at: from samples to one value, over the last while.

#![expect(
    clippy::float_arithmetic,
    reason = "shares and quantiles of measurements"
)]

use std::collections::VecDeque;
use std::time::Duration;

use super::exposition::Sample;

/// Series of one metric.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Select {
    /// Name of the metric.
    pub metric: &'static str,
    /// Label that has to have one of these values.
    pub only: Option<(&'static str, &'static [&'static str])>,
    /// Label that must have none of these values.
    pub except: Option<(&'static str, &'static [&'static str])>,
}

impl Select {
    /// Returns all series of `metric`.
    pub const fn all(metric: &'static str) -> Self {
        Self {
            metric,
            only: None,
            except: None,
        }
    }

    /// Returns those whose `label` is one of `values`.
    pub const fn only(
        metric: &'static str,
        label: &'static str,
        values: &'static [&'static str],
    ) -> Self {
        Self {
            only: Some((label, values)),
            ..Self::all(metric)
        }
    }

    /// Returns those whose `label` is none of `values`.
    pub const fn except(
        metric: &'static str,
        label: &'static str,
        values: &'static [&'static str],
    ) -> Self {
        Self {
            except: Some((label, values)),
            ..Self::all(metric)
        }
    }

    fn takes(&self, sample: &Sample) -> bool {
        let has = |(label, values): (&str, &[&str])| values.contains(&sample.label(label));
        sample.name == self.metric && self.only.is_none_or(has) && !self.except.is_some_and(has)
    }

    fn values<'s>(&'s self, samples: &'s [Sample]) -> impl Iterator<Item = f64> + 's {
        let taken = samples.iter().filter(|sample| self.takes(sample));
        taken.map(|sample| sample.value)
    }

    /// Returns the sum of the series; none where the process has not begun to measure it.
    fn sum(&self, samples: &[Sample]) -> Option<f64> {
        self.values(samples)
            .fold(None, |sum, value| Some(sum.unwrap_or(0.0) + value))
    }

    fn max(&self, samples: &[Sample]) -> Option<f64> {
        self.values(samples).reduce(f64::max)
    }
}

/// How a value comes about.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reading {
    /// The greatest of these gauges, as it stands.
    Gauge(Select),
    /// The mean of the greatest of these gauges over the window.
    Mean(Select),
    /// What counters of the first kind rose by, of what those of the second did, over the window.
    Share(Select, &'static [Select]),
    /// What a counter rose by over the window.
    Rise(Select),
    /// One gauge of another, as they stand.
    Ratio(Select, Select),
    /// A quantile of a histogram with buckets, over the window.
    Quantile(&'static str, f64),
    /// The mean of a histogram over the window.
    Average(&'static str),
}

impl Reading {
    /// Returns the metrics that are looked at.
    pub fn metrics(&self) -> Vec<&'static str> {
        match self {
            Self::Gauge(of) | Self::Mean(of) | Self::Rise(of) => vec![of.metric],
            Self::Share(part, whole) => {
                let whole = whole.iter().map(|of| of.metric);
                std::iter::once(part.metric).chain(whole).collect()
            }
            Self::Ratio(part, whole) => vec![part.metric, whole.metric],
            Self::Quantile(name, _) | Self::Average(name) => vec![name],
        }
    }
}

/// Parts of a window that are told apart: it is moved on by these.
const PARTS: u32 = 256;

/// Reads one rule, again and again.
#[derive(Debug, Default)]
pub(super) struct Reader {
    /// Totals at each look within the window, and the last one before it.
    looks: VecDeque<(Duration, Vec<f64>)>,
}

impl Reader {
    /// Returns the value at `now`. None where it is not measured, or where there were fewer than `least`
    /// observations.
    pub(super) fn read(
        &mut self,
        reading: &Reading,
        (window, least): (Duration, f64),
        now: Duration,
        samples: &[Sample],
    ) -> Option<f64> {
        match reading {
            Reading::Gauge(of) => of.max(samples),
            Reading::Mean(of) => {
                let value = of.max(samples)?;
                self.look(now, window, vec![value]);
                let (mut sum, mut count) = (0.0, 0.0);
                for (at, value) in &self.looks {
                    if now.saturating_sub(*at) < window || *at == now {
                        sum += value[0];
                        count += 1.0;
                    }
                }
                Some(sum / count)
            }
            Reading::Share(part, whole) => {
                let whole = whole.iter().filter_map(|of| of.sum(samples));
                let whole = whole.reduce(|sum, more| sum + more)?;
                let totals = vec![part.sum(samples).unwrap_or(0.0), whole];
                let rise = self.look(now, window, totals);
                (rise[1] >= least.max(1.0)).then(|| rise[0] / rise[1])
            }
            Reading::Rise(of) => {
                let rise = self.look(now, window, vec![of.sum(samples)?]);
                rise.first().copied()
            }
            Reading::Ratio(part, whole) => {
                let (part, whole) = (part.sum(samples)?, whole.sum(samples)?);
                (whole >= least.max(1.0)).then(|| part / whole)
            }
            Reading::Quantile(histogram, quantile) => {
                let buckets = buckets(histogram, samples)?;
                let totals = buckets.iter().map(|(_, count)| *count).collect();
                let rise = self.look(now, window, totals);
                let counts = buckets.iter().map(|(bound, _)| *bound).zip(rise);
                quantile_of(&counts.collect::<Vec<_>>(), *quantile, least.max(1.0))
            }
            Reading::Average(histogram) => {
                let total = |end: &str| {
                    let name = format!("{histogram}_{end}");
                    let of = samples.iter().filter(|sample| sample.name == name);
                    of.fold(None, |sum, sample| Some(sum.unwrap_or(0.0) + sample.value))
                };
                let rise = self.look(now, window, vec![total("sum")?, total("count")?]);
                (rise[1] >= least.max(1.0)).then(|| rise[0] / rise[1])
            }
        }
    }

    /// Notes `totals`, which rise from zero at the start of the process, and returns by how much they
    /// rose within the window.
    fn look(&mut self, now: Duration, window: Duration, totals: Vec<f64>) -> Vec<f64> {
        // Looks that are close to each other are one, or those of a day would be many.
        let newest = self.looks.len().wrapping_sub(1);
        let before = newest.checked_sub(1).and_then(|at| self.looks.get(at));
        match before.map(|(at, _)| now.saturating_sub(*at) < window / PARTS) {
            Some(true) => self.looks[newest] = (now, totals),
            Some(false) | None => self.looks.push_back((now, totals)),
        }
        let begin = now.checked_sub(window);
        let is_base = |at: &Duration| begin.is_some_and(|begin| *at <= begin);
        while self.looks.get(1).is_some_and(|(at, _)| is_base(at)) {
            self.looks.pop_front();
        }
        let base = self.looks.front().filter(|(at, _)| is_base(at));
        let base = base
            .map(|(_, totals)| totals.as_slice())
            .unwrap_or_default();
        let newest = self.looks.back().map(|(_, totals)| totals.as_slice());
        let newest = newest.unwrap_or_default().iter().enumerate();
        newest
            .map(|(at, total)| (total - base.get(at).copied().unwrap_or(0.0)).max(0.0))
            .collect()
    }
}

/// Returns the cumulated counts of a histogram by the upper bounds of its buckets, all series together.
fn buckets(histogram: &str, samples: &[Sample]) -> Option<Vec<(f64, f64)>> {
    let name = format!("{histogram}_bucket");
    let mut buckets: Vec<(f64, f64)> = Vec::new();
    for sample in samples.iter().filter(|sample| sample.name == name) {
        let bound: f64 = sample.label("le").parse().ok()?;
        match buckets.iter_mut().find(|(known, _)| *known == bound) {
            Some((_, count)) => *count += sample.value,
            None => buckets.push((bound, sample.value)),
        }
    }
    buckets.sort_by(|one, other| one.0.total_cmp(&other.0));
    (!buckets.is_empty()).then_some(buckets)
}

/// Returns a quantile, between the bounds of its bucket in proportion, as Prometheus'
/// `histogram_quantile` does. It is beyond a bound of a bucket just where so many observations are.
fn quantile_of(buckets: &[(f64, f64)], quantile: f64, least: f64) -> Option<f64> {
    let (_, count) = *buckets.last()?;
    if count < least {
        return None;
    }
    let rank = quantile * count;
    let at = buckets.iter().position(|(_, count)| *count >= rank)?;
    let (lower, below) = at
        .checked_sub(1)
        .map_or((0.0, 0.0), |before| buckets[before]);
    let (upper, within) = buckets[at];
    if upper.is_infinite() {
        return Some(lower);
    }
    Some(lower + (upper - lower) * (rank - below) / (within - below).max(f64::MIN_POSITIVE))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::exposition::samples;
    use super::*;

    const CALLS: Reading = Reading::Share(
        Select::except("calls", "outcome", &["ok", "rejected"]),
        &[Select::all("calls")],
    );
    const MINUTE: Duration = Duration::from_secs(60);

    fn calls(ok: u32, rejected: u32, failed: u32) -> Vec<Sample> {
        samples(&format!(
            "calls{{outcome=\"ok\"}} {ok}\ncalls{{outcome=\"rejected\"}} {rejected}\ncalls{{outcome=\"server\"}} {failed}\n"
        ))
    }

    fn at(second: u64) -> Duration {
        Duration::from_secs(second)
    }

    #[test]
    fn a_share_is_that_of_the_window_and_needs_enough_calls() {
        let mut reader = Reader::default();
        let mut read =
            |second, samples: &[Sample]| reader.read(&CALLS, (MINUTE, 20.0), at(second), samples);
        assert_eq!(read(0, &[]), None, "nothing is measured");
        assert_eq!(read(1, &calls(10, 0, 9)), None, "19 calls");
        assert_eq!(read(2, &calls(10, 1, 9)), Some(9.0 / 20.0));
        assert_eq!(read(50, &calls(110, 1, 9)), Some(9.0 / 120.0));
        // The failures are a minute old.
        assert_eq!(read(62, &calls(120, 1, 9)), Some(0.0));
        assert_eq!(
            read(123, &calls(130, 1, 9)),
            None,
            "10 calls, the others are older"
        );
    }

    #[test]
    fn a_mean_is_that_of_the_window() {
        let reading = Reading::Mean(Select::all("use"));
        let mut reader = Reader::default();
        let mut read = |second, value: &str| {
            let samples = samples(&format!(
                "use{{pool=\"a\"}} 0.1\nuse{{pool=\"b\"}} {value}\n"
            ));
            reader.read(&reading, (at(3), 0.0), at(second), &samples)
        };
        assert_eq!(read(0, "0.5"), Some(0.5));
        assert_eq!(read(1, "1"), Some(0.75));
        assert_eq!(read(2, "1.5"), Some(1.0));
        assert_eq!(read(3, "3.5"), Some(2.0), "the first is out of it");
        assert_eq!(read(99, "0.0"), Some(0.1), "the greatest");
    }

    fn histogram(counts: [u32; 4]) -> Vec<Sample> {
        let [a, b, c, d] = counts;
        samples(&format!(
            "t_bucket{{kind=\"x\",le=\"0.1\"}} {a}\nt_bucket{{kind=\"x\",le=\"0.5\"}} {b}\n\
             t_bucket{{kind=\"x\",le=\"1\"}} {c}\nt_bucket{{kind=\"x\",le=\"+Inf\"}} {d}\n\
             t_bucket{{kind=\"y\",le=\"0.1\"}} 0\nt_bucket{{kind=\"y\",le=\"+Inf\"}} 0\n"
        ))
    }

    #[test]
    fn a_quantile_is_beyond_a_bound_just_where_the_observations_are() {
        let reading = Reading::Quantile("t", 0.95);
        let mut reader = Reader::default();
        let mut read =
            |second, counts| reader.read(&reading, (MINUTE, 20.0), at(second), &histogram(counts));
        assert_eq!(read(0, [19, 19, 19, 19]), None);
        assert_eq!(read(1, [95, 100, 100, 100]), Some(0.1), "95 of 100");
        assert!(read(2, [94, 100, 100, 100]).unwrap() > 0.1, "94 of 100");
        assert_eq!(read(3, [0, 0, 0, 100]), Some(1.0), "beyond the last bound");
        // What was slow is older than the window.
        let fast = read(90, [100, 100, 100, 200]).unwrap();
        assert!((fast - 0.095).abs() < 1e-9, "{fast}");
    }

    proptest! {
        /// Against the observations themselves: the rise over a window by looking at each.
        #[test]
        fn the_rise_over_a_window_is_what_came_within_it(
            steps in prop::collection::vec((0_u64..20, 0_u32..5, 0_u32..5), 1..60),
        ) {
            let mut reader = Reader::default();
            let (mut second, mut ok, mut failed) = (0, 0, 0);
            let mut looks = vec![];
            for (pause, more_ok, more_failed) in steps {
                second += pause.max(1);
                ok += more_ok;
                failed += more_failed;
                looks.push((second, ok, failed));
                let read = reader.read(&CALLS, (MINUTE, 1.0), at(second), &calls(ok, 0, failed));
                let before = looks.iter().rev().find(|look| look.0 + 60 <= second);
                let (_, base_ok, base_failed) = before.copied().unwrap_or_default();
                let (ok, failed) = (ok - base_ok, failed - base_failed);
                let expected = (ok + failed > 0).then(|| f64::from(failed) / f64::from(ok + failed));
                prop_assert_eq!(read, expected);
            }
        }
    }
}
