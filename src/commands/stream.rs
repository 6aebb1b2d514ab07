//! `turnstile stream`: the long-running job.

use tracing::info;

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
    let mut stream = Stream::new(config)?;
    stream.migrate(&stop).await?;
    let monitor = monitoring::start(config, Role::Stream).await?;
    if let Err(error) = stream.start(monitor.as_ref(), &stop).await {
        if !stop.is_cancelled() {
            monitoring::tell_failed_start(monitor.as_ref(), &error);
        }
        monitoring::stop(monitor).await;
        return Err(error);
    }
    info!("stream job runs");
    let ran = stream.run(monitor.as_ref(), &stop).await;
    monitoring::stop(monitor).await;
    ran?;
    info!("stopped");
    Ok(())
}
