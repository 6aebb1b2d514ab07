//! Prices of a soak: walks that stay within a band, so that what is held has a steady size.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use turnstile_dataflows::model::{LogicalTime, Price, Symbol, Tick};

use crate::input::{Input, MILLION};

/// How far from its beginning a price goes, in millionths.
const BAND: i64 = 40_000;
/// One step, in millionths of the beginning.
const STEP: i64 = 500;

/// The prices of all symbols.
#[derive(Debug)]
pub(super) struct Market {
    /// Symbol, price at the beginning, and offset from it in millionths.
    symbols: Vec<(Symbol, i64, i64)>,
    rng: ChaCha8Rng,
}

impl Market {
    /// Begins at the opening of `input`.
    pub(super) fn new(input: &Input, seed: u64) -> Self {
        let opening = input.opening().iter();
        let symbols = opening.map(|tick| (tick.symbol, tick.evaluation_price().units(), 0));
        Self {
            symbols: symbols.collect(),
            rng: ChaCha8Rng::seed_from_u64(seed ^ 1),
        }
    }

    /// Returns the next tick.
    ///
    /// # Errors
    /// Never: a price stays within its band.
    pub(super) fn next(&mut self, time: LogicalTime) -> anyhow::Result<Tick> {
        let index = self.rng.random_range(0..self.symbols.len());
        let (symbol, begin, offset) = &mut self.symbols[index];
        *offset = (*offset + STEP * self.rng.random_range(-1..=1)).clamp(-BAND, BAND);
        Ok(Tick {
            time,
            symbol: *symbol,
            last: Price::from_units(*begin + *begin * *offset / MILLION)?,
            bid: None,
            volume: 0,
        })
    }
}
