//! The broker's stream. It outlives engines: while one ends and the next one begins, prices go on.

use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::Context;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::warn;
use turnstile_connectors::kis::{
    Clock, KisClient, KisError, KisSettings, KisStream, KisStreamParts, Stamped, Standing,
};
use turnstile_connectors::spill::Spill;
use turnstile_dataflows::model::Symbol;

use super::tasks::report;

/// The clients of all app keys, and the stream once it is open.
pub(super) struct Wire {
    /// A client for each app key, that of the account first.
    pub(super) clients: Vec<KisClient>,
    pub(super) clock: Clock,
    spill: Arc<Spill>,
    open: Option<Open>,
}

/// An open stream.
struct Open {
    stream: Arc<KisStream>,
    /// None while an engine has them.
    events: Option<mpsc::Receiver<Stamped>>,
    standing: watch::Receiver<Standing>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

/// What an engine has of the stream.
pub(super) struct Line {
    pub(super) slots: Slots,
    /// To be given back.
    pub(super) events: mpsc::Receiver<Stamped>,
    pub(super) standing: watch::Receiver<Standing>,
    /// Whether it was opened for this engine: every symbol will be confirmed.
    pub(super) is_new: bool,
}

/// Where the symbols are set that are streamed.
pub(super) struct Slots {
    stream: Arc<KisStream>,
    spill: Arc<Spill>,
}

impl Slots {
    /// Sets the symbols, and remembers them for a start without a database.
    pub(super) fn set(&self, symbols: BTreeSet<Symbol>) {
        if let Err(error) = self.spill.remember(&symbols) {
            warn!(%error, "a start without a database will not know what to stream");
        }
        self.stream.set_symbols(symbols);
    }
}

impl Wire {
    pub(super) fn new(
        settings: &KisSettings,
        clock: Clock,
        spill: Arc<Spill>,
    ) -> Result<Self, KisError> {
        let clients = settings.of_each_key().into_iter();
        let clients = clients.map(|settings| KisClient::new(settings, clock.clone()));
        Ok(Self {
            clients: clients.collect::<Result<_, _>>()?,
            clock,
            spill,
            open: None,
        })
    }

    /// Returns the client of the account.
    pub(super) fn client(&self) -> anyhow::Result<&KisClient> {
        self.clients.first().context("no app key")
    }

    /// Gives the stream to an engine that wants these symbols; opens it where it is not.
    pub(super) fn take(&mut self, wanted: &BTreeSet<Symbol>) -> anyhow::Result<Line> {
        let is_new = self.open(wanted);
        let open = self.open.as_mut().context("the stream is open")?;
        let slots = Slots {
            stream: open.stream.clone(),
            spill: self.spill.clone(),
        };
        slots.set(wanted.clone());
        Ok(Line {
            slots,
            events: open
                .events
                .take()
                .context("another engine has the stream")?,
            standing: open.standing.clone(),
            is_new,
        })
    }

    /// Opens the stream with these symbols, unless it is open. Returns whether it was not. No engine has it
    /// then: the events of one that did not come up are gone with it, and the stream is opened anew.
    pub(super) fn open(&mut self, wanted: &BTreeSet<Symbol>) -> bool {
        if self.events().is_some() {
            return false;
        }
        self.stop();
        let stop = CancellationToken::new();
        let KisStreamParts {
            stream,
            events,
            standing,
            task,
        } = KisStream::start(
            &self.clients,
            self.clock.clone(),
            wanted.clone(),
            stop.clone(),
        );
        self.open = Some(Open {
            stream: Arc::new(stream),
            events: Some(events),
            standing,
            stop,
            task,
        });
        true
    }

    /// Takes back what an engine had.
    pub(super) fn give_back(&mut self, events: mpsc::Receiver<Stamped>) {
        if let Some(open) = &mut self.open {
            open.events = Some(events);
        }
    }

    /// Returns the events, while no engine has them.
    pub(super) fn events(&mut self) -> Option<&mut mpsc::Receiver<Stamped>> {
        self.open.as_mut()?.events.as_mut()
    }

    /// Makes the stream end; what was read from it can still be taken.
    pub(super) fn stop(&self) {
        if let Some(open) = &self.open {
            open.stop.cancel();
        }
    }

    /// Closes the stream: another engine is the one that trades, or the process ends.
    pub(super) async fn close(&mut self) {
        if let Some(open) = self.open.take() {
            open.stop.cancel();
            drop(open.events);
            report(open.task.await);
        }
    }
}
