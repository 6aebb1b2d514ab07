//! `market`: a generated market as files.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args as ClapArgs;
use turnstile_tests::market::{GeneratedMarket, MarketShape};

#[derive(Debug, ClapArgs)]
pub(crate) struct Args {
    /// Folder to write to.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// What to throw dice with.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Sessions with bars.
    #[arg(long, default_value_t = MarketShape::default().sessions)]
    sessions: usize,
    /// Issues, without --real.
    #[arg(long, default_value_t = MarketShape::default().symbols)]
    symbols: usize,
    /// Real daily bars (krx-daily-2026.csv.gz) that the last sessions are.
    #[arg(long, value_name = "FILE")]
    real: Option<PathBuf>,
    /// Write what `turnstile import` reads, and not the tables.
    #[arg(long)]
    imports: bool,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    std::fs::create_dir_all(&args.folder)
        .with_context(|| format!("{} cannot be made", args.folder.display()))?;
    let shape = MarketShape {
        sessions: args.sessions,
        symbols: args.symbols,
    };
    let market = GeneratedMarket::new(args.seed, shape, args.real.as_deref());
    if args.imports {
        market.write_imports(&args.folder);
    } else {
        market.write_tables(&args.folder);
    }
    let bars: usize = market
        .companies
        .iter()
        .map(|company| company.bars.len())
        .sum();
    println!(
        "{}",
        serde_json::json!({"symbols": market.companies.len(), "sessions": market.sessions.len(),
            "bars": bars, "last": market.sessions.last().map(ToString::to_string)})
    );
    Ok(())
}
