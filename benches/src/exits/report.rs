//! The contest: turns, medians, comparison of decisions, and what is printed.
#![expect(clippy::float_arithmetic, reason = "figures for people")]

use std::path::Path;

use anyhow::{Context, ensure};
use clap::Args as ClapArgs;
use serde::Serialize;

use super::decided::Stream;
use super::{Ran, Who};
use crate::figures::{Count, median, ratio};
use crate::input::Shape;
use crate::process::{self, Machine};
use crate::setting::Setting;

/// Arguments of `exits`.
#[derive(Clone, Copy, Debug, ClapArgs)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) shape: Shape,
    #[command(flatten)]
    pub(crate) setting: Setting,
    /// Turns of each contestant.
    #[arg(long, default_value_t = 5)]
    pub(crate) runs: usize,
    /// Seconds after which the join stops: it is compared on what it has done by then.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=30))]
    pub(crate) join_seconds: u64,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

/// What `exits` prints.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    machine: Machine,
    shape: Shape,
    workers: usize,
    batch: usize,
    pub(crate) engine_ticks_per_second: f64,
    pub(crate) loop_ticks_per_second: f64,
    pub(crate) join_ticks_per_second: f64,
    pub(crate) engine_over_loop: f64,
    pub(crate) engine_over_join: f64,
    /// The same by the time that the threads had a processor, which others disturb less.
    engine_over_loop_by_cpu: f64,
    engine_over_join_by_cpu: f64,
    /// Levels that a tick looked at and did not reach, on average.
    levels_examined_per_tick: Option<f64>,
    bytes_per_position: Option<u64>,
    engine_peak_bytes: u64,
    loop_peak_bytes: u64,
    join_peak_bytes: u64,
    /// Decisions of the measured ticks.
    decisions: usize,
    decisions_per_1000_ticks: f64,
    new_high_share: f64,
    /// Ticks that the join came to.
    join_ticks: usize,
    /// Ticks per second of each turn: engine, loop, join.
    turns: Vec<[f64; 3]>,
    decisions_are_equal: bool,
}

/// Runs the contest and prints it.
///
/// # Errors
/// If a contestant fails or decides otherwise than the loop.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let report = measure(args)?;
    if report.decisions_per_1000_ticks < 1.0 {
        eprintln!(
            "fewer than one decision in 1,000 ticks: more positions or fewer ticks make more"
        );
    }
    if !(0.005..=0.02).contains(&report.new_high_share) {
        eprintln!("new highs are not about 1 % of the ticks");
    }
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print!("{}", report.text());
    }
    Ok(())
}

/// Runs the contest.
///
/// # Errors
/// If a contestant fails or decides otherwise than the loop.
pub(crate) fn measure(args: &Args) -> anyhow::Result<Report> {
    ensure!(args.runs > 0, "at least one turn expected");
    let machine = Machine::here();
    let folder = tempfile::tempdir().context("a folder for the decisions")?;
    let mut turns = Vec::new();
    let mut decisions = None;
    for turn in 0..args.runs {
        let mut ran = Vec::new();
        for who in Who::ALL {
            let path = folder.path().join(who.name());
            ran.push(contestant(who, args, &path)?);
        }
        let [engine, looped, join] = <[Ran; 3]>::try_from(ran)
            .map_err(|ran| anyhow::anyhow!("three contestants expected, ran {}", ran.len()))?;
        decisions = Some(compare(folder.path(), &looped, &join, turn)?);
        turns.push([engine, looped, join]);
    }
    let decisions = decisions.context("at least one turn")?;
    Ok(summary(args, machine, &turns, decisions))
}

/// Runs the engine alone, in a process of its own, and returns its ticks per second.
///
/// # Errors
/// If it fails.
pub(crate) fn engine_speed(shape: &Shape, workers: usize, batch: usize) -> anyhow::Result<f64> {
    let setting = Setting {
        workers,
        batch,
        ..Setting::default()
    };
    let ran: Ran = process::rerun(&arguments(Who::Engine, shape, &setting))?;
    Ok(speed(&ran))
}

fn arguments(who: Who, shape: &Shape, setting: &Setting) -> Vec<String> {
    let mut arguments = vec!["contestant".to_owned(), who.name().to_owned()];
    arguments.extend(shape.arguments());
    arguments.extend(setting.arguments());
    arguments
}

fn contestant(who: Who, args: &Args, decisions: &Path) -> anyhow::Result<Ran> {
    let mut arguments = arguments(who, &args.shape, &args.setting);
    arguments.extend([
        "--join-seconds".to_owned(),
        args.join_seconds.to_string(),
        "--decisions".to_owned(),
        decisions.display().to_string(),
    ]);
    process::rerun(&arguments)
}

