//! Latency under open-loop load: from the scheduled arrival of a tick at the sequencer's side of
//! the engine's channel to its decision at the sink.
//!
//! Arrivals stand on a schedule that waits for nobody, so a stall counts for every tick that it
//! delays. A pinger in the same run, half of it before and half after, shows what channel, threads
//! and machine alone take.

mod pacer;
mod percentiles;
mod schedule;
mod script;

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::ensure;
use clap::Args as ClapArgs;
use serde::{Deserialize, Serialize};
use turnstile_dataflows::engine::{Output, OutputBatch};
use turnstile_dataflows::exit::{ExitOutput, Fills};

use crate::clock;
use crate::input::Input;
use crate::process::{self, Machine};
use crate::running::Running;
use crate::setting::Setting;
use pacer::Start;
pub(crate) use percentiles::{Latencies, Percentiles};
use schedule::Schedule;
use script::Plot;

/// Decisions a second that are aimed at, where the rate allows it.
const DECISIONS_PER_SECOND: u64 = 2_000;
/// At most one tick of so many decides.
const DECIDES_EVERY_MIN: u64 = 5;

/// Arguments of `latency`.
#[derive(Clone, Copy, Debug, ClapArgs)]
pub(crate) struct Args {
    /// Ticks a second.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..=Schedule::RATE_MAX))]
    pub(crate) rate: u64,
    /// Seconds that count.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) seconds: u64,
    /// Seconds before that do not.
    #[arg(long, default_value_t = 2)]
    pub(crate) warm_up: u64,
    /// How often all is repeated.
    #[arg(long, default_value_t = 1)]
    pub(crate) runs: usize,
    /// Symbols.
    #[arg(long, default_value_t = 200)]
    pub(crate) symbols: usize,
    /// Positions beside those that are sold.
    #[arg(long, default_value_t = 10_000)]
    pub(crate) positions: usize,
    /// Seed of the prices between decisions.
    #[arg(long, default_value_t = 7)]
    pub(crate) seed: u64,
    #[command(flatten)]
    pub(crate) setting: Setting,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

/// One run.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Run {
    /// From a tick to its decision.
    pub(crate) engine: Percentiles,
    /// From a tick to its receipt by a thread that does nothing.
    pub(crate) pinger: Percentiles,
}

/// What `latency` prints.
#[derive(Debug, Serialize)]
struct Report {
    machine: Machine,
    rate: u64,
    seconds: u64,
    symbols: usize,
    positions: usize,
    setting: Setting,
    /// One tick of so many decides.
    decides_every: usize,
    runs: Vec<Run>,
    /// The run with the lowest p99.
    best: Run,
}

/// Measures and prints.
///
/// # Errors
/// If a decision is missing, or nothing can be measured.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    ensure!(args.runs > 0, "at least one run expected");
    let machine = Machine::here();
    let mut runs = Vec::new();
    for index in 0..args.runs {
        let run = measure(args)?;
        if !args.json {
            println!("run {}", index + 1);
            println!(
                "{}\n{}",
                run.engine.text("engine"),
                run.pinger.text("pinger")
            );
        }
        runs.push(run);
    }
    let order = |a: &&Run, b: &&Run| a.engine.p99_us.total_cmp(&b.engine.p99_us);
    let Some(best) = runs.iter().min_by(order).copied() else {
        return Ok(());
    };
    if args.json {
        let report = Report {
            machine,
            rate: args.rate,
            seconds: args.seconds,
            symbols: args.symbols,
            positions: args.positions,
            setting: args.setting,
            decides_every: decides_every(args.rate)?,
            runs,
            best,
        };
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else if args.runs > 1 {
        println!(
            "best\n{}\n{}",
            best.engine.text("engine"),
            best.pinger.text("pinger")
        );
    }
    Ok(())
}

/// Runs once in a process of its own.
///
/// # Errors
/// If that fails.
pub(crate) fn measure_apart(rate: u64, seconds: u64, setting: &Setting) -> anyhow::Result<Run> {
    let mut arguments: Vec<String> = ["latency", "--json", "--rate"].map(str::to_owned).into();
    arguments.extend([
        rate.to_string(),
        "--seconds".to_owned(),
        seconds.to_string(),
    ]);
    arguments.extend(setting.arguments());
    Ok(process::rerun::<Best>(&arguments)?.best)
}

/// What is read back of a report.
#[derive(Deserialize)]
struct Best {
    best: Run,
}

fn decides_every(rate: u64) -> anyhow::Result<usize> {
    Ok(usize::try_from(
        (rate / DECISIONS_PER_SECOND).max(DECIDES_EVERY_MIN),
    )?)
}

fn measure(args: &Args) -> anyhow::Result<Run> {
    let schedule = Schedule::new(args.rate);
    let warm_up = args.warm_up * args.rate;
    let plot = Plot {
        symbols: args.symbols,
        positions: args.positions,
        ticks: usize::try_from(warm_up + args.seconds * args.rate)?,
        decides_every: decides_every(args.rate)?,
        seed: args.seed,
    };
    let mut script = plot.script(schedule)?;
    let pinged = (script.measured().len() / 2)..;
    let ping = |script: &Input| {
        let ticks = &script.measured()[..pinged.start];
        pacer::ping(ticks, schedule, args.setting.idle, warm_up / 2)
    };
    let mut pinger = ping(&script)?;
    let engine = through_engine(args, &plot, schedule, &mut script)?;
    pinger.add(&ping(&script)?)?;
    Ok(Run {
        engine: engine.percentiles(),
        pinger: pinger.percentiles(),
    })
}

fn through_engine(
    args: &Args,
    plot: &Plot,
    schedule: Schedule,
    script: &mut Input,
) -> anyhow::Result<Latencies> {
    let warm_up = args.warm_up * args.rate;
    let start = Start::default();
    let latencies = Arc::new(Mutex::new(Latencies::new()?));
    let (begun, recorded) = (start.clone(), latencies.clone());
    let sink = move |batch: OutputBatch| {
        let now = clock::now();
        let Some(begin) = begun.get() else { return };
        let mut latencies = recorded.lock().unwrap_or_else(PoisonError::into_inner);
        for (time, output) in &batch.outputs {
            let index = schedule.index(*time);
            let is_decision = matches!(output, Output::Exit(ExitOutput::Decision(_)));
            if is_decision && index >= warm_up {
                let arrival = *begin + schedule.arrival(index);
                latencies.record(now.saturating_duration_since(arrival));
            }
        }
    };
    let mut running = Running::start(args.setting.config(Fills::Immediate), sink)?;
    running.load(script)?;
    pacer::pace(script.measured(), schedule, &start, running.sender())?;
    running.stop()?;
    let latencies = std::mem::replace(
        &mut *latencies.lock().unwrap_or_else(PoisonError::into_inner),
        Latencies::new()?,
    );
    let expected =
        plot.decisions_before(plot.ticks) - plot.decisions_before(usize::try_from(warm_up)?);
    let found = latencies.percentiles().samples;
    ensure!(
        found == u64::try_from(expected)?,
        "{expected} decisions expected, were {found}"
    );
    Ok(latencies)
}
