//! The recorder of metrics, one per process.

use std::sync::OnceLock;

use anyhow::anyhow;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use turnstile_connectors::{execution, kis, postgres, redis};

static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();

/// Upper bounds of latency buckets in seconds: half a millisecond to ten seconds.
const BUCKETS: [f64; 14] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

/// Installs the recorder, once, and returns what renders it.
pub(crate) fn install() -> anyhow::Result<PrometheusHandle> {
    if let Some(handle) = RECORDER.get() {
        return Ok(handle.clone());
    }
    let handle = PrometheusBuilder::new()
        .set_buckets(&BUCKETS)?
        .install_recorder()
        .map_err(|error| anyhow!("the recorder of metrics cannot be installed: {error}"))?;
    postgres::describe_metrics();
    redis::describe_metrics();
    kis::metrics::describe();
    execution::metrics::describe();
    turnstile_bff::describe_metrics();
    Ok(RECORDER.get_or_init(|| handle).clone())
}
