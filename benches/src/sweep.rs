//! Tuning: throughput and latency over drain size, linger, workers and idle mode.

use clap::Args as ClapArgs;
use serde::Serialize;

use crate::exits;
use crate::input::Shape;
use crate::latency;
use crate::process::Machine;
use crate::setting::{IdleMode, Setting};

/// Arguments of `sweep`.
#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct Args {
    /// Drain sizes.
    #[arg(long, value_delimiter = ',', default_values_t = [64, 1_024, 4_096, 16_384])]
    batch: Vec<usize>,
    /// Microseconds of linger.
    #[arg(long, value_delimiter = ',', default_values_t = [0, 20])]
    linger_us: Vec<u64>,
    /// Worker threads.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 2])]
    workers: Vec<usize>,
    /// Idle modes.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [IdleMode::Spin, IdleMode::Park])]
    idle: Vec<IdleMode>,
    /// Ticks a second of the latency.
    #[arg(long, default_value_t = 20_000)]
    rate: u64,
    /// Seconds of each latency.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    #[command(flatten)]
    shape: Shape,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// One line of the table.
#[derive(Debug, Serialize)]
struct Row {
    setting: Setting,
    /// Of a prepared input; linger and idle mode do not matter to it.
    ticks_per_second: f64,
    p50_us: f64,
    p99_us: f64,
    p99_9_us: f64,
}

/// What `sweep` prints.
#[derive(Debug, Serialize)]
struct Report {
    machine: Machine,
    shape: Shape,
    rate: u64,
    seconds: u64,
    rows: Vec<Row>,
}

/// Measures and prints.
///
/// # Errors
/// If a measurement fails.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let mut report = Report {
        machine: Machine::here(),
        shape: args.shape,
        rate: args.rate,
        seconds: args.seconds,
        rows: Vec::new(),
    };
    if !args.json {
        println!(
            "{:>8} {:>7} {:>6} {:>5} {:>12} {:>9} {:>9} {:>9}",
            "workers", "batch", "linger", "idle", "ticks/s", "p50 us", "p99 us", "p99.9 us"
        );
    }
    for &workers in &args.workers {
        for &batch in &args.batch {
            let ticks_per_second = exits::engine_speed(&args.shape, workers, batch)?;
            for &linger_us in &args.linger_us {
                for &idle in &args.idle {
                    let setting = Setting {
                        workers,
                        batch,
                        linger_us,
                        idle,
                        ..Setting::default()
                    };
                    let row = row(args, setting, ticks_per_second)?;
                    if !args.json {
                        println!("{}", row.text());
                    }
                    report.rows.push(row);
                }
            }
        }
    }
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    }
    Ok(())
}

fn row(args: &Args, setting: Setting, ticks_per_second: f64) -> anyhow::Result<Row> {
    let run = latency::measure_apart(args.rate, args.seconds, &setting)?;
    Ok(Row {
        setting,
        ticks_per_second,
        p50_us: run.engine.p50_us,
        p99_us: run.engine.p99_us,
        p99_9_us: run.engine.p99_9_us,
    })
}

impl Row {
    fn text(&self) -> String {
        let Setting {
            workers,
            batch,
            linger_us,
            idle,
            ..
        } = self.setting;
        format!(
            "{workers:>8} {batch:>7} {linger_us:>6} {:>5} {:>12.0} {:>9.1} {:>9.1} {:>9.1}",
            idle.name(),
            self.ticks_per_second,
            self.p50_us,
            self.p99_us,
            self.p99_9_us
        )
    }
}
