//! `turnstile import`: files into the database.

mod formats;
mod gaps;

use std::path::PathBuf;

use anyhow::bail;
use clap::{Args as ClapArgs, Subcommand};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use turnstile_connectors::imports::{Import, ImportRow};
use turnstile_connectors::postgres::{Postgres, migrate};
use turnstile_connectors::recorded::{
    DailyRow, DisclosureRow, FlowRow, FundamentalRow, OnFault, RankingRow, SectorRow,
};

use super::{progress, stop_on_signal, tell_skipped};
use crate::config::Config;

/// Rows that are stored at once.
const PORTION: usize = 8_192;

/// What to import.
#[derive(Debug, ClapArgs)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Daily bars of issues, with their names and markets.
    #[command(after_long_help = formats::DAILY)]
    Daily(FileArgs),
    /// Figures of companies: PER, PBR, PSR, ROE, debt.
    #[command(after_long_help = formats::FUNDAMENTALS)]
    Fundamentals(FileArgs),
    /// Net purchases of foreigners, institutions and individuals, by day.
    #[command(after_long_help = formats::FLOWS)]
    Flows(FileArgs),
    /// Disclosures of companies.
    #[command(after_long_help = formats::DISCLOSURES)]
    Disclosures(FileArgs),
    /// Lists that others keep, such as of what is searched for most.
    #[command(after_long_help = formats::RANKINGS)]
    Rankings(FileArgs),
    /// Sectors of issues.
    #[command(after_long_help = formats::SECTORS)]
    Sectors(FileArgs),
    /// Say which sessions and issues lack bars, flows and fundamentals.
    #[command(after_long_help = gaps::ABOUT)]
    Gaps(gaps::Args),
}

#[derive(Debug, ClapArgs)]
struct FileArgs {
    /// The rows (CSV, plain or gzip).
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Leave malformed lines out, and tell how many, instead of ending at the first.
    #[arg(long)]
    skip_bad: bool,
    /// Read the file again although all of it is stored.
    #[arg(long)]
    again: bool,
}

pub(crate) async fn run(config: &Config, args: Args) -> anyhow::Result<()> {
    config.check_stores()?;
    migrate(&config.postgres).await?;
    let postgres = Postgres::connect(&config.postgres).await?;
    let stop = stop_on_signal()?;
    match args.what {
        What::Daily(args) => import::<DailyRow>(&postgres, &args, &stop).await,
        What::Fundamentals(args) => import::<FundamentalRow>(&postgres, &args, &stop).await,
        What::Flows(args) => import::<FlowRow>(&postgres, &args, &stop).await,
        What::Disclosures(args) => import::<DisclosureRow>(&postgres, &args, &stop).await,
        What::Rankings(args) => import::<RankingRow>(&postgres, &args, &stop).await,
        What::Sectors(args) => import::<SectorRow>(&postgres, &args, &stop).await,
        What::Gaps(args) => gaps::run(&postgres, &args).await,
    }
}

async fn import<R: ImportRow>(
    postgres: &Postgres,
    args: &FileArgs,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let begin = Instant::now();
    let bar = progress(&args.file)?;
    let told = bar.clone();
    let on_fault = if args.skip_bad {
        OnFault::Skip
    } else {
        OnFault::Stop
    };
    let on_read = Box::new(move |len| told.inc(len));
    // A file of another kind has another header, and is not noted.
    let mut file = R::open(&args.file, on_fault, Some(on_read))?;
    let (mut import, begun) = Import::begin(postgres, R::KIND, &args.file, args.again).await?;
    if begun.is_done {
        bar.finish_and_clear();
        let rows = begun.rows_done;
        println!("all {rows} rows are stored already; --again reads them once more");
        return Ok(());
    }
    let from = begun.rows_done;
    let (mut rows, mut changed, mut unknown_symbols) = (0_u64, 0_u64, 0_u64);
    let mut done = from;
    let mut portion: Vec<R> = Vec::with_capacity(PORTION);
    loop {
        if stop.is_cancelled() {
            bar.finish_and_clear();
            bail!("stopped by a signal, {done} rows are stored; the next import goes on there");
        }
        let row = file.next_row()?;
        let is_end = row.is_none();
        if let Some(row) = row {
            rows += 1;
            if rows > from {
                portion.push(row);
            }
        }
        if portion.len() == PORTION || (is_end && !portion.is_empty()) {
            let stored = import.store(&portion, rows).await?;
            done = rows;
            changed += stored.changed;
            unknown_symbols += stored.unknown_symbols;
            portion.clear();
        }
        if is_end {
            break;
        }
    }
    import.end().await?;
    bar.finish_and_clear();
    let skipped = file.skipped();
    tell_skipped(&skipped);
    if unknown_symbols > 0 {
        eprintln!(
            "turnstile: {unknown_symbols} unknown symbols have a row in market.stocks now, market UNKNOWN"
        );
    }
    let seconds = begin.elapsed().as_secs_f64();
    println!(
        "{}",
        serde_json::json!({"kind": R::KIND, "rows": rows, "changed": changed,
            "unknown_symbols": unknown_symbols, "went_on_after": from, "skipped": skipped.count,
            "seconds": seconds})
    );
    Ok(())
}
