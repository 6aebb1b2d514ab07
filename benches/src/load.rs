//! The load test: positions of four strategies with stops of different width, and a generator that
//! moves every price.
//!
//! Latencies are differences of wall-clock times on one machine: the logical time of the deciding
//! tick is the time its frame was read; the broker's log has the time each order arrived.

use std::time::Duration;

use anyhow::{Context, ensure};
use clap::Args as ClapArgs;
use hdrhistogram::Histogram;
use serde_json::{Value, json};
use turnstile_tests::{ACCOUNT, Stock, System, eventually};

use crate::broker_log::arrivals;
use crate::figures::histogram;

/// How wide the stop of each strategy is, in hundredths of a percent.
const STOPS: [(&str, &str); 4] = [
    ("S0", "-0.004"),
    ("S1", "-0.006"),
    ("S2", "-0.008"),
    ("S3", "-0.012"),
];
/// Shares of one position.
const SHARES: i64 = 10;
const CLOSE: i64 = 50_000;

#[derive(Debug, ClapArgs)]
pub(crate) struct Args {
    /// Positions, at most four a symbol.
    #[arg(long, default_value_t = 1_000)]
    positions: usize,
    /// Symbols.
    #[arg(long, default_value_t = 300)]
    symbols: usize,
    /// Ticks a second over all symbols.
    #[arg(long, default_value_t = 2_000)]
    ticks: u32,
    /// Seconds of load.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
}

pub(crate) async fn run(args: Args) -> anyhow::Result<()> {
    ensure!(
        args.positions <= args.symbols * STOPS.len(),
        "at most four positions a symbol"
    );
    let codes: Vec<String> = (0..args.symbols)
        .map(|index| format!("{:06}", 100_000 + index))
        .collect();
    let held = |index: usize| {
        let count =
            (0..STOPS.len()).filter(|strategy| strategy * args.symbols + index < args.positions);
        i64::try_from(count.count()).unwrap_or(0) * SHARES
    };
    let stocks: Vec<Stock> = codes
        .iter()
        .enumerate()
        .map(|(index, symbol)| Stock {
            symbol,
            close: CLOSE,
            held: held(index),
        })
        .collect();
    let generator = format!(
        "paused = true\n[path]\nkind = \"generator\"\nseed = 7\nticks_per_second = {}\nvolatility_ppm = 900\njump_chance_ppm = 0\n",
        args.ticks
    );
    let system = System::start_without_positions(&stocks, &generator).await;
    hold_positions(&system, &codes, &args).await;
    let stream = system.stream("").await;
    println!(
        "{} positions on {} symbols, {} ticks/s for {} s",
        args.positions, args.symbols, args.ticks, args.seconds
    );
    system.post("/resume", json!({})).await;
    tokio::time::sleep(Duration::from_secs(args.seconds)).await;
    system.post("/pause", json!({})).await;

    let sent = || async {
        system.get("/status").await["records_sent"]
            .as_i64()
            .unwrap_or_default()
    };
    let ticks = sent().await;
    eventually("every tick is stored", async || {
        system
            .one::<i64>("SELECT count(*) FROM market.prices", &[])
            .await
            >= ticks
    })
    .await;
    eventually("every order has ended", async || {
        let open = "SELECT count(*) FROM trade.orders_now WHERE status <> 'FILLED'";
        system.one::<i64>(open, &[]).await == 0
    })
    .await;
    let stored: i64 = system.one("SELECT count(*) FROM market.prices", &[]).await;
    println!(
        "ticks sent {ticks}, stored {stored}, {:.0} a second",
        per_second(ticks, args.seconds)
    );
    ensure!(ticks == sent().await && ticks == stored, "a tick was lost");
    check_exits(&system).await?;
    report(&system).await?;
    stream.stop().await;
    system.stop().await;
    Ok(())
}

