//! Which symbols the broker streams: what is held first, then what may be bought back, then the
//! watchlist, as many as the session takes beside the execution notice.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use turnstile_connectors::kis::KisStream;
use turnstile_connectors::postgres::Postgres;
use turnstile_dataflows::model::Symbol;

/// Changes come in bursts.
const SETTLE: Duration = Duration::from_millis(200);
const RETRY: Duration = Duration::from_secs(1);

const WANTED: &str = "SELECT symbol FROM trade.followed ORDER BY rank, symbol";

/// Follows the wishes and tells the stream.
pub(super) struct Subscriptions {
    postgres: Postgres,
    registrations_max: usize,
    changed: Arc<Notify>,
}

impl Subscriptions {
    pub(super) fn new(postgres: Postgres, registrations_max: usize) -> Self {
        Self {
            postgres,
            registrations_max,
            changed: Arc::new(Notify::new()),
        }
    }

    /// Returns the bell to ring when wishes may have changed.
    pub(super) fn changed(&self) -> Arc<Notify> {
        self.changed.clone()
    }

    /// Returns the symbols to stream now.
    pub(super) async fn wanted(&self) -> anyhow::Result<BTreeSet<Symbol>> {
        let client = self.postgres.client().await?;
        let rows = client
            .query(WANTED, &[])
            .await
            .context("subscriptions cannot be read")?;
        let room = self.registrations_max.saturating_sub(1); // One is for the execution notice.
        let left_out = rows.len().saturating_sub(room);
        #[expect(
            clippy::as_conversions,
            clippy::cast_precision_loss,
            reason = "a gauge is a float"
        )]
        metrics::gauge!("subscriptions_left_out").set(left_out as f64);
        let symbols = rows
            .iter()
            .take(room)
            .map(|row| row.get::<_, &str>(0).parse());
        Ok(symbols.collect::<Result<_, _>>()?)
    }

    pub(super) async fn run(self, stream: KisStream, stop: CancellationToken) {
        let mut last = BTreeSet::new();
        loop {
            let pause = async {
                self.changed.notified().await;
                tokio::time::sleep(SETTLE).await;
            };
            if stop.run_until_cancelled(pause).await.is_none() {
                return;
            }
            match self.wanted().await {
                Ok(wanted) => {
                    if wanted != last {
                        info!(symbols = wanted.len(), "subscriptions changed");
                        last.clone_from(&wanted);
                    }
                    stream.set_symbols(wanted);
                }
                // The previous set stays: an error is not an empty wish.
                Err(error) => {
                    warn!(%error, "subscriptions kept as they are");
                    self.changed.notify_one();
                    tokio::time::sleep(RETRY).await;
                }
            }
        }
    }
}
