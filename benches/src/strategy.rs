//! What the daily strategy costs: all symbols and bars from nothing, and one changed bar until all that
//! follows from it stands.
#![expect(clippy::float_arithmetic, reason = "figures for people")]

use std::sync::Arc;

use anyhow::Context;
use clap::Args as ClapArgs;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rust_decimal::Decimal;
use serde::Serialize;
use turnstile_dataflows::model::Symbol;
use turnstile_strategy::{
    Bar, Change, Day, Disclosure, Flow, Fundamental, Instrument, Listing, ListingStatus, Market,
    Session, with,
};

use crate::clock::Stopwatch;
use crate::figures::median;
use crate::process::Machine;

/// The first session; each later one is the day after.
const FIRST_DAY: u32 = 20_000;
const FLOWS: u32 = 20;
const SECTORS: usize = 25;

/// Arguments of `strategy`.
#[derive(Clone, Copy, Debug, ClapArgs)]
pub(crate) struct Args {
    /// Symbols.
    #[arg(long, default_value_t = 2_907)]
    symbols: u32,
    /// Sessions of which each has a bar, at least 121.
    #[arg(long, default_value_t = 250)]
    sessions: u32,
    /// Bars that change, each of another symbol.
    #[arg(long, default_value_t = 200)]
    edits: u32,
    /// Turns.
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// Seed of everything random.
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// What `strategy` prints: medians of the runs, on the wall where nothing else is said.
#[derive(Debug, Serialize)]
struct Report {
    machine: Machine,
    symbols: u32,
    sessions: u32,
    rows: usize,
    /// From an empty session to the portfolio.
    full_seconds: f64,
    /// Of these, taking the rows in.
    load_seconds: f64,
    /// Of the full run, time that the thread had a processor.
    full_cpu_seconds: f64,
    /// One changed bar to the portfolio; median of the bars.
    changed_bar_us: f64,
    /// Time that the thread had a processor for one; mean of the bars.
    changed_bar_cpu_us: f64,
    full_over_changed_bar: f64,
    /// What the last run came to.
    evaluated: usize,
    signals: usize,
    ranked: usize,
    names: usize,
}

/// What one run gave.
struct Run {
    load_seconds: f64,
    full_seconds: f64,
    full_cpu_seconds: f64,
    changed_bar_seconds: f64,
    changed_bar_cpu_seconds: f64,
    evaluated: usize,
    signals: usize,
    ranked: usize,
    names: usize,
}

/// Measures and prints.
///
/// # Errors
/// If the input cannot be made.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    anyhow::ensure!(
        args.sessions > 120,
        "sessions must be above 120, was {}",
        args.sessions
    );
    let market = generate(args)?;
    let runs: Vec<Run> = (0..args.runs.max(1))
        .map(|_run| with(|session| one(session, &market)))
        .collect::<anyhow::Result<_>>()?;
    let of = |figure: fn(&Run) -> f64| median(runs.iter().map(figure));
    let last = runs.last().context("there is a run")?;
    let (full, changed) = (
        of(|run| run.full_seconds),
        of(|run| run.changed_bar_seconds),
    );
    let report = Report {
        machine: Machine::here(),
        symbols: args.symbols,
        sessions: args.sessions,
        rows: market.rows.len(),
        full_seconds: full,
        load_seconds: of(|run| run.load_seconds),
        full_cpu_seconds: of(|run| run.full_cpu_seconds),
        changed_bar_us: changed * 1e6,
        changed_bar_cpu_us: of(|run| run.changed_bar_cpu_seconds) * 1e6,
        full_over_changed_bar: full / changed,
        evaluated: last.evaluated,
        signals: last.signals,
        ranked: last.ranked,
        names: last.names,
    };
    if args.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        println!(
            "{full:.3} s for {} rows, {:.0} us for a changed bar, {:.0} times less; {} evaluated, \
             {} signals, {} names",
            report.rows,
            report.changed_bar_us,
            report.full_over_changed_bar,
            report.evaluated,
            report.signals,
            report.names
        );
    }
    Ok(())
}

/// Runs it once.
fn one(session: &mut Session<'_>, market: &Generated) -> anyhow::Result<Run> {
    let rows = market.rows.clone();
    let watch = Stopwatch::start()?;
    for row in rows {
        session.apply(row);
    }
    let load_seconds = watch.took()?.seconds;
    session.settle();
    let full = watch.took()?;
    let mut changed = Vec::with_capacity(market.edits.len());
    let all = Stopwatch::start()?;
    for edit in &market.edits {
        let watch = Stopwatch::start()?;
        session.apply(edit.clone());
        session.settle();
        changed.push(watch.took()?.seconds);
    }
    let edits = f64::from(u32::try_from(changed.len().max(1))?);
    let changed_bar_cpu_seconds = all.took()?.cpu_seconds / edits;
    let snapshot = session.snapshot();
    Ok(Run {
        load_seconds,
        full_seconds: full.seconds,
        full_cpu_seconds: full.cpu_seconds,
        changed_bar_seconds: median(changed),
        changed_bar_cpu_seconds,
        evaluated: snapshot.evaluations.len(),
        signals: snapshot.signals.len(),
        ranked: snapshot.rankings.len(),
        names: snapshot.portfolio.as_ref().map_or(0, Vec::len),
    })
}

