//! Exits by three contestants on the same input: the engine, a hand-written loop, a plain join.
//!
//! Each runs in a process of its own, they take turns, and medians count. All must decide the same,
//! to the share and the price.

mod decided;
mod engine;
mod join;
mod judge;
mod levels;
mod report;
mod table;
mod vectors;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args as ClapArgs, ValueEnum};
use serde::{Deserialize, Serialize};

use crate::clock::{Stopwatch, Took};
use crate::input::{Input, Shape};
use crate::process;
use crate::setting::Setting;
pub(crate) use decided::Decided;
pub(crate) use report::{Args, engine_speed, measure, run};
use vectors::Vectors;

/// Who decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Who {
    /// The engine of Turnstile.
    Engine,
    /// The hand-written loop.
    Loop,
    /// The plain join.
    Join,
}

impl Who {
    /// All contestants, in the order of their turns.
    pub(crate) const ALL: [Self; 3] = [Self::Engine, Self::Loop, Self::Join];

    /// Returns the name as an argument.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Engine => "engine",
            Self::Loop => "loop",
            Self::Join => "join",
        }
    }
}

/// Arguments of one contestant's process.
#[derive(Debug, ClapArgs)]
pub(crate) struct ContestantArgs {
    who: Who,
    #[command(flatten)]
    shape: Shape,
    #[command(flatten)]
    setting: Setting,
    /// Where the decisions go.
    #[arg(long)]
    decisions: Option<PathBuf>,
    /// Seconds after which the join stops.
    #[arg(long, default_value_t = 30)]
    join_seconds: u64,
}

/// What came of one run.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// Measured ticks that were worked on.
    ticks: usize,
    took: Took,
    /// Time of the last of them.
    through_us: u64,
    /// Levels that were looked at and not reached.
    levels_examined: Option<u64>,
    bytes_per_position: Option<u64>,
    /// Of the opening as well.
    decisions: Vec<Decided>,
}

/// What the process of a contestant prints.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Ran {
    pub(crate) ticks: usize,
    pub(crate) seconds: f64,
    /// Seconds that the thread had a processor.
    pub(crate) cpu_seconds: f64,
    pub(crate) through_us: u64,
    pub(crate) levels_examined: Option<u64>,
    pub(crate) bytes_per_position: Option<u64>,
    pub(crate) peak_bytes: u64,
    pub(crate) new_highs: u64,
    /// Time of the last tick of the opening.
    pub(crate) opened_us: u64,
}

/// Runs one contestant and prints what came of it.
///
/// # Errors
/// If the input cannot be made or the contestant fails.
pub(crate) fn contest(args: &ContestantArgs) -> anyhow::Result<()> {
    let input = Input::new(&args.shape)?;
    let new_highs = input.new_highs;
    let opened_us = input.opening().last().map_or(0, |tick| tick.time.micros());
    let outcome = match args.who {
        Who::Engine => engine::run(input, args.setting)?,
        Who::Loop => run_loop(&input)?,
        Who::Join => join::run(input, Duration::from_secs(args.join_seconds))?,
    };
    let ran = Ran {
        ticks: outcome.ticks,
        seconds: outcome.took.seconds,
        cpu_seconds: outcome.took.cpu_seconds,
        through_us: outcome.through_us,
        levels_examined: outcome.levels_examined,
        bytes_per_position: outcome.bytes_per_position,
        peak_bytes: process::peak_bytes()?,
        new_highs,
        opened_us,
    };
    if let Some(path) = &args.decisions {
        decided::write(path, &outcome.decisions)?;
    }
    println!("{}", serde_json::to_string(&ran)?);
    Ok(())
}

fn run_loop(input: &Input) -> anyhow::Result<Outcome> {
    let mut vectors = Vectors::new(input);
    let mut decisions = Vec::with_capacity(2 * input.positions.len());
    for tick in input.opening() {
        vectors.tick(tick, &mut decisions);
    }
    let start = Stopwatch::start()?;
    for tick in input.measured() {
        vectors.tick(tick, &mut decisions);
    }
    Ok(Outcome {
        ticks: input.measured().len(),
        took: start.took()?,
        through_us: input.ticks.last().map_or(0, |tick| tick.time.micros()),
        levels_examined: None,
        bytes_per_position: None,
        decisions,
    })
}

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) use tests::by_loop;
