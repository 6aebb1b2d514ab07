//! Logs: to standard error, readable on a terminal, JSON elsewhere where asked for.

use anyhow::anyhow;
use tracing_subscriber::EnvFilter;

/// Installs the log. `RUST_LOG` overrides the level.
pub(crate) fn install(is_json: bool) -> anyhow::Result<()> {
    let filter = EnvFilter::try_from_default_env().or_else(|_| EnvFilter::try_new("info"))?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    let installed = if is_json {
        builder.json().try_init()
    } else {
        builder.with_target(false).try_init()
    };
    installed.map_err(|error| anyhow!("the log cannot be installed: {error}"))
}
