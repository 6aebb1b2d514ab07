//! A list under an open load: requests come at their times whether others were answered or not.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context, ensure};
use serde::Serialize;
use serde_json::Value;
use tokio::task::JoinSet;
use tokio::time::sleep_until;

use super::http::Http;
use crate::clock::now;
use crate::latency::{Latencies, Percentiles};

/// Connections: more than requests are ever on their way.
const CONNECTIONS: usize = 256;

/// What is measured.
#[derive(Clone, Copy, Debug)]
pub(super) struct Load {
    pub(super) rows: usize,
    pub(super) per_second: u32,
    pub(super) seconds: u32,
}

/// What came out.
#[derive(Debug, Serialize)]
pub(super) struct Lists {
    rows: usize,
    per_second: u32,
    /// From the time at which a request was due to its last byte.
    latency: Percentiles,
}

/// Measures the list of positions.
///
/// # Errors
/// If a request fails, or the list has another number of rows.
pub(super) async fn measure(load: Load, bff: &str) -> anyhow::Result<Lists> {
    let path = format!("/api/v1/positions?limit={}", load.rows);
    let body = Http::connect(bff).await?.get(&path).await?;
    let body: Value = serde_json::from_slice(&body)?;
    let rows = body["data"].as_array().map_or(0, Vec::len);
    ensure!(rows == load.rows, "{rows} positions");
    let path: Arc<str> = path.into();
    let next = Arc::new(AtomicU32::new(0));
    let mut clients = JoinSet::new();
    let mut connections = Vec::new();
    for _ in 0..CONNECTIONS {
        connections.push(Http::connect(bff).await?);
    }
    let begin = now() + Duration::from_millis(100);
    for mut http in connections {
        let (path, next) = (Arc::clone(&path), Arc::clone(&next));
        clients.spawn(async move {
            let mut latencies = Latencies::new()?;
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= load.per_second * load.seconds {
                    return anyhow::Ok(latencies);
                }
                let due = begin + Duration::from_secs(1) * number / load.per_second;
                sleep_until(due.into()).await;
                http.get(&path).await?;
                latencies.record(now().saturating_duration_since(due));
            }
        });
    }
    let mut latencies = Latencies::new()?;
    while let Some(client) = clients.join_next().await {
        latencies.add(&client.context("a client failed")??)?;
    }
    Ok(Lists {
        rows: load.rows,
        per_second: load.per_second,
        latency: latencies.percentiles(),
    })
}
