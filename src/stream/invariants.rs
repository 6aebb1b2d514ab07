//! The desk of the standing invariants beside the engine: its thread, and what looks things up for it.

use std::thread::JoinHandle as Thread;

use anyhow::Context;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use turnstile_connectors::execution::Alarms;
use turnstile_connectors::invariants::{
    CacheSampler, InvariantBoard, InvariantFeed, InvariantWriter, InvariantsConfig, OrderLookup,
    Watched,
};
use turnstile_connectors::postgres::Postgres;
use turnstile_connectors::redis::Cache;
use turnstile_connectors::task;
use turnstile_dataflows::invariants::{self, InvariantEvent};

use super::tasks::{join_desk, report};

/// Events taken in at one go.
const BATCH: usize = 1_024;

/// The desk and the tasks around it.
pub(super) struct Invariants {
    desk: Thread<()>,
    tasks: Vec<JoinHandle<()>>,
    watched: Watched,
}

/// Starts the desk on what `feed` tells, and the tasks around it, which end with `stop`.
pub(super) fn start(
    config: &InvariantsConfig,
    (postgres, cache): (&Postgres, &Cache),
    (feed, mut waiting): (InvariantFeed, mpsc::Receiver<InvariantEvent>),
    alarms: &Alarms,
    stop: &CancellationToken,
) -> anyhow::Result<Invariants> {
    let board = InvariantBoard::new(alarms.clone());
    let (told, grace) = (board.clone(), config.grace());
    let desk = std::thread::Builder::new()
        .name("invariants".to_owned())
        .spawn(move || {
            let feed = move |events: &mut Vec<_>| waiting.blocking_recv_many(events, BATCH) > 0;
            invariants::run(grace, feed, move |time, news| told.update(time, news));
        })
        .context("the thread of the standing invariants cannot be started")?;
    let watched = feed.watched();
    let sampler = CacheSampler::new(config, cache, postgres, feed.clone());
    let lookup = OrderLookup::new(postgres, board.clone(), feed.clone());
    let writer = InvariantWriter::new(postgres, board, feed);
    let tasks = vec![
        task::spawn("cache samples", sampler.run(stop.clone())),
        task::spawn("order look-ups", lookup.run(stop.clone())),
        task::spawn("violations", writer.run(stop.clone())),
    ];
    Ok(Invariants {
        desk,
        tasks,
        watched,
    })
}

impl Invariants {
    /// Waits for the tasks, then for the desk, which ends once nobody can tell it anything.
    pub(super) async fn join(self) {
        for task in self.tasks {
            report(task.await);
        }
        join_desk("standing invariants", self.desk).await;
        drop(self.watched);
    }
}

#[cfg(test)]
mod tests {
    use metrics_exporter_prometheus::PrometheusBuilder;

    use super::*;

    #[test]
    fn nobody_watches_without_a_desk() {
        let recorder = PrometheusBuilder::new().build_recorder();
        let shown = recorder.handle();
        let shows = |count: u8| {
            let line = format!("invariants_watched {count}");
            shown.render().lines().any(|shown| shown == line)
        };
        metrics::with_local_recorder(&recorder, || {
            let (feed, _waiting) = InvariantFeed::new();
            let watched = feed.watched();
            assert!(shows(1), "{}", shown.render());
            drop(watched);
            assert!(shows(0), "{}", shown.render());
        });
    }
}
