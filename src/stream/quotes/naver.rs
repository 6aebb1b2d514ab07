//! Naver stands in for the broker.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;
use tracing::{debug, warn};
use turnstile_connectors::naver::{
    CallOutcome, DisabledReason, NaverClient, NaverHealth, QuoteSession,
};
use turnstile_dataflows::model::Symbol;
use turnstile_dataflows::price::Source;

use super::tiers::{Tier, Wanted, assign};
use super::watch_over::Mood;
use super::{Followed, Quote, Quotes, STEP};

/// Silence of stream and broker after which Naver is asked (domain 2.4).
const NAVER_AFTER: Duration = Duration::from_secs(10);

impl Quotes {
    pub(super) async fn keep_asking_naver(
        &self,
        wanted: watch::Receiver<Vec<Wanted>>,
        mood: watch::Receiver<Mood>,
    ) {
        let Some(naver) = &self.naver else { return };
        let mut health = NaverHealth::default();
        let mut is_down = self.is_down.clone();
        loop {
            let mood = *mood.borrow();
            let followed = assign(&wanted.borrow(), mood.is_throttled);
            let pause = self.ask_naver(naver, &followed, mood, &mut health).await;
            // An outage that begins does not wait for the next round.
            drop(timeout(pause, is_down.changed()).await);
        }
    }

    /// Returns the silence after which Naver is asked about a tier. The broker has its turn first, and
    /// what is watched is not asked of it before it is due; unless it has trouble with its calls.
    fn naver_after(&self, tier: Tier, mood: Mood) -> Duration {
        if *self.is_down.borrow() || mood.is_emergency {
            return Duration::ZERO;
        }
        match tier {
            Tier::Held => NAVER_AFTER,
            Tier::Watched | Tier::Market if mood.is_faulty => NAVER_AFTER,
            Tier::Market if mood.is_throttled => NAVER_AFTER,
            Tier::Watched => NAVER_AFTER + self.config.watched_after,
            Tier::Market => NAVER_AFTER + self.config.market_after,
        }
    }

    /// Asks Naver about symbols that nobody else has told of for long, or about all while the broker
    /// is away. Returns how long to leave Naver alone.
    async fn ask_naver(
        &self,
        naver: &NaverClient,
        followed: &Followed,
        mood: Mood,
        health: &mut NaverHealth,
    ) -> Duration {
        if !self.may_ask() {
            return STEP;
        }
        let now_us = (self.clock)();
        let due: Vec<Symbol> = followed
            .iter()
            .filter(|(symbol, tier)| {
                let after = self.naver_after(*tier, mood);
                self.seen.is_silent(*symbol, now_us, after)
            })
            .map(|(symbol, _tier)| *symbol)
            .collect();
        if due.is_empty() {
            return STEP;
        }
        if now_us < *self.naver_off_until.borrow() {
            debug!("Naver is not believed");
            return STEP;
        }
        // In an emergency a slow source is better than none; one that turns us away is not pressed.
        let is_only_slow = |reason| matches!(reason, DisabledReason::TimeOuts { .. });
        if let Some(disabled) = health.disabled(now_us)
            && !(mood.is_emergency && is_only_slow(disabled.reason))
        {
            debug!(%disabled, "Naver is left alone");
            return STEP;
        }
        let mut interval = naver.config().round_interval(None);
        for group in naver.groups(&due) {
            let answer = naver.quotes(group).await;
            health.record((self.clock)(), CallOutcome::of(&answer));
            let answer = match answer {
                Ok(answer) => answer,
                Err(error) => {
                    warn!(%error, "no prices of Naver");
                    break;
                }
            };
            interval = naver.config().round_interval(answer.polling_interval);
            for quote in answer.quotes {
                // Only the regular session is a price that exits are judged on.
                if quote.session != QuoteSession::Regular || quote.volume_of_day.is_zero() {
                    continue;
                }
                self.hand_over(Quote {
                    symbol: quote.symbol,
                    last: quote.price,
                    source: Source::Naver,
                    received_us: quote.received_us,
                    day_volume: quote.volume_of_day.shares(),
                    day_value_won: quote.value_of_day_won,
                    change_units: quote.change_units,
                    change_rate_units: quote.change_rate_units,
                })
                .await;
            }
        }
        interval
    }
}
