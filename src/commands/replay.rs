//! `turnstile replay`: the engine on a recorded day, from files or from the database.

mod stored;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, bail};
use clap::{Args as ClapArgs, ValueEnum};
use indicatif::ProgressBar;
use jiff::civil::Date;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use turnstile_connectors::recorded::{
    Day, DecisionFile, House, OnFault, RecordedError, Skipped, Ticks, read_contexts, read_control,
    read_positions, read_reentry, read_rules, recorded_time,
};
use turnstile_dataflows::engine::{self, EngineConfig, Output, OutputBatch};
use turnstile_dataflows::exit::{Alert, ExitOutput, Fills};

use super::{progress, stop_on_signal, tell_skipped};
use crate::config::Config;
pub(crate) use stored::Differs;

/// What the files hold; the end of `turnstile replay --help`.
pub(crate) const FORMATS: &str = "\
The files are CSV with a header, UTF-8, plain or compressed with gzip (told by content), their \
columns in any order. Rules are TOML. Unknown columns and keys are refused.

  ticks      ts, symbol, price [, bid, ask, volume, source]
  positions  position_id, symbol, qty, avg_price, entry_ts [, profile]
  rules      a table [profiles.NAME] for each profile
  atr        symbol, atr_pct [, prev_close]
  control    ts, mode [, scope]
  reentry    a table [rules.NAME] for each re-entry rule, with the columns of trade.reentry_rules,
             and at the top regime, the market regime from the beginning (none: unknown)

  ts, entry_ts  RFC 3339 with any offset (2013-10-07T08:00:00.464Z), or whole microseconds since
                1970 UTC. In ticks and control it never falls; equal times keep their order.
                Digits beyond the microsecond are cut off.
  price, avg_price, prev_close, bid, ask
                decimals with at most 4 places; a bid or ask of 0, or empty, is none. The bid is
                judged where there is one, else the price.
  atr_pct       ATR ÷ close of the day before, at most 6 places: 0.021 is 2.1 %
  profile       name in the rules; `default` where there is none
  mode          of exits RUNNING, PAUSE_PROFIT, PAUSE_ALL, EMERGENCY_FLATTEN; in the scope
                `reentry` RUNNING, PAUSE_ENTRY, PAUSE_ALL; in the scope `regime` RISK_ON, NEUTRAL,
                RISK_OFF, PANIC
  scope         `exit` (also where there is none), `reentry` or `regime`

A smallest example:

  ticks.csv      ts,symbol,price
                 2013-10-07T12:00:00Z,A,97
  positions.csv  position_id,symbol,qty,avg_price,entry_ts
                 p1,A,7,100,2013-10-07T09:00:00Z
  rules.toml     [profiles.default]
                 sl1 = { pnl = -0.03, qty = 0.5 }

  turnstile replay --ticks ticks.csv --positions positions.csv --rules rules.toml --out out.csv

and out.csv is

  ts,position_id,symbol,reason,phase,qty,price,level,action_key
  1381147200000001,p1,A,SL1,OPEN,4,97,97,p1:1:OPEN:SL1:1

Each control row, position and tick takes one microsecond of its own, in the order of ts, and of \
one ts control first, then positions by id, then ticks. A position enters when it was opened, but \
not before the first tick. Rules and ATR stand before all of it. The output is the same, byte for \
byte, for every --workers and --batch. docs/decisions.md says what is decided, and why.

A malformed line ends the replay with status 2 and names file, line, column and reason; nothing is \
written then. Other failures end it with status 1. The last line on standard error is JSON: \
ticks, positions, decisions, seconds, ticks_per_second.

From the database:

  turnstile --config turnstile.toml replay --from-database 2026-11-27

plays that day in Seoul as it is stored, market.prices and system.engine_events, through the engine \
again, and compares exits and purchases of re-entries with those of trade.orders: time, tick, \
reason, rule, phase, quantity, price, level, what is cancelled, and the whole explanation. It begins \
with the last load of an engine before the day, so an engine that has run for a week is played for \
a week. A day that goes on is played up to what is stored of it. Each difference is a line on \
standard output and a row of system.replay_differences: MISSING (stored, not made again), EXTRA (made \
now, not stored), DIFFERENT (a field, what is stored, what came out). What an engine decided in its \
last moment before it was killed, and had not proven to be stored, is `unproven` and no difference. \
With --out the decisions that came out are written as from files; position_id is then the candidate \
of a purchase.

  status 0  equal: what was decided came out again
  status 1  it could not be played: no engine ran, prices are archived, the database is away
  status 3  there are differences

The last line on standard error is JSON: ticks, events, decisions, unproven, differences, seconds.";

