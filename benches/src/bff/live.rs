//! Many WebSocket clients under the ticks of a market.
//!
//! From tick to client is the difference of two wall-clock times on one machine: when the tick's frame
//! was read (its logical time), and when a client had the message. Of what is conflated the newest counts.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, ensure};
use futures_util::{SinkExt, StreamExt};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;
use turnstile_tests::System;

use crate::clock::now_us;
use crate::figures::median;
use crate::latency::{Latencies, Percentiles};
use crate::process::resident_bytes_of;

/// Before what counts: connections settle, caches fill.
const WARM_UP: Duration = Duration::from_secs(10);
/// A client that hears nothing for so long was left alone.
const SILENCE_MAX: Duration = Duration::from_secs(20);
/// Samples of memory at the beginning and at the end that make one figure.
const SAMPLES: usize = 5;

/// What is measured.
#[derive(Clone, Copy, Debug)]
pub(super) struct Load {
    pub(super) symbols: usize,
    /// Clients of ten symbols each.
    pub(super) few: usize,
    /// Clients of all symbols.
    pub(super) all: usize,
    pub(super) seconds: u64,
}

/// What came out.
#[derive(Debug, Serialize)]
pub(super) struct Live {
    clients_of_ten: usize,
    clients_of_all: usize,
    /// Of what the market sent, and what clients were told of it.
    ticks_per_second: f64,
    prices_told_per_second: f64,
    ten: Percentiles,
    all: Percentiles,
    /// Resident memory of the BFF, MiB.
    memory_begin: f64,
    memory_end: f64,
    memory_max: f64,
    /// Clients that were let go because they took nothing.
    dropped: u64,
}

/// Returns the symbol of an index.
pub(super) fn symbol(index: usize) -> String {
    format!("{:06}", 100_000 + index)
}

/// Measures; the market of `system` runs meanwhile.
///
/// # Errors
/// If a client loses its connection, hears nothing, or hears of a price older than one before.
pub(super) async fn measure(
    load: Load,
    system: &System,
    bff: &str,
    pid: u32,
) -> anyhow::Result<Live> {
    let mut clients = JoinSet::new();
    for number in 0..load.few + load.all {
        let symbols: Vec<String> = if number < load.few {
            let from = number * 10;
            (from..from + 10)
                .map(|index| symbol(index % load.symbols))
                .collect()
        } else {
            Vec::new()
        };
        let client = Client::connect(bff, &symbols).await?;
        let is_few = number < load.few;
        clients.spawn(async move { anyhow::Ok((is_few, client.listen(load.seconds).await?)) });
    }
    let control = |path: &'static str| system.post(path, json!({}));
    control("/resume").await;
    let sent = async || -> u64 {
        system.get("/status").await["records_sent"]
            .as_u64()
            .unwrap_or(0)
    };
    tokio::time::sleep(WARM_UP).await;
    let before = sent().await;
    let memory = memory(pid, load.seconds).await?;
    let ticks = sent().await - before;
    let (mut ten, mut all, mut told) = (Latencies::new()?, Latencies::new()?, 0_u64);
    while let Some(client) = clients.join_next().await {
        let (is_few, heard) = client.context("a client failed")??;
        told += heard.percentiles().samples;
        if is_few { &mut ten } else { &mut all }.add(&heard)?;
    }
    control("/pause").await;
    let text = reqwest::get(format!("http://{bff}/metrics"))
        .await?
        .text()
        .await?;
    let dropped = text
        .lines()
        .find_map(|line| line.strip_prefix("bff_ws_slow_clients_total "));
    let (begin, end) = (&memory[..SAMPLES], &memory[memory.len() - SAMPLES..]);
    Ok(Live {
        clients_of_ten: load.few,
        clients_of_all: load.all,
        ticks_per_second: crate::figures::ratio(ticks, load.seconds),
        prices_told_per_second: crate::figures::ratio(told, load.seconds),
        ten: ten.percentiles(),
        all: all.percentiles(),
        memory_begin: median(begin.iter().copied()),
        memory_end: median(end.iter().copied()),
        memory_max: memory.iter().copied().fold(0.0, f64::max),
        dropped: dropped
            .and_then(|text| text.trim().parse().ok())
            .unwrap_or(0),
    })
}

/// Looks at the memory of a process each second, MiB.
async fn memory(pid: u32, seconds: u64) -> anyhow::Result<Vec<f64>> {
    let mut every = interval(Duration::from_secs(1));
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut samples = Vec::new();
    for _ in 0..seconds.max(u64::try_from(2 * SAMPLES)?) {
        every.tick().await;
        samples.push(crate::figures::ratio(resident_bytes_of(pid)?, 1_u64 << 20));
    }
    Ok(samples)
}

/// One client.
struct Client {
    socket: tokio_tungstenite::WebSocketStream<
        tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>,
    >,
}

/// A message, as far as it is looked at.
#[derive(Deserialize)]
struct Told<'a> {
    #[serde(rename = "type", borrow)]
    kind: &'a str,
    #[serde(default, borrow)]
    data: Vec<Tick<'a>>,
}

#[derive(Deserialize)]
struct Tick<'a> {
    symbol: &'a str,
    logical_us: u64,
}

impl Client {
    async fn connect(host: &str, symbols: &[String]) -> anyhow::Result<Self> {
        let (mut socket, _) = connect_async(format!("ws://{host}/ws")).await?;
        let wish = json!({ "type": "subscribe", "topics": ["prices"], "symbols": symbols });
        socket.send(Message::text(wish.to_string())).await?;
        Ok(Self { socket })
    }

    /// Listens until `seconds` after the warm-up have passed since the first tick of the market.
    async fn listen(mut self, seconds: u64) -> anyhow::Result<Latencies> {
        let mut latencies = Latencies::new()?;
        let mut newest: BTreeMap<String, u64> = BTreeMap::new();
        let mut begin = None;
        loop {
            let message = timeout(SILENCE_MAX, self.socket.next()).await;
            let message = message.context("a client heard nothing")?;
            let message = message.context("a client was let go")??;
            let at_us = now_us();
            let Message::Text(text) = message else {
                continue;
            };
            let told: Told<'_> = serde_json::from_str(&text)?;
            if told.kind != "prices" {
                continue;
            }
            let begin = *begin.get_or_insert(at_us);
            let since = Duration::from_micros(at_us.saturating_sub(begin));
            if since >= WARM_UP + Duration::from_secs(seconds) {
                return Ok(latencies);
            }
            for tick in told.data {
                let last = match newest.get_mut(tick.symbol) {
                    Some(last) => last,
                    None => newest.entry(tick.symbol.to_owned()).or_default(),
                };
                ensure!(tick.logical_us >= *last, "a price went back");
                // One that is told again is stale or fresh now.
                if tick.logical_us > *last && since >= WARM_UP {
                    latencies.record(Duration::from_micros(at_us.saturating_sub(tick.logical_us)));
                }
                *last = tick.logical_us;
            }
        }
    }
}
