//! Cached reads of prices, as many as a closed loop gets, against the bare handler in turns.

use std::time::Duration;

use anyhow::Context;
use serde::Serialize;
use tokio::task::JoinSet;

use super::http::Http;
use super::live::symbol;
use crate::clock::now;
use crate::figures::{median, ratio};

/// What is measured.
#[derive(Clone, Copy, Debug)]
pub(super) struct Load {
    pub(super) connections: usize,
    pub(super) symbols: usize,
    pub(super) seconds: u64,
    pub(super) rounds: usize,
}

/// What came out.
#[derive(Debug, Serialize)]
pub(super) struct Reads {
    connections: usize,
    /// Answers a second, of each round.
    bff: Vec<f64>,
    /// The handler on the Redis client of the system.
    bare: Vec<f64>,
    /// The handler on one shared connection.
    bare_shared: Vec<f64>,
    /// Median of the rounds' ratios to the first of them.
    pub(super) ratio: f64,
    /// And to the other.
    ratio_shared: f64,
    /// Share of these reads that the cache answered.
    hit_rate: f64,
}

/// A server and where it has prices.
#[derive(Clone, Copy, Debug)]
struct Server<'a> {
    host: &'a str,
    path: &'static str,
}

/// Measures the BFF at `bff` and the handler at `bare`, in turns.
///
/// # Errors
/// If a request fails.
pub(super) async fn measure(
    load: Load,
    bff: &str,
    bare: &str,
    redis_url: &str,
) -> anyhow::Result<Reads> {
    let server = |host, path| Server { host, path };
    let (bff, shared) = (server(bff, "/api/v1/prices/"), server(bare, "/shared/"));
    let bare = server(bare, "/prices/");
    let mut keys = redis::Client::open(redis_url)?
        .get_multiplexed_async_connection()
        .await?;
    let before = hits(bff.host).await?;
    let (mut counts, mut ratios) = ([const { Vec::new() }; 3], [const { Vec::new() }; 2]);
    for _ in 0..load.rounds {
        let mut round = [0; 3];
        for (server, count) in [bff, bare, shared].into_iter().zip(&mut round) {
            fill(&mut keys, bff.host, load.symbols).await?;
            *count = closed_loop(load, server).await?;
        }
        for (all, count) in counts.iter_mut().zip(round) {
            all.push(ratio(count, load.seconds));
        }
        for (all, other) in ratios.iter_mut().zip(&round[1..]) {
            all.push(ratio(round[0], *other));
        }
    }
    let after = hits(bff.host).await?;
    let (hits, misses) = (after.0 - before.0, after.1 - before.1);
    let ([bff, bare, bare_shared], [to_bare, to_shared]) = (counts, ratios);
    Ok(Reads {
        connections: load.connections,
        bff,
        bare,
        bare_shared,
        ratio: median(to_bare),
        ratio_shared: median(to_shared),
        hit_rate: ratio(hits, hits + misses),
    })
}

/// Sees to it that every price is in Redis for longer than a round.
async fn fill(
    keys: &mut redis::aio::MultiplexedConnection,
    bff: &str,
    symbols: usize,
) -> anyhow::Result<()> {
    let mut http = Http::connect(bff).await?;
    for index in 0..symbols {
        http.get(&format!("/api/v1/prices/{}", symbol(index)))
            .await?;
        redis::cmd("EXPIRE")
            .arg(format!("price:{}", symbol(index)))
            .arg(60)
            .query_async::<()>(keys)
            .await?;
    }
    Ok(())
}

/// Asks from every connection, again as soon as it is answered; returns how many answers there were.
async fn closed_loop(load: Load, server: Server<'_>) -> anyhow::Result<u64> {
    let until = now() + Duration::from_secs(load.seconds);
    let mut clients = JoinSet::new();
    for connection in 0..load.connections {
        let mut http = Http::connect(server.host).await?;
        let paths: Vec<String> = (0..load.symbols)
            .map(|index| format!("{}{}", server.path, symbol(index)))
            .collect();
        clients.spawn(async move {
            let mut answers = 0_u64;
            for path in paths.iter().cycle().skip(connection) {
                if now() >= until {
                    break;
                }
                http.get(path).await?;
                answers += 1;
            }
            anyhow::Ok(answers)
        });
    }
    let mut answers = 0;
    while let Some(client) = clients.join_next().await {
        answers += client.context("a client failed")??;
    }
    Ok(answers)
}

/// Returns the hits and misses that the BFF counts.
async fn hits(bff: &str) -> anyhow::Result<(u64, u64)> {
    let text = Http::connect(bff).await?.get("/metrics").await?;
    let text = String::from_utf8_lossy(&text).into_owned();
    let value = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|rest| rest.trim().parse().ok()).unwrap_or(0)
    };
    Ok((value("cache_hits_total "), value("cache_misses_total ")))
}
