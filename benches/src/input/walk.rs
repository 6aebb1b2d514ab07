//! Random walks of prices.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::MILLION;

/// Units of a price in one won.
const WON: i64 = 10_000;
/// Of 10,000 ticks, how many move up or down where nothing leans.
const MOVES: u32 = 3_000;
/// By how many of 10,000 ticks a walk leans.
const LEAN: u32 = 300;
/// Of 10,000 ticks, how many fall by several steps at once and come back with the next tick.
const SPIKES: u32 = 1;
/// Shares of new highs among the ticks of a symbol, in ten-thousandths: 1 % on average.
const HIGH_SHARES: [u64; 5] = [20, 60, 100, 140, 180];

/// The price of one symbol.
#[derive(Clone, Debug)]
pub(crate) struct Walk {
    price: i64,
    high: i64,
    ticks: u64,
    highs: u64,
    high_share: u64,
    /// Where the price returns to after a spike.
    back: Option<i64>,
}

impl Walk {
    /// Returns a walk that begins between 2,000 and 200,000 won.
    pub(crate) fn new(rng: &mut ChaCha8Rng) -> Self {
        // The exponent is drawn evenly, so cheap symbols are as frequent as dear ones.
        let scale = [2_000, 5_000, 10_000, 20_000, 50_000, 100_000][rng.random_range(0..6)];
        let raw = rng.random_range(scale..2 * scale) * WON;
        let price = raw / grid(raw) * grid(raw);
        Self {
            price,
            high: price,
            ticks: 0,
            highs: 0,
            high_share: HIGH_SHARES[rng.random_range(0..HIGH_SHARES.len())],
            back: None,
        }
    }

    /// Returns the price in units.
    pub(crate) fn price(&self) -> i64 {
        self.price
    }

    /// Returns the step of the grid at the price.
    pub(crate) fn grid(&self) -> i64 {
        grid(self.price)
    }

    /// Returns a price off by `low` to `high` millionths, whether on the grid or not.
    pub(crate) fn near(&self, low: i64, high: i64, rng: &mut ChaCha8Rng) -> i64 {
        let offset = rng.random_range(low..=high);
        (self.price + self.price * offset / MILLION).max(1)
    }

    /// Moves on by one tick and returns whether it rose above everything before.
    pub(crate) fn step(&mut self, rng: &mut ChaCha8Rng) -> bool {
        self.ticks += 1;
        let roll = rng.random_range(0..10_000);
        if let Some(back) = self.back.take() {
            self.price = back;
        } else if roll < SPIKES {
            self.back = Some(self.price);
            for _ in 0..rng.random_range(4..=8) {
                self.fall();
            }
        } else {
            let is_short_of_highs = self.highs * 10_000 < self.high_share * self.ticks;
            let (up, down) = if is_short_of_highs {
                (MOVES / 2 + LEAN, MOVES / 2 - LEAN)
            } else {
                (MOVES / 2 - LEAN, MOVES / 2 + LEAN)
            };
            if roll < SPIKES + up {
                self.price += grid(self.price);
            } else if roll < SPIKES + up + down {
                self.fall();
            }
        }
        let is_high = self.price > self.high;
        self.high = self.high.max(self.price);
        self.highs += u64::from(is_high);
        is_high
    }

    fn fall(&mut self) {
        let below = self.price - grid(self.price - 1);
        self.price = below.max(WON);
    }
}

/// Returns the exchange's step at a price (rules of 2023).
fn grid(units: i64) -> i64 {
    let won = match units / WON {
        ..2_000 => 1,
        2_000..5_000 => 5,
        5_000..20_000 => 10,
        20_000..50_000 => 50,
        50_000..200_000 => 100,
        200_000..500_000 => 500,
        _ => 1_000,
    };
    won * WON
}
