//! The board: the newest price of each symbol, written as JSON once however many clients read it.
//!
//! A reader keeps the places of its symbols, so that looking what is new costs it one comparison for
//! each and nothing per tick.

use std::collections::{BTreeMap, BTreeSet};

use axum::extract::ws::Utf8Bytes;
use serde::Serialize;

use crate::api::prices::Price;

/// The newest price of each symbol.
#[derive(Debug, Default)]
pub(crate) struct Board {
    places: BTreeMap<String, usize>,
    slots: Vec<Slot>,
    /// Whether the best price of a symbol is stale, as last looked up.
    staleness: BTreeMap<String, bool>,
}

#[derive(Debug)]
struct Slot {
    /// Number of the round in which it last changed.
    seq: u64,
    price: Price,
    row: Utf8Bytes,
}

/// A price as clients get it.
#[derive(Serialize)]
struct Row<'a> {
    #[serde(flatten)]
    price: &'a Price,
    /// Whether the best price of the symbol is stale; absent where the engine has none.
    is_stale: Option<bool>,
}

impl Row<'_> {
    fn text(&self) -> Option<Utf8Bytes> {
        // Numbers and texts alone are always written.
        serde_json::to_string(self).ok().map(Utf8Bytes::from)
    }
}

impl Board {
    /// Takes the prices that are newer than the known ones, under the number `seq`. Returns whether
    /// there were any.
    pub(crate) fn set(&mut self, seq: u64, prices: impl IntoIterator<Item = Price>) -> bool {
        let mut has_changed = false;
        for price in prices {
            let place = self.places.get(&price.symbol).copied();
            // A poll after a reconnect repeats what the channel has already brought.
            if place.is_some_and(|place| self.slots[place].price.logical_us >= price.logical_us) {
                continue;
            }
            let is_stale = self.staleness.get(&price.symbol).copied();
            let row = Row {
                price: &price,
                is_stale,
            };
            let Some(row) = row.text() else { continue };
            has_changed = true;
            let symbol = price.symbol.clone();
            let slot = Slot { seq, price, row };
            match place {
                Some(place) => self.slots[place] = slot,
                None => {
                    self.places.insert(symbol, self.slots.len());
                    self.slots.push(slot);
                }
            }
        }
        has_changed
    }

    /// Takes what is known of the best prices, under the number `seq`. Returns whether a row has changed.
    pub(crate) fn judge(&mut self, seq: u64, staleness: BTreeMap<String, bool>) -> bool {
        let mut has_changed = false;
        for (symbol, place) in &self.places {
            let is_stale = staleness.get(symbol).copied();
            if is_stale == self.staleness.get(symbol).copied() {
                continue;
            }
            let slot = &mut self.slots[*place];
            let row = Row {
                price: &slot.price,
                is_stale,
            };
            if let Some(row) = row.text() {
                (slot.seq, slot.row, has_changed) = (seq, row, true);
            }
        }
        self.staleness = staleness;
        has_changed
    }

    /// Returns those of `symbols` that have no price here.
    pub(crate) fn without<'a>(&self, symbols: impl IntoIterator<Item = &'a String>) -> Vec<String> {
        let is_missing = |symbol: &&String| !self.places.contains_key(*symbol);
        symbols.into_iter().filter(is_missing).cloned().collect()
    }
}

/// Which prices one client wants, and how far it has been told.
#[derive(Debug)]
pub(crate) struct PriceReader {
    /// None: all.
    wanted: Option<BTreeSet<String>>,
    /// Where they are on the board, by symbol.
    places: Vec<usize>,
    /// How many symbols the board had when `places` was made.
    known: usize,
    /// Everything up to here was handed out.
    at: u64,
}

impl PriceReader {
    /// Begins with what comes after `at`; 0 begins with everything. No symbols mean all.
    pub(crate) fn new(symbols: BTreeSet<String>, at: u64) -> Self {
        Self {
            wanted: Some(symbols).filter(|symbols| !symbols.is_empty()),
            places: Vec::new(),
            known: 0,
            at,
        }
    }

    /// Changes the symbols; what was handed out counts for the new ones as well.
    pub(crate) fn choose(&mut self, symbols: BTreeSet<String>) {
        *self = Self::new(symbols, self.at);
    }

