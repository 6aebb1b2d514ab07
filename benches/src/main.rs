//! The benchmark harness: the decisions alone against a loop and a join, their latency, memory and
//! tuning; and the running system under load, measured from outside.

mod clock;
mod exits;
mod figures;
mod input;
mod load;
mod process;

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
    /// Prices through the simulator's WebSocket onto many positions: every due exit must be ordered
    /// exactly once and no tick lost; prints the latency from frame to committed row and to the
    /// order's arrival at the broker. Needs all programs: `cargo build --release --workspace --bins`.
    Load(load::Args),
}

fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    match cli.command {
        Command::Exits(args) => exits::run(&args),
        Command::Contestant(args) => exits::contest(&args),
        Command::Load(args) => {
            let runtime = tokio::runtime::Runtime::new()?;
            runtime.block_on(Box::pin(load::run(args)))
        }
    }
}
