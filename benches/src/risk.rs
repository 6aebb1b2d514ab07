//! What the risk gate costs: checks a second against an account of some names, each reserved and
//! released as the gate does it, and what the desk takes to keep the exposure up to date with a second's
//! prices.
#![expect(clippy::float_arithmetic, reason = "figures for people")]

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use clap::Args as ClapArgs;
use serde::Serialize;
use turnstile_dataflows::model::{
    LogicalTime, Market, Position, PositionMode, Price, Quantity, Symbol,
};
use turnstile_dataflows::reentry::Equity;
use turnstile_dataflows::risk::{
    EmergencyStop, Intent, Issue, RiskChange, RiskEvent, RiskLimits, RiskProfile, RiskView,
    ViewChange, check, run as run_desk,
};

use crate::clock::{Stopwatch, now};
use crate::figures::Count;
use crate::process::Machine;

/// 2026-11-24 in Seoul.
const BEGIN_US: u64 = 1_795_480_000_000_000;
const SECOND_US: u64 = 1_000_000;

/// Arguments of `risk`.
#[derive(Clone, Copy, Debug, ClapArgs)]
pub(crate) struct Args {
    /// Checks.
    #[arg(long, default_value_t = 200_000)]
    checks: u32,
    /// Names that the account holds.
    #[arg(long, default_value_t = 15)]
    names: i64,
    /// Issues that are listed.
    #[arg(long, default_value_t = 2_700)]
    issues: i64,
    /// Seconds of new prices of every name.
    #[arg(long, default_value_t = 100)]
    seconds: u64,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// What `risk` prints.
#[derive(Debug, Serialize)]
struct Report {
    machine: Machine,
    names: i64,
    issues: i64,
    checks: u32,
    checks_per_second: f64,
    approved: u32,
    /// The desk: from a second's prices of every name to the view of them.
    desk_microseconds_per_second: f64,
}

/// Measures and prints.
///
/// # Errors
/// If a figure cannot be had.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let (view, desk) = maintain(args)?;
    let (checks_per_second, approved) = checks(args, view)?;
    let report = Report {
        machine: Machine::here(),
        names: args.names,
        issues: args.issues,
        checks: args.checks,
        checks_per_second,
        approved,
        desk_microseconds_per_second: desk,
    };
    if args.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        println!(
            "{checks_per_second:.0} checks a second over {} names ({approved} of {} approved); \
             {desk:.0} us for a second's prices",
            args.names, args.checks
        );
    }
    Ok(())
}

fn symbol(n: i64) -> anyhow::Result<Symbol> {
    Ok(format!("{n:06}").parse()?)
}

/// Runs the desk over the load and seconds of prices. Returns the view, and microseconds a second.
fn maintain(args: &Args) -> anyhow::Result<(RiskView, f64)> {
    let mut events = vec![RiskEvent {
        time: LogicalTime::from_micros(BEGIN_US),
        changes: load(args)?,
        is_complete: true,
    }];
    for second in 1..=args.seconds {
        let price = Price::from_won(50_000 + i64::try_from(second % 100)?)?;
        let names = 0..args.names;
        let changes = names.map(|n| Ok(RiskChange::Price(symbol(n)?, price)));
        events.push(RiskEvent {
            time: LogicalTime::from_micros(BEGIN_US + second * SECOND_US),
            changes: changes.collect::<anyhow::Result<_>>()?,
            is_complete: true,
        });
    }
    events.reverse();
    let told = Arc::new(Mutex::new((RiskView::default(), Vec::new())));
    let sink = told.clone();
    run_desk(
        move |batch| {
            batch.extend(events.pop());
            !events.is_empty()
        },
        move |changes: Vec<ViewChange>| {
            let mut told = sink.lock().unwrap_or_else(PoisonError::into_inner);
            told.0.apply(changes);
            told.1.push(now());
        },
    );
    let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
    let ends = std::mem::take(&mut told.1);
    let took = match (ends.first(), ends.last()) {
        (Some(first), Some(last)) => last.duration_since(*first),
        _ => Duration::ZERO,
    };
    let view = std::mem::take(&mut told.0);
    Ok((view, took.as_secs_f64() * 1e6 / args.seconds.float()))
}

/// The account: as many names as it holds, of equal weight, in sectors of twenty listed issues.
fn load(args: &Args) -> anyhow::Result<Vec<RiskChange>> {
    let mut changes = Vec::new();
    for n in 0..args.issues.max(args.names) {
        let sector = format!("sector {}", n % 20).into();
        let issue = Issue {
            market: Market::Kospi,
            sector: Some(sector),
        };
        changes.push(RiskChange::Issue(symbol(n)?, Some(issue)));
    }
    for n in 0..args.names {
        changes.push(RiskChange::Position(Position {
            id: format!("00000000-0000-4000-8000-{n:012}").parse()?,
            symbol: symbol(n)?,
            qty: Quantity::new(100)?,
            original_qty: Quantity::new(100)?,
            avg_price: Some(Price::from_won(50_000)?),
            entry: LogicalTime::from_micros(BEGIN_US),
            is_live: true,
            mode: PositionMode::Enabled,
            profile: None,
            strategy: "bench".into(),
            cycle: 1,
            version: 1,
        }));
    }
    let limits = RiskLimits {
        id: 1,
        profile: RiskProfile::Default,
        positions_max: u32::try_from(args.names)?,
        single_max: 150_000,
        sector_max: 400_000,
        market_max: 1_000_000,
        daily_loss_max: 30_000,
        total_loss_max: 100_000,
        from: LogicalTime::default(),
        until: LogicalTime::MAX,
    };
    let equity = Equity {
        asof: LogicalTime::from_micros(BEGIN_US),
        units: args.names * 100 * 50_000 * 10_000 * 2,
    };
    changes.extend([
        RiskChange::Limits(limits.id, Some(limits)),
        RiskChange::Profile(Some(RiskProfile::Default)),
        RiskChange::Stop(Some(EmergencyStop {
            is_enabled: false,
            by: "bench".into(),
            reason: "bench".into(),
        })),
        RiskChange::Equity(Some(equity)),
    ]);
    Ok(changes)
}

/// Checks one name after the other. Returns checks a second, and how many passed.
fn checks(args: &Args, mut view: RiskView) -> anyhow::Result<(f64, u32)> {
    let symbols: Vec<Symbol> = (0..args.names).map(symbol).collect::<Result<_, _>>()?;
    let at = LogicalTime::from_micros(BEGIN_US + args.seconds * SECOND_US);
    let mut approved = 0;
    let start = Stopwatch::start()?;
    for (symbol, _) in symbols.iter().cycle().zip(0..args.checks) {
        let intent = Intent {
            symbol: *symbol,
            qty: Quantity::ONE,
            price: Price::from_won(50_000)?,
        };
        let checked = check(&intent, &view.exposure, view.limits(at), view.stop(), at);
        if checked.refusal().is_none() {
            approved += 1;
            let room = view.exposure.reserve(*symbol, intent.qty, intent.price);
            view.exposure.release(&room);
        }
    }
    Ok((f64::from(args.checks) / start.took()?.seconds, approved))
}
