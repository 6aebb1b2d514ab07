//! The benchmark harness: the running system under load, measured from outside.

mod load;

use clap::{Parser, Subcommand};

/// Measures the running system. Build it first: `cargo build --release --workspace --bins`.
#[derive(Debug, Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Prices through the simulator's WebSocket onto many positions: every due exit must be ordered
    /// exactly once and no tick lost; prints the latency from frame to committed row and to the
    /// order's arrival at the broker.
    Load(load::Args),
}

fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    let runtime = tokio::runtime::Runtime::new()?;
    match cli.command {
        Command::Load(args) => runtime.block_on(Box::pin(load::run(args))),
    }
}
