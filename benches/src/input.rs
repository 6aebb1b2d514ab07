//! The input that all contestants share: symbols, rules, positions, ticks, from one seed.
//!
//! Prices are random walks on the exchange's grid. A walk leans upwards while its symbol has seen
//! fewer new highs than its share of them, and downwards otherwise; so about 1 % of the ticks are
//! new highs however long the input is. As many positions as are needed for the decisions aimed at
//! have tight rules, the others wide ones: more positions do not mean more decisions.
//!
//! The first ticks, one of each symbol, are the opening: they belong to the load, since a running
//! system has seen every price once. Positions enter before.

mod positions;
mod rules;
mod walk;

use anyhow::ensure;
use clap::Args;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;
use turnstile_dataflows::model::{Price, Symbol, Tick};

pub(crate) use positions::{HeldRow, PositionRows, load_events, position_number, rule_row};
pub(crate) use rules::{Custom, MILLION, Rules, Scaled, wide_rules};
use walk::Walk;

/// 2026-11-24 09:00:00 in Seoul: the first tick. The window of GAP_DOWN opens with it.
pub(crate) const OPEN_US: u64 = 1_795_478_400_000_000;
/// Between the opening and the ticks that are measured.
const PAUSE_US: u64 = 3_000_000;
/// Time between two ticks of one symbol, on average, in microseconds.
const SYMBOL_TICK_US: u64 = 2_000_000;
/// Decisions that a position with tight rules comes to, in hundredths; measured over default inputs.
const DECISIONS_PER_TIGHT_POSITION_PCT: u64 = 150;

/// What an input is made from.
#[derive(Clone, Copy, Debug, Args, Serialize)]
pub(crate) struct Shape {
    /// Symbols.
    #[arg(long, default_value_t = Self::default().symbols)]
    pub(crate) symbols: usize,
    /// Positions, spread evenly over the symbols.
    #[arg(long, default_value_t = Self::default().positions)]
    pub(crate) positions: usize,
    /// Ticks after the opening.
    #[arg(long, default_value_t = Self::default().ticks)]
    pub(crate) ticks: usize,
    /// Seed of everything random.
    #[arg(long, default_value_t = Self::default().seed)]
    pub(crate) seed: u64,
    /// Decisions aimed at, in each 1,000 ticks.
    #[arg(long, default_value_t = Self::default().busy)]
    pub(crate) busy: u32,
}

impl Default for Shape {
    /// That of the arguments.
    fn default() -> Self {
        Self {
            symbols: 2_000,
            positions: 10_000,
            ticks: 4_000_000,
            seed: 7,
            busy: 2,
        }
    }
}

impl Shape {
    /// Returns the shape as arguments of this program.
    pub(crate) fn arguments(&self) -> Vec<String> {
        [
            ("--symbols", self.symbols.to_string()),
            ("--positions", self.positions.to_string()),
            ("--ticks", self.ticks.to_string()),
            ("--seed", self.seed.to_string()),
            ("--busy", self.busy.to_string()),
        ]
        .into_iter()
        .flat_map(|(name, value)| [name.to_owned(), value])
        .collect()
    }
}

/// A symbol.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Listed {
    pub(crate) symbol: Symbol,
    /// ATR percent in millionths.
    pub(crate) atr: Option<i64>,
    /// Close of the day before, in units of a price.
    pub(crate) prev_close: i64,
}

/// Everything that a contestant is given.
#[derive(Debug)]
pub(crate) struct Input {
    pub(crate) listed: Vec<Listed>,
    pub(crate) rules: Vec<Rules>,
    /// By number.
    pub(crate) positions: Vec<HeldRow>,
    /// The opening, then the rest, in logical time.
    pub(crate) ticks: Vec<Tick>,
    /// How many ticks are the opening.
    pub(crate) opening: usize,
    /// Ticks after the opening that rose above everything their symbol had shown.
    pub(crate) new_highs: u64,
}

impl Input {
    /// Makes the input of `shape`; the same one for the same shape.
    ///
    /// # Errors
    /// If the shape has no symbol, or more than six digits can number.
    pub(crate) fn new(shape: &Shape) -> anyhow::Result<Self> {
        ensure!(
            (1..=900_000).contains(&shape.symbols),
            "1 to 900000 symbols expected, were {}",
            shape.symbols
        );
        let mut rng = ChaCha8Rng::seed_from_u64(shape.seed);
        let (mut listed, mut walks) = (Vec::new(), Vec::new());
        for index in 0..shape.symbols {
            let walk = Walk::new(&mut rng);
            listed.push(Listed {
                symbol: format!("{:06}", 100_000 + index).parse()?,
                atr: rng
                    .random_ratio(9, 10)
                    .then(|| rng.random_range(12_000..=32_000)),
                prev_close: walk.near(-25_000, 25_000, &mut rng),
            });
            walks.push(walk);
        }
        let rules: Vec<_> = rules::tight().into_iter().chain(rules::wide()).collect();
        let tight = tight_share(shape);
        let span_us = u64::try_from(shape.ticks)? * spacing_us(shape);
        let positions = (0..shape.positions)
            .map(|number| {
                let symbol = number % shape.symbols;
                let is_tight = rng.random_ratio(tight, 1_000_000);
                positions::held(number, symbol, &walks[symbol], is_tight, span_us, &mut rng)
            })
            .collect();
        let (ticks, new_highs) = ticks(shape, &listed, &mut walks, &mut rng)?;
        Ok(Self {
            listed,
            rules,
            positions,
            ticks,
            opening: shape.symbols,
            new_highs,
        })
    }

