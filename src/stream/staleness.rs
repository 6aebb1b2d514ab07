//! Held symbols whose price cannot be judged: each is told once when that begins and once when it
//! ends.

use std::collections::{BTreeMap, BTreeSet};

use turnstile_connectors::execution::Alarms;
use turnstile_connectors::exits::metrics::STALE_SYMBOLS;
use turnstile_dataflows::exit::Freshness;
use turnstile_dataflows::model::{LogicalTime, Symbol};
use turnstile_dataflows::price::{BestPrice, Stale};

use super::alarms;
use super::quotes::Seen;

/// How long the first price of a symbol may take before somebody is told: as long as a price may
/// be old (decision contract, 2.12).
const FIRST_PRICE_MAX_US: u64 = 10_000_000;

/// What is known of stale prices.
pub(super) struct Staleness {
    /// Where others see which prices are stale.
    seen: Seen,
    /// Stale and told.
    told: BTreeSet<Symbol>,
    /// Without any price yet, as every symbol at the start.
    unseen: BTreeMap<Symbol, Freshness>,
    /// Why no source has a fresh price.
    reasons: BTreeMap<Symbol, Stale>,
}

impl Staleness {
    pub(super) fn new(seen: Seen) -> Self {
        Self {
            seen,
            told: BTreeSet::new(),
            unseen: BTreeMap::new(),
            reasons: BTreeMap::new(),
        }
    }

    /// Takes in the best price of a symbol.
    pub(super) fn note(&mut self, row: &BestPrice) {
        self.seen.note_stale(row.symbol, row.best.stale.is_some());
        match row.best.stale {
            Some(reason) => self.reasons.insert(row.symbol, reason),
            None => self.reasons.remove(&row.symbol),
        };
    }

    /// Takes in a change.
    pub(super) fn take(&mut self, change: Freshness, alarms: &Alarms) {
        let symbol = change.symbol;
        if change.is_stale && change.seen.is_none() {
            self.unseen.insert(symbol, change);
        } else if change.is_stale {
            self.tell(&change, alarms);
        } else {
            self.unseen.remove(&symbol);
            if self.told.remove(&symbol) {
                alarms.raise(alarms::freshness(&change, None));
            }
        }
        self.show();
    }

    /// Tells the symbols that have waited too long at `now` for their first price.
    pub(super) fn wait_for_first(&mut self, now: LogicalTime, alarms: &Alarms) {
        let is_late = |_symbol: &Symbol, change: &mut Freshness| {
            now.micros().saturating_sub(change.time.micros()) > FIRST_PRICE_MAX_US
        };
        let late: Vec<_> = self.unseen.extract_if(.., is_late).collect();
        for (_symbol, change) in late {
            self.tell(&change, alarms);
        }
    }

    fn tell(&mut self, change: &Freshness, alarms: &Alarms) {
        if self.told.insert(change.symbol) {
            let reason = self.reasons.get(&change.symbol).copied();
            alarms.raise(alarms::freshness(change, reason));
        }
    }

    fn show(&self) {
        let count = u32::try_from(self.told.len() + self.unseen.len()).unwrap_or(u32::MAX);
        metrics::gauge!(STALE_SYMBOLS).set(f64::from(count));
    }
}
