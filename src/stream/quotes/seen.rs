//! When each symbol was last seen, by whichever source.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use turnstile_dataflows::model::Symbol;

/// When each symbol was last seen; at first, when the session opened or this process began to look.
#[derive(Clone, Default)]
pub(in crate::stream) struct Seen {
    state: Arc<Mutex<Looked>>,
}

#[derive(Default)]
struct Looked {
    is_open: bool,
    begun_us: u64,
    last: BTreeMap<Symbol, u64>,
    /// When anything was.
    latest_us: u64,
    /// Those whose best price is stale.
    stale: BTreeSet<Symbol>,
}

impl Seen {
    pub(in crate::stream) fn note(&self, symbol: Symbol, received_us: u64) {
        let mut state = self.lock();
        state.latest_us = received_us.max(state.latest_us);
        let last = state.last.entry(symbol).or_default();
        *last = received_us.max(*last);
    }

    /// Notes whether the best price of a symbol is stale.
    pub(in crate::stream) fn note_stale(&self, symbol: Symbol, is_stale: bool) {
        let stale = &mut self.lock().stale;
        match is_stale {
            true => stale.insert(symbol),
            false => stale.remove(&symbol),
        };
    }

    /// Returns whether the best price of the symbol is stale.
    pub(super) fn is_stale(&self, symbol: Symbol) -> bool {
        self.lock().stale.contains(&symbol)
    }

    /// Notes whether the exchange takes orders: silence before the opening is none.
    pub(super) fn note_session(&self, is_open: bool, now_us: u64) {
        let mut state = self.lock();
        if is_open && !state.is_open {
            state.begun_us = now_us;
        }
        state.is_open = is_open;
    }

    /// Returns whether nothing was seen of the symbol for so long.
    pub(super) fn is_silent(&self, symbol: Symbol, now_us: u64, than: Duration) -> bool {
        !is_within(now_us, self.last_us(symbol), than)
    }

    /// Returns whether nothing was seen of any symbol for so long.
    pub(super) fn is_all_silent(&self, now_us: u64, than: Duration) -> bool {
        let state = self.lock();
        !is_within(now_us, state.latest_us.max(state.begun_us), than)
    }

    /// Returns since when the symbol is silent.
    pub(super) fn last_us(&self, symbol: Symbol) -> u64 {
        let state = self.lock();
        let last = state.last.get(&symbol).copied().unwrap_or_default();
        last.max(state.begun_us)
    }

    fn lock(&self) -> MutexGuard<'_, Looked> {
        // A panic cannot leave it half changed: nothing between two writes can panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns whether no more than `span` lies between.
pub(super) fn is_within(now_us: u64, then_us: u64, span: Duration) -> bool {
    u128::from(now_us.saturating_sub(then_us)) < span.as_micros()
}