    /// Returns the ticks of the opening.
    pub(crate) fn opening(&self) -> &[Tick] {
        &self.ticks[..self.opening]
    }

    /// Returns the ticks that are measured.
    pub(crate) fn measured(&self) -> &[Tick] {
        &self.ticks[self.opening..]
    }
}

/// Returns how many positions of a million get tight rules.
fn tight_share(shape: &Shape) -> u32 {
    let ticks = u64::try_from(shape.ticks).unwrap_or(u64::MAX);
    let decisions = ticks.saturating_mul(u64::from(shape.busy)) / 1_000;
    let tight = decisions.saturating_mul(100) / DECISIONS_PER_TIGHT_POSITION_PCT;
    let positions = u64::try_from(shape.positions.max(1)).unwrap_or(u64::MAX);
    let share = tight.saturating_mul(1_000_000) / positions;
    u32::try_from(share.min(1_000_000)).unwrap_or(1_000_000)
}

/// Returns the time between two ticks, on average.
fn spacing_us(shape: &Shape) -> u64 {
    let symbols = u64::try_from(shape.symbols).unwrap_or(u64::MAX);
    (SYMBOL_TICK_US / symbols).max(1)
}

fn ticks(
    shape: &Shape,
    listed: &[Listed],
    walks: &mut [Walk],
    rng: &mut ChaCha8Rng,
) -> anyhow::Result<(Vec<Tick>, u64)> {
    let mut ticks = Vec::with_capacity(shape.symbols + shape.ticks);
    let mut now = OPEN_US;
    for (walk, listed) in walks.iter().zip(listed) {
        now += 1;
        ticks.push(tick(now, listed.symbol, walk.price(), walk.price())?);
    }
    now += PAUSE_US;
    let spacing = spacing_us(shape);
    let mut new_highs = 0;
    for _ in 0..shape.ticks {
        now += rng.random_range(1..=2 * spacing);
        let index = rng.random_range(0..listed.len());
        let walk = &mut walks[index];
        new_highs += u64::from(walk.step(rng));
        let last = walk.price() + walk.grid() * i64::from(rng.random_ratio(1, 3));
        ticks.push(tick(now, listed[index].symbol, last, walk.price())?);
    }
    Ok((ticks, new_highs))
}

/// Returns a tick at `last`, with a bid where that lies below.
fn tick(now: u64, symbol: Symbol, last: i64, bid: i64) -> anyhow::Result<Tick> {
    let bid = (bid < last).then(|| Price::from_units(bid)).transpose()?;
    Ok(Tick {
        time: turnstile_dataflows::model::LogicalTime::from_micros(now),
        symbol,
        last: Price::from_units(last)?,
        bid,
        volume: 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: Shape = Shape {
        symbols: 20,
        positions: 400,
        ticks: 60_000,
        seed: 11,
        busy: 2,
    };

    #[test]
    fn one_seed_makes_one_input() {
        let (a, b) = (Input::new(&SHAPE).unwrap(), Input::new(&SHAPE).unwrap());
        assert_eq!(a.ticks, b.ticks);
        assert_eq!(a.positions, b.positions);
        let other = Input::new(&Shape { seed: 12, ..SHAPE }).unwrap();
        assert_ne!(a.ticks, other.ticks);
    }

    #[test]
    fn about_one_tick_in_a_hundred_is_a_new_high() {
        for ticks in [20_000, 60_000, 200_000] {
            let input = Input::new(&Shape { ticks, ..SHAPE }).unwrap();
            let in_ten_thousand = input.new_highs * 10_000 / u64::try_from(ticks).unwrap();
            assert!((50..=200).contains(&in_ten_thousand), "{in_ten_thousand}");
        }
    }

    #[test]
    fn times_rise_and_the_opening_has_every_symbol() {
        let input = Input::new(&SHAPE).unwrap();
        assert!(input.ticks.is_sorted_by(|a, b| a.time < b.time));
        let opening: std::collections::BTreeSet<_> =
            input.opening().iter().map(|tick| tick.symbol).collect();
        assert_eq!(opening.len(), SHAPE.symbols);
        assert_eq!(input.measured().len(), SHAPE.ticks);
    }
}
