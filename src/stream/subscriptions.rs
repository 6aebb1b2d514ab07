//! Which symbols the broker streams: wishes go to the engine, which gives out the slots; what it gives
//! goes to the stream.
//!
//! ```text
//! trade.followed ─ difference ─> sequencer ─> engine: slots by class, distance, score ─> stream
//! ```
//!
//! One registration of the session is for the execution notice; the others are slots.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use turnstile_connectors::postgres::Postgres;
use turnstile_dataflows::engine::Change;
use turnstile_dataflows::model::Symbol;
use turnstile_dataflows::slots::{self, Wish};

use super::wire::Slots;

/// Changes come in bursts.
const SETTLE: Duration = Duration::from_millis(200);
/// Wishes are read at most so often: every position has to be gone through.
const SPACING: Duration = Duration::from_secs(1);
/// How often wishes are read although nothing is known to have changed (domain 2.3).
const READ_AGAIN: Duration = Duration::from_secs(300);
const RETRY: Duration = Duration::from_secs(1);

const WANTED: &str = "SELECT symbol, rank, score FROM trade.followed";

/// Why each symbol is wanted.
type Wishes = BTreeMap<Symbol, Wish>;

/// Follows the wishes and tells the engine.
pub(super) struct Subscriptions {
    postgres: Postgres,
    slots_max: usize,
    changed: Arc<Notify>,
    wishes: mpsc::Sender<Vec<Change>>,
    /// What the engine was told.
    told: Wishes,
}

impl Subscriptions {
    pub(super) fn new(
        postgres: Postgres,
        slots_max: usize,
        wishes: mpsc::Sender<Vec<Change>>,
    ) -> Self {
        Self {
            postgres,
            slots_max,
            changed: Arc::new(Notify::new()),
            wishes,
            told: Wishes::new(),
        }
    }

    /// Returns the bell to ring when wishes may have changed.
    pub(super) fn changed(&self) -> Arc<Notify> {
        self.changed.clone()
    }

    /// Tells the engine of all wishes and slots, and returns the symbols that it will give slots to as
    /// long as it knows no prices: those to begin with.
    pub(super) async fn begin(&mut self) -> anyhow::Result<BTreeSet<Symbol>> {
        let wishes = self.read().await?;
        let mut changes = difference(&self.told, &wishes);
        changes.push(Change::Slots(self.slots_max));
        self.wishes
            .send(changes)
            .await
            .context("nobody takes wishes")?;
        let first = slots::first(&wishes, self.slots_max);
        show_left_out(&wishes, first.len());
        self.told = wishes;
        Ok(first)
    }

    async fn read(&self) -> anyhow::Result<Wishes> {
        let client = self.postgres.client().await?;
        let rows = client
            .query(WANTED, &[])
            .await
            .context("subscriptions cannot be read")?;
        let read = |row: &tokio_postgres::Row| {
            let symbol: Symbol = row.try_get::<_, &str>(0)?.parse()?;
            let wish = match row.try_get::<_, i32>(1)? {
                0 => Wish::Closing,
                1 => Wish::Held,
                _ => Wish::other(u32::try_from(row.try_get::<_, i32>(2)?)?),
            };
            Ok((symbol, wish))
        };
        rows.iter().map(read).collect()
    }

    /// Follows until `stop`.
    pub(super) async fn run(mut self, stop: CancellationToken) {
        let mut ready = Instant::now();
        loop {
            let pause = async {
                drop(timeout(READ_AGAIN, self.changed.notified()).await);
                tokio::time::sleep_until((Instant::now() + SETTLE).max(ready)).await;
            };
            if stop.run_until_cancelled(pause).await.is_none() {
                return;
            }
            ready = Instant::now() + SPACING;
            match self.read().await {
                Ok(wishes) => {
                    let changes = difference(&self.told, &wishes);
                    if changes.is_empty() {
                        continue;
                    }
                    show_left_out(&wishes, self.slots_max);
                    self.told = wishes;
                    if self.wishes.send(changes).await.is_err() {
                        return; // The sequencer has ended.
                    }
                }
                // The wishes of before stay: an error is not an empty wish.
                Err(error) => {
                    warn!(%error, "subscriptions kept as they are");
                    self.changed.notify_one();
                    tokio::time::sleep(RETRY).await;
                }
            }
        }
    }
}

/// Applies the slots that the engine gives, until `stop`. The stream asks for the difference.
pub(super) async fn apply_slots(
    stream: Slots,
    mut slots: watch::Receiver<BTreeSet<Symbol>>,
    stop: CancellationToken,
) {
    while let Some(Ok(())) = stop.run_until_cancelled(slots.changed()).await {
        let given = slots.borrow_and_update().clone();
        info!(symbols = given.len(), "subscriptions changed");
        stream.set(given);
    }
}

fn difference(old: &Wishes, new: &Wishes) -> Vec<Change> {
    let gone = old.keys().filter(|symbol| !new.contains_key(symbol));
    let gone = gone.map(|symbol| Change::Wish(*symbol, None));
    let come = new
        .iter()
        .filter(|(symbol, wish)| old.get(symbol) != Some(wish));
    gone.chain(come.map(|(symbol, wish)| Change::Wish(*symbol, Some(*wish))))
        .collect()
}

fn show_left_out(wishes: &Wishes, slots: usize) {
    let left_out = u32::try_from(wishes.len().saturating_sub(slots)).unwrap_or(u32::MAX);
    metrics::gauge!("subscriptions_left_out").set(f64::from(left_out));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_is_told() {
        let symbol = |code: &str| code.parse::<Symbol>().unwrap();
        let (old, new) = (
            Wishes::from([
                (symbol("000001"), Wish::Held),
                (symbol("000002"), Wish::Held),
                (symbol("000003"), Wish::other(1_000)),
            ]),
            Wishes::from([
                (symbol("000002"), Wish::Closing),
                (symbol("000003"), Wish::other(1_000)),
                (symbol("000004"), Wish::Held),
            ]),
        );
        let told = format!("{:?}", difference(&old, &new));
        let expected = [
            Change::Wish(symbol("000001"), None),
            Change::Wish(symbol("000002"), Some(Wish::Closing)),
            Change::Wish(symbol("000004"), Some(Wish::Held)),
        ];
        assert_eq!(told, format!("{expected:?}"));
        assert!(difference(&new, &new).is_empty());
    }
}