/// Compares the decisions of one turn and returns how many the measured ticks made.
fn compare(folder: &Path, looped: &Ran, join: &Ran, turn: usize) -> anyhow::Result<usize> {
    let read = |who: Who| Stream::read(&folder.join(who.name()));
    let by_loop = read(Who::Loop)?;
    let context = || format!("turn {}", turn + 1);
    by_loop
        .ensure_equal(&read(Who::Engine)?, looped.through_us, "the engine")
        .with_context(context)?;
    by_loop
        .ensure_equal(&read(Who::Join)?, join.through_us, "the join")
        .with_context(context)?;
    Ok(by_loop.count_after(looped.opened_us))
}

fn summary(args: &Args, machine: Machine, turns: &[[Ran; 3]], decisions: usize) -> Report {
    let speeds: Vec<[f64; 3]> = turns
        .iter()
        .map(|turn| turn.each_ref().map(speed))
        .collect();
    let speed_of = |who: usize| median(speeds.iter().map(|turn| turn[who]));
    let cpu_speed_of = |who: usize| median(turns.iter().map(|turn| cpu_speed(&turn[who])));
    let peak_of = |who: usize| turns.iter().map(|turn| turn[who].peak_bytes).max();
    let [engine, looped, join] = [0, 1, 2].map(speed_of);
    let [cpu_engine, cpu_loop, cpu_join] = [0, 1, 2].map(cpu_speed_of);
    let ticks = args.shape.ticks;
    let first = &turns[0];
    Report {
        machine,
        shape: args.shape,
        workers: args.setting.workers,
        batch: args.setting.batch,
        engine_ticks_per_second: engine,
        loop_ticks_per_second: looped,
        join_ticks_per_second: join,
        engine_over_loop: engine / looped,
        engine_over_join: engine / join,
        engine_over_loop_by_cpu: cpu_engine / cpu_loop,
        engine_over_join_by_cpu: cpu_engine / cpu_join,
        levels_examined_per_tick: first[0].levels_examined.map(|levels| ratio(levels, ticks)),
        bytes_per_position: turns
            .iter()
            .filter_map(|turn| turn[0].bytes_per_position)
            .max(),
        engine_peak_bytes: peak_of(0).unwrap_or(0),
        loop_peak_bytes: peak_of(1).unwrap_or(0),
        join_peak_bytes: peak_of(2).unwrap_or(0),
        decisions,
        decisions_per_1000_ticks: ratio(decisions, ticks) * 1_000.0,
        new_high_share: ratio(first[0].new_highs, ticks),
        join_ticks: median_ticks(turns),
        turns: speeds,
        decisions_are_equal: true, // Else the comparison has failed.
    }
}

fn speed(ran: &Ran) -> f64 {
    ran.ticks.float() / ran.seconds
}

fn cpu_speed(ran: &Ran) -> f64 {
    ran.ticks.float() / ran.cpu_seconds
}

fn median_ticks(turns: &[[Ran; 3]]) -> usize {
    let mut ticks: Vec<_> = turns.iter().map(|turn| turn[2].ticks).collect();
    ticks.sort_unstable();
    ticks[ticks.len() / 2]
}

impl Report {
    fn text(&self) -> String {
        let Shape {
            symbols, positions, ..
        } = self.shape;
        let row = |name: &str, speed: f64, peak: u64| {
            format!("{name:<8}{:>12.0} ticks/s{:>9} MiB\n", speed, peak >> 20)
        };
        let or_none = |value: Option<String>| value.unwrap_or_else(|| "not told".to_owned());
        [
            format!("{symbols} symbols, {positions} positions, decisions equal\n"),
            row(
                "engine",
                self.engine_ticks_per_second,
                self.engine_peak_bytes,
            ),
            row("loop", self.loop_ticks_per_second, self.loop_peak_bytes),
            row("join", self.join_ticks_per_second, self.join_peak_bytes),
            format!(
                "engine over loop  {:.3} (by processor time {:.3})\n",
                self.engine_over_loop, self.engine_over_loop_by_cpu
            ),
            format!(
                "engine over join  {:.1} (by processor time {:.1})\n",
                self.engine_over_join, self.engine_over_join_by_cpu
            ),
            format!(
                "levels examined per tick  {}\n",
                or_none(
                    self.levels_examined_per_tick
                        .map(|levels| format!("{levels:.3}"))
                )
            ),
            format!(
                "bytes per position  {}\n",
                or_none(self.bytes_per_position.map(|bytes| bytes.to_string()))
            ),
            format!(
                "decisions  {} ({:.2} in 1,000 ticks)\n",
                self.decisions, self.decisions_per_1000_ticks
            ),
            format!(
                "new highs  {:.2} % of the ticks\n",
                self.new_high_share * 100.0
            ),
        ]
        .concat()
    }
}
