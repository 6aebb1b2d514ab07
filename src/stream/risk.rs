//! The risk desk beside the engine: what it is told, and the thread that it works on.

use std::collections::BTreeMap;
use std::thread::JoinHandle;

use anyhow::Context;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;
use turnstile_connectors::execution::RiskGate;
use turnstile_dataflows::model::{LogicalTime, Price, Symbol};
use turnstile_dataflows::risk::{self, RiskChange, RiskEvent};

/// Events that wait for the desk. A load of a million positions is a thousand of them.
const EVENTS_MAX: usize = 16_384;
/// Events taken in at one go.
const BATCH: usize = 1_024;

/// Tells the desk what changes. It never waits: a desk that falls this far behind is given up, and
/// the gate approves nothing any more.
pub(super) struct RiskFeed {
    events: mpsc::Sender<RiskEvent>,
    gate: RiskGate,
    /// Last prices since the desk heard of some.
    prices: BTreeMap<Symbol, Price>,
}

/// Starts the desk, which tells `gate` what follows. It ends with its feed.
pub(super) fn start(gate: &RiskGate) -> anyhow::Result<(RiskFeed, JoinHandle<()>)> {
    let (events, mut waiting) = mpsc::channel(EVENTS_MAX);
    let told = gate.clone();
    let thread = std::thread::Builder::new()
        .name("risk".to_owned())
        .spawn(move || {
            let feed = move |events: &mut Vec<_>| waiting.blocking_recv_many(events, BATCH) > 0;
            risk::run(feed, move |changes| told.update(changes));
        })
        .context("the thread of the risk desk cannot be started")?;
    let feed = RiskFeed {
        events,
        gate: gate.clone(),
        prices: BTreeMap::new(),
    };
    Ok((feed, thread))
}

impl RiskFeed {
    /// Notes the last price of a symbol, for the next second.
    pub(super) fn price(&mut self, symbol: Symbol, price: Price) {
        self.prices.insert(symbol, price);
    }

    /// Tells of rows that have changed.
    pub(super) fn tell(&self, time: LogicalTime, changes: Vec<RiskChange>) {
        self.send(RiskEvent {
            time,
            changes,
            is_complete: false,
        });
    }

    /// Tells of a second, and of the prices since the last one. `is_complete`: everything up to it has
    /// been told, also what changed while the start settled the past. The desk gives out no view before.
    pub(super) fn second(&mut self, time: LogicalTime, is_complete: bool) {
        let prices = std::mem::take(&mut self.prices).into_iter();
        let changes = prices.map(|(symbol, price)| RiskChange::Price(symbol, price));
        self.send(RiskEvent {
            time,
            changes: changes.collect(),
            is_complete,
        });
    }

    fn send(&self, event: RiskEvent) {
        match self.events.try_send(event) {
            Ok(()) => {}
            Err(TrySendError::Full(_) | TrySendError::Closed(_)) => self.gate.lose(),
        }
    }
}
