//! Watches over the sources: how the broker bears the calls, whether any price comes at all, whether
//! the calls suffice. What changes is told once.

use std::time::Duration;

use metrics::gauge;
use serde_json::json;
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;
use tracing::{info, warn};
use turnstile_connectors::execution::Level;
use turnstile_connectors::kis::metrics::LIMITER_RATE;
use turnstile_connectors::kis::{CallCounts, KisClient, Lane};
use turnstile_dataflows::model::Symbol;

use super::emergency::{Emergency, SILENCE, Scene, Turn};
use super::strain::Strain;
use super::tiers::{PER_CALL, Rate, Tier, Wanted, assign, rate};
use super::{Followed, Pace, Quotes, STEP};
use crate::stream::alarms;

/// One of so many calls is for prices, whatever orders and queries take.
const PRICES_MIN: Rate = 10;
/// Seconds over which the use of orders and queries is averaged.
const AVERAGED: Rate = 10;

/// What asking goes by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Mood {
    /// The broker refuses many calls for their number.
    pub(super) is_throttled: bool,
    /// The broker has faults of its own.
    pub(super) is_faulty: bool,
    /// No price comes from anywhere.
    pub(super) is_emergency: bool,
    /// Calls of all app keys; 0 is no limit.
    per_second: Rate,
    /// Calls that orders and queries take of them.
    urgent: Rate,
}

impl Mood {
    /// Returns the calls that are left for prices; `None` is no limit.
    pub(super) fn budget(&self) -> Option<Rate> {
        if self.per_second == 0 {
            return None;
        }
        let all = match self.is_throttled {
            true => self.per_second / 2, // The broker counts more calls than this side does.
            false => self.per_second,
        };
        Some(all.saturating_sub(self.urgent).max(all / PRICES_MIN))
    }
}

impl Quotes {
    /// Measures once a second, for good.
    pub(super) async fn keep_watch(
        &self,
        wanted: watch::Receiver<Vec<Wanted>>,
        told: &watch::Sender<Mood>,
    ) {
        let mut mood = Mood {
            per_second: per_second(&self.clients),
            ..Mood::default()
        };
        gauge!(LIMITER_RATE).set(shown(mood.per_second));
        let mut strain = Strain::default();
        let mut emergency = Emergency::new(self.config.emergency_look);
        let mut turns = self.urgent_turns();
        let mut second = tokio::time::interval(STEP);
        second.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            second.tick().await;
            let now_us = (self.clock)();
            let before = std::mem::replace(&mut turns, self.urgent_turns());
            let taken = Rate::from(turns - before) * PER_CALL;
            mood.urgent = (mood.urgent * (AVERAGED - 1) + taken) / AVERAGED;
            if strain.take(now_us, self.counts()) {
                tell_strain(&strain);
            }
            mood.is_throttled = strain.is_throttled();
            mood.is_faulty = strain.is_faulty();
            let followed = assign(&wanted.borrow(), mood.is_throttled);
            let pace = self.pace(&followed, mood, now_us);
            show(&pace);
            if self.may_ask() {
                let scene = self.scene(&followed, &pace, now_us);
                if let Some(turn) = emergency.take(now_us, scene) {
                    self.tell_emergency(turn, scene);
                }
            } else {
                emergency.forget();
            }
            mood.is_emergency = emergency.is_on();
            gauge!("price_sync_emergency").set(f64::from(u8::from(mood.is_emergency)));
            gauge!("price_sync_throttled").set(f64::from(u8::from(mood.is_throttled)));
            if let Some(budget) = mood.budget() {
                gauge!("price_sync_calls_left_per_second").set(shown(budget));
            }
            told.send_replace(mood);
        }
    }

    fn urgent_turns(&self) -> u64 {
        let clients = self.clients.iter();
        clients
            .map(|client| client.turns(Lane::Order) + client.turns(Lane::Query))
            .sum()
    }

    fn counts(&self) -> CallCounts {
        let counts = self.clients.iter().map(KisClient::counts);
        counts.fold(CallCounts::default(), |sum, one| CallCounts {
            calls: sum.calls + one.calls,
            throttled: sum.throttled + one.throttled,
            faulty: sum.faulty + one.faulty,
        })
    }

    /// Returns what is silent although it was asked about. What is not asked about may be quiet: then
    /// silence says nothing as long as the stream is there.
    fn scene(&self, followed: &Followed, pace: &Pace, now_us: u64) -> Scene {
        let patience = |tier: Tier| SILENCE + pace.paced[tier.index()];
        let is_silent = |(symbol, tier): &&(Symbol, Tier)| {
            let patience = patience(*tier);
            self.seen.is_silent(*symbol, now_us, patience)
        };
        let shortest = followed.iter().map(|(_symbol, tier)| patience(*tier)).min();
        let is_told = self.config.rest || !self.standing.borrow().is_whole();
        Scene {
            followed: followed.len(),
            silent: followed.iter().filter(is_silent).count(),
            is_all_silent: is_told
                && shortest.is_some_and(|shortest| self.seen.is_all_silent(now_us, shortest)),
        }
    }

    fn tell_emergency(&self, turn: Turn, scene: Scene) {
        let (level, event, message) = match turn {
            Turn::Begins => (
                Level::Critical,
                "PRICES_EMERGENCY",
                format!(
                    "no price of any of {} symbols for more than {SILENCE:?}, from stream, broker or Naver: \
                     positions are not judged; every source is asked about everything",
                    scene.followed
                ),
            ),
            Turn::Ends => (
                Level::Info,
                "PRICES_BACK",
                format!(
                    "prices are back: {} of {} symbols are silent",
                    scene.silent, scene.followed
                ),
            ),
        };
        let context = json!({"followed": scene.followed, "silent": scene.silent});
        let alarm = alarms::source(level, event, message, context);
        self.alarms.raise(alarm);
    }
}

/// Returns a rate as a metric takes it: calls a second, with their fraction.
fn shown(rate: Rate) -> Duration {
    Duration::from_micros(u64::try_from(rate).unwrap_or(u64::MAX))
}

/// Returns the calls that all app keys may make; 0 is no limit.
fn per_second(clients: &[KisClient]) -> Rate {
    let intervals = clients.iter().map(|client| client.settings().rate.interval);
    if intervals.clone().any(|interval| interval == Duration::ZERO) {
        return 0;
    }
    intervals.map(|interval| rate(1, interval)).sum()
}

/// Shows how the calls are shared.
fn show(pace: &Pace) {
    for tier in Tier::ALL {
        let symbols = u32::try_from(pace.counts[tier.index()]).unwrap_or(u32::MAX);
        gauge!("price_sync_tier_silent_symbols", "tier" => tier.label()).set(f64::from(symbols));
        gauge!("price_sync_tier_interval_seconds", "tier" => tier.label())
            .set(pace.paced[tier.index()]);
    }
}

fn tell_strain(strain: &Strain) {
    let (throttled, faulty) = (strain.is_throttled(), strain.is_faulty());
    if throttled || faulty {
        warn!(
            throttled,
            faulty, "the broker has trouble with its calls: fewer are made, Naver stands in"
        );
    } else {
        info!("the broker bears its calls again");
    }
}
