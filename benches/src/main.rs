//! The benchmark harness: the decisions alone against a loop and a join, their latency, memory and
//! tuning; and the running system under load, measured from outside.

mod bff;
mod broker_log;
mod clock;
mod edit;
mod exits;
mod figures;
mod ingest;
mod input;
mod latency;
mod load;
mod market;
mod orders;
mod plots;
mod process;
mod rebuild;
mod reentry;
mod risk;
mod running;
mod servers;
mod setting;
mod soak;
mod strategy;
mod sweep;

use clap::{Parser, Subcommand};

/// Measures Turnstile. Build it with `--release`.
#[derive(Debug, Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Ticks per second of the engine, of a hand-written loop and of a plain join on the same
    /// input; all must decide the same.
    Exits(exits::Args),
    /// One contestant of `exits`, in a process of its own.
    #[command(hide = true)]
    Contestant(exits::ContestantArgs),
    /// Percentiles from a tick at the engine's channel to its decision, under open-loop load.
    Latency(latency::Args),
    /// Milliseconds until a rule edit is in force on all its positions, and whether its preview
    /// names what it sells.
    Edit(edit::Args),
    /// Writes a generated market for the daily strategy: the files that `turnstile import` reads, or the
    /// tables that `benches/python/strategy_polars.py` and `tests/strategy/reference.py` read.
    Market(market::Args),
    /// Seconds until an engine stands as the database says, from an empty process.
    Rebuild(rebuild::Args),
    /// Nanoseconds a tick with re-entry candidates, against as many positions and against neither.
    Reentry(reentry::Args),
    /// Reads a second of cached prices against a bare handler, percentiles of a list under an open load,
    /// and from tick to WebSocket client with a thousand of them. Needs all programs.
    Bff(bff::Args),
    /// The bare handler of `bff`, in a process of its own.
    #[command(hide = true)]
    BffBare(bff::BareArgs),
    /// Checks a second of the risk gate, and what its view costs to keep.
    Risk(risk::Args),
    /// Seconds of the daily strategy from nothing, and microseconds of one changed bar.
    Strategy(strategy::Args),
    /// Throughput and latency over drain size, linger, workers and idle mode.
    Sweep(sweep::Args),
    /// Resident memory by the minute, under ticks and churn or under silence.
    Soak(soak::Args),
    /// Measures and draws throughput against positions per symbol, and latency against load.
    Plots(plots::Args),
    /// Prices through the simulator's WebSocket onto many positions: every due exit must be ordered
    /// exactly once and no tick lost; prints the latency from frame to committed row and to the
    /// order's arrival at the broker. Needs all programs: `cargo build --release --workspace --bins`.
    Load(load::Args),
    /// Ticks a second through the price sink into PostgreSQL and Redis, against `psql \copy` of the
    /// same rows into the same table.
    Ingest(ingest::Args),
    /// Milliseconds from a price to its order at the broker and from a fill to its position, in the
    /// running system; with `--storm` many stops at once at the broker's rate. Needs all programs.
    Orders(orders::Args),
}

fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    match cli.command {
        Command::Exits(args) => exits::run(&args),
        Command::Contestant(args) => exits::contest(&args),
        Command::Latency(args) => latency::run(&args),
        Command::Edit(args) => edit::run(&args),
        Command::Reentry(args) => reentry::run(&args),
        Command::Bff(args) => {
            let runtime = tokio::runtime::Runtime::new()?;
            runtime.block_on(Box::pin(bff::run(args)))
        }
        Command::BffBare(args) => {
            let runtime = tokio::runtime::Runtime::new()?;
            runtime.block_on(Box::pin(bff::serve_bare(args)))
        }
        Command::Risk(args) => risk::run(&args),
        Command::Strategy(args) => strategy::run(&args),
        Command::Sweep(args) => sweep::run(&args),
        Command::Rebuild(args) => {
            let runtime = tokio::runtime::Runtime::new()?;
            runtime.block_on(Box::pin(rebuild::run(args)))
        }
        Command::Soak(args) => soak::run(&args),
        Command::Plots(args) => plots::run(&args),
        Command::Market(args) => market::run(&args),
        Command::Load(args) => {
            let runtime = tokio::runtime::Runtime::new()?;
            runtime.block_on(Box::pin(load::run(args)))
        }
        Command::Ingest(args) => {
            let runtime = tokio::runtime::Runtime::new()?;
            runtime.block_on(Box::pin(ingest::run(args)))
        }
        Command::Orders(args) => {
            let runtime = tokio::runtime::Runtime::new()?;
            runtime.block_on(Box::pin(orders::run(args)))
        }
    }
}
