//! Ticks into PostgreSQL: through the price sink, which also keeps Redis current, against `psql \copy`
//! of the same rows into the same table, on the same server.
//!
//! The rows of each run lie a day after those of the run before, so every run fills a partition of its
//! own with its indexes in place. The two take turns; the ratio is that of the medians.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail, ensure};
use clap::Args as ClapArgs;
use rust_decimal::Decimal;
use secrecy::SecretString;
use serde::Serialize;
use turnstile_connectors::embedded::EmbeddedServers;
use turnstile_connectors::postgres::{
    self, Postgres, PostgresConfig, PriceRow, PriceSink, PriceSinkConfig,
};
use turnstile_connectors::redis::{Cache, RedisConfig};
use turnstile_dataflows::model::{LogicalTime, Price, Symbol};

use crate::clock::{Stopwatch, Took};
use crate::figures::Count;
use crate::process::Machine;
use crate::servers;

/// 2026-11-02 09:00 in Seoul, microseconds since the Unix epoch.
const BEGIN_US: u64 = 1_793_577_600_000_000;
const DAY_US: u64 = 86_400_000_000;

/// Arguments of `ingest`.
#[derive(Clone, Copy, Debug, ClapArgs)]
pub(crate) struct Args {
    /// Ticks of one run.
    #[arg(long, default_value_t = 500_000)]
    ticks: u64,
    /// Symbols they are spread over.
    #[arg(long, default_value_t = 2_000)]
    symbols: u64,
    /// Rows of one batch of the sink at most (`prices.batch_rows`).
    #[arg(long, default_value_t = PriceSinkConfig::default().batch_rows)]
    batch_rows: usize,
    /// Runs of each.
    #[arg(long, default_value_t = 3)]
    runs: u64,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// What `ingest` prints.
#[derive(Debug, Serialize)]
struct Report {
    machine: Machine,
    ticks: u64,
    symbols: u64,
    /// Rows a second, of each run.
    sink: Vec<f64>,
    psql_copy: Vec<f64>,
    /// Median of the sink over the median of `\copy`.
    ratio: f64,
    /// Rows found afterwards, all runs together.
    rows: i64,
    /// Symbols with a price in Redis afterwards.
    cached: u64,
}

/// Measures and prints.
///
/// # Errors
/// If the servers do not start, `psql` is missing, or a row is.
pub(crate) async fn run(args: Args) -> anyhow::Result<()> {
    let (servers, folder) = servers::start(true).await?;
    let report = measure(&servers, folder.path(), args).await;
    servers.stop().await?;
    let report = report?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        println!(
            "{} ticks: sink {:.0?} rows a second, psql \\copy {:.0?}; ratio {:.2}",
            report.ticks, report.sink, report.psql_copy, report.ratio
        );
    }
    Ok(())
}

async fn measure(servers: &EmbeddedServers, folder: &Path, args: Args) -> anyhow::Result<Report> {
    let url = servers.database_url().context("PostgreSQL runs")?;
    let config = PostgresConfig {
        url: SecretString::from(url),
        ..PostgresConfig::default()
    };
    postgres::migrate(&config).await?;
    let database = Postgres::connect(&config).await?;
    let redis_url = servers.redis_url().context("Redis runs")?;
    let cache = Cache::new(&RedisConfig {
        url: Some(SecretString::from(redis_url)),
        ..RedisConfig::default()
    })?;
    prepare(&database, args).await?;
    let psql = psql()?;
    let (mut sink, mut psql_copy) = (Vec::new(), Vec::new());
    for run in 0..args.runs {
        let rows = rows_of(args, 2 * run)?;
        let begin = Stopwatch::start()?;
        through_the_sink(&database, cache.clone(), rows, args.batch_rows).await?;
        sink.push(per_second(args.ticks, begin.took()?));

        let file = folder.join("rows.csv");
        write_file(&file, &rows_of(args, 2 * run + 1)?)?;
        let begin = Stopwatch::start()?;
        copy(&psql, url, &file)?;
        psql_copy.push(per_second(args.ticks, begin.took()?));
    }
    let client = database.client().await?;
    let rows: i64 = client
        .query_one("SELECT count(*) FROM market.prices", &[])
        .await?
        .try_get(0)?;
    ensure!(
        u64::try_from(rows)? == 2 * args.runs * args.ticks,
        "{rows} rows"
    );
    let cached = cached(redis_url).await?;
    ensure!(cached >= args.symbols, "{cached} symbols in Redis");
    Ok(Report {
        machine: Machine::here(),
        ticks: args.ticks,
        symbols: args.symbols,
        ratio: ratio(&sink, &psql_copy),
        sink,
        psql_copy,
        rows,
        cached,
    })
}

/// Makes the issues and the partitions of all runs.
async fn prepare(database: &Postgres, args: Args) -> anyhow::Result<()> {
    let client = database.client().await?;
    client
        .execute(
            "INSERT INTO market.stocks (symbol, name, market)
             SELECT lpad(n::text, 6, '0'), 'bench', 'KOSPI'
             FROM generate_series(0, $1::bigint - 1) n",
            &[&i64::try_from(args.symbols)?],
        )
        .await?;
    for run in 0..=2 * args.runs {
        let day = seoul_date(BEGIN_US + run * DAY_US);
        client
            .execute(
                "SELECT market.ensure_prices_partition($1::text::date)",
                &[&day],
            )
            .await?;
    }
    Ok(())
}

