//! Histories of what is measured, in `system.metrics`.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::exposition::Sample;
use crate::postgres::{Postgres, PostgresError};

/// After which everything is written again, changed or not: a reader looks back no further.
const WHOLE_EVERY: Duration = Duration::from_secs(300);
const PRUNE_EVERY: Duration = Duration::from_secs(600);
/// Rows of one statement.
const ROWS_MAX: usize = 5_000;
/// Rows deleted at a time.
const PRUNED_MAX: i64 = 20_000;

const INSERT: &str = "INSERT INTO system.metrics (ts, instance, name, labels, value)
    SELECT timestamptz 'epoch' + $1::bigint * interval '1 microsecond', $2, name, labels, value
    FROM unnest($3::text[], $4::jsonb[], $5::float8[]) AS t(name, labels, value)";
const PRUNE: &str = "DELETE FROM system.metrics WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM system.metrics
        WHERE instance = $1 AND ts < now() - make_interval(days => $2) LIMIT $3))";

/// Samples of one moment, microseconds UTC.
pub(super) type Moment = (i64, Vec<Sample>);

/// Writes samples.
pub(super) struct History {
    pub(super) postgres: Postgres,
    pub(super) instance: String,
    pub(super) days: u32,
}

impl History {
    /// Writes what comes until nothing does any more. What cannot be written is left out: the next
    /// moment follows soon.
    pub(super) async fn run(self, mut moments: mpsc::Receiver<Moment>, stop: CancellationToken) {
        let mut known: BTreeMap<(String, String), f64> = BTreeMap::new();
        let (mut whole_at, mut pruned_at, mut has_failed) = (None, Instant::now(), false);
        while let Some(Some((at_us, samples))) = stop.run_until_cancelled(moments.recv()).await {
            if whole_at.is_none_or(|at: Instant| at.elapsed() >= WHOLE_EVERY) {
                known.clear();
                whole_at = Some(Instant::now());
            }
            let rows = changed(&mut known, &samples);
            let written = self.write(at_us, &rows).await;
            if let Err(error) = written {
                // What was not written counts as not known.
                known.clear();
                if !std::mem::replace(&mut has_failed, true) {
                    warn!(%error, "metrics not stored");
                }
                continue;
            }
            has_failed = false;
            if pruned_at.elapsed() >= PRUNE_EVERY {
                pruned_at = Instant::now();
                if let Err(error) = self.prune().await {
                    warn!(%error, "old metrics not deleted");
                }
            }
        }
    }

    async fn write(&self, at_us: i64, rows: &[&Sample]) -> Result<(), PostgresError> {
        let client = self.postgres.client().await?;
        for rows in rows.chunks(ROWS_MAX) {
            let names: Vec<&str> = rows.iter().map(|row| row.name.as_str()).collect();
            let labels: Vec<Value> = rows.iter().map(|row| labels(row)).collect();
            let values: Vec<f64> = rows.iter().map(|row| row.value).collect();
            client
                .execute(INSERT, &[&at_us, &self.instance, &names, &labels, &values])
                .await?;
        }
        Ok(())
    }

    async fn prune(&self) -> Result<(), PostgresError> {
        let client = self.postgres.client().await?;
        let days = i32::try_from(self.days).unwrap_or(i32::MAX);
        let (full, mut pruned) = (u64::try_from(PRUNED_MAX).unwrap_or_default(), u64::MAX);
        while pruned >= full {
            pruned = client
                .execute(PRUNE, &[&self.instance, &days, &PRUNED_MAX])
                .await?;
        }
        Ok(())
    }
}

fn labels(sample: &Sample) -> Value {
    let labels = sample.labels.iter();
    Value::Object(
        labels
            .map(|(name, value)| (name.clone(), Value::from(value.as_str())))
            .collect(),
    )
}

/// Returns the samples whose value is another than `known`. Buckets and quantiles are left out: their
/// sum and count tell the mean, and what limits are set to is in the alarms.
fn changed<'s>(
    known: &mut BTreeMap<(String, String), f64>,
    samples: &'s [Sample],
) -> Vec<&'s Sample> {
    let is_kept = |sample: &&Sample| {
        sample.value.is_finite()
            && !sample.name.ends_with("_bucket")
            && !sample.labels.contains_key("quantile")
    };
    let kept = samples.iter().filter(is_kept);
    kept.filter(|sample| {
        let key = (sample.name.clone(), format!("{:?}", sample.labels));
        known.insert(key, sample.value) != Some(sample.value)
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::super::exposition::samples;
    use super::*;

    #[test]
    fn what_has_changed_is_kept() {
        let mut known = BTreeMap::new();
        let mut names = |text: &str| -> Vec<String> {
            let samples = samples(text);
            let changed = changed(&mut known, &samples);
            changed.iter().map(|sample| sample.name.clone()).collect()
        };
        let first = "a{x=\"1\"} 1\na{x=\"2\"} 1\nt_bucket{le=\"1\"} 3\nt_sum 2\nq{quantile=\"0.5\"} 1\nn NaN\n";
        assert_eq!(names(first), ["a", "a", "t_sum"]);
        assert_eq!(names("a{x=\"1\"} 1\na{x=\"2\"} 2\nt_sum 2\n"), ["a"]);
    }
}