/// Rows, and bars of the last day that change.
struct Generated {
    rows: Vec<Change>,
    edits: Vec<Change>,
}

/// Walks of prices, each with a trend that flows and fundamentals lean to.
fn generate(args: &Args) -> anyhow::Result<Generated> {
    let random = &mut ChaCha8Rng::seed_from_u64(args.seed);
    let last = Day(FIRST_DAY + args.sessions - 1);
    let mut rows = vec![Change::AsOf(last)];
    let mut edits = Vec::new();
    let every = (args.symbols / args.edits.max(1)).max(1);
    for number in 0..args.symbols {
        let symbol: Symbol = format!("{number:06}").parse()?;
        let trend = random.random_range(-30..=30_i64);
        rows.push(Change::Listing(symbol, Some(listing(random))));
        let mut won = random.random_range(1_000..200_000_i64);
        let volume = random.random_range(50_000..2_000_000_i64);
        for age in (0..args.sessions).rev() {
            won = (won + won * (trend + random.random_range(-250..=250)) / 10_000).max(500);
            let day = Day(last.0 - age);
            rows.push(Change::Bar(symbol, day, Some(bar(random, won, volume))));
            if age < FLOWS {
                let mut net = || trend * 4_000 + random.random_range(-100_000..=100_000_i64);
                let flow = Flow {
                    foreign: Some(net()),
                    institution: Some(net()),
                };
                rows.push(Change::Flow(symbol, day, Some(flow)));
            }
        }
        let fundamental = fundamental(random, trend);
        rows.push(Change::Fundamental(
            symbol,
            Day(last.0 - 30),
            Some(fundamental),
        ));
        for place in 0..random.random_range(0..5_u32) {
            let disclosure = disclosure(random, symbol, last);
            let number: Arc<str> = format!("{number:06}{place:08}").into();
            rows.push(Change::Disclosure(number, Some(disclosure)));
        }
        if number % every == 0 && edits.len() < usize::try_from(args.edits)? {
            let bar = bar(random, won + won / 50, volume);
            edits.push(Change::Bar(symbol, last, Some(bar)));
        }
    }
    Ok(Generated { rows, edits })
}

fn listing(random: &mut ChaCha8Rng) -> Listing {
    let markets = [Market::Kospi, Market::Kosdaq];
    let sector = random.random_range(0..SECTORS);
    Listing {
        name: "삼성전자".into(),
        market: markets[random.random_range(0..markets.len())],
        instrument: Instrument::Stock,
        status: ListingStatus::Active,
        sector: Some(format!("sector {sector}").into()),
        market_cap: None,
        is_tradable: true,
        is_managed: random.random_bool(0.02),
        is_caution: random.random_bool(0.02),
    }
}

fn bar(random: &mut ChaCha8Rng, won: i64, volume: i64) -> Bar {
    let volume = volume * random.random_range(50..200) / 100;
    let close = won * 10_000;
    Bar {
        open: close,
        high: close + close / 100,
        low: close - close / 100,
        close,
        volume,
        value: volume * won,
        market_cap: Some(won * 20_000_000),
    }
}

fn fundamental(random: &mut ChaCha8Rng, trend: i64) -> Fundamental {
    let mut ratio = |least: i64, most: i64, scale| {
        let number = random.random_range(least..most);
        random
            .random_bool(0.95)
            .then(|| Decimal::new(number, scale))
    };
    Fundamental {
        per: ratio(200, 4_000 - trend * 50, 2),
        pbr: ratio(20, 300, 2),
        psr: ratio(20, 400, 2),
        roe: ratio(-100, 300, 3),
        debt_ratio: ratio(100, 2_500, 3),
    }
}

fn disclosure(random: &mut ChaCha8Rng, symbol: Symbol, last: Day) -> Disclosure {
    const TITLES: [&str; 6] = [
        "영업이익 증가",
        "3분기 적자 전환",
        "자기주식 취득 결정",
        "소송 등의 제기",
        "현금 배당 결정",
        "단일판매·공급계약 체결",
    ];
    Disclosure {
        symbol,
        day: Day(last.0 - random.random_range(0..100)),
        title: TITLES[random.random_range(0..TITLES.len())].into(),
    }
}
