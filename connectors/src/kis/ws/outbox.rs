//! Events on their way to the consumer: trades gathered into batches, faults thinned out.

use std::mem;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{KisEvent, Stamped};
use crate::kis::error::Malformed;
use crate::kis::fault_log::FaultLog;
use crate::kis::parse::Trade;

/// Most trades in one event: what one burst of frames gathers before it is handed over.
pub(super) const BATCH_MAX: usize = 512;

/// Nobody takes events any more: the consumer is gone, or the stop token is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Gone;

/// The way out.
pub(super) struct Outbox {
    events: mpsc::Sender<Stamped>,
    stop: CancellationToken,
    /// Trades not yet handed over.
    pub(super) trades: Vec<Trade>,
    faults: FaultLog,
}

impl Outbox {
    pub(super) fn new(events: mpsc::Sender<Stamped>, stop: CancellationToken) -> Self {
        Self {
            events,
            stop,
            trades: Vec::new(),
            faults: FaultLog::default(),
        }
    }

    /// Hands over the gathered trades, waiting while the consumer is behind.
    pub(super) async fn flush(&mut self) -> Result<(), Gone> {
        let Some(received_us) = self.trades.first().map(|trade| trade.received_us) else {
            return Ok(());
        };
        let event = KisEvent::Trades(mem::take(&mut self.trades));
        self.send(Stamped { received_us, event }).await
    }

    /// Hands over `event` after the trades read before it.
    pub(super) async fn push(&mut self, received_us: u64, event: KisEvent) -> Result<(), Gone> {
        self.flush().await?;
        self.send(Stamped { received_us, event }).await
    }

    /// Counts `fault`; says it where its place was quiet for a while.
    pub(super) async fn fault(&mut self, received_us: u64, fault: Malformed) -> Result<(), Gone> {
        let Some(suppressed) = self.faults.take(&fault) else {
            return Ok(());
        };
        let Malformed {
            place,
            reason,
            excerpt,
        } = fault;
        let event = KisEvent::Malformed {
            place,
            reason,
            excerpt,
            suppressed,
        };
        self.push(received_us, event).await
    }

    /// Returns when nobody takes events any more.
    pub(super) async fn gone(&self) {
        tokio::select! {
            () = self.events.closed() => {}
            () = self.stop.cancelled() => {}
        }
    }

    async fn send(&self, stamped: Stamped) -> Result<(), Gone> {
        tokio::select! {
            biased;
            sent = self.events.send(stamped) => sent.map_err(|_| Gone),
            () = self.stop.cancelled() => Err(Gone),
        }
    }
}
