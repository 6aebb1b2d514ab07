//! Events on their way to the consumer: trades gathered into batches, faults thinned out.

use std::collections::BTreeMap;
use std::mem;
use std::time::Duration;

use metrics::counter;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::{KisEvent, Stamped};
use crate::kis::error::Malformed;
use crate::kis::metrics::MALFORMED;
use crate::kis::parse::Trade;

/// Most trades in one event: what one burst of frames gathers before it is handed over.
pub(super) const BATCH_MAX: usize = 512;
/// Faults of one place are reported at most this often.
const FAULT_INTERVAL: Duration = Duration::from_secs(10);

/// Nobody takes events any more: the consumer is gone, or the stop token is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Gone;

/// The way out.
pub(super) struct Outbox {
    events: mpsc::Sender<Stamped>,
    stop: CancellationToken,
    /// Trades not yet handed over.
    pub(super) trades: Vec<Trade>,
    faults: BTreeMap<&'static str, Thinned>,
}

/// Reports of one place.
struct Thinned {
    next_at: Instant,
    suppressed: u64,
}

impl Outbox {
    pub(super) fn new(events: mpsc::Sender<Stamped>, stop: CancellationToken) -> Self {
        Self {
            events,
            stop,
            trades: Vec::new(),
            faults: BTreeMap::new(),
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
        counter!(MALFORMED, "place" => fault.place).increment(1);
        let now = Instant::now();
        let thinned = self.faults.entry(fault.place).or_insert(Thinned {
            next_at: now,
            suppressed: 0,
        });
        if now < thinned.next_at {
            thinned.suppressed += 1;
            return Ok(());
        }
        let suppressed = mem::take(&mut thinned.suppressed);
        thinned.next_at = now + FAULT_INTERVAL;
        let Malformed {
            place,
            reason,
            excerpt,
        } = fault;
        warn!(
            place,
            reason, excerpt, suppressed, "malformed text of the broker skipped"
        );
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