fn seoul_date(us: u64) -> String {
    let since =
        LogicalTime::from_micros(us).seoul_day() - LogicalTime::from_micros(BEGIN_US).seoul_day();
    format!("2026-11-{:02}", since + 2)
}

/// The rows of one run, one each hundred microseconds.
fn rows_of(args: Args, run: u64) -> anyhow::Result<Vec<PriceRow>> {
    let symbols = (0..args.symbols)
        .map(|n| format!("{n:06}").parse::<Symbol>())
        .collect::<Result<Vec<_>, _>>()?;
    let mut rows = Vec::with_capacity(usize::try_from(args.ticks)?);
    for tick in 0..args.ticks {
        let won = 10_000 + i64::try_from(tick % 613)?;
        let price = |won| Price::from_won(won);
        let at_us = BEGIN_US + run * DAY_US + tick * 100;
        rows.push(PriceRow {
            logical_us: at_us,
            symbol: symbols[usize::try_from(tick % args.symbols)?],
            exchange_us: at_us / 1_000_000 * 1_000_000,
            received_us: at_us,
            source: "KIS_WS",
            last: price(won)?,
            bid: Some(price(won - 10)?),
            ask: Some(price(won + 10)?),
            volume: 10,
            day_volume: Some(1_000 + i64::try_from(tick)?),
            day_value: Some(Decimal::from(10_000 * tick)),
            change: Some(Decimal::new(-120, 0)),
            change_rate: Some(Decimal::new(-119, 2)),
            bid_volume: Some(300),
            ask_volume: Some(400),
            session: "REGULAR",
        });
    }
    Ok(rows)
}

/// Hands the rows over one by one, as the sequencer does, and returns when all are committed.
async fn through_the_sink(
    database: &Postgres,
    cache: Cache,
    rows: Vec<PriceRow>,
    batch_rows: usize,
) -> anyhow::Result<()> {
    let config = PriceSinkConfig {
        batch_rows,
        ..PriceSinkConfig::default()
    };
    let (sink, handle) = PriceSink::start(config, database, cache, None).await?;
    for row in rows {
        ensure!(handle.send(row).await, "the sink ended");
    }
    drop(handle);
    sink.join().await;
    Ok(())
}

fn write_file(file: &Path, rows: &[PriceRow]) -> anyhow::Result<()> {
    let mut text = BufWriter::new(std::fs::File::create(file)?);
    let optional = |value: Option<String>| value.unwrap_or_default();
    for row in rows {
        writeln!(
            text,
            "{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}",
            seoul_date(row.logical_us),
            row.logical_us,
            row.symbol,
            stamp(row.exchange_us),
            stamp(row.received_us),
            row.source,
            row.last,
            optional(row.bid.map(|price| price.to_string())),
            optional(row.ask.map(|price| price.to_string())),
            row.volume,
            optional(row.day_volume.map(|volume| volume.to_string())),
            optional(row.day_value.map(|value| value.to_string())),
            optional(row.change.map(|value| value.to_string())),
            optional(row.change_rate.map(|value| value.to_string())),
            optional(row.bid_volume.map(|volume| volume.to_string())),
            optional(row.ask_volume.map(|volume| volume.to_string())),
            row.session
        )?;
    }
    text.flush()?;
    Ok(())
}

/// Returns a time as PostgreSQL reads it. All lie in the first hour after nine in Seoul.
fn stamp(us: u64) -> String {
    let of_day = us % DAY_US;
    let seconds = of_day / 1_000_000;
    format!(
        "{} {:02}:{:02}:{:02}.{:06}+00",
        seoul_date(us),
        seconds / 3_600,
        seconds / 60 % 60,
        seconds % 60,
        of_day % 1_000_000
    )
}

fn copy(psql: &Path, url: &str, file: &Path) -> anyhow::Result<()> {
    let command = format!(
        "\\copy market.prices (trade_date, logical_us, symbol, ts, recv_ts, source, last_price, bid, \
         ask, volume, acml_volume, trade_value, change_price, change_rate, bid_volume, ask_volume, \
         session) FROM '{}' CSV",
        file.display()
    );
    let done = Command::new(psql)
        .args([url, "--no-psqlrc", "--quiet", "--command", &command])
        .stdin(Stdio::null())
        .output()?;
    ensure!(
        done.status.success(),
        "psql: {}",
        String::from_utf8_lossy(&done.stderr)
    );
    Ok(())
}

/// Returns the program, from PATH or where Debian puts it.
fn psql() -> anyhow::Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    folders.extend(
        (15..=20).map(|version| PathBuf::from(format!("/usr/lib/postgresql/{version}/bin"))),
    );
    let found = folders
        .iter()
        .map(|folder| folder.join("psql"))
        .find(|file| file.exists());
    match found {
        Some(file) => Ok(file),
        None => bail!("psql is neither in PATH nor in /usr/lib/postgresql/*/bin"),
    }
}

async fn cached(url: &str) -> anyhow::Result<u64> {
    let client = redis::Client::open(url)?;
    let mut connection = client.get_multiplexed_async_connection().await?;
    Ok(redis::cmd("DBSIZE").query_async(&mut connection).await?)
}

#[expect(clippy::float_arithmetic, reason = "a figure for people")]
fn per_second(count: u64, took: Took) -> f64 {
    count.float() / took.seconds
}

#[expect(clippy::float_arithmetic, reason = "a figure for people")]
fn ratio(sink: &[f64], copy: &[f64]) -> f64 {
    let median = |values: &[f64]| {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        sorted[sorted.len() / 2]
    };
    median(sink) / median(copy)
}
