//! `turnstile run`: everything on this machine, with a simulated exchange.

use std::fs::OpenOptions;
use std::io::Write;
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args as ClapArgs;
use secrecy::{ExposeSecret, SecretString};
use tracing::{info, warn};
use turnstile_connectors::embedded::{EmbeddedConfig, EmbeddedServers};
use turnstile_connectors::execution::SessionKind;
use turnstile_connectors::kis::Environment;
use turnstile_connectors::postgres::{self, Postgres};
use turnstile_exchange_sim::{ClockMode, Environment as SimEnvironment, SimConfig, Simulator};

use super::{bff, exchange_sim, stop_on_signal};
use crate::config::Config;
use crate::demo;
use crate::logging;
use crate::monitoring::{self, Role};
use crate::stream::Stream;

/// Options of the whole system on one machine.
#[derive(Debug, ClapArgs)]
pub(crate) struct Args {
    /// Folder of the private servers and of the simulator's state.
    #[arg(long, default_value = ".turnstile", value_name = "FOLDER")]
    data_dir: PathBuf,
    /// Address of the web app and the API; port 0 takes a free one. Default 127.0.0.1:8099, or
    /// `bff.listen` of the configuration.
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// Take prices from a file of trades (`ts,symbol,price,volume`; .csv or .csv.gz) instead of
    /// the generator.
    #[arg(long, value_name = "FILE")]
    ticks: Option<PathBuf>,
    /// Pace of the file: 1 is its own, 60 a minute a second, 0 as fast as it is taken.
    #[arg(long, default_value = "1", requires = "ticks", value_name = "N")]
    speed: String,
    /// Let the simulated market keep its hours, from this time in Seoul on, such as
    /// 2026-11-22T03:00:00 (a Sunday). Without it the market is always in session.
    #[arg(long, value_name = "TIME")]
    market_start: Option<String>,
    /// Settings of the simulator (TOML), under the options above.
    #[arg(long, value_name = "FILE")]
    simulator: Option<PathBuf>,
}

pub(crate) async fn run(mut config: Config, args: Args) -> anyhow::Result<()> {
    let stop = stop_on_signal()?;
    let has_postgres = config.has_database();
    let servers = EmbeddedServers::start(EmbeddedConfig {
        data_dir: args.data_dir.clone(),
        postgres: !has_postgres,
        redis: config.redis.url.is_none(),
        ..EmbeddedConfig::default()
    })
    .await?;
    if let Some(url) = servers.database_url() {
        config.postgres.url = SecretString::from(url);
    }
    if let Some(url) = servers.redis_url() {
        config.redis.url = Some(SecretString::from(url));
    }
    let file = servers.data_dir().join("environment");
    tell_addresses(&config, &file)
        .with_context(|| format!("the addresses cannot be written to {}", file.display()))?;
    println!("Addresses: {}", file.display());
    let ran = run_on(config, &args, servers.data_dir().to_path_buf(), &stop).await;
    servers.stop().await?;
    info!("stopped");
    ran
}

/// Writes where the stores are, for the other commands and for psql: `set -a; . FILE`. Only its owner
/// reads it.
fn tell_addresses(config: &Config, file: &Path) -> anyhow::Result<()> {
    let redis = config.redis.url.as_ref();
    let redis = redis.map_or("", |url| url.expose_secret());
    let quoted = |url: &str| format!("'{}'", url.replace('\'', r"'\''"));
    let text = format!(
        "DATABASE_URL={}\nREDIS_URL={}\n",
        quoted(config.postgres.url.expose_secret()),
        quoted(redis)
    );
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(file)?;
    file.write_all(text.as_bytes())?;
    Ok(())
}