async fn hold_positions(system: &System, codes: &[String], args: &Args) {
    for (strategy, stop) in STOPS {
        let rules: Value = serde_json::from_str(&format!(r#"{{"sl2": {{"pnl": {stop}}}}}"#))
            .unwrap_or_else(|error| panic!("{error}"));
        system
            .execute(
                "INSERT INTO trade.exit_rules (rule_id, scope, scope_key, name, rules, created_by)
                 VALUES ($1, 'STRATEGY', $1, 'load', $2, 'load')",
                &[&strategy, &rules],
            )
            .await;
    }
    for index in 0..args.positions {
        let (symbol, strategy) = (&codes[index % args.symbols], STOPS[index / args.symbols].0);
        system
            .execute(
                "INSERT INTO trade.positions (position_id, account_id, symbol, qty, original_qty,
                     avg_price, entry_ts, strategy_id)
                 VALUES (gen_random_uuid(), $1, $2, $3, $3, $4::bigint::numeric, now(), $5)",
                &[&ACCOUNT, symbol, &SHARES, &CLOSE, &strategy],
            )
            .await;
    }
}

/// A position is due when a tick reached its stop; every due one has one order, no other has any.
async fn check_exits(system: &System) -> anyhow::Result<()> {
    let rows = system
        .query(
            "SELECT p.position_id::text,
                EXISTS (SELECT 1 FROM market.prices t
                    WHERE t.symbol = p.symbol AND coalesce(nullif(t.bid, 0), t.last_price)
                        <= p.avg_price * (1 + (r.rules->'sl2'->>'pnl')::numeric)) AS due,
                (SELECT count(*) FROM trade.orders o WHERE o.position_id = p.position_id) AS orders
             FROM trade.positions p JOIN trade.exit_rules r ON r.rule_id = p.strategy_id",
            &[],
        )
        .await;
    let due = rows.iter().filter(|row| row.get::<_, bool>("due")).count();
    let wrong = rows
        .iter()
        .filter(|row| row.get::<_, i64>("orders") != i64::from(row.get::<_, bool>("due")));
    let wrong = wrong.count();
    println!("exits due {due}, positions with another number of orders than due: {wrong}");
    ensure!(
        wrong == 0 && due > 0,
        "an exit was missed, doubled or not due"
    );
    Ok(())
}

async fn report(system: &System) -> anyhow::Result<()> {
    let rows = system
        .query(
            "SELECT s.broker_order_no, o.decided_us,
                (extract(epoch FROM o.created_ts) * 1000000)::bigint AS row_us,
                (extract(epoch FROM g.ts) * 1000000)::bigint AS sending_us
             FROM trade.orders o
             JOIN trade.order_events g ON g.order_id = o.order_id AND g.status = 'SENDING'
             JOIN trade.orders_now s ON s.order_id = o.order_id",
            &[],
        )
        .await;
    let arrived = arrivals(system).await?;
    ensure!(
        arrived.len() == rows.len(),
        "{} orders arrived, {} were stored",
        arrived.len(),
        rows.len()
    );
    let (mut row_latency, mut post_latency) = (histogram()?, histogram()?);
    for row in &rows {
        let decided_us: i64 = row.get("decided_us");
        // The SENDING event is written after the order's row was committed.
        row_latency.record(micros(row.get::<_, i64>("sending_us") - decided_us))?;
        let number: String = row.get("broker_order_no");
        let at_us = arrived.get(&number).context("every order arrived")?;
        post_latency.record(micros(at_us - decided_us))?;
    }
    print(
        "frame to order row committed (upper bound: its SENDING event)",
        &row_latency,
    );
    print("frame to order POST at the broker", &post_latency);
    Ok(())
}

fn micros(difference: i64) -> u64 {
    u64::try_from(difference).unwrap_or_default().max(1)
}

fn print(what: &str, latencies: &Histogram<u64>) {
    let at = |quantile| milliseconds(latencies.value_at_quantile(quantile));
    println!(
        "{what}: n {}, p50 {} ms, p99 {} ms, max {} ms",
        latencies.len(),
        at(0.5),
        at(0.99),
        milliseconds(latencies.max())
    );
}

fn milliseconds(micros: u64) -> String {
    format!("{}.{:03}", micros / 1_000, micros % 1_000)
}

#[expect(
    clippy::float_arithmetic,
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "a figure for people"
)]
fn per_second(count: i64, seconds: u64) -> f64 {
    count as f64 / seconds as f64
}
