//! `turnstile bff`: the API and the web app.

use tokio_util::sync::CancellationToken;
use tracing::info;
use turnstile_bff::Bff;
use turnstile_connectors::postgres::{self, Postgres};
use turnstile_connectors::redis::Cache;

use super::stop_on_signal;
use crate::config::Config;
use crate::metrics;

pub(crate) async fn run(config: &Config) -> anyhow::Result<()> {
    config.check_stores()?;
    config.check_bff()?;
    let stop = stop_on_signal()?;
    postgres::migrate(&config.postgres).await?;
    let bff = start(config, stop.clone()).await?;
    println!("Turnstile: http://{}", bff.local_addr());
    stop.cancelled().await;
    bff.join().await?;
    info!("stopped");
    Ok(())
}

/// Starts the BFF on the stores of `config`.
pub(crate) async fn start(config: &Config, stop: CancellationToken) -> anyhow::Result<Bff> {
    let postgres = Postgres::connect(&config.postgres).await?;
    let cache = Cache::new(&config.redis)?;
    let recorder = metrics::install()?;
    Ok(Bff::start(config.bff.clone(), postgres, cache, recorder, stop).await?)
}
