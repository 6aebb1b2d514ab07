//! The BFF under load, in processes of its own, measured from outside.

mod bare;
mod http;
mod lists;
mod live;
mod reads;

use std::process::Stdio;

use anyhow::{Context, ensure};
use clap::Args as ClapArgs;
use serde::Serialize;
use serde_json::json;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use turnstile_tests::{ACCOUNT, Stock, System, eventually};

use crate::process::Machine;
pub(crate) use bare::{BareArgs, serve as serve_bare};
use lists::Lists;
use live::{Live, symbol};
use reads::Reads;

const CLOSE: i64 = 50_000;
/// No limit is in the way: one of the tests is what a client may ask for in a second.
const SETTINGS: &str = "requests_per_second = 0\nws_clients_max = 5000\n";

/// Arguments of `bff`.
#[derive(Clone, Copy, Debug, ClapArgs)]
pub(crate) struct Args {
    /// Symbols of the market.
    #[arg(long, default_value_t = 300)]
    symbols: usize,
    /// Connections that read cached prices as quickly as they are answered.
    #[arg(long, default_value_t = 32)]
    connections: usize,
    /// Rounds of the BFF and the bare handler.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Seconds of one of these.
    #[arg(long, default_value_t = 5)]
    read_seconds: u64,
    /// Positions of the list.
    #[arg(long, default_value_t = 100)]
    positions: usize,
    /// Requests a second for it.
    #[arg(long, default_value_t = 1_000)]
    list_rate: u32,
    /// Seconds of that.
    #[arg(long, default_value_t = 20)]
    list_seconds: u32,
    /// Ticks a second over all symbols.
    #[arg(long, default_value_t = 2_000)]
    ticks: u32,
    /// WebSocket clients of ten symbols each.
    #[arg(long, default_value_t = 1_000)]
    clients: usize,
    /// WebSocket clients of all symbols.
    #[arg(long, default_value_t = 20)]
    clients_of_all: usize,
    /// Seconds of ticks that count.
    #[arg(long, default_value_t = 60)]
    live_seconds: u64,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// What `bff` prints.
#[derive(Debug, Serialize)]
struct Report {
    machine: Machine,
    price_reads: Reads,
    position_list: Lists,
    live: Live,
}

/// Measures and prints.
///
/// # Errors
/// If anything fails.
pub(crate) async fn run(args: Args) -> anyhow::Result<()> {
    let machine = Machine::here();
    let system = market(args).await;
    let (bff, url) = system.bff_with(SETTINGS).await;
    let host = url.trim_start_matches("http://").to_owned();
    first_prices(&system, args).await;

    let redis_url = system.servers.redis_url().context("Redis runs")?.to_owned();
    let (mut bare, bare_host) = start_bare(&redis_url).await?;
    let load = reads::Load {
        connections: args.connections,
        symbols: args.symbols,
        seconds: args.read_seconds,
        rounds: args.rounds,
    };
    let price_reads = reads::measure(load, &host, &bare_host, &redis_url).await?;
    bare.kill().await?;

    tell("cached prices", &price_reads);

    let stream = system.stream("").await;
    let load = live::Load {
        symbols: args.symbols,
        few: args.clients,
        all: args.clients_of_all,
        seconds: args.live_seconds,
    };
    let pid = bff.id().context("the BFF has ended")?;
    let live = live::measure(load, &system, &host, pid).await?;
    stream.stop().await;
    tell("live prices", &live);

    hold(&system, args).await;
    let load = lists::Load {
        rows: args.positions,
        per_second: args.list_rate,
        seconds: args.list_seconds,
    };
    let position_list = lists::measure(load, &host).await?;
    bff.stop().await;
    system.stop().await;
    let report = Report {
        machine,
        price_reads,
        position_list,
        live,
    };
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        println!("{report:#?}");
    }
    Ok(())
}

/// Says what has come out already: the whole takes minutes.
fn tell(what: &str, report: &impl std::fmt::Debug) {
    eprintln!("{what}: {report:?}");
}

async fn market(args: Args) -> System {
    let codes: Vec<String> = (0..args.symbols).map(symbol).collect();
    let stocks: Vec<Stock<'_>> = codes
        .iter()
        .map(|symbol| Stock {
            symbol,
            close: CLOSE,
            held: 0,
        })
        .collect();
    let path = format!(
        "paused = true\n[path]\nkind = \"generator\"\nseed = 7\nticks_per_second = {}\n",
        args.ticks
    );
    System::start_without_positions(&stocks, &path).await
}

/// Gives each symbol a price.
async fn first_prices(system: &System, args: Args) {
    let stream = system.stream("").await;
    system.post("/resume", json!({})).await;
    let symbols = i64::try_from(args.symbols).unwrap_or(i64::MAX);
    eventually("each symbol has a price", async || {
        let count = "SELECT count(DISTINCT symbol) FROM market.prices";
        system.one::<i64>(count, &[]).await == symbols
    })
    .await;
    system.post("/pause", json!({})).await;
    stream.stop().await;
}

async fn hold(system: &System, args: Args) {
    for index in 0..args.positions {
        system
            .execute(
                "INSERT INTO trade.positions (position_id, account_id, symbol, qty, original_qty,
                     avg_price, entry_ts)
                 VALUES (gen_random_uuid(), $1, $2, 10, 10, $3::bigint::numeric, now())",
                &[&ACCOUNT, &symbol(index % args.symbols), &CLOSE],
            )
            .await;
    }
}

/// Starts the bare handler and returns where it listens.
async fn start_bare(redis_url: &str) -> anyhow::Result<(Child, String)> {
    let mut child = Command::new(std::env::current_exe()?)
        .args(["bff-bare", "--redis-url", redis_url])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let output = child.stdout.take().context("its output is piped")?;
    let line = BufReader::new(output).lines().next_line().await?;
    let line = line.context("the bare handler has ended")?;
    let host = line.strip_prefix("Listening: ");
    ensure!(host.is_some(), "the bare handler said: {line}");
    Ok((child, host.unwrap_or_default().to_owned()))
}
