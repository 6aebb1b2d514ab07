//! `turnstile archive`: archived prices, looked at and put back.

use std::path::{Path, PathBuf};

use anyhow::bail;
use clap::{Args as ClapArgs, Subcommand};
use indicatif::ProgressBar;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::{TimeZone, offset};
use tokio_util::sync::CancellationToken;
use turnstile_connectors::postgres::{Postgres, migrate};
use turnstile_connectors::recorded::OnRead;
use turnstile_connectors::retention::{Archive, archives, restore, verify};

use super::{progress, stop_on_signal};
use crate::config::Config;

/// What an archive is; the end of `turnstile archive --help`.
pub(crate) const ABOUT: &str = "\
With `retention.days` the stream job archives older days of prices and detaches them from
market.prices. An archive is prices_20261101.csv.gz in `retention.folder`: CSV with a header, gzip.
Beside it lies prices_20261101.csv.gz.sha256 for `sha256sum -c`; rows, times and checksums stand in
system.archives. Prices that came for the day later are prices_20261101_2.csv.gz.

The detached table stays, as archive.prices_20261101: Turnstile deletes no price. To make room,
verify the archive, keep a copy of it elsewhere, then drop the table yourself:

  turnstile archive verify 2026-11-01
  psql $DATABASE_URL -c 'DROP TABLE archive.prices_20261101'

Without Turnstile, into any table with these columns:

  zcat prices_20261101.csv.gz | psql -c '\\copy prices from stdin with (format csv, header)'";

/// What to do with archives.
#[derive(Debug, ClapArgs)]
pub(crate) struct Args {
    /// Folder of the archives, instead of `retention.folder`.
    #[arg(long, global = true, value_name = "FOLDER")]
    folder: Option<PathBuf>,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Show the archives: prices, times in Seoul, and whether file and detached table are there.
    List,
    /// Read archives again, and compare checksums, prices and times with what was recorded.
    ///
    /// Changes nothing. Ends with status 1 where an archive is missing or damaged, and names the
    /// checksum and, where the content breaks, the line.
    Verify {
        /// The day, such as 2026-11-01; all days without it.
        #[arg(value_name = "DAY")]
        day: Option<Date>,
    },
    /// Put the prices of a day back into market.prices, to be queried or replayed.
    ///
    /// Every archive of the day is verified first; of several with the same prices, the last. All of
    /// its prices are put back or none; those that are there already are left alone, so twice is as
    /// once. The day is not archived again before --keep days are over. A day of one archive then
    /// leaves without a new one, where nothing came since; a day of several with one of them all.
    Restore {
        /// The day, such as 2026-11-01.
        #[arg(value_name = "DAY")]
        day: Date,
        /// Days for which it stays attached.
        #[arg(long, default_value = "30", value_name = "DAYS")]
        keep: u16,
    },
}

pub(crate) async fn run(config: &Config, args: Args) -> anyhow::Result<()> {
    config.check_stores()?;
    migrate(&config.postgres).await?;
    let postgres = Postgres::connect(&config.postgres).await?;
    let stop = stop_on_signal()?;
    let folder = args.folder.as_deref().unwrap_or(config.retention.folder());
    match args.what {
        What::List => list(&postgres, folder).await,
        What::Verify { day } => verify_all(&postgres, folder, day, &stop).await,
        What::Restore { day, keep } => {
            let mut bars = Vec::new();
            let on_read = |archive: &Archive| {
                let bar = bar_of(folder, archive);
                bars.push(bar.clone());
                told_by(bar)
            };
            let work = restore(&postgres, folder, day, keep, on_read);
            let restored = stop.run_until_cancelled(work).await;
            bars.iter().for_each(ProgressBar::finish_and_clear);
            let Some(restored) = restored else {
                bail!(
                    "stopped by a signal; `turnstile archive list` says whether {day} was put back"
                );
            };
            let restored = restored?;
            println!(
                "{day}: {} prices, {} of them were not there before; attached through {}",
                restored.rows, restored.added, restored.kept_until
            );
            Ok(())
        }
    }
}

async fn list(postgres: &Postgres, folder: &Path) -> anyhow::Result<()> {
    let client = postgres.client().await?;
    let archives = archives(&**client, None).await?;
    if archives.is_empty() {
        println!("no archives; `retention.days` says after how many days prices are archived");
        return Ok(());
    }
    println!("day         part      prices  from      to             bytes  file, table, state");
    for archive in archives {
        let (from, to) = archive.span().map_or_else(
            || ("-".to_owned(), "-".to_owned()),
            |(first, last)| (time(first), time(last)),
        );
        let mut state = vec![archive.file.clone()];
        if !folder.join(&archive.file).exists() {
            state.push(format!("not in {}", folder.display()));
        }
        state.push(match archive.has_table {
            true => format!("archive.{}", archive.table),
            false => "table dropped".to_owned(),
        });
        if let Some(until) = archive.kept_until {
            state.push(format!("put back, kept through {until}"));
        }
        println!(
            "{:<10}  {:>4}  {:>10}  {from:<8}  {to:<8}  {:>10}  {}",
            archive.day.to_string(),
            archive.part,
            archive.rows(),
            archive.bytes(),
            state.join(", ")
        );
    }
    Ok(())
}

/// Returns a time of day in Seoul.
fn time(us: i64) -> String {
    let time = Timestamp::from_microsecond(us).unwrap_or(Timestamp::MAX);
    let there = time.to_zoned(TimeZone::fixed(offset(9)));
    there.strftime("%H:%M:%S").to_string()
}

async fn verify_all(
    postgres: &Postgres,
    folder: &Path,
    day: Option<Date>,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let archives = archives(&**postgres.client().await?, day).await?;
    if archives.is_empty() {
        bail!("no archive to verify: `turnstile archive list` shows those that there are");
    }
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    for archive in &archives {
        let bar = bar_of(folder, archive);
        let verified = verify(folder, archive, told_by(bar.clone()));
        let verified = stop.run_until_cancelled(verified).await;
        bar.finish_and_clear();
        match verified {
            None => bail!("stopped by a signal"),
            Some(Ok(())) => {
                good.push(archive);
                println!("{}: {} prices, as recorded", archive.file, archive.rows());
            }
            Some(Err(error)) => {
                bad.push(archive);
                eprintln!("turnstile: {:#}", anyhow::Error::from(error));
            }
        }
    }
    let all = archives.len();
    // What another archive has whole is not lost.
    bad.retain(|bad| {
        let other = good.iter().find(|good| good.has_prices_of(bad));
        if let Some(other) = other {
            println!("{}: {} has the same prices", bad.file, other.file);
        }
        other.is_none()
    });
    if !bad.is_empty() {
        let bad = bad.len();
        bail!("{bad} of {all} archives cannot be relied on: do not drop their tables");
    }
    match good.len() {
        count if count == all => println!("all {all} archives are as recorded"),
        count => println!("{count} of {all} archives are as recorded, and have all prices"),
    }
    Ok(())
}

/// Returns a bar over an archive, which is read twice: for its checksum and for its lines.
fn bar_of(folder: &Path, archive: &Archive) -> ProgressBar {
    let bar = progress(&folder.join(&archive.file)).unwrap_or_else(|_| ProgressBar::hidden());
    bar.set_length(2 * archive.bytes().unsigned_abs());
    bar
}

fn told_by(bar: ProgressBar) -> OnRead {
    Box::new(move |len| bar.inc(len))
}
