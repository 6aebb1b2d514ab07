//! Monitoring of this process.

use std::sync::Arc;

use anyhow::Context;
use turnstile_connectors::execution::wall_clock_us;
use turnstile_connectors::monitoring::{Monitor, MonitorParts, SystemEvent};
use turnstile_connectors::postgres::LogLevel;
use turnstile_connectors::redis::Cache;

use crate::config::Config;
use crate::metrics;

/// What the process is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// The engine.
    Stream,
    /// API and web app.
    Bff,
    /// Both.
    Run,
}

/// Starts to look. None where the configuration says not to.
pub(crate) async fn start(config: &Config, role: Role) -> anyhow::Result<Option<Monitor>> {
    let recorder = metrics::install()?;
    let parts = MonitorParts {
        config: config.monitoring.clone(),
        role: match role {
            Role::Stream => "stream",
            Role::Bff => "bff",
            Role::Run => "run",
        },
        postgres: config.postgres.clone(),
        cache: Cache::new(&config.redis).context("redis.url")?,
        render: Arc::new(move || recorder.render()),
        clock: wall_clock_us,
        has_engine: role != Role::Bff,
    };
    Monitor::start(parts)
        .await
        .context("monitoring cannot be started")
}

/// Tells that the stream job could not be started.
pub(crate) fn tell_failed_start(monitor: Option<&Monitor>, error: &anyhow::Error) {
    let Some(monitor) = monitor else {
        return;
    };
    monitor.events().tell(SystemEvent {
        level: LogLevel::Critical,
        event: "BOOTSTRAP_FAILED".to_owned(),
        symbol: None,
        position: None,
        message: format!("the stream job does not start: {error:#}"),
    });
}

/// Ends it.
pub(crate) async fn stop(monitor: Option<Monitor>) {
    if let Some(monitor) = monitor {
        monitor.stop().await;
    }
}
