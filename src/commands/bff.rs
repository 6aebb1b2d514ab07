//! `turnstile bff`: the API and the web app.

use std::path::{Path, PathBuf};

use tokio_util::sync::CancellationToken;
use tracing::info;
use turnstile_bff::Bff;
use turnstile_connectors::monitoring::{Monitor, Watched};
use turnstile_connectors::postgres::{self, Postgres};
use turnstile_connectors::redis::Cache;

use super::stop_on_signal;
use crate::config::Config;
use crate::metrics;
use crate::monitoring::{self, Role};

pub(crate) async fn run(config: &Config) -> anyhow::Result<()> {
    config.check_stores()?;
    config.check_bff()?;
    let stop = stop_on_signal()?;
    postgres::migrate(&config.postgres).await?;
    let monitor = monitoring::start(config, Role::Bff).await?;
    let bff = start(config, monitor.as_ref(), stop.clone()).await?;
    println!("Turnstile: http://{}", bff.local_addr());
    stop.cancelled().await;
    bff.join().await?;
    monitoring::stop(monitor).await;
    info!("stopped");
    Ok(())
}

/// Starts the BFF on the stores of `config`.
pub(crate) async fn start(
    config: &Config,
    monitor: Option<&Monitor>,
    stop: CancellationToken,
) -> anyhow::Result<Bff> {
    let strategy = config.strategy.id().map_err(anyhow::Error::msg)?;
    let postgres = Postgres::connect(&config.postgres).await?;
    if let Some(monitor) = monitor {
        monitor.watch(Watched {
            part: "bff",
            postgres: postgres.clone(),
        });
    }
    let cache = Cache::new(&config.redis)?;
    let recorder = metrics::install()?;
    let mut settings = config.bff.clone();
    settings.web_dir = settings.web_dir.or_else(built_web_app);
    Ok(Bff::start(settings, strategy, postgres, cache, recorder, stop).await?)
}

/// Returns the web app that `make web` has built: below the working directory, or in the checkout
/// that the program was built in.
fn built_web_app() -> Option<PathBuf> {
    let program = std::env::current_exe().ok();
    let checkouts = program
        .iter()
        .flat_map(|program| program.ancestors().skip(1).take(3));
    let folders = std::iter::once(Path::new(".")).chain(checkouts);
    folders
        .map(|folder| folder.join("bff/web/out"))
        .find(|out| out.join("index.html").exists())
}
