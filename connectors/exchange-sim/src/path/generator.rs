//! A seeded random walk of every issue, in integers: the same seed gives the same trades.
//!
//! Each issue has a fair price that wanders in proportion to itself, is drawn back towards the
//! previous close, and stays inside the day's band. A trade prints on the grid next to it.

use std::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tokio::time::Instant;

use super::Next;
use crate::{
    config::GeneratorConfig,
    exchange::Exchange,
    issue::{Aggressor, QuoteRule, Trade},
    price::Price,
};

/// A pause longer than this is not made up for.
const CATCH_UP_MAX: Duration = Duration::from_millis(250);
const MILLION: i64 = 1_000_000;
/// The pull towards the previous close takes this share of the distance at each trade.
const PULL: i64 = 4_096;

#[derive(Debug)]
pub(crate) struct Generator {
    config: GeneratorConfig,
    rng: ChaCha8Rng,
    /// Fair price per issue in 1/10000 KRW, and the last price that it led to.
    fair: Vec<(i64, Price)>,
    /// Since when trades are owed, and how many were printed since.
    since: Option<Instant>,
    printed_since: u64,
    printed: u64,
}

impl Generator {
    pub(crate) fn new(config: &GeneratorConfig) -> Self {
        Self {
            config: config.clone(),
            rng: ChaCha8Rng::seed_from_u64(config.seed),
            fair: Vec::new(),
            since: None,
            printed_since: 0,
            printed: 0,
        }
    }

    pub(crate) const fn printed(&self) -> u64 {
        self.printed
    }

    /// Prints what is owed at `now`.
    pub(crate) fn step(&mut self, exchange: &mut Exchange, now: Instant) -> Next {
        let rate = u64::from(self.config.ticks_per_second);
        let may_print = !exchange.is_paused && exchange.moment.session.is_continuous();
        if rate == 0 || !may_print {
            self.since = None;
            return Next::Never;
        }
        if std::mem::take(&mut exchange.has_opened) {
            self.open_with_gaps(exchange, now);
        }
        let since = *self.since.get_or_insert(now);
        let elapsed = now.saturating_duration_since(since);
        let owed = micros(elapsed) * rate / 1_000_000;
        let behind = owed.saturating_sub(self.printed_since);
        let most = (micros(CATCH_UP_MAX) * rate / 1_000_000).max(1);
        if behind > most || elapsed > Duration::from_secs(3600) {
            self.since = Some(now);
            self.printed_since = 0;
        } else {
            self.printed_since = owed;
        }
        let mut left = behind.min(most);
        while left > 0 {
            left = left.saturating_sub(self.print_burst(exchange, now, left));
        }
        let start = self.since.unwrap_or(now);
        let next_us = (self.printed_since + 1) * 1_000_000 / rate + 1;
        Next::At(start + Duration::from_micros(next_us))
    }

    /// Prints one trade of one issue, sometimes a few at once, and returns how many.
    fn print_burst(&mut self, exchange: &mut Exchange, now: Instant, most: u64) -> u64 {
        let issue = self.rng.random_range(0..exchange.issues.len());
        let is_burst = self.rng.random_ratio(1, 10);
        let count = if is_burst {
            self.rng.random_range(2..=4).min(most)
        } else {
            1
        };
        for _ in 0..count {
            if exchange.issues[issue].is_stopped() {
                break;
            }
            let price = match exchange.course_price(issue, now) {
                Some(price) => price,
                None => self.wander(exchange, issue),
            };
            self.print(exchange, issue, price, now);
        }
        if self.happens(self.config.halt_chance_ppm) {
            exchange.halt(issue, now + self.config.halt_for);
        }
        count
    }

    fn print(&mut self, exchange: &mut Exchange, issue: usize, price: Price, now: Instant) {
        // Small trades are common, large ones rare.
        let volume = self.rng.random_range(1..=20_i64) * self.rng.random_range(1..=20_i64);
        let aggressor = match price.cmp(&exchange.issues[issue].last()) {
            std::cmp::Ordering::Greater => Aggressor::Buy,
            std::cmp::Ordering::Less => Aggressor::Sell,
            std::cmp::Ordering::Equal if self.rng.random_ratio(1, 2) => Aggressor::Buy,
            std::cmp::Ordering::Equal => Aggressor::Sell,
        };
        let quotes = QuoteRule::Grid {
            ask_quantity: self.rng.random_range(100..50_000),
            bid_quantity: self.rng.random_range(100..50_000),
        };
        let trade = Trade {
            price,
            volume,
            aggressor: Some(aggressor),
            quotes,
        };
        exchange.print(issue, &trade, now);
        self.printed += 1;
        if let Some(entry) = self.fair.get_mut(issue) {
            entry.1 = price;
        }
    }

    /// Moves the fair price of an issue by one step and returns the price of its next trade.
    fn wander(&mut self, exchange: &Exchange, issue: usize) -> Price {
        let entry = &exchange.issues[issue];
        while self.fair.len() <= issue {
            let last = exchange.issues[self.fair.len()].last();
            self.fair.push((last.units(), last));
        }
        let (mut fair, led_to) = self.fair[issue];
        // Somebody else printed: wander on from there.
        if entry.last() != led_to {
            fair = entry.last().units();
        }
        let volatility = i64::from(self.config.volatility_ppm);
        // The sum of four even draws is close enough to a normal one.
        let draws: i64 = (0..4)
            .map(|_| self.rng.random_range(-1_000..=1_000_i64))
            .sum();
        let mut move_ppm = volatility * draws / 1_150;
        if self.happens(self.config.jump_chance_ppm) {
            let jump = i64::from(self.config.jump_size_bp) * 100;
            move_ppm += if self.rng.random_ratio(1, 2) {
                jump
            } else {
                -jump
            };
        }
        fair += fair / 10_000 * move_ppm / (MILLION / 10_000);
        fair += (entry.prev_close.units() - fair) / PULL;
        let (low, high) = entry.band;
        fair = fair.clamp(low.units(), high.units());
        let price = entry
            .grid()
            .nearest(Price::from_units(fair))
            .clamp(low, high);
        self.fair[issue] = (fair, price);
        price
    }

    /// Opens every issue with a trade, away from the previous close.
    fn open_with_gaps(&mut self, exchange: &mut Exchange, now: Instant) {
        for issue in 0..exchange.issues.len() {
            let entry = &exchange.issues[issue];
            let most = i64::from(self.config.gap_max_bp);
            let gap = self.rng.random_range(-most..=most);
            let reference = entry.prev_close.units();
            let opened = Price::from_units(reference + reference / 10_000 * gap);
            let price = entry
                .grid()
                .nearest(opened)
                .clamp(entry.band.0, entry.band.1);
            let price = exchange.course_price(issue, now).unwrap_or(price);
            self.print(exchange, issue, price, now);
        }
    }

    fn happens(&mut self, chance_ppm: u32) -> bool {
        chance_ppm > 0 && self.rng.random_range(0..1_000_000) < chance_ppm
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX / 1_000_000)
}