/// Options of a replay.
#[derive(Debug, ClapArgs)]
pub(crate) struct Args {
    /// Play a day that the database has stored, in Seoul, such as 2026-11-27, and compare what is
    /// decided with what was. Instead of files.
    #[arg(
        long, value_name = "DATE",
        conflicts_with_all = ["ticks", "positions", "rules", "atr", "control", "reentry", "fills",
            "batch", "skip_bad"]
    )]
    from_database: Option<Date>,
    /// Trades of the day, in the order of time (CSV).
    #[arg(long, value_name = "FILE", required_unless_present = "from_database")]
    ticks: Option<PathBuf>,
    /// Positions held or opened on the day (CSV).
    #[arg(long, value_name = "FILE", required_unless_present = "from_database")]
    positions: Option<PathBuf>,
    /// Rule profiles that the positions name (TOML).
    #[arg(long, value_name = "FILE", required_unless_present = "from_database")]
    rules: Option<PathBuf>,
    /// Where the decisions go (CSV). The file appears when the replay is over, and only if it
    /// succeeds.
    #[arg(long, value_name = "FILE", required_unless_present = "from_database")]
    out: Option<PathBuf>,
    /// ATR and previous close by symbol (CSV).
    #[arg(long, value_name = "FILE")]
    atr: Option<PathBuf>,
    /// Control modes that were set on the day (CSV); RUNNING before the first.
    #[arg(long, value_name = "FILE")]
    control: Option<PathBuf>,
    /// Re-entry rules (TOML): what is sold may be bought back. Only with immediate fills.
    #[arg(long, value_name = "FILE")]
    reentry: Option<PathBuf>,
    /// What becomes of a decision.
    #[arg(long, value_enum, default_value_t = FillsArg::Immediate)]
    fills: FillsArg,
    /// Worker threads; they change nothing but the speed.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=256))]
    workers: u16,
    /// Events worked on at one go at most; they change nothing but the speed.
    #[arg(long, value_name = "N", default_value_t = 4_096, value_parser = clap::value_parser!(u32).range(1..=1_048_576))]
    batch: u32,
    /// Leave malformed lines out, and tell how many, instead of ending at the first. Headers, the
    /// rules and a file that breaks off are not lines: they end the replay all the same.
    #[arg(long)]
    skip_bad: bool,
}

/// What becomes of a decision.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum FillsArg {
    /// It is filled whole, at the price judged and its own time, and moves the phase at once.
    Immediate,
    /// Nothing is filled; it stays an active order. What a full stop cancels is gone at once.
    None,
}

impl From<FillsArg> for Fills {
    fn from(fills: FillsArg) -> Self {
        match fills {
            FillsArg::Immediate => Self::Immediate,
            FillsArg::None => Self::None,
        }
    }
}

impl Args {
    /// Returns whether the database is read.
    pub(crate) fn is_from_database(&self) -> bool {
        self.from_database.is_some()
    }
}

/// Returns the file of an option that the command line cannot be without.
fn needed<'f>(file: &'f Option<PathBuf>, option: &str) -> anyhow::Result<&'f Path> {
    file.as_deref()
        .with_context(|| format!("{option}: a file expected"))
}

pub(crate) async fn run(config: &Config, args: Args) -> anyhow::Result<()> {
    if let Some(day) = args.from_database {
        return stored::run(config, day, args.workers, args.out.as_deref()).await;
    }
    let stop = stop_on_signal()?;
    let begin = Instant::now();
    let replaying = tokio::task::spawn_blocking(move || replay(&args, begin, stop));
    replaying.await.context("the replay failed")?
}

fn replay(args: &Args, begin: Instant, stop: CancellationToken) -> anyhow::Result<()> {
    if args.reentry.is_some() && matches!(args.fills, FillsArg::None) {
        bail!("--reentry needs immediate fills: where nothing is sold nothing is bought back");
    }
    let bar = progress(needed(&args.ticks, "--ticks")?)?;
    let (day, mut skipped) = read(args, &bar)?;
    let positions = day.positions.len();
    let house = day.reentry.as_ref().map(|(_rules, house)| house.clone());
    let (feed, report) = day.into_feed(stop.clone())?;
    let scribe = Arc::new(Mutex::new(Scribe {
        file: Some(DecisionFile::create(needed(&args.out, "--out")?)?),
        alerts: BTreeSet::new(),
        error: None,
        bar: bar.clone(),
        stop: stop.clone(),
        house,
    }));
    let config = EngineConfig {
        workers: args.workers.into(),
        batch: usize::try_from(args.batch).unwrap_or(usize::MAX),
        fills: args.fills.into(),
        views: false,
        ..EngineConfig::default()
    };
    let sink = scribe.clone();
    let ran = engine::run(&config, feed, move |batch| lock(&sink).take_down(batch));
    bar.finish_and_clear();
    let report = std::mem::take(&mut *lock(&report));
    let (file, error) = {
        let mut scribe = lock(&scribe);
        (scribe.file.take(), scribe.error.take())
    };
    ran?;
    if let Some(error) = report.error.or(error) {
        return Err(error.into());
    }
    let Some(file) = file.filter(|_| !stop.is_cancelled()) else {
        bail!("stopped by a signal; nothing was written");
    };
    let decisions = file.count();
    file.finish()?;
    skipped.merge(report.skipped);
    tell_skipped(&skipped);
    tell_end(begin, report.ticks, positions, decisions);
    Ok(())
}

