//! The command line.

use std::path::PathBuf;

use anyhow::Context;
use clap::{Parser, Subcommand};

use crate::commands;
use crate::config::Config;
use crate::logging;

/// Watches live prices of Korean equities and decides, the instant a price moves, what to sell and
/// what to buy back.
///
/// `turnstile run` starts everything on this machine with a simulated exchange: the way to get to
/// know it. For real use run `turnstile stream` and `turnstile bff` as two processes.
#[derive(Debug, Parser)]
#[command(version, about, long_about)]
pub(crate) struct Cli {
    /// Configuration file (TOML). Environment variables override it: DATABASE_URL, REDIS_URL,
    /// KIS_APP_KEY, KIS_APP_SECRET, KIS_ACCOUNT, KIS_HTS_ID.
    #[arg(long, global = true, value_name = "FILE", env = "TURNSTILE_CONFIG")]
    config: Option<PathBuf>,
    /// Log as JSON, one object a line.
    #[arg(long, global = true)]
    log_json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start everything on this machine: private PostgreSQL and Redis, a simulated exchange, the
    /// engine, the API and the web app on one address.
    Run(commands::run::Args),
    /// Run the stream job: prices in, decisions and orders out.
    ///
    /// Needs a database (DATABASE_URL), the broker's keys, and `kis.environment` set to paper or
    /// production. Only one stream job of an account is active; a second one waits as standby.
    Stream,
    /// Serve the API and the web app from the stores.
    Bff,
    /// Bring the database schema to the version of this program, then exit.
    Migrate,
    /// Make, list and revoke the tokens of the API.
    #[command(after_long_help = commands::token::ABOUT)]
    Token(commands::token::Args),
    /// Read a file into the database.
    Import(commands::import::Args),
    /// Run the daily strategy, show what it says, and put a portfolio in force.
    #[command(after_long_help = commands::strategy::ABOUT)]
    Strategy(commands::strategy::Args),
    /// Show, verify and put back archived prices.
    #[command(after_long_help = commands::archive::ABOUT)]
    Archive(commands::archive::Args),
    /// Run the simulated exchange alone: it speaks the broker's protocol on local ports.
    ExchangeSim(commands::exchange_sim::Args),
    /// Run the engine on a recorded day: ticks, positions and rules in, decisions out.
    ///
    /// From files it needs no database, no broker and no configuration, and the same files give the
    /// same decisions, byte for byte. With --from-database it plays a stored day, and compares what is
    /// decided with what was.
    #[command(after_long_help = commands::replay::FORMATS)]
    Replay(commands::replay::Args),
}

impl Cli {
    /// Runs the command.
    pub(crate) fn run(self) -> anyhow::Result<()> {
        logging::install(self.log_json)?;
        let config = match &self.command {
            // Its options say everything.
            Command::Replay(args) if !args.is_from_database() => Config::default(),
            _ => Config::read(self.config.as_deref())?,
        };
        logging::hide_secrets(&config);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .context("the runtime cannot be started")?;
        let done = runtime.block_on(async move {
            match self.command {
                Command::Run(args) => Box::pin(commands::run::run(config, args)).await,
                Command::Stream => Box::pin(commands::stream::run(&config)).await,
                Command::Bff => Box::pin(commands::bff::run(&config)).await,
                Command::Token(args) => Box::pin(commands::token::run(&config, args)).await,
                Command::Import(args) => Box::pin(commands::import::run(&config, args)).await,
                Command::Strategy(args) => Box::pin(commands::strategy::run(&config, args)).await,
                Command::Archive(args) => Box::pin(commands::archive::run(&config, args)).await,
                Command::Migrate => commands::migrate::run(&config).await,
                Command::ExchangeSim(args) => Box::pin(commands::exchange_sim::run(args)).await,
                Command::Replay(args) => Box::pin(commands::replay::run(&config, args)).await,
            }
        });
        // Whoever had to end has ended; what is left only waits for peers.
        runtime.shutdown_timeout(std::time::Duration::from_secs(2));
        done
    }
}
