//! Prices for live readers: the newest of each symbol into the cache, after its commit.
//!
//! One task writes, so a key never goes back. While Redis is away the newest value of each symbol
//! waits; nothing else does.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use turnstile_dataflows::model::Symbol;

use super::PriceRow;
use crate::redis::{Cache, PRICES_CHANNEL, TTL_PRICE};
use crate::seoul::SEOUL;

/// How often a write is tried again while Redis is away.
const RETRY: Duration = Duration::from_millis(200);
/// How long the last prices may take at the end.
const LAST_WRITE: Duration = Duration::from_secs(1);

/// The newest row of each symbol; it becomes text when it is written, off the way of the next batch.
type Pending = Arc<Mutex<BTreeMap<Symbol, PriceRow>>>;

pub(super) struct Publisher {
    pending: Pending,
    woken: Arc<Notify>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Publisher {
    pub(super) fn start(cache: Cache) -> Self {
        let (pending, woken) = (Pending::default(), Arc::new(Notify::new()));
        let stop = CancellationToken::new();
        let task = crate::task::spawn(
            "price publisher",
            run(cache, pending.clone(), woken.clone(), stop.clone()),
        );
        Self {
            pending,
            woken,
            stop,
            task,
        }
    }

    /// Notes the newest price of each symbol of a committed batch.
    pub(super) fn publish(&self, batch: &[PriceRow]) {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        for row in batch {
            pending.insert(row.symbol, row.clone());
        }
        drop(pending);
        self.woken.notify_one();
    }

    /// Writes what waits, and ends.
    pub(super) async fn stop(self) {
        self.stop.cancel();
        self.woken.notify_one();
        drop(tokio::time::timeout(LAST_WRITE, self.task).await);
    }
}

async fn run(cache: Cache, pending: Pending, woken: Arc<Notify>, stop: CancellationToken) {
    loop {
        woken.notified().await;
        while !write_pending(&cache, &pending).await {
            if stop.is_cancelled() {
                return;
            }
            tokio::time::sleep(RETRY).await;
        }
        if stop.is_cancelled() {
            return;
        }
    }
}

/// Writes what waits. Returns whether nothing is left to write.
async fn write_pending(cache: &Cache, pending: &Pending) -> bool {
    let taken = std::mem::take(&mut *pending.lock().unwrap_or_else(PoisonError::into_inner));
    if taken.is_empty() || !cache.stats().is_enabled {
        return true;
    }
    let entries: Vec<_> = taken
        .iter()
        .map(|(symbol, row)| (format!("price:{symbol}"), to_json(row)))
        .collect();
    let parts: Vec<_> = entries.iter().map(|(_key, json)| json.as_str()).collect();
    let message = format!("[{}]", parts.join(","));
    let done = cache
        .set_all_and_publish(&entries, TTL_PRICE.as_secs(), PRICES_CHANNEL, &message)
        .await;
    if !done {
        let mut pending = pending.lock().unwrap_or_else(PoisonError::into_inner);
        for (symbol, old) in taken {
            pending.entry(symbol).or_insert(old); // What came meanwhile is newer.
        }
    }
    done
}

/// Returns the price as live readers get it. Prices print as JSON numbers.
fn to_json(row: &PriceRow) -> String {
    let mut json = String::with_capacity(224);
    let number = |value: Option<String>| value.unwrap_or_else(|| "null".to_owned());
    let text = |value: Option<rust_decimal::Decimal>| number(value.map(|value| value.to_string()));
    // Writing to a string cannot fail.
    let _ = write!(
        json,
        r#"{{"symbol":"{}","price":{},"bid":{},"ask":{},"change_price":{},"change_rate":{},"volume":{},"source":"{}","session":"{}","ts":"{}","logical_us":{}}}"#,
        row.symbol,
        row.last,
        number(row.bid.map(|bid| bid.to_string())),
        number(row.ask.map(|ask| ask.to_string())),
        text(row.change),
        text(row.change_rate),
        row.volume,
        row.source,
        row.session,
        seoul(row.exchange_us),
        row.logical_us,
    );
    json
}

fn seoul(micros: u64) -> String {
    let micros = i64::try_from(micros).unwrap_or(i64::MAX);
    let time = Timestamp::from_microsecond(micros).unwrap_or_default();
    time.display_with_offset(SEOUL).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_is_published_as_numbers_with_seoul_time() {
        let row = PriceRow {
            logical_us: 1_795_482_000_000_001,
            symbol: "005930".parse().unwrap(),
            exchange_us: 1_795_482_000_000_000,
            received_us: 1_795_482_000_000_000,
            source: "KIS_WS",
            last: "191200".parse().unwrap(),
            bid: Some("191100".parse().unwrap()),
            ask: None,
            volume: 25,
            day_volume: None,
            day_value: None,
            change: None,
            change_rate: None,
            bid_volume: None,
            ask_volume: None,
            session: "REGULAR",
        };
        let json: serde_json::Value = serde_json::from_str(&to_json(&row)).unwrap();
        assert_eq!(json["price"], 191_200);
        assert_eq!(json["ask"], serde_json::Value::Null);
        assert_eq!(json["ts"], "2026-11-24T10:00:00+09:00");
    }
}
