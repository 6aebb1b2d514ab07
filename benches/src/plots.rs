//! Plots of measurements: throughput against positions per symbol, latency against load.
//!
//! What was measured is kept beside the plots as JSON, so that they can be drawn again.

mod svg;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args as ClapArgs;
use serde::{Deserialize, Serialize};

use crate::exits;
use crate::figures::Count;
use crate::input::Shape;
use crate::latency;
use crate::setting::{IdleMode, Setting};
use svg::{Chart, Series};

/// Arguments of `plots`.
#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct Args {
    /// Folder of plots and figures.
    #[arg(long, default_value = "benches/plots")]
    folder: PathBuf,
    /// Draw again what was measured before.
    #[arg(long)]
    redraw: bool,
    /// Positions per symbol.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 5, 20, 100, 500])]
    per_symbol: Vec<usize>,
    /// Turns of each contestant.
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// Seconds after which the join stops.
    #[arg(long, default_value_t = 10)]
    join_seconds: u64,
    /// Ticks of the throughput.
    #[arg(long, default_value_t = 4_000_000)]
    ticks: usize,
    /// Ticks a second of the latency.
    #[arg(long, value_delimiter = ',', default_values_t = [1_000, 5_000, 20_000, 50_000, 100_000, 200_000])]
    rates: Vec<u64>,
    /// Seconds of each latency.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Symbols of the throughput.
    #[arg(long, default_value_t = 2_000)]
    symbols: usize,
}

/// Ticks per second at one number of positions per symbol.
#[derive(Debug, Serialize, Deserialize)]
struct Throughput {
    positions_per_symbol: usize,
    engine: f64,
    r#loop: f64,
    join: f64,
}

/// Latency at one load, in one idle mode.
#[derive(Debug, Serialize, Deserialize)]
struct Latency {
    rate: u64,
    idle: IdleMode,
    run: latency::Run,
}

/// Measures and draws.
///
/// # Errors
/// If a measurement fails or a file cannot be written.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    fs::create_dir_all(&args.folder).with_context(|| args.folder.display().to_string())?;
    let throughput_file = args.folder.join("throughput.json");
    let latency_file = args.folder.join("latency.json");
    if !args.redraw {
        write(&throughput_file, &pretty(&throughput(args)?)?)?;
        write(&latency_file, &pretty(&latencies(args)?)?)?;
    }
    let throughput: Vec<Throughput> = read(&throughput_file)?;
    let latencies: Vec<Latency> = read(&latency_file)?;
    write(
        &args.folder.join("throughput.svg"),
        &throughput_chart(&throughput).svg(),
    )?;
    write(
        &args.folder.join("latency.svg"),
        &latency_chart(&latencies).svg(),
    )
}

fn throughput(args: &Args) -> anyhow::Result<Vec<Throughput>> {
    let measured = args.per_symbol.iter().map(|&per_symbol| {
        eprintln!("{per_symbol} positions per symbol");
        let report = exits::measure(&exits::Args {
            shape: Shape {
                symbols: args.symbols,
                positions: args.symbols * per_symbol,
                ticks: args.ticks,
                ..Shape::default()
            },
            setting: Setting::default(),
            runs: args.runs,
            join_seconds: args.join_seconds,
            json: false,
        })?;
        Ok(Throughput {
            positions_per_symbol: per_symbol,
            engine: report.engine_ticks_per_second,
            r#loop: report.loop_ticks_per_second,
            join: report.join_ticks_per_second,
        })
    });
    measured.collect()
}

fn latencies(args: &Args) -> anyhow::Result<Vec<Latency>> {
    let mut measured = Vec::new();
    for idle in [IdleMode::Spin, IdleMode::Park] {
        for &rate in &args.rates {
            eprintln!("{rate} ticks/s, {idle}");
            let setting = Setting {
                idle,
                ..Setting::default()
            };
            let run = latency::measure_apart(rate, args.seconds, &setting)?;
            measured.push(Latency { rate, idle, run });
        }
    }
    Ok(measured)
}

fn throughput_chart(measured: &[Throughput]) -> Chart {
    let of = |name: &str, speed: fn(&Throughput) -> f64| Series {
        name: name.to_owned(),
        points: measured
            .iter()
            .map(|row| (row.positions_per_symbol.float(), speed(row)))
            .collect(),
    };
    Chart {
        title: "Throughput, one worker, every tick at its own logical time".to_owned(),
        x: "positions per symbol".to_owned(),
        y: "ticks per second".to_owned(),
        series: vec![
            of("engine", |row| row.engine),
            of("loop", |row| row.r#loop),
            of("join", |row| row.join),
        ],
    }
}

fn latency_chart(measured: &[Latency]) -> Chart {
    let of = |name: &str, idle: IdleMode, latency: fn(&latency::Run) -> f64| Series {
        name: name.to_owned(),
        points: measured
            .iter()
            .filter(|row| row.idle == idle)
            .map(|row| (row.rate.float(), latency(&row.run).max(0.1)))
            .collect(),
    };
    Chart {
        title: "From a tick's scheduled arrival to its decision".to_owned(),
        x: "ticks per second".to_owned(),
        y: "microseconds".to_owned(),
        series: vec![
            of("p50, spin", IdleMode::Spin, |run| run.engine.p50_us),
            of("p99, spin", IdleMode::Spin, |run| run.engine.p99_us),
            of("p99.9, spin", IdleMode::Spin, |run| run.engine.p99_9_us),
            of("p99, park", IdleMode::Park, |run| run.engine.p99_us),
            of("p99 of the pinger", IdleMode::Spin, |run| run.pinger.p99_us),
        ],
    }
}

fn pretty<T: Serialize>(rows: &[T]) -> anyhow::Result<String> {
    Ok(serde_json::to_string_pretty(rows)? + "\n")
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    fs::write(path, text).with_context(|| path.display().to_string())
}

fn read<T: for<'a> Deserialize<'a>>(path: &Path) -> anyhow::Result<Vec<T>> {
    let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    serde_json::from_str(&text).with_context(|| path.display().to_string())
}
