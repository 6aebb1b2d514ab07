//! The life of one engine: from its start on a database whose lock this process holds ([`begin`]), to the
//! loss of that lock or its stop ([`end`]).

mod begin;
mod end;

use std::time::Duration;

use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::error;
use turnstile_connectors::execution::Permit;
use turnstile_connectors::postgres::Postgres;

pub(super) use begin::Begin;

use super::remains::Remains;
use super::sequencer::Handed;
use super::tasks::report;

/// How long a stop in order may take before the database is given up.
const STOP_MAX: Duration = Duration::from_secs(20);

/// Why an engine cannot go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Loss {
    /// Its lock may be lost: another one may be active.
    Lock,
    /// What changed in the database cannot be followed any more.
    Feed,
    /// A part of it has ended.
    Broken,
}

/// A running engine, with everything around it.
pub(super) struct Life {
    postgres: Postgres,
    sources: CancellationToken,
    downstream: CancellationToken,
    abandon: CancellationToken,
    permit: watch::Sender<Permit>,
    release: CancellationToken,
    subscribed: watch::Receiver<bool>,
    handed: oneshot::Receiver<Handed>,
    finished: JoinHandle<()>,
    lost: watch::Receiver<Option<Loss>>,
}

impl Life {
    /// Returns whether every symbol wanted at start is subscribed or refused, as it changes.
    pub(super) fn subscribed(&self) -> watch::Receiver<bool> {
        self.subscribed.clone()
    }

    /// Returns why it cannot go on, once it cannot.
    pub(super) async fn lost(&self) -> Loss {
        let mut lost = self.lost.clone();
        let lost = lost.wait_for(Option::is_some).await;
        // Whoever says it lives as long as the engine.
        lost.ok().and_then(|lost| *lost).unwrap_or(Loss::Broken)
    }

    /// Gives up the database: no statement is waited for, what is decided is not stored, prices that are
    /// not stored are kept. Returns what the sequencer hands over, and what is left.
    pub(super) async fn lose(self) -> (Option<Handed>, Remains) {
        self.permit.send_replace(Permit::Nothing);
        self.release.cancel();
        self.abandon.cancel();
        self.sources.cancel();
        self.postgres.cut();
        let handed = self.handed.await.ok();
        let (downstream, permit) = (self.downstream, self.permit);
        let remains = Remains::new(self.postgres, downstream, permit, self.finished);
        (handed, remains)
    }

    /// Stops the sources, drains everything, and returns. Where the database is lost meanwhile or does not
    /// answer, prices are kept and the rest is given up: it is decided anew.
    pub(super) async fn stop(mut self) {
        self.sources.cancel();
        let mut lost = self.lost.clone();
        tokio::select! {
            ended = &mut self.finished => {
                report(ended);
                return;
            }
            _ = lost.wait_for(Option::is_some) => {}
            () = tokio::time::sleep(STOP_MAX) => {}
        }
        error!(
            "PostgreSQL does not answer: prices are kept on disk, decisions that are not stored are given up"
        );
        self.permit.send_replace(Permit::Nothing);
        self.abandon.cancel();
        self.postgres.cut();
        let (downstream, permit) = (self.downstream, self.permit);
        let remains = Remains::new(self.postgres, downstream, permit, self.finished);
        remains.give_up().await;
    }
}
