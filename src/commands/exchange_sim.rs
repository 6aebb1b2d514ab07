//! `turnstile exchange-sim`: the simulated exchange alone.

use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args as ClapArgs;
use tracing::info;
use turnstile_exchange_sim::{PathConfig, SimConfig, Simulator, TicksConfig};

use super::stop_on_signal;

/// Options of the simulated exchange. Without any it makes its own prices, in session at any hour.
#[derive(Debug, ClapArgs)]
pub(crate) struct Args {
    /// Settings of the simulator (TOML); see the documentation of the crate.
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// Take prices from a file of trades (`ts,symbol,price,volume`; .csv or .csv.gz).
    #[arg(long, value_name = "FILE")]
    ticks: Option<PathBuf>,
    /// Pace of the file: 1 is its own, 60 a minute a second, 0 as fast as clients take it.
    #[arg(long, default_value = "1", requires = "ticks", value_name = "N")]
    speed: String,
    /// Do not move prices until `POST /resume` on the control port.
    #[arg(long)]
    paused: bool,
}

pub(crate) async fn run(args: Args) -> anyhow::Result<()> {
    let mut config = match &args.settings {
        Some(file) => {
            let place = file.display();
            let text = std::fs::read_to_string(file)
                .with_context(|| format!("settings {place} cannot be read"))?;
            toml::from_str(&text).with_context(|| format!("settings {place} are malformed"))?
        }
        None => SimConfig::default(),
    };
    if let Some(file) = args.ticks {
        config.path = ticks_path(file, &args.speed)?;
    }
    config.paused |= args.paused;
    let stop = stop_on_signal()?;
    let simulator = Simulator::start(config).await?;
    println!("REST      {}", simulator.rest_url());
    println!("WebSocket {}", simulator.ws_url());
    println!("control   {}", simulator.control_url());
    stop.cancelled().await;
    simulator.stop().await;
    info!("stopped");
    Ok(())
}

/// Returns the price path of a file of trades.
pub(crate) fn ticks_path(file: PathBuf, speed: &str) -> anyhow::Result<PathConfig> {
    let Ok(speed) = speed.parse() else {
        bail!("--speed: number of zero or more expected, was {speed:?}");
    };
    Ok(PathConfig::Ticks(TicksConfig { file, speed }))
}
