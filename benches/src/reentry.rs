//! What re-entry candidates cost a tick: the engine over the same walk of prices with candidates,
//! with as many positions, and with neither.
#![expect(clippy::float_arithmetic, reason = "figures for people")]

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use clap::Args as ClapArgs;
use serde::Serialize;
use serde_json::json;
use turnstile_dataflows::engine::{self, Change, Event, Feed, Output, Timed};
use turnstile_dataflows::exit::Fills;
use turnstile_dataflows::model::{LogicalTime, Price, Quantity, Regime, RegimeOverride, Tick};
use turnstile_dataflows::reentry::{
    ExitEvent, ReentryLimits, ReentryRule, ReentryTrigger, Verdict,
};

use crate::clock::{Stopwatch, Took};
use crate::figures::median;
use crate::input::{Input, OPEN_US, Shape, load_events};
use crate::process::Machine;
use crate::setting::Setting;

/// Candidates of one event of the load.
const LOAD_EVENT_CANDIDATES: usize = 1_000;
/// Events of the clock between the load and the ticks, so that traces compact.
const SETTLE_EVENTS: usize = 64;
const MINUTE_US: u64 = 60_000_000;

/// Arguments of `reentry`.
#[derive(Clone, Copy, Debug, ClapArgs)]
pub(crate) struct Args {
    /// Symbols.
    #[arg(long, default_value_t = 2_000)]
    symbols: usize,
    /// Candidates, and positions of the run that they are compared with.
    #[arg(long, default_value_t = 100_000)]
    candidates: usize,
    /// Ticks after the opening.
    #[arg(long, default_value_t = 2_000_000)]
    ticks: usize,
    /// Turns of each.
    #[arg(long, default_value_t = 3)]
    runs: usize,
    #[command(flatten)]
    setting: Setting,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// What `reentry` prints. Nanoseconds are those that the engine's thread had a processor.
#[derive(Debug, Serialize)]
struct Report {
    machine: Machine,
    symbols: usize,
    candidates: usize,
    ticks: usize,
    ns_per_tick_with_neither: f64,
    ns_per_tick_with_positions: f64,
    ns_per_tick_with_candidates: f64,
    /// What positions and candidates add to a tick.
    exits_add_ns: f64,
    reentries_add_ns: f64,
    /// What candidates add over what positions add: of the medians, and of each run.
    ratio: f64,
    ratios: Vec<f64>,
    /// Entries that the candidates came to.
    entries: usize,
    /// Refusals that were said meanwhile, each once: most of them that another candidate of the
    /// symbol is buying.
    refusals: usize,
}

/// What candidates said.
#[derive(Clone, Copy, Debug, Default)]
struct Said {
    entries: usize,
    refusals: usize,
}

impl Said {
    fn count(&mut self, output: &Output) {
        if let Output::Reentry(verdict) = output {
            self.entries += usize::from(matches!(verdict.verdict, Verdict::Submit { .. }));
            self.refusals += usize::from(matches!(verdict.verdict, Verdict::Blocked { .. }));
        }
    }
}

/// Measures and prints.
///
/// # Errors
/// If the input cannot be made or the engine fails.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let (mut neither, mut positions, mut candidates) = (Vec::new(), Vec::new(), Vec::new());
    let mut said = Said::default();
    for _ in 0..args.runs.max(1) {
        neither.push(one(args, 0, 0)?.0);
        positions.push(one(args, args.candidates, 0)?.0);
        let (ns, of_run) = one(args, 0, args.candidates)?;
        candidates.push(ns);
        said = of_run;
    }
    let runs = neither.iter().zip(&positions).zip(&candidates);
    let ratios = runs
        .map(|((neither, positions), candidates)| (candidates - neither) / (positions - neither))
        .collect();
    let [neither, positions, candidates] = [neither, positions, candidates].map(median);
    let report = Report {
        machine: Machine::here(),
        symbols: args.symbols,
        candidates: args.candidates,
        ticks: args.ticks,
        ns_per_tick_with_neither: neither,
        ns_per_tick_with_positions: positions,
        ns_per_tick_with_candidates: candidates,
        exits_add_ns: positions - neither,
        reentries_add_ns: candidates - neither,
        ratio: (candidates - neither) / (positions - neither),
        ratios,
        entries: said.entries,
        refusals: said.refusals,
    };
    if args.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        println!(
            "{neither:.0} ns a tick with neither, {positions:.0} with {} positions, \
             {candidates:.0} with as many candidates (which add {:.2} times as much); {} entries, \
             {} refusals",
            args.candidates, report.ratio, said.entries, said.refusals
        );
    }
    Ok(())
}