async fn run_on(
    mut config: Config,
    args: &Args,
    data_dir: PathBuf,
    stop: &tokio_util::sync::CancellationToken,
) -> anyhow::Result<()> {
    config.check_stores()?;
    let report = postgres::migrate(&config.postgres).await?;
    info!(
        version = report.version,
        applied = report.applied.len(),
        "schema ready"
    );
    let postgres = Postgres::connect(&config.postgres).await?;
    let archives = data_dir.join("archive");
    config.retention.folder.get_or_insert(archives);
    config.spill.folder = data_dir.join("spill");
    let is_new = demo::is_empty(&postgres).await?;
    let market = sim_config(args, data_dir, is_new)?;
    if is_new {
        demo::seed(&postgres, &market).await?;
        info!("demonstration portfolio made");
    }
    let simulator = Simulator::start(market.config).await?;
    use_simulator(&mut config, &simulator, &market.account);
    logging::hide_secrets(&config);
    config.check_stream()?;
    if let Some(listen) = args.listen {
        config.bff.listen = listen;
    }
    config.check_bff()?;
    // First of all the page: it shows how the rest comes up.
    let monitor = monitoring::start(&config, Role::Run).await?;
    let bff = bff::start(&config, monitor.as_ref(), stop.clone()).await?;
    println!("Turnstile: http://{}", bff.local_addr());
    let mut stream = Stream::new(&config)?;
    if let Err(error) = stream.start(monitor.as_ref(), stop).await {
        if !stop.is_cancelled() {
            monitoring::tell_failed_start(monitor.as_ref(), &error);
        }
        stop.cancel();
        bff.join().await?;
        monitoring::stop(monitor).await;
        simulator.stop().await;
        return Err(error);
    }
    let mut subscribed = stream.subscribed();
    let move_market = async {
        if subscribed.wait_for(|subscribed| *subscribed).await.is_ok() {
            simulator.resume();
            info!("the market moves");
        }
    };
    let (ran, ()) = tokio::join!(stream.run(monitor.as_ref(), stop), move_market);
    stop.cancel();
    bff.join().await?;
    monitoring::stop(monitor).await;
    simulator.stop().await;
    ran
}

fn sim_config(args: &Args, data_dir: PathBuf, is_new: bool) -> anyhow::Result<demo::Market> {
    let mut config: SimConfig = match &args.simulator {
        Some(file) => {
            let place = file.display();
            let text = std::fs::read_to_string(file)
                .with_context(|| format!("settings {place} cannot be read"))?;
            toml::from_str(&text).with_context(|| format!("settings {place} are malformed"))?
        }
        None => SimConfig::default(),
    };
    config.environment = SimEnvironment::Paper;
    config.limits.rest_per_second.get_or_insert(18);
    config
        .state_file
        .get_or_insert(data_dir.join("exchange-sim.json"));
    // Nothing moves before the engine listens, so no trade of a file is missed.
    config.paused = true;
    if let Some(file) = &args.ticks {
        config.path = exchange_sim::ticks_path(file.clone(), &args.speed)?;
    }
    if let Some(start) = &args.market_start {
        let start = start.parse();
        config.clock.start =
            Some(start.context("--market-start: time such as 2026-11-22T03:00:00 expected")?);
        config.clock.mode = ClockMode::Schedule;
    }
    if config.clock.mode == ClockMode::Schedule {
        warn!(start = ?config.clock.start, "the simulated market keeps its hours");
    }
    demo::market(config, is_new)
}

/// Points the broker connection at the simulator.
fn use_simulator(config: &mut Config, simulator: &Simulator, account: &demo::Account) {
    let kis = &mut config.kis;
    kis.environment = Some(Environment::Paper);
    kis.rest_url = Some(simulator.rest_url());
    kis.ws_url = Some(simulator.ws_url());
    kis.app_key = SecretString::from(account.app_key.as_str());
    kis.app_secret = SecretString::from(account.app_secret.as_str());
    kis.account = SecretString::from(account.number.as_str());
    kis.hts_id.clone_from(&account.hts_id);
    kis.token_cache = account.token_cache.clone();
    kis.rate.per_second.get_or_insert(15);
    config.naver.url = simulator.rest_url();
    config.execution.session = SessionKind::Simulator;
    config.stream.simulator_url = Some(simulator.control_url());
}
