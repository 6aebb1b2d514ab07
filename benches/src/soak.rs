//! Resident memory over time: under ticks with positions that come and go, orders, rule edits and
//! the clock; and under silence, where only the clock speaks.

mod churn;
mod market;

use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use clap::Args as ClapArgs;
use serde::Serialize;
use turnstile_dataflows::engine::{Event, Output};
use turnstile_dataflows::exit::{ExitDecision, ExitOutput, Fills};
use turnstile_dataflows::model::LogicalTime;

use crate::clock;
use crate::figures::Count;
use crate::input::{Input, Shape};
use crate::process::{self, Machine};
use crate::running::Running;
use crate::setting::Setting;
use churn::Churn;
use market::Market;

/// How often the driver looks what is due.
const TURN: Duration = Duration::from_millis(1);
/// Rows of levels that may be told each second.
const LEVEL_ROWS: usize = 20_000;
/// What memory may grow by: a factor, and bytes beside it.
const GROWTH_MAX: f64 = 1.02;
const GROWTH_MAX_BYTES: u64 = 4 << 20;

/// Arguments of `soak`.
#[derive(Clone, Copy, Debug, ClapArgs)]
pub(crate) struct Args {
    /// Minutes; five or more, for the first is not compared.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
    minutes: u64,
    /// Only the clock speaks.
    #[arg(long)]
    silent: bool,
    /// Ticks a second.
    #[arg(long, default_value_t = 5_000)]
    rate: u64,
    /// Symbols.
    #[arg(long, default_value_t = 500)]
    symbols: usize,
    /// Positions held at any time.
    #[arg(long, default_value_t = 5_000)]
    positions: usize,
    /// Seed of prices and churn.
    #[arg(long, default_value_t = 7)]
    seed: u64,
    #[command(flatten)]
    setting: Setting,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// What `soak` prints.
#[derive(Debug, Serialize)]
struct Report {
    machine: Machine,
    setting: Setting,
    is_silent: bool,
    rate: u64,
    symbols: usize,
    positions: usize,
    ticks: u64,
    decisions: u64,
    positions_entered: u64,
    positions_left: u64,
    /// Median of resident memory in each minute.
    minutes_bytes: Vec<u64>,
    /// Median over minutes 2 and 3.
    early_bytes: u64,
    /// Median over the last two minutes.
    late_bytes: u64,
    late_over_early: f64,
    is_flat: bool,
}

/// Runs and prints.
///
/// # Errors
/// If the engine fails.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let machine = Machine::here();
    let (said, heard) = channel();
    let mut running = Running::start(args.setting.config(Fills::Reported), move |batch| {
        for (_time, output) in batch.outputs {
            if let Output::Exit(ExitOutput::Decision(decision)) = output {
                // Nobody listens any more at the end.
                let _ = said.send(decision);
            }
        }
    })?;
    let mut input = Input::new(&Shape {
        symbols: args.symbols,
        positions: args.positions,
        ticks: 0,
        seed: args.seed,
        busy: 0,
    })?;
    let mut driver = Driver {
        churn: Churn::new(&input, args.seed)?,
        market: Market::new(&input, args.seed),
        heard,
        ticks: 0,
        decisions: 0,
    };
    running.load(&mut input)?;
    drop(input);
    let samples = driver.drive(args, &mut running)?;
    running.stop()?;
    let report = report(args, machine, &driver, &samples);
    report.print(args.json)
}

struct Driver {
    churn: Churn,
    market: Market,
    heard: Receiver<Box<ExitDecision>>,
    ticks: u64,
    decisions: u64,
}

impl Driver {
    /// Drives the engine for as long as asked and returns its resident memory each second.
    fn drive(&mut self, args: &Args, running: &mut Running) -> anyhow::Result<Vec<u64>> {
        let begin = clock::now();
        let base = running.last();
        let mut samples = Vec::with_capacity(usize::try_from(args.minutes * 60)?);
        for second in 1..=args.minutes * 60 {
            if !args.silent {
                self.second(args, running, begin, base, second)?;
            }
            sleep_until(begin + Duration::from_secs(second));
            let now = at(begin, base, running);
            running.send(now, Event::Clock)?;
            if !args.silent {
                running.send(now.plus_micros(1), Event::Levels(LEVEL_ROWS))?;
            }
            running.wait()?;
            samples.push(process::resident_bytes()?);
        }
        Ok(samples)
    }