/// Runs the engine once. Returns nanoseconds a tick and what was said.
fn one(args: &Args, positions: usize, candidates: usize) -> anyhow::Result<(f64, Said)> {
    let mut input = Input::new(&Shape {
        symbols: args.symbols,
        positions,
        ticks: args.ticks,
        ..Shape::default()
    })?;
    let opening: Vec<Tick> = input.opening().to_vec();
    let mut load: Vec<Vec<Change>> = load_events(&mut input)?.collect();
    load.extend(candidate_events(&opening, candidates)?);
    let first_us = OPEN_US - MINUTE_US;
    let clocks = std::iter::repeat_n(Event::Clock, SETTLE_EVENTS);
    let events = load.into_iter().map(Event::Changes).chain(clocks);
    let mut events: Vec<Timed> = events
        .zip(first_us..)
        .map(|(event, us)| Timed {
            time: LogicalTime::from_micros(us),
            event,
        })
        .collect();
    let tick = |tick: &Tick| Timed {
        time: tick.time,
        event: Event::Tick(*tick),
    };
    events.extend(opening.iter().map(tick));
    events.reverse();
    let took: Arc<Mutex<Option<Took>>> = Arc::default();
    let said = Arc::new(Mutex::new(Said::default()));
    let mut ticks = input.measured().to_vec();
    ticks.reverse();
    let count = ticks.len();
    let feed = Load {
        events,
        ticks,
        watch: None,
        took: took.clone(),
    };
    let counted = said.clone();
    engine::run(&args.setting.config(Fills::Immediate), feed, move |batch| {
        let mut said = counted.lock().unwrap_or_else(PoisonError::into_inner);
        batch
            .outputs
            .iter()
            .for_each(|(_time, output)| said.count(output));
    })?;
    let took = took.lock().unwrap_or_else(PoisonError::into_inner).take();
    let took = took.context("the ticks were not timed")?;
    let said = *said.lock().unwrap_or_else(PoisonError::into_inner);
    let count = u32::try_from(count.max(1))?;
    Ok((took.cpu_seconds * 1e9 / f64::from(count), said))
}

/// Returns the rule and the exit events: each symbol was left at prices up to 5 % above its present
/// one, and comes back 2 % above those.
fn candidate_events(opening: &[Tick], candidates: usize) -> anyhow::Result<Vec<Vec<Change>>> {
    let trigger = json!({"type": "REBOUND", "rebound": 0.02});
    let trigger = ReentryTrigger::from_value(&trigger).map_err(anyhow::Error::msg)?;
    let rule = ReentryRule {
        id: "rebound".into(),
        symbol: None,
        exit_reason: "SL".into(),
        regime: None,
        allows_candidate: true,
        allows_entry: true,
        cooldown_us: 0,
        watch_us: 1_000 * 24 * 60 * MINUTE_US,
        per_day_max: 1_000,
        per_week_max: 1_000,
        total_max: 1,
        size: rust_decimal::Decimal::new(6, 1).try_into()?,
        second_size: None,
        trigger,
        priority: 0,
    };
    let regime = RegimeOverride {
        regime: Regime::Neutral,
        until: LogicalTime::MAX,
    };
    let mut events = vec![vec![
        Change::ReentryRule(rule.id.clone(), Some(rule)),
        Change::RegimeOverride(Some(regime)),
        Change::ReentryLimits(Some(ReentryLimits::default())),
    ]];
    let mut rows = Vec::with_capacity(candidates);
    for number in 0..candidates {
        let tick = opening[number % opening.len()];
        let above = i64::try_from(number / opening.len() % 50)?;
        let price = tick.last.units() / 1_000 * (1_000 + above);
        rows.push(Change::ExitEvent(ExitEvent {
            id: format!("e{number}").parse()?,
            symbol: tick.symbol,
            reason: "SL2".into(),
            // Days apart, so that no loss lengthens the cooldown of another.
            exit: LogicalTime::from_micros(
                OPEN_US - MINUTE_US - u64::try_from(number / opening.len())? * 60 * MINUTE_US * 25,
            ),
            exit_price: Price::from_units(price.max(1))?,
            original_qty: Quantity::new(100)?,
            prior_hwm: None,
        }));
    }
    events.extend(rows.chunks(LOAD_EVENT_CANDIDATES).map(<[Change]>::to_vec));
    Ok(events)
}

/// Gives out the load one event at a time, then the ticks as fast as they are taken.
struct Load {
    /// The last comes first.
    events: Vec<Timed>,
    ticks: Vec<Tick>,
    watch: Option<Stopwatch>,
    took: Arc<Mutex<Option<Took>>>,
}

impl Feed for Load {
    fn next(&mut self, max: usize, events: &mut Vec<Timed>) -> bool {
        if let Some(event) = self.events.pop() {
            events.push(event);
            return true;
        }
        // All calls come from the one thread that feeds; what came before is worked on by now.
        if self.watch.is_none() {
            self.watch = Stopwatch::start().ok();
        }
        if self.ticks.is_empty() {
            let took = self.watch.take().and_then(|watch| watch.took().ok());
            *self.took.lock().unwrap_or_else(PoisonError::into_inner) = took;
            return false;
        }
        while events.len() < max
            && let Some(tick) = self.ticks.pop()
        {
            let time = tick.time;
            events.push(Timed {
                time,
                event: Event::Tick(tick),
            });
        }
        true
    }
}
