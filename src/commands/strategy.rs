//! `turnstile strategy`: the daily strategy by hand.

use std::collections::BTreeMap;

use anyhow::{Context, bail};
use clap::{Args as ClapArgs, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use jiff::civil::Date;
use turnstile_connectors::postgres::{Actor, Postgres, migrate};
use turnstile_connectors::redis::Cache;
use turnstile_connectors::strategy::{
    self, Asked, DayRun, Days, RunState, Scope, Told, Trigger, activate, names_of_portfolio,
    run_of_day,
};
use uuid::Uuid;

use super::stop_on_signal;
use crate::config::Config;

/// What the strategy is; the end of `turnstile strategy --help`.
pub(crate) const ABOUT: &str = "\
Once a day the strategy goes from every listed stock to target weights: universe, factors, signals, \
rankings, portfolio (docs/strategy.md). `turnstile stream` runs it by itself at `strategy.at` on \
trading days. Each stage is stored with the id of its input: strategy.universe_daily, factor_scores, \
signals, rankings, portfolios. The same input gives the run that is stored already.

A portfolio is a DRAFT until somebody puts it in force; then the one before is ARCHIVED.

  turnstile import daily bars.csv.gz         bars first; figures and flows where there are some
  turnstile strategy run                     the last session that has bars
  turnstile strategy run --from 2026-01-02 --to 2026-02-20
  turnstile strategy show                    what it says
  turnstile strategy activate 7f3cbd1e-98f4-4f0c-a8a5-6b5d3f6f2f01

A universe with fewer than `strategy.limits.universe_min` symbols, or with bars of less than half of \
the listings, is not published: the run is REFUSED, says why, and what stood before stays. What is \
held and watched is that of the moment of the run, also for a day of the past.";

/// Stages of a day that are told.
const STAGES: u64 = 7;

/// What to do with the strategy.
#[derive(Debug, ClapArgs)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Run it, and store what it says.
    ///
    /// Several days run in one dataflow, each after the one before; a further day costs what differs.
    /// Prints one line a day. Ends with status 1 where the last day is refused, or another run is
    /// under way.
    Run(Run),
    /// Show the last run, and its portfolio.
    Show {
        /// The day, such as 2026-02-20; the last one that was run without it.
        #[arg(long, value_name = "DATE")]
        date: Option<Date>,
    },
    /// Put a portfolio in force, in the place of the one that is.
    Activate {
        /// Its id, as `run` and `show` print it.
        #[arg(value_name = "PORTFOLIO")]
        portfolio: Uuid,
        /// Why; it is stored with it.
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
        #[command(flatten)]
        who: Who,
    },
}

#[derive(Debug, ClapArgs)]
struct Run {
    /// The day, such as 2026-02-20; the last session that has bars without it.
    #[arg(long, value_name = "DATE", conflicts_with_all = ["from", "to"])]
    date: Option<Date>,
    /// First of several days; sessions are the days that have bars.
    #[arg(long, value_name = "DATE", requires = "to")]
    from: Option<Date>,
    /// Last of several days.
    #[arg(long, value_name = "DATE", requires = "from")]
    to: Option<Date>,
    /// Run days again though runs of the same input are stored.
    #[arg(long)]
    again: bool,
    /// Put the portfolio of the last day in force.
    #[arg(long)]
    activate: bool,
    #[command(flatten)]
    who: Who,
}

#[derive(Debug, ClapArgs)]
struct Who {
    /// Who asks; it is stored with the run.
    #[arg(long, value_name = "NAME", env = "USER")]
    by: Option<String>,
}

impl Who {
    fn name(self) -> String {
        let given = self.by.filter(|name| !name.is_empty());
        given.unwrap_or_else(|| "cli".to_owned())
    }
}

pub(crate) async fn run(config: &Config, args: Args) -> anyhow::Result<()> {
    config.check_strategy()?;
    migrate(&config.postgres).await?;
    let postgres = Postgres::connect(&config.postgres).await?;
    match args.what {
        What::Run(args) => run_days(config, &postgres, args).await,
        What::Show { date } => show(config, &postgres, date).await,
        What::Activate {
            portfolio,
            reason,
            who,
        } => put_in_force(config, &postgres, portfolio, &who.name(), reason.as_deref()).await,
    }
}

async fn run_days(config: &Config, postgres: &Postgres, args: Run) -> anyhow::Result<()> {
    let days = match (args.date, args.from, args.to) {
        (_, Some(from), Some(to)) if to < from => {
            bail!("--to: {from} or later expected, was {to}")
        }
        (_, Some(from), Some(to)) => Days::Span(from, to),
        (Some(date), ..) => Days::One(date),
        _ => Days::Last,
    };
    let by = args.who.name();
    let asked = Asked {
        strategy_id: config.strategy.strategy_id.clone(),
        trigger: Trigger::Cli,
        asked_by: by.clone(),
        days,
        scope: Scope::All,
        again: args.again,
    };
    let style = ProgressStyle::with_template("{bar:40} {msg}, {elapsed}, {eta} left");
    let bar = ProgressBar::new(0).with_style(style.context("the progress bar")?);
    bar.set_message("reading");
    let stop = stop_on_signal()?;
    let tell = |told| show_progress(&bar, told);
    let running = strategy::run(postgres, &config.strategy.limits, &asked, &tell);
    let ran = stop.run_until_cancelled(Box::pin(running)).await;
    bar.finish_and_clear();
    let Some(ran) = ran else {
        bail!("stopped by a signal; the days before are stored");
    };
    let ran = ran?;
    let Some(last) = ran.last() else {
        bail!("no day was run");
    };
    if last.state == RunState::Refused {
        bail!("{} was refused; what stood before stays", last.as_of);
    }
    if args.activate {
        let Some(portfolio) = last.portfolio else {
            bail!("{} has no portfolio that could be activated", last.as_of);
        };
        put_in_force(config, postgres, portfolio, &by, Some("run --activate")).await?;
    }
    Ok(())
}

