//! The end of an engine: the sources first, then everything downstream drains in order.

use std::thread;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::error;
use turnstile_connectors::postgres::{PriceSink, PriceSinkHandle};
use turnstile_dataflows::engine::Engine;

use super::super::desk::Desk;
use super::super::invariants::Invariants;
use super::super::proof::Proof;
use super::super::records::Records;
use super::super::tasks::{join_desk, report};

/// Everything that runs.
pub(super) struct Running {
    /// What stops at once.
    pub(super) sources: Vec<JoinHandle<()>>,
    /// What is done from time to time.
    pub(super) others: Vec<JoinHandle<()>>,
    pub(super) risk: thread::JoinHandle<()>,
    pub(super) engine: Engine,
    pub(super) journal: JoinHandle<()>,
    pub(super) prices: PriceSinkHandle,
    pub(super) desk: Desk,
    pub(super) records: Records,
    pub(super) invariants: Invariants,
    pub(super) sink: PriceSink,
    pub(super) proving: JoinHandle<Proof>,
    /// Lets go of the lock.
    pub(super) release: CancellationToken,
    pub(super) guard: JoinHandle<()>,
}

impl Running {
    /// Waits until `sources` is cancelled, and then for the end of everything, in order; `downstream` is
    /// cancelled once the order sink has stored what it has.
    pub(super) async fn end_after(self, sources: CancellationToken, downstream: CancellationToken) {
        sources.cancelled().await;
        for task in self.sources.into_iter().chain(self.others) {
            report(task.await);
        }
        // The sequencer has dropped the engine's sender: the engine hands out the rest. The feed of the
        // risk desk is dropped with it.
        join_desk("risk", self.risk).await;
        let engine = self.engine;
        match tokio::task::spawn_blocking(move || engine.join()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => error!(%error, "engine failed"),
            Err(error) => error!(%error, "engine thread failed"),
        }
        report(self.journal.await);
        drop(self.prices);
        self.desk.drain(&downstream).await;
        self.records.join().await;
        self.invariants.join().await;
        self.sink.join().await;
        match self.proving.await {
            Ok(proof) => proof.end().await,
            Err(error) => report(Err(error)),
        }
        // Whoever has it next finds everything stored.
        self.release.cancel();
        report(self.guard.await);
    }
}
