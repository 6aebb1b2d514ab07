//! Loads under way: of many that miss the same key at once, one asks PostgreSQL.
//!
//! A load may be shared only by readers to whom nothing has been deleted since it began: each deletion
//! leaves another mark, and loads are told apart by the mark that their reader saw.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::OnceCell;

use super::cache::Seen;

/// Loads remembered from which on those that have ended are forgotten.
const FLIGHTS_MAX: usize = 1_000;

/// What a load found.
#[derive(Debug)]
pub(super) enum Found {
    /// A value, as it is cached.
    Text(String),
    /// Nothing.
    Nothing,
    /// A value that cannot be written as text: each reader loads its own.
    NoText,
}

/// A load that several readers wait for.
pub(super) type Flight = Arc<OnceCell<Found>>;

/// Loads by key, and by what their readers saw.
type ByReader = BTreeMap<(String, Seen), Weak<OnceCell<Found>>>;

/// The loads under way of this process.
#[derive(Debug, Default)]
pub(super) struct Flights {
    flights: Mutex<ByReader>,
}

impl Flights {
    /// Returns the load of `key` by a reader that saw `seen`, a new one where none is under way.
    pub(super) fn join(&self, key: &str, seen: &Seen) -> Flight {
        let mut flights = self.flights.lock().unwrap_or_else(PoisonError::into_inner);
        if flights.len() >= FLIGHTS_MAX {
            flights.retain(|_, flight| flight.strong_count() > 0);
        }
        let place = flights.entry((key.to_owned(), seen.clone())).or_default();
        place.upgrade().unwrap_or_else(|| {
            let flight = Flight::default();
            *place = Arc::downgrade(&flight);
            flight
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(mark: &str) -> Seen {
        Seen {
            mark: Some(mark.to_owned()),
            epoch: "e".to_owned(),
        }
    }

    #[test]
    fn only_readers_that_saw_the_same_share_a_load() {
        let flights = Flights::default();
        let one = flights.join("a", &seen("1"));
        assert!(Arc::ptr_eq(&one, &flights.join("a", &seen("1"))));
        assert!(!Arc::ptr_eq(&one, &flights.join("a", &seen("2"))));
        assert!(!Arc::ptr_eq(&one, &flights.join("b", &seen("1"))));
        drop(one);
        assert!(!flights.join("a", &seen("1")).initialized());
    }

    #[test]
    fn what_has_ended_is_forgotten() {
        let flights = Flights::default();
        for number in 0..=FLIGHTS_MAX {
            drop(flights.join(&number.to_string(), &seen("1")));
        }
        assert_eq!(flights.flights.lock().unwrap().len(), 1);
    }
}
