//! Prices: from the channel of the price sink, or from PostgreSQL while Redis is away.
//!
//! 1. The sink publishes after its commit and in order, so everything up to the newest logical time
//!    seen is known, and a poll after it finds what was missed.
//! 2. A connection that stands may still be dead: a ping each second tells.

use std::pin::pin;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::unfold;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use turnstile_connectors::redis::{Message, PRICES_CHANNEL, Subscription};

use crate::api::prices::Price;
use crate::error::chain;
use crate::live::Mode;
use crate::metrics;
use crate::queries;
use crate::queries::QueryError;
use crate::state::AppState;

/// How often Redis is asked for a sign of life, and PostgreSQL for prices while there is none.
const CHECK: Duration = Duration::from_secs(1);

struct Prices {
    state: AppState,
    /// Whether the subscription stands.
    is_subscribed: bool,
    /// Newest logical time that clients were told of; unknown before the first poll.
    seen_us: Option<i64>,
    /// Whether the last poll failed, so that a long outage is one line in the log.
    is_poll_failing: bool,
    /// Whether a message was refused before, for the same reason.
    has_refused: bool,
}

/// Brings prices to the hub until `stop`.
pub(super) async fn run(state: AppState, stop: CancellationToken) {
    let subscription = Subscription::new(&state.cache, PRICES_CHANNEL);
    // A stream keeps an attempt to connect, and the silence since the last message, over the checks.
    let mut messages = pin!(unfold(subscription, async |mut subscription| {
        Some((subscription.next().await, subscription))
    }));
    let mut check = interval(CHECK);
    check.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut prices = Prices {
        state,
        is_subscribed: false,
        seen_us: None,
        is_poll_failing: false,
        has_refused: false,
    };
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            _ = check.tick() => prices.check().await,
            Some(message) = messages.next() => prices.take(message).await,
        }
    }
}

impl Prices {
    async fn check(&mut self) {
        let is_there = self.is_subscribed && self.state.cache.ping().await;
        self.follow(is_there).await;
        if !is_there {
            self.poll().await;
        }
    }

    async fn take(&mut self, message: Message) {
        match message {
            Message::Connected => {
                self.is_subscribed = true;
                self.check().await;
            }
            Message::Disconnected => {
                self.is_subscribed = false;
                self.follow(false).await;
            }
            Message::Payload(text) => match serde_json::from_str(&text) {
                Ok(prices) => self.publish(prices),
                Err(error) => {
                    metrics::price_message_refused();
                    if !std::mem::replace(&mut self.has_refused, true) {
                        warn!(%error, "message of the price channel refused; later ones are counted");
                    }
                }
            },
        }
    }

    /// Changes the mode if need be. What was published before the subscription stood is fetched.
    async fn follow(&mut self, is_there: bool) {
        let mode = if is_there { Mode::Redis } else { Mode::Polling };
        let is_new = self.state.live.mode.send_if_modified(|known| {
            let is_new = *known != mode;
            *known = mode;
            is_new
        });
        if !is_new {
            return;
        }
        info!(?mode, "source of prices");
        metrics::prices_polling(!is_there);
        if is_there {
            self.poll().await;
        }
    }

    async fn poll(&mut self) {
        match self.try_poll().await {
            Ok(()) => self.is_poll_failing = false,
            Err(error) => {
                if !std::mem::replace(&mut self.is_poll_failing, true) {
                    warn!(error = %chain(&error), "prices not polled, retrying");
                }
            }
        }
    }

    async fn try_poll(&mut self) -> Result<(), QueryError> {
        let Some(seen_us) = self.seen_us else {
            self.seen_us = Some(queries::prices::newest_us(&self.state.db).await?);
            return Ok(());
        };
        let prices = queries::prices::newest_since(&self.state.db, seen_us).await?;
        self.publish(prices);
        Ok(())
    }

    fn publish(&mut self, prices: Vec<Price>) {
        let newest_us = prices.iter().map(|price| price.logical_us).max();
        self.seen_us = self.seen_us.max(newest_us);
        self.state.live.take_ticks(prices);
    }
}
