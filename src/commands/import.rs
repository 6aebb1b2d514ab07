//! `turnstile import`: files into the database.

use std::path::PathBuf;

use anyhow::bail;
use clap::{Args as ClapArgs, Subcommand};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use turnstile_connectors::bars::Import;
use turnstile_connectors::postgres::{Postgres, migrate};
use turnstile_connectors::recorded::{DailyFile, DailyRow, OnFault};

use super::{progress, stop_on_signal, tell_skipped};
use crate::config::Config;

/// Rows that are stored at once.
const PORTION: usize = 8_192;

/// What the file holds; the end of `turnstile import daily --help`.
const DAILY: &str = "\
The file is CSV with a header, UTF-8, plain or compressed with gzip (told by content), its columns in \
any order:

  date, symbol, name, market, open, high, low, close, volume, value [, market_cap, shares, dept]

  market   KOSPI, KOSDAQ, KOSDAQ GLOBAL (KOSDAQ with its section) or KONEX
  prices   KRW with at most 4 decimals; open, high and low of a halted issue are 0
  dept     section of the market

Names and sections of the issues are those of their latest bar. Of two bars of one issue and day the \
later line counts. A file that broke off goes on where it was, known again by its content; a file that \
is stored already is left alone without --again. A malformed line stops the import with status 2 and \
names file, line, column and reason; what was stored before stays.";

/// What to import.
#[derive(Debug, ClapArgs)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Daily bars of issues, with their names and markets.
    #[command(after_long_help = DAILY)]
    Daily(Daily),
}

#[derive(Debug, ClapArgs)]
struct Daily {
    /// The bars (CSV).
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
        What::Daily(args) => daily(&postgres, &args, &stop).await,
    }
}

async fn daily(postgres: &Postgres, args: &Daily, stop: &CancellationToken) -> anyhow::Result<()> {
    let begin = Instant::now();
    let (mut import, begun) = Import::begin(postgres, &args.file).await?;
    if begun.is_done && !args.again {
        let rows = begun.rows_done;
        println!("all {rows} bars are stored already; --again reads them once more");
        return Ok(());
    }
    let bar = progress(&args.file)?;
    let told = bar.clone();
    let on_fault = if args.skip_bad {
        OnFault::Skip
    } else {
        OnFault::Stop
    };
    let on_read = Box::new(move |len| told.inc(len));
    let mut file = DailyFile::open(&args.file, on_fault, Some(on_read))?;
    let from = if begun.is_done { 0 } else { begun.rows_done };
    let (mut rows, mut changed) = (0_u64, 0_u64);
    let mut portion: Vec<DailyRow> = Vec::with_capacity(PORTION);
    loop {
        if stop.is_cancelled() {
            bar.finish_and_clear();
            bail!("stopped by a signal after {rows} bars; the next import goes on there");
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
            changed += import.store(&portion, rows).await?;
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
    let seconds = begin.elapsed().as_secs_f64();
    println!(
        "{}",
        serde_json::json!({"bars": rows, "changed": changed, "went_on_after": from,
            "skipped": skipped.count, "seconds": seconds})
    );
    Ok(())
}