fn show_progress(bar: &ProgressBar, told: Told) {
    match told {
        Told::Days(days) => {
            let days = u64::try_from(days).unwrap_or(u64::MAX);
            bar.set_length(days.saturating_mul(STAGES));
        }
        Told::Loaded { rows, took } => bar.set_message(format!("{rows} rows read in {took:.1?}")),
        Told::Stage { as_of, stage, took } => {
            bar.inc(1);
            bar.set_message(format!("{as_of}: {} in {took:.1?}", stage.to_lowercase()));
        }
        Told::Day(run) => {
            if run.is_known {
                bar.inc(STAGES);
            }
            bar.suspend(|| println!("{}", line(&run)));
        }
    }
}

/// A day in one line.
fn line(run: &DayRun) -> String {
    let mut line = format!("{}  {}", run.as_of, state(run));
    let counts: Vec<String> = [
        "candidates",
        "passed",
        "evaluated",
        "buy",
        "sell",
        "selected",
        "names",
    ]
    .into_iter()
    .map(|name| {
        format!(
            "{name} {}",
            run.counts.get(name).copied().unwrap_or_default()
        )
    })
    .collect();
    if run.state == RunState::Done {
        line += &format!("  {}", counts.join(", "));
    }
    if let Some(reason) = &run.reason {
        line += &format!("  {reason}");
    }
    if let (Some(portfolio), Some(status)) = (run.portfolio, &run.portfolio_status) {
        line += &format!("  {status} {portfolio}");
    }
    if !run.is_known {
        line += &format!("  ({})", durations(&run.durations));
    }
    line
}

fn state(run: &DayRun) -> &'static str {
    match (run.state, run.is_known) {
        (RunState::Done, false) => "done   ",
        (RunState::Done, true) => "known  ",
        (RunState::Refused, _) => "refused",
    }
}

fn durations(durations: &BTreeMap<String, i64>) -> String {
    let order = [
        "LOAD",
        "FEED",
        "UNIVERSE",
        "FACTORS",
        "SIGNALS",
        "RANKINGS",
        "PORTFOLIO",
        "STORE",
    ];
    let told = order.iter().filter_map(|stage| {
        let millis = durations.get(*stage)?;
        Some(format!("{} {millis} ms", stage.to_lowercase()))
    });
    told.collect::<Vec<_>>().join(", ")
}

async fn show(config: &Config, postgres: &Postgres, date: Option<Date>) -> anyhow::Result<()> {
    let name = &config.strategy.strategy_id;
    let Some(run) = run_of_day(postgres, name, date).await? else {
        let of = date.map(|date| format!(" for {date}")).unwrap_or_default();
        bail!("strategy {name} has not been run{of}; `turnstile strategy run` does");
    };
    println!("{}", line(&run));
    println!("run {}: {}", run.run_id, durations(&run.durations));
    let Some(portfolio) = run.portfolio else {
        return Ok(());
    };
    println!("rank  symbol     weight  sector, name");
    let names = names_of_portfolio(postgres, portfolio).await?;
    for held in &names {
        let sector = held.sector.as_deref().unwrap_or("-");
        let name = held.name.as_deref().unwrap_or("-");
        let weight = percent(held.weight);
        println!(
            "{:>4}  {:<9} {weight:>7}  {sector}, {name}",
            held.rank, held.symbol
        );
    }
    let total: i32 = names.iter().map(|held| held.weight).sum();
    println!("      cash      {:>7}", percent(1_000_000 - total));
    Ok(())
}

/// Millionths as percent, cut off.
fn percent(millionths: i32) -> String {
    format!("{}.{:02} %", millionths / 10_000, millionths % 10_000 / 100)
}

async fn put_in_force(
    config: &Config,
    postgres: &Postgres,
    portfolio: Uuid,
    who: &str,
    why: Option<&str>,
) -> anyhow::Result<()> {
    let cache = Cache::new(&config.redis).context("redis.url")?;
    let activated = activate(postgres, &cache, portfolio, who, why, &Actor::default()).await?;
    let before = activated
        .archived
        .map(|before| format!(", in the place of {before}"));
    println!(
        "{portfolio} is the portfolio of strategy {} in force{}",
        activated.strategy_id,
        before.unwrap_or_default()
    );
    Ok(())
}
