//! `turnstile stream`: the long-running job.

use anyhow::bail;
use tracing::info;
use turnstile_connectors::postgres;

use super::stop_on_signal;
use crate::config::Config;
use crate::metrics;
use crate::monitoring::{self, Role};
use crate::stream::Stream;

pub(crate) async fn run(config: &Config) -> anyhow::Result<()> {
    config.check_stream()?;
    let stop = stop_on_signal()?;
    if let Some(address) = config.stream.metrics_listen {
        metrics::serve(address)?;
    }
    let report = postgres::migrate(&config.postgres).await?;
    info!(
        version = report.version,
        applied = report.applied.len(),
        "schema ready"
    );
    let monitor = monitoring::start(config, Role::Stream).await?;
    let mut stream = match Stream::start(config, monitor.as_ref(), &stop).await {
        Ok(stream) => stream,
        Err(error) => {
            if !stop.is_cancelled() {
                monitoring::tell_failed_start(monitor.as_ref(), &error);
            }
            monitoring::stop(monitor).await;
            return Err(error);
        }
    };
    info!("stream job runs");
    let is_lost = tokio::select! {
        () = stop.cancelled() => false,
        () = stream.lost() => true,
    };
    stream.stop().await;
    monitoring::stop(monitor).await;
    if is_lost {
        bail!("the stream job could not go on; the log says why");
    }
    info!("stopped");
    Ok(())
}
