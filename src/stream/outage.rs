//! The broker's outage: when it begins, when it is over, and what it pauses meanwhile.
//!
//! ```text
//! stream away for 2 s, two calls in a row not answered ─> pause BROKER_DOWN, Naver for prices
//! a call answered ─> order list read ─> pause lifted
//! ```
//!
//! Only in session, and by whatever is asked of the broker anyway; where nothing is, it is probed. Exits
//! are paused as by PAUSE_ALL, and re-entries do not buy; orders, those of hard stops too, are kept back
//! until the broker's order list has been applied. The pause is a row beside the operator's mode, so it outlives this process,
//! and only its end lifts it.

use std::sync::Arc;
use std::time::Duration;

use metrics::gauge;
use serde_json::json;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, timeout};
use tokio_util::sync::CancellationToken;
use tracing::debug;
use turnstile_connectors::execution::{Alarms, Level, OrderPoll, SessionSource};
use turnstile_connectors::kis::{Clock, KisClient, Lane, Standing};
use turnstile_connectors::postgres::Postgres;
use turnstile_dataflows::model::Symbol;

use super::alarms;

const STEP: Duration = Duration::from_millis(500);
/// How long the stream may be away before the broker is asked whether it is there.
const AFTER: Duration = Duration::from_secs(2);
/// Silence of all calls after which one is made to see. Longer than the pace of a paper account, so
/// that it takes no turn from prices.
const PROBE_AFTER: Duration = Duration::from_secs(2);
/// Calls in a row without an answer that make an outage.
const UNANSWERED: u32 = 2;
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
    pub(super) session: Arc<dyn SessionSource>,
    pub(super) clock: Clock,
    pub(super) standing: watch::Receiver<Standing>,
    pub(super) is_down: watch::Sender<bool>,
}

impl Outage {
    /// Watches until `stop`.
    pub(super) async fn run(self, stop: CancellationToken) {
        let Some(was_down) = stop.run_until_cancelled(self.was_down()).await else {
            return;
        };
        self.is_down.send_replace(was_down);
        let mut away_since = Instant::now();
        let mut step = tokio::time::interval(STEP);
        step.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while stop.run_until_cancelled(step.tick()).await.is_some() {
            let is_down = *self.is_down.borrow();
            gauge!("price_sync_broker_down").set(f64::from(u8::from(is_down)));
            if !self.standing.borrow().is_away() {
                away_since = Instant::now();
            }
            let is_away = away_since.elapsed() >= AFTER && self.session.market().is_open();
            let due = async {
                if is_down {
                    self.try_to_end().await;
                } else if is_away && self.is_unanswered().await && self.is_away_still() {
                    self.begin().await;
                }
            };
            stop.run_until_cancelled(due).await;
        }
    }

    /// Returns whether the stream has not come back while the broker was asked, nor the session ended.
    fn is_away_still(&self) -> bool {
        self.standing.borrow().is_away() && self.session.market().is_open()
    }

    /// Returns whether calls are left without an answer. A probe that is still under way when others
    /// have failed tells nothing more.
    async fn is_unanswered(&self) -> bool {
        let silent_us = (self.clock)().saturating_sub(self.client.heard_us());
        if u128::from(silent_us) >= PROBE_AFTER.as_micros() {
            let probe = self.answers();
            tokio::pin!(probe);
            while self.client.unanswered() < UNANSWERED {
                if timeout(STEP, &mut probe).await.is_ok() {
                    break;
                }
            }
        }
        self.client.unanswered() >= UNANSWERED
    }

    /// Returns whether the broker answers a query. A refusal is an answer.
    async fn answers(&self) -> bool {
        let Ok(symbol) = PROBED.parse::<Symbol>() else {
            return false;
        };
        match self.client.price(symbol, Lane::Query).await {
            Ok(_) => true,
            Err(error) => {
                debug!(%error, "the broker is probed");
                error.is_answer()
            }
        }
    }

    /// Returns whether an earlier process left its pause, once the database says so: a pause that is
    /// overlooked would never end.
    async fn was_down(&self) -> bool {
        let query = "SELECT EXISTS (SELECT FROM trade.exit_pauses WHERE reason = 'BROKER_DOWN')";
        loop {
            let asked = async {
                let client = self.postgres.client().await.ok()?;
                client.query_one(query, &[]).await.ok()?.try_get(0).ok()
            };
            if let Some(was_down) = asked.await {
                return was_down;
            }
            tokio::time::sleep(STEP).await;
        }
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
        // The answer of a commit may be lost, and a pause that is overlooked would never end.
        if !stored && !self.was_down().await {
            return; // Without the database nothing is sent either; the next step tries again.
        }
        self.is_down.send_replace(true);
        let message = format!(
            "{message}: exits are paused but for hard stops, orders are kept back, prices are Naver's"
        );
        self.alarms.raise(alarms::source(
            Level::Critical,
            "BROKER_DOWN",
            message,
            json!({}),
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
            let message =
                "the broker answers, but for its order list: orders are kept back until it does"
                    .to_owned();
            let alarm =
                alarms::source(Level::Critical, "BROKER_NOT_RECONCILED", message, json!({}));
            self.alarms.raise(alarm);
            return;
        }
        let query = "DELETE FROM trade.exit_pauses WHERE reason = 'BROKER_DOWN'";
        if self.execute(query, &[]).await {
            self.is_down.send_replace(false);
            let message =
                "the broker is back and its orders are reconciled: exits go on".to_owned();
            self.alarms.raise(alarms::source(
                Level::Info,
                "BROKER_BACK",
                message,
                json!({}),
            ));
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
