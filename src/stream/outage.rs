//! The broker's outage: when it begins, when it is over, and what it pauses meanwhile.
//!
//! ```text
//! stream away for 2 s, and two probes without an answer ─> pause BROKER_DOWN, Naver for prices
//! stream back and a probe answered ─> order list read ─> pause lifted
//! ```
//!
//! Exits are paused as by PAUSE_ALL: hard stops are judged on, and their orders wait. The pause is a row
//! beside the operator's mode, so it outlives this process, and only its end lifts it.

use std::sync::Arc;
use std::time::Duration;

use metrics::gauge;
use serde_json::json;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, timeout};
use tokio_util::sync::CancellationToken;
use tracing::debug;
use turnstile_connectors::execution::{Alarm, Alarms, Level, OrderPoll};
use turnstile_connectors::kis::{KisClient, Lane};
use turnstile_connectors::postgres::Postgres;
use turnstile_dataflows::model::Symbol;

const STEP: Duration = Duration::from_millis(500);
/// How long the stream may be away before the broker is asked whether it is there.
const AFTER: Duration = Duration::from_secs(2);
const PROBE_MAX: Duration = Duration::from_secs(1);
/// Probes without an answer that make an outage.
const FAILURES: u32 = 2;
/// How long the end waits for a complete order list.
const RECONCILED_MAX: Duration = Duration::from_secs(60);

/// Any issue will do; this one is the oldest index fund (domain 2.3, system symbols).
const PROBED: &str = "069500";

/// Watches over the broker.
pub(super) struct Outage {
    pub(super) postgres: Postgres,
    pub(super) client: KisClient,
    pub(super) alarms: Alarms,
    pub(super) poll: Arc<OrderPoll>,
    pub(super) connected: watch::Receiver<bool>,
    pub(super) is_down: watch::Sender<bool>,
}

impl Outage {
    /// Watches until `stop`.
    pub(super) async fn run(self, stop: CancellationToken) {
        // An earlier process may have left its pause.
        self.is_down.send_replace(self.is_paused().await);
        let mut away_since = Instant::now();
        let mut failures = 0;
        let mut step = tokio::time::interval(STEP);
        step.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while stop.run_until_cancelled(step.tick()).await.is_some() {
            let is_down = *self.is_down.borrow();
            gauge!("price_sync_broker_down").set(f64::from(u8::from(is_down)));
            if *self.connected.borrow() {
                away_since = Instant::now();
                failures = 0;
                if is_down {
                    stop.run_until_cancelled(self.try_to_end()).await;
                }
            } else if !is_down && away_since.elapsed() >= AFTER {
                let probed = stop.run_until_cancelled(self.answers()).await;
                failures = if probed == Some(true) {
                    0
                } else {
                    failures + 1
                };
                if failures >= FAILURES {
                    stop.run_until_cancelled(self.begin()).await;
                }
            }
        }
    }

    /// Returns whether the broker answers a query. A refusal is an answer.
    async fn answers(&self) -> bool {
        let Ok(symbol) = PROBED.parse::<Symbol>() else {
            return false;
        };
        match timeout(PROBE_MAX, self.client.price(symbol, Lane::Query)).await {
            Ok(Ok(_)) => true,
            Ok(Err(error)) => {
                debug!(%error, "the broker is probed");
                error.is_answer()
            }
            Err(_) => false,
        }
    }

    async fn is_paused(&self) -> bool {
        let query = "SELECT EXISTS (SELECT FROM trade.exit_pauses WHERE reason = 'BROKER_DOWN')";
        let asked = async {
            let client = self.postgres.client().await.ok()?;
            client.query_one(query, &[]).await.ok()?.try_get(0).ok()
        };
        asked.await.unwrap_or(false)
    }

    async fn begin(&self) {
        let message = "neither stream nor queries of the broker answer";
        let stored = self
            .execute(
                "INSERT INTO trade.exit_pauses (reason, message) VALUES ('BROKER_DOWN', $1)
                 ON CONFLICT (reason) DO NOTHING",
                &[&message],
            )
            .await;
        if !stored {
            return; // Without the database nothing is sent either; the next step tries again.
        }
        self.is_down.send_replace(true);
        self.alarms.raise(alarm(
            Level::Critical,
            "BROKER_DOWN",
            format!("{message}: exits are paused but for hard stops, whose orders wait; prices are Naver's"),
        ));
    }

    /// Lifts the pause once the broker answers and its order list has been applied.
    async fn try_to_end(&self) {
        if !self.answers().await {
            return;
        }
        let asked = Instant::now();
        self.poll.ask();
        let is_reconciled = || {
            self.poll
                .complete_since()
                .is_some_and(|since| since >= asked)
        };
        let reconciled = async {
            while !is_reconciled() {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        if timeout(RECONCILED_MAX, reconciled).await.is_err() {
            return;
        }
        let query = "DELETE FROM trade.exit_pauses WHERE reason = 'BROKER_DOWN'";
        if self.execute(query, &[]).await {
            self.is_down.send_replace(false);
            let message =
                "the broker is back and its orders are reconciled: exits go on".to_owned();
            self.alarms
                .raise(alarm(Level::Info, "BROKER_BACK", message));
        }
    }

    async fn execute(
        &self,
        statement: &str,
        values: &[&(dyn tokio_postgres::types::ToSql + Sync)],
    ) -> bool {
        let Ok(client) = self.postgres.client().await else {
            return false;
        };
        client.execute(statement, values).await.is_ok()
    }
}

fn alarm(level: Level, event: &'static str, message: String) -> Alarm {
    Alarm {
        level,
        event,
        symbol: None,
        position: None,
        message,
        context: json!({}),
    }
}
