//! The recorder of metrics, one per process.

use std::net::SocketAddr;
use std::sync::OnceLock;
use std::time::Duration;

use anyhow::anyhow;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use turnstile_connectors::{execution, exits, jobs, kis, naver, picks, postgres, redis, retention};

static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();

/// Quantiles of latencies cover the last minutes: three windows of this length.
const WINDOW: Duration = Duration::from_secs(60);

/// Installs the recorder, once, and returns what renders it.
pub(crate) fn install() -> anyhow::Result<PrometheusHandle> {
    if let Some(handle) = RECORDER.get() {
        return Ok(handle.clone());
    }
    let handle = builder()?
        .install_recorder()
        .map_err(|error| anyhow!("the recorder of metrics cannot be installed: {error}"))?;
    describe();
    Ok(RECORDER.get_or_init(|| handle).clone())
}

/// Installs the recorder with a listener of its own: `GET /metrics` on `address`.
pub(crate) fn serve(address: SocketAddr) -> anyhow::Result<()> {
    builder()?
        .with_http_listener(address)
        .install()
        .map_err(|error| anyhow!("stream.metrics_listen: {error}, was {address}"))?;
    describe();
    Ok(())
}

fn builder() -> anyhow::Result<PrometheusBuilder> {
    Ok(PrometheusBuilder::new().set_bucket_duration(WINDOW)?)
}

fn describe() {
    postgres::describe_metrics();
    redis::describe_metrics();
    kis::metrics::describe();
    naver::metrics::describe();
    execution::metrics::describe();
    exits::metrics::describe();
    retention::metrics::describe();
    jobs::metrics::describe();
    picks::metrics::describe();
    turnstile_bff::describe_metrics();
}
