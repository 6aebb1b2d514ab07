//! Deletions that Redis has not confirmed yet.
//!
//! 1. A key is owed from before its deletion is sent until it is confirmed; meanwhile this process
//!    does not read it from the cache.
//! 2. A confirmation settles only what it confirms: a key that was owed anew meanwhile stays owed.
//! 3. A debt ends by itself when the longest time to live is over.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;
use tracing::warn;

use super::aside::TTL_CONFIG;

/// Keys owed at most. Beyond, a key is left to its time to live.
const KEYS_MAX: usize = 10_000;

#[derive(Debug, Default)]
pub(super) struct Owed {
    debts: Mutex<Debts>,
}

#[derive(Debug, Default)]
struct Debts {
    keys: BTreeMap<String, Debt>,
    last: u64,
    has_payer: bool,
}

#[derive(Clone, Copy, Debug)]
struct Debt {
    number: u64,
    since: Instant,
}

/// What one deletion has to confirm.
#[derive(Debug)]
pub(super) struct Bill {
    /// Keys to delete.
    pub(super) keys: Vec<String>,
    /// Debts up to this number are settled by it.
    through: u64,
}

impl Owed {
    /// Notes that `keys` are owed and returns everything that is.
    pub(super) fn add(&self, keys: &[String]) -> Bill {
        let mut debts = self.lock();
        let since = Instant::now();
        debts
            .keys
            .retain(|_, debt| since.duration_since(debt.since) < TTL_CONFIG);
        debts.last += 1;
        let number = debts.last;
        let mut refused: usize = 0;
        for key in keys {
            if debts.keys.len() < KEYS_MAX || debts.keys.contains_key(key) {
                debts.keys.insert(key.clone(), Debt { number, since });
            } else {
                refused += 1;
            }
        }
        let mut bill = debts.bill();
        if refused > 0 {
            warn!(
                refused,
                "too many deletions owed; the keys end by their time to live"
            );
            bill.keys.extend(keys.iter().cloned()); // Twice in the list does no harm.
        }
        bill
    }

    /// Settles what `bill` names.
    pub(super) fn settle(&self, bill: &Bill) {
        self.lock()
            .keys
            .retain(|_, debt| debt.number > bill.through);
    }

    /// Returns whether the deletion of `key` is not confirmed.
    pub(super) fn contains(&self, key: &str) -> bool {
        self.lock().keys.contains_key(key)
    }

    /// Returns whether the caller becomes the one who pays later.
    pub(super) fn becomes_payer(&self) -> bool {
        !std::mem::replace(&mut self.lock().has_payer, true)
    }

    /// Returns what the payer has to pay, or None where nothing is left: then there is no payer any
    /// more.
    pub(super) fn bill_of_payer(&self) -> Option<Bill> {
        let mut debts = self.lock();
        debts.has_payer = !debts.keys.is_empty();
        debts.has_payer.then(|| debts.bill())
    }

    fn lock(&self) -> MutexGuard<'_, Debts> {
        self.debts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Debts {
    fn bill(&self) -> Bill {
        Bill {
            keys: self.keys.keys().cloned().collect(),
            through: self.last,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(names: &[&str]) -> Vec<String> {
        names.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_confirmation_leaves_what_was_owed_after_it_was_sent() {
        let owed = Owed::default();
        let first = owed.add(&keys(&["a", "b"]));
        let second = owed.add(&keys(&["b"]));
        owed.settle(&first);
        assert!(!owed.contains("a"));
        assert!(owed.contains("b"));
        owed.settle(&second);
        assert!(!owed.contains("b"));
    }

    #[test]
    fn there_is_one_payer_until_all_is_paid() {
        let owed = Owed::default();
        let bill = owed.add(&keys(&["a"]));
        assert!(owed.becomes_payer());
        assert!(!owed.becomes_payer());
        assert_eq!(owed.bill_of_payer().unwrap().keys, keys(&["a"]));
        owed.settle(&bill);
        assert!(owed.bill_of_payer().is_none());
        assert!(owed.becomes_payer());
    }

    #[tokio::test(start_paused = true)]
    async fn debts_are_bounded_and_end_with_the_longest_time_to_live() {
        let owed = Owed::default();
        let many: Vec<String> = (0..=KEYS_MAX).map(|number| number.to_string()).collect();
        let bill = owed.add(&many);
        assert_eq!(owed.lock().keys.len(), KEYS_MAX);
        assert!(many.iter().all(|key| bill.keys.contains(key)));
        tokio::time::advance(TTL_CONFIG).await;
        owed.add(&keys(&["a"]));
        assert_eq!(owed.lock().keys.len(), 1);
    }
}
