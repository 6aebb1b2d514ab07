//! What the services and the driver share. No lock is held over an await, and where two are held,
//! the exchange's comes first.

use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, AtomicU64},
};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::{
    auth::Auth, call_log::CallLog, clock::SimClock, config::SimConfig, control::Faults,
    exchange::Exchange, ws::Hub,
};

/// State of one running simulator.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) config: SimConfig,
    pub(crate) clock: SimClock,
    pub(crate) hub: Hub,
    /// Wakes the driver after a change of the exchange.
    pub(crate) wake: Notify,
    /// Wakes the writer of the state file.
    pub(crate) changed: Notify,
    pub(crate) stop: CancellationToken,
    pub(crate) progress: Progress,
    exchange: Mutex<Exchange>,
    auth: Mutex<Auth>,
    faults: Mutex<Faults>,
    calls: Mutex<CallLog>,
}

/// How far the price path is.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    /// Trades printed by the path whose records are in the outboxes.
    pub(crate) ticks: AtomicU64,
    /// Trades that a tick file holds.
    pub(crate) ticks_total: AtomicU64,
    /// Whether a tick file is at its end.
    pub(crate) is_finished: AtomicBool,
}

impl Shared {
    pub(crate) fn new(config: SimConfig, clock: SimClock, exchange: Exchange) -> Self {
        Self {
            hub: Hub::new(&config),
            auth: Mutex::new(Auth::new(&config)),
            clock,
            wake: Notify::new(),
            changed: Notify::new(),
            stop: CancellationToken::new(),
            progress: Progress::default(),
            exchange: Mutex::new(exchange),
            faults: Mutex::default(),
            calls: Mutex::default(),
            config,
        }
    }

    pub(crate) fn exchange(&self) -> MutexGuard<'_, Exchange> {
        self.exchange.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn auth(&self) -> MutexGuard<'_, Auth> {
        self.auth.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn calls(&self) -> MutexGuard<'_, CallLog> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