fn lock<T>(shared: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Reads everything but the ticks.
fn read(args: &Args, bar: &ProgressBar) -> anyhow::Result<(Day, Skipped)> {
    let on_fault = if args.skip_bad {
        OnFault::Skip
    } else {
        OnFault::Stop
    };
    let rules = read_rules(needed(&args.rules, "--rules")?)?;
    let (positions, mut skipped) =
        read_positions(needed(&args.positions, "--positions")?, &rules, on_fault)?;
    let mut day = Day {
        rules,
        contexts: Default::default(),
        positions,
        control: Vec::new(),
        ticks: {
            let bar = bar.clone();
            let on_read = Box::new(move |len| bar.inc(len));
            Ticks::open(needed(&args.ticks, "--ticks")?, on_fault, Some(on_read))?
        },
        reentry: None,
    };
    if let Some(file) = &args.reentry {
        day.reentry = Some((read_reentry(file)?, Arc::new(Mutex::new(House::default()))));
    }
    if let Some(file) = &args.atr {
        let (contexts, left_out) = read_contexts(file, on_fault)?;
        day.contexts = contexts;
        skipped.merge(left_out);
    }
    if let Some(file) = &args.control {
        let (control, left_out) = read_control(file, on_fault)?;
        day.control = control;
        skipped.merge(left_out);
    }
    Ok((day, skipped))
}

/// Takes down what the engine says.
struct Scribe {
    file: Option<DecisionFile>,
    alerts: BTreeSet<Alert>,
    error: Option<RecordedError>,
    bar: ProgressBar,
    stop: CancellationToken,
    house: Option<Arc<Mutex<House>>>,
}

impl Scribe {
    fn take_down(&mut self, batch: OutputBatch) {
        for (time, output) in batch.outputs {
            match output {
                Output::Exit(ExitOutput::Decision(decision)) => {
                    if let Some(house) = &self.house {
                        lock(house).sell(time, &decision);
                    }
                    self.write(|file| file.write(recorded_time(time), &decision));
                }
                Output::Reentry(verdict) => {
                    let house = self.house.as_ref();
                    if let Some(bought) = house.and_then(|house| lock(house).follow(&verdict)) {
                        let time = recorded_time(time);
                        self.write(|file| file.write_entry(time, &verdict, &bought));
                    }
                }
                Output::Exit(ExitOutput::Alert(alert)) => self.alert(alert),
                Output::Exit(
                    ExitOutput::Withheld(_)
                    | ExitOutput::Freshness(_)
                    | ExitOutput::Levels(_)
                    | ExitOutput::Preview(_)
                    | ExitOutput::Nearness(_),
                )
                | Output::Unruled(_)
                | Output::Previewed(_)
                | Output::Price(_)
                | Output::Slot(..) => {}
            }
        }
    }

    fn write(&mut self, write: impl FnOnce(&mut DecisionFile) -> Result<(), RecordedError>) {
        let Some(file) = &mut self.file else { return };
        if let Err(error) = write(file) {
            // Nothing of it is of use any more.
            self.file = None;
            self.error = Some(error);
            self.stop.cancel();
        }
    }

    /// Tells an alert of a position once.
    fn alert(&mut self, mut alert: Alert) {
        alert.time = Default::default();
        if self.alerts.contains(&alert) {
            return;
        }
        self.bar.suspend(|| {
            eprintln!("turnstile: position {}: {}", alert.position, alert.message);
        });
        self.alerts.insert(alert);
    }
}

/// Tells the figures, as the last line.
fn tell_end(begin: Instant, ticks: u64, positions: usize, decisions: u64) {
    let micros = u64::try_from(begin.elapsed().as_micros()).unwrap_or(u64::MAX);
    let per_second = u128::from(ticks) * 1_000_000 / u128::from(micros.max(1));
    eprintln!(
        "{{\"ticks\":{ticks},\"positions\":{positions},\"decisions\":{decisions},\
         \"seconds\":{}.{:06},\"ticks_per_second\":{per_second}}}",
        micros / 1_000_000,
        micros % 1_000_000,
    );
}
