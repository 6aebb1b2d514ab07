//! Prices that keep moving while other things happen, and what became of each.

use std::collections::BTreeMap;
use std::time::Duration;

use rust_decimal::Decimal;
use serde_json::json;
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::System;

/// Patience with the simulator, which may stand still.
const ANSWER_MAX: Duration = Duration::from_millis(500);

/// Prints trades at the exchange until it is stopped: each another price than the one before.
pub struct Ticker {
    stop: CancellationToken,
    task: JoinHandle<Told>,
}

/// What the exchange was told.
#[derive(Debug, Default)]
pub struct Told {
    /// By symbol, the prices that it printed, in their order.
    pub printed: BTreeMap<String, Vec<Decimal>>,
    /// Prices of which nobody knows whether it did.
    pub unsure: usize,
}

impl Ticker {
    /// Starts to print `rate` trades a second, one symbol after the other.
    pub fn start(system: &System, symbols: &[String], rate: u32) -> Self {
        let stop = CancellationToken::new();
        let url = format!("{}/price", system.control);
        let run = run(url, symbols.to_vec(), rate, stop.clone());
        Self {
            stop,
            task: turnstile_connectors::task::spawn("ticker", run),
        }
    }

    /// Stops, and returns what the exchange was told.
    ///
    /// # Panics
    /// If it has failed.
    pub async fn stop(self) -> Told {
        self.stop.cancel();
        self.task.await.expect("it goes on")
    }
}

async fn run(url: String, symbols: Vec<String>, rate: u32, stop: CancellationToken) -> Told {
    let http = reqwest::Client::builder().timeout(ANSWER_MAX).build();
    let http = http.expect("a client");
    let mut told = Told::default();
    let mut step = tokio::time::interval(Duration::from_secs(1) / rate);
    step.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut count = 0_i64;
    while stop.run_until_cancelled(step.tick()).await.is_some() {
        let at = usize::try_from(count).unwrap_or_default();
        let symbol = &symbols[at % symbols.len()];
        let round = count / i64::try_from(symbols.len()).unwrap_or(1);
        let won = 99_000 + 100 * (round % 20);
        count += 1;
        let body = json!({"symbol": symbol, "price": won, "volume": 1});
        match http.post(&url).json(&body).send().await {
            Ok(answer) if answer.status().is_success() => {
                let printed = told.printed.entry(symbol.clone()).or_default();
                printed.push(Decimal::from(won));
            }
            // Refused, or nobody listens.
            Ok(_) => {}
            Err(error) if error.is_connect() => {}
            Err(_) => told.unsure += 1,
        }
    }
    told
}

impl Told {
    /// Returns what is wrong with what the database has of it since `after_us`: every price once and in
    /// order where `is_whole`, otherwise the last one, none twice and none that was not printed.
    pub async fn faults(&self, system: &System, after_us: i64, is_whole: bool) -> Vec<String> {
        let mut faults = Vec::new();
        for (symbol, printed) in &self.printed {
            let rows = system
                .query(
                    "SELECT last_price FROM market.prices WHERE symbol = $1 AND logical_us > $2
                         AND source = 'KIS_WS' ORDER BY logical_us",
                    &[symbol, &after_us],
                )
                .await;
            let stored: Vec<Decimal> = rows.iter().map(|row| row.get(0)).collect();
            let is_right = match is_whole {
                true => stored == *printed,
                false => {
                    stored.last() == printed.last()
                        && (self.unsure > 0 || is_part(&stored, printed))
                }
            };
            if !is_right {
                let (of, at) = (printed.len(), stored.len());
                faults.push(format!("{at} prices of {symbol} stored, {of} printed"));
            }
        }
        faults
    }

    /// Returns how many prices were printed.
    pub fn count(&self) -> usize {
        self.printed.values().map(Vec::len).sum()
    }
}

/// Returns whether `part` is `whole` with some left out.
fn is_part(part: &[Decimal], whole: &[Decimal]) -> bool {
    let mut rest = whole.iter();
    part.iter().all(|price| rest.any(|other| other == price))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_keeps_the_order_and_has_nothing_twice() {
        let all = [1, 2, 3].map(Decimal::from);
        for (part, is_right) in [
            (vec![], true),
            (vec![1, 3], true),
            (vec![1, 2, 3], true),
            (vec![2, 1], false),
            (vec![2, 2], false),
            (vec![4], false),
        ] {
            let part: Vec<_> = part.into_iter().map(Decimal::from).collect();
            assert_eq!(is_part(&part, &all), is_right, "{part:?}");
        }
    }
}