    /// Sends what belongs to one second, spread over it.
    fn second(
        &mut self,
        args: &Args,
        running: &mut Running,
        begin: Instant,
        base: LogicalTime,
        second: u64,
    ) -> anyhow::Result<()> {
        for changes in self.churn.each_second(second)? {
            let time = at(begin, base, running);
            running.send(time, Event::Changes(changes))?;
        }
        let end = begin + Duration::from_secs(second);
        while clock::now() < end {
            let elapsed = begin.elapsed();
            let due = u64::try_from(elapsed.as_micros())? * args.rate / 1_000_000;
            while self.ticks < due {
                let tick = self.market.next(at(begin, base, running))?;
                running.send(tick.time, Event::Tick(tick))?;
                self.ticks += 1;
            }
            while let Ok(decision) = self.heard.try_recv() {
                self.decisions += 1;
                for changes in self.churn.answer(&decision)? {
                    let time = at(begin, base, running);
                    running.send(time, Event::Changes(changes))?;
                }
            }
            thread::sleep(TURN);
        }
        Ok(())
    }
}

/// Returns the logical time of now: real time since the begin, later than any event before.
fn at(begin: Instant, base: LogicalTime, running: &Running) -> LogicalTime {
    let elapsed = u64::try_from(begin.elapsed().as_micros()).unwrap_or(u64::MAX);
    base.plus_micros(elapsed).max(running.last().plus_micros(1))
}

fn sleep_until(instant: Instant) {
    thread::sleep(instant.saturating_duration_since(clock::now()));
}

#[expect(clippy::float_arithmetic, reason = "figures for people")]
fn report(args: &Args, machine: Machine, driver: &Driver, samples: &[u64]) -> Report {
    let minutes: Vec<&[u64]> = samples.chunks(60).collect();
    let early: Vec<u64> = samples.iter().copied().skip(60).take(120).collect();
    let late = &samples[samples.len().saturating_sub(120)..];
    let (early_bytes, late_bytes) = (middle(&early), middle(late));
    let allowed = early_bytes.float() * GROWTH_MAX + GROWTH_MAX_BYTES.float();
    Report {
        machine,
        setting: args.setting,
        is_silent: args.silent,
        rate: if args.silent { 0 } else { args.rate },
        symbols: args.symbols,
        positions: args.positions,
        ticks: driver.ticks,
        decisions: driver.decisions,
        positions_entered: driver.churn.entered(),
        positions_left: driver.churn.left(),
        minutes_bytes: minutes.into_iter().map(middle).collect(),
        early_bytes,
        late_bytes,
        late_over_early: late_bytes.float() / early_bytes.float(),
        is_flat: late_bytes.float() <= allowed,
    }
}

fn middle(samples: &[u64]) -> u64 {
    let mut samples = samples.to_vec();
    samples.sort_unstable();
    samples.get(samples.len() / 2).copied().unwrap_or_default()
}

impl Report {
    fn print(&self, as_json: bool) -> anyhow::Result<()> {
        if as_json {
            println!("{}", serde_json::to_string_pretty(self)?);
            return Ok(());
        }
        for (minute, bytes) in (1..).zip(&self.minutes_bytes) {
            println!("minute {minute:>3}  {:>8} KiB", bytes >> 10);
        }
        println!(
            "{} ticks, {} decisions, {} positions entered, {} left",
            self.ticks, self.decisions, self.positions_entered, self.positions_left
        );
        println!(
            "last two minutes over minutes 2 and 3: {:.4} ({})",
            self.late_over_early,
            if self.is_flat { "flat" } else { "growing" }
        );
        Ok(())
    }
}
