//! The recorder of metrics, one per process.

use std::net::SocketAddr;
use std::sync::OnceLock;
use std::time::Duration;

use anyhow::anyhow;
use metrics_exporter_prometheus::{
    Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder,
};
use turnstile_connectors::{
    execution, exits, invariants, jobs, kis, monitoring, naver, picks, postgres, redis, retention,
    spill, stored_day, task,
};

static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();

/// Quantiles of latencies cover the last minutes: three windows of this length.
const WINDOW: Duration = Duration::from_secs(60);

/// Installs the recorder, once, and returns what renders it.
pub(crate) fn install() -> anyhow::Result<PrometheusHandle> {
    if let Some(handle) = RECORDER.get() {
        return Ok(handle.clone());
    }
    keep(builder()?.build_recorder())
}

/// Installs the recorder with a listener of its own: `GET /metrics` on `address`.
pub(crate) fn serve(address: SocketAddr) -> anyhow::Result<()> {
    let (recorder, listener) = builder()?
        .with_http_listener(address)
        .build()
        .map_err(|error| anyhow!("stream.metrics_listen: {error}, was {address}"))?;
    keep(recorder)?;
    // It serves as long as the process lives.
    drop(task::spawn("metrics listener", async move {
        if listener.await.is_err() {
            tracing::error!("metrics are served no more");
        }
    }));
    Ok(())
}

fn keep(recorder: PrometheusRecorder) -> anyhow::Result<PrometheusHandle> {
    let handle = recorder.handle();
    ::metrics::set_global_recorder(recorder)
        .map_err(|error| anyhow!("the recorder of metrics cannot be installed: {error}"))?;
    describe();
    Ok(RECORDER.get_or_init(|| handle).clone())
}

fn builder() -> anyhow::Result<PrometheusBuilder> {
    let mut builder = PrometheusBuilder::new().set_bucket_duration(WINDOW)?;
    for (name, bounds) in monitoring::metrics::BUCKETS {
        let name = Matcher::Full((*name).to_owned());
        builder = builder.set_buckets_for_metric(name, bounds)?;
    }
    Ok(builder)
}

fn describe() {
    postgres::describe_metrics();
    redis::describe_metrics();
    kis::metrics::describe();
    naver::metrics::describe();
    execution::metrics::describe();
    exits::metrics::describe();
    invariants::metrics::describe();
    retention::metrics::describe();
    spill::describe();
    jobs::metrics::describe();
    stored_day::metrics::describe();
    picks::metrics::describe();
    monitoring::metrics::describe();
    turnstile_bff::describe_metrics();
}