    /// Hands out the rows that have changed, by symbol; everything up to `head` then is.
    pub(crate) fn advance(&mut self, board: &Board, head: u64) -> Vec<Utf8Bytes> {
        if self.known != board.slots.len() {
            self.known = board.slots.len();
            self.places = match &self.wanted {
                None => board.places.values().copied().collect(),
                Some(wanted) => {
                    let place = |symbol| board.places.get(symbol).copied();
                    wanted.iter().filter_map(place).collect()
                }
            };
        }
        let at = std::mem::replace(&mut self.at, head);
        let slots = self.places.iter().map(|place| &board.slots[*place]);
        let changed = slots.filter(|slot| slot.seq > at);
        changed.map(|slot| slot.row.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use rust_decimal::Decimal;
    use serde_json::Value;

    use super::*;
    use crate::seoul::SeoulTime;

    fn price(symbol: &str, won: i64, logical_us: i64) -> Price {
        Price {
            symbol: symbol.to_owned(),
            price: Decimal::from(won).into(),
            bid: None,
            ask: None,
            change_price: None,
            change_rate: None,
            volume: 1,
            source: "KIS_WS".to_owned(),
            ts: SeoulTime::from_micros(logical_us).unwrap(),
            logical_us,
        }
    }

    fn read(reader: &mut PriceReader, board: &Board, head: u64) -> Vec<(String, i64, Value)> {
        let rows = reader.advance(board, head).into_iter();
        rows.map(|row| {
            let row: Value = serde_json::from_str(row.as_str()).unwrap();
            let symbol = row["symbol"].as_str().unwrap().to_owned();
            (
                symbol,
                row["price"].as_i64().unwrap(),
                row["is_stale"].clone(),
            )
        })
        .collect()
    }

    fn row(symbol: &str, won: i64, is_stale: impl Into<Value>) -> (String, i64, Value) {
        (symbol.to_owned(), won, is_stale.into())
    }

    #[test]
    fn a_reader_gets_the_newest_of_what_has_changed() {
        let mut board = Board::default();
        let mut all = PriceReader::new(BTreeSet::new(), 0);
        assert!(board.set(1, [price("B", 1, 10), price("A", 2, 11), price("B", 3, 12)]));
        let both = [row("A", 2, Value::Null), row("B", 3, Value::Null)];
        assert_eq!(read(&mut all, &board, 1), both);
        assert_eq!(read(&mut all, &board, 1), []);
        assert!(!board.set(2, [price("B", 9, 12)]), "nothing older or equal");
        assert!(board.set(2, [price("B", 4, 13)]));
        assert_eq!(read(&mut all, &board, 2), [row("B", 4, Value::Null)]);
        let mut later = PriceReader::new(BTreeSet::new(), 1);
        assert_eq!(read(&mut later, &board, 2), [row("B", 4, Value::Null)]);
    }

    #[test]
    fn a_reader_of_some_symbols_gets_those_also_when_they_come_later() {
        let mut board = Board::default();
        let wanted = BTreeSet::from(["B".to_owned(), "C".to_owned()]);
        assert_eq!(board.without(&wanted).len(), 2);
        let mut reader = PriceReader::new(wanted, 0);
        board.set(1, [price("A", 1, 1), price("B", 2, 2)]);
        assert_eq!(read(&mut reader, &board, 1), [row("B", 2, Value::Null)]);
        board.set(2, [price("A", 3, 3), price("C", 4, 4)]);
        assert_eq!(read(&mut reader, &board, 2), [row("C", 4, Value::Null)]);
    }

    #[test]
    fn a_price_that_grows_stale_is_told_again() {
        let mut board = Board::default();
        let mut reader = PriceReader::new(BTreeSet::new(), 0);
        board.set(1, [price("A", 1, 1)]);
        reader.advance(&board, 1);
        let verdict = |is_stale| BTreeMap::from([("A".to_owned(), is_stale)]);
        assert!(board.judge(2, verdict(false)));
        assert_eq!(read(&mut reader, &board, 2), [row("A", 1, false)]);
        assert!(!board.judge(3, verdict(false)));
        assert!(board.judge(3, verdict(true)));
        assert!(board.set(4, [price("A", 2, 2)]));
        assert_eq!(read(&mut reader, &board, 4), [row("A", 2, true)]);
    }
}
