//! Private servers of a measurement.

use turnstile_connectors::embedded::{EmbeddedConfig, EmbeddedServers};

/// Starts PostgreSQL, and Redis where it is wanted, in a folder that goes with its handle.
///
/// # Errors
/// If a server does not start.
pub(crate) async fn start(redis: bool) -> anyhow::Result<(EmbeddedServers, tempfile::TempDir)> {
    let folder = tempfile::Builder::new()
        .prefix("turnstile-bench-")
        .tempdir()?;
    // The account of the servers has to enter it.
    std::fs::set_permissions(
        folder.path(),
        std::os::unix::fs::PermissionsExt::from_mode(0o755),
    )?;
    let servers = EmbeddedServers::start(EmbeddedConfig {
        data_dir: folder.path().join("data"),
        redis,
        ..EmbeddedConfig::default()
    })
    .await?;
    Ok((servers, folder))
}
