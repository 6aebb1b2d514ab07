//! From a price to its order at the broker and from a fill to its position, in the running system.
//!
//! Every price breaks the stop of exactly one position, at a given rate; or, as a storm, all within
//! a second, at the broker's real rate of orders. The broker's log is the judge.

mod storm;

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, ensure};
use clap::Args as ClapArgs;
use hdrhistogram::Histogram;
use serde::Serialize;
use serde_json::Value;
use tokio::time::{Instant, MissedTickBehavior};
use turnstile_tests::{ACCOUNT, Program, Stock, System, eventually};

use crate::broker_log::arrivals;
use crate::figures::histogram;
use crate::process::Machine;

/// Positions of one symbol, each of a strategy whose stop lies one percent deeper.
const STOPS: i64 = 20;
/// The one whose stop is a hard stop, which ranks above the others; among those the loss decides.
const HARD: i64 = 3;
const PER_SYMBOL: usize = 20;
const CLOSE: i64 = 100_000;
const SHARES: i64 = 10;
const FILL_LATENCY: &str = "execution_fill_done_latency_seconds";

/// Arguments of `orders`.
#[derive(Clone, Copy, Debug, ClapArgs)]
pub(crate) struct Args {
    /// Decisions a second.
    #[arg(long, default_value_t = 500)]
    rate: u32,
    /// Symbols, with twenty positions each.
    #[arg(long, default_value_t = 250)]
    symbols: usize,
    /// Orders put to the broker at once (`execution.parallel_orders`); its own rate is lifted here.
    #[arg(long, default_value_t = 16)]
    parallel: u32,
    /// Time in seconds after which the exchange fills an order. Longer than all decisions take: they
    /// are measured alone, without the fills of those before.
    #[arg(long, default_value_t = 0)]
    fill_after: u32,
    /// Breaks so many stops at once instead, at the broker's rate of orders.
    #[arg(long)]
    storm: Option<usize>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// Percentiles in milliseconds.
#[derive(Debug, Serialize)]
struct Percentiles {
    samples: u64,
    p50_ms: f64,
    p99_ms: f64,
    max_ms: f64,
}

/// What `orders` prints.
#[derive(Debug, Serialize)]
struct Report {
    machine: Machine,
    rate: u32,
    positions: usize,
    /// From the frame of the price to the order's arrival at the broker.
    frame_to_post: Percentiles,
    /// The same of the decisions of each second, from the first on.
    by_second: Vec<Percentiles>,
    stages: Stages,
    /// From the frame of the fill to position, exit event and cache deletion, as the process tells.
    fill_to_done_p99_ms: f64,
    fills: u64,
}

/// Where the time goes, 99th percentiles in milliseconds as the process tells them.
#[derive(Debug, Serialize)]
struct Stages {
    /// From the frame until the order's row is committed.
    frame_to_commit_p99_ms: f64,
    /// From its turn until the price is durable too.
    price_wait_p99_ms: f64,
    /// Meanwhile, until SENDING is committed.
    mark_p99_ms: f64,
    /// From the frame until the order is handed to the connection of the broker.
    frame_to_send_p99_ms: f64,
    /// From there to the answer of the broker.
    call_p99_ms: f64,
}

/// Measures and prints.
///
/// # Errors
/// If an order is missing or doubled.
pub(crate) async fn run(args: Args) -> anyhow::Result<()> {
    match args.storm {
        None => steady(args).await,
        Some(stops) => storm::run(args, stops).await,
    }
}

fn codes(symbols: usize) -> Vec<String> {
    (0..symbols)
        .map(|index| format!("{:06}", 100_000 + index))
        .collect()
}

async fn market(codes: &[String], rate: u32, fill_after: u32) -> System {
    let stocks: Vec<Stock> = codes
        .iter()
        .map(|symbol| Stock {
            symbol,
            close: CLOSE,
            held: SHARES * STOPS,
        })
        .collect();
    let mut system = System::start_without_positions(
        &stocks,
        &format!("[fills]\nlatency = \"{fill_after}s\"\n"),
    )
    .await;
    system.rate = rate;
    for percent in 1..=STOPS {
        let rule = if percent == HARD { "hard_stop" } else { "sl2" };
        let rules: Value =
            serde_json::from_str(&format!(r#"{{"{rule}": {{"pnl": -0.{percent:02}}}}}"#))
                .unwrap_or_else(|error| panic!("{error}"));
        system
            .execute(
                "INSERT INTO trade.exit_rules (rule_id, scope, scope_key, name, rules, created_by)
                 VALUES ($1, 'STRATEGY', $1, 'bench', $2, 'bench')",
                &[&strategy(percent), &rules],
            )
            .await;
        system
            .execute(
                "INSERT INTO trade.positions (position_id, account_id, symbol, qty, original_qty,
                     avg_price, entry_ts, strategy_id)
                 SELECT gen_random_uuid(), $1, code, $2, $2, $3::bigint::numeric, now(), $4
                 FROM unnest($5::text[]) code",
                &[&ACCOUNT, &SHARES, &CLOSE, &strategy(percent), &codes],
            )
            .await;
    }
    system
}

fn strategy(percent: i64) -> String {
    format!("S{percent}")
}

async fn steady(args: Args) -> anyhow::Result<()> {
    let codes = codes(args.symbols);
    let system = market(&codes, 0, args.fill_after).await;
    let listen = free_address()?;
    let stream = system
        .stream(&format!(
            "metrics_listen = \"{listen}\"\n[quotes]\nrest = false\n[execution]\nparallel_orders = {}\n",
            args.parallel
        ))
        .await;
    let mut pace = tokio::time::interval(Duration::from_secs(1) / args.rate);
    pace.set_missed_tick_behavior(MissedTickBehavior::Burst);
    for percent in 1..=STOPS {
        for symbol in &codes {
            pace.tick().await;
            system.trade(symbol, CLOSE / 100 * (100 - percent)).await;
        }
    }
    // The process tells of its last minute: the fills are still to come.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let stages = Stages::read(&Told::read(listen).await?)?;
    // The simulator's log holds ten thousand calls, and lists are asked for until all is filled.
    let arrived = arrivals(&system).await?;
    let positions = codes.len() * PER_SYMBOL;
    all_sold(&system, positions).await?;
    let posted = posted(&system, arrived).await?;
    let mut latencies = histogram()?;
    let mut seconds = BTreeMap::new();
    let first = posted.values().map(|(decided_us, _)| *decided_us).min();
    for (decided_us, posted_us) in posted.values() {
        let micros = u64::try_from(posted_us - decided_us).unwrap_or_default();
        latencies.record(micros.max(1))?;
        let second = (decided_us - first.unwrap_or_default()) / 1_000_000;
        seconds
            .entry(second)
            .or_insert(histogram()?)
            .record(micros.max(1))?;
    }
    let told = Told::read(listen).await?;
    let fill_to_done_p99_ms = told.p99_ms(FILL_LATENCY)?;
    let fills = told.value(&format!("{FILL_LATENCY}_count"))?.parse()?;
    stop(stream, system).await;
    let report = Report {
        machine: Machine::here(),
        rate: args.rate,
        positions,
        frame_to_post: percentiles(&latencies),
        by_second: seconds.values().map(percentiles).collect(),
        stages,
        fill_to_done_p99_ms,
        fills,
    };
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        println!(
            "{positions} stops at {} a second: frame to POST p50 {:.3} ms, p99 {:.3} ms, max {:.3} ms; \
             fill to position, exit event and cache p99 {:.3} ms",
            args.rate,
            report.frame_to_post.p50_ms,
            report.frame_to_post.p99_ms,
            report.frame_to_post.max_ms,
            report.fill_to_done_p99_ms
        );
        println!(
            "p99 of it: frame to commit {:.3} ms, then price {:.3} ms beside mark {:.3} ms, frame to send \
             {:.3} ms; call to the broker {:.3} ms",
            report.stages.frame_to_commit_p99_ms,
            report.stages.price_wait_p99_ms,
            report.stages.mark_p99_ms,
            report.stages.frame_to_send_p99_ms,
            report.stages.call_p99_ms
        );
        for (second, of_second) in report.by_second.iter().enumerate() {
            println!(
                "second {}: p50 {:.3} ms, p99 {:.3} ms, max {:.3} ms",
                second + 1,
                of_second.p50_ms,
                of_second.p99_ms,
                of_second.max_ms
            );
        }
    }
    Ok(())
}

async fn all_sold(system: &System, positions: usize) -> anyhow::Result<()> {
    let wanted = i64::try_from(positions)?;
    let patience = Instant::now() + Duration::from_secs(180);
    loop {
        let exits: i64 = system
            .one("SELECT count(*) FROM trade.exit_events", &[])
            .await;
        if exits >= wanted {
            break;
        }
        ensure!(
            Instant::now() < patience,
            "{exits} of {wanted} positions sold"
        );
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    eventually("every order has ended", async || {
        let open = "SELECT count(*) FROM trade.orders_now WHERE status <> 'FILLED'";
        system.one::<i64>(open, &[]).await == 0
    })
    .await;
    Ok(())
}

/// Returns, by the broker's number, when each order was decided and when it arrived.
async fn posted(
    system: &System,
    arrived: BTreeMap<String, i64>,
) -> anyhow::Result<BTreeMap<String, (i64, i64)>> {
    let rows = system
        .query(
            "SELECT n.broker_order_no, o.decided_us FROM trade.orders o
             JOIN trade.orders_now n USING (order_id)",
            &[],
        )
        .await;
    let decided: BTreeMap<String, i64> = rows
        .iter()
        .map(|row| (row.get("broker_order_no"), row.get("decided_us")))
        .collect();
    let mut posted = BTreeMap::new();
    for (number, at_us) in arrived {
        let decided_us = decided
            .get(&number)
            .context("an order that nobody decided")?;
        posted.insert(number, (*decided_us, at_us));
    }
    ensure!(
        posted.len() == decided.len(),
        "{} orders arrived, {} were decided",
        posted.len(),
        decided.len()
    );
    Ok(posted)
}

/// The metrics of the process.
struct Told(String);

impl Told {
    async fn read(listen: std::net::SocketAddr) -> anyhow::Result<Self> {
        let answer = reqwest::get(format!("http://{listen}/metrics")).await?;
        Ok(Self(answer.text().await?))
    }

    fn value(&self, start: &str) -> anyhow::Result<&str> {
        let line = self.0.lines().find(|line| line.starts_with(start));
        let value = line.and_then(|line| line.rsplit(' ').next());
        value.with_context(|| format!("the process does not tell {start}"))
    }

    fn p99_ms(&self, name: &str) -> anyhow::Result<f64> {
        let quantile = self.value(&format!("{name}{{quantile=\"0.99\"}}"))?;
        Ok(thousandfold(quantile.parse()?))
    }
}

impl Stages {
    fn read(told: &Told) -> anyhow::Result<Self> {
        Ok(Self {
            frame_to_commit_p99_ms: told.p99_ms("execution_order_commit_latency_seconds")?,
            price_wait_p99_ms: told.p99_ms("execution_order_price_wait_seconds")?,
            mark_p99_ms: told.p99_ms("execution_order_mark_duration_seconds")?,
            frame_to_send_p99_ms: told.p99_ms("execution_order_send_latency_seconds")?,
            call_p99_ms: told.p99_ms("execution_order_post_duration_seconds")?,
        })
    }
}

fn free_address() -> anyhow::Result<std::net::SocketAddr> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    Ok(listener.local_addr()?)
}

async fn stop(stream: Program, system: System) {
    stream.stop().await;
    system.stop().await;
}

fn percentiles(latencies: &Histogram<u64>) -> Percentiles {
    let at = |micros: u64| Duration::from_micros(micros).as_secs_f64();
    let at = |micros| thousandfold(at(micros));
    Percentiles {
        samples: latencies.len(),
        p50_ms: at(latencies.value_at_quantile(0.5)),
        p99_ms: at(latencies.value_at_quantile(0.99)),
        max_ms: at(latencies.max()),
    }
}

#[expect(clippy::float_arithmetic, reason = "a figure for people")]
fn thousandfold(value: f64) -> f64 {
    value * 1_000.0
}
