//! The input of a latency run: prices that fall step by step through a stack of stops, so that it
//! is known beforehand which ticks decide.
//!
//! Each symbol has positions whose second stop loss lies one step below the other, under a complete
//! rule profile, and positions with wide rules that stay. A deciding tick falls by one step and
//! sells exactly one position; any other tick moves between the last step and a few above it.

use anyhow::ensure;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use turnstile_dataflows::model::{LogicalTime, Phase, Price, Symbol, Tick};

use super::schedule::Schedule;
use crate::input::{HeldRow, Input, Listed, OPEN_US, Rules, Scaled, wide_rules};

/// Units of a price in one won.
const WON: i64 = 10_000;
/// Where every symbol begins.
const FIRST: i64 = 100_000 * WON;
/// Between two stops of one symbol.
const STEP: i64 = 10 * WON;
/// The stop: −5 %, in millionths.
const STOP: i64 = -50_000;
/// Steps that a symbol may fall: its price stays far above every other level.
const STEPS_MAX: usize = 1_500;
const DAY_US: u64 = 86_400_000_000;

/// What a script is made from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plot {
    pub(crate) symbols: usize,
    /// Positions that stay.
    pub(crate) positions: usize,
    pub(crate) ticks: usize,
    /// One tick of so many decides.
    pub(crate) decides_every: usize,
    pub(crate) seed: u64,
}

impl Plot {
    /// Returns whether the tick of `index` decides.
    pub(crate) fn decides(&self, index: usize) -> bool {
        index % self.decides_every == self.decides_every - 1
    }

    /// Returns how many of the ticks before `index` decide.
    pub(crate) fn decisions_before(&self, index: usize) -> usize {
        index / self.decides_every
    }

    /// Returns the input: the opening, and the ticks of the schedule.
    ///
    /// # Errors
    /// If the symbols are too few for the decisions.
    pub(crate) fn script(&self, schedule: Schedule) -> anyhow::Result<Input> {
        let steps = self
            .decisions_before(self.ticks)
            .div_ceil(self.symbols.max(1));
        ensure!(
            steps <= STEPS_MAX,
            "{steps} decisions a symbol are more than {STEPS_MAX}: more symbols, or fewer decisions"
        );
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        let mut listed = Vec::with_capacity(self.symbols);
        for index in 0..self.symbols {
            listed.push(Listed {
                symbol: format!("{:06}", 100_000 + index).parse()?,
                atr: None,
                prev_close: FIRST,
            });
        }
        let mut ticks = Vec::with_capacity(self.symbols + self.ticks);
        for (offset, listed) in (1..).zip(&listed) {
            ticks.push(tick(OPEN_US + offset, listed.symbol, FIRST)?);
        }
        self.fall(&listed, schedule, &mut rng, &mut ticks)?;
        Ok(Input {
            rules: rules(),
            positions: self.positions(steps),
            opening: listed.len(),
            listed,
            ticks,
            new_highs: 0,
        })
    }

    fn fall(
        &self,
        listed: &[Listed],
        schedule: Schedule,
        rng: &mut ChaCha8Rng,
        ticks: &mut Vec<Tick>,
    ) -> anyhow::Result<()> {
        let mut prices = vec![FIRST; listed.len()];
        let mut next = 0;
        for (arrival, index) in (0..).zip(0..self.ticks) {
            let time = schedule.time(arrival).micros();
            let (at, price) = if self.decides(index) {
                let at = next % listed.len();
                next += 1;
                prices[at] -= STEP;
                (at, prices[at])
            } else {
                let at = rng.random_range(0..listed.len());
                (at, prices[at] + STEP * rng.random_range(0..=3))
            };
            ticks.push(tick(time, listed[at].symbol, price)?);
        }
        Ok(())
    }

    /// Returns the positions: for each symbol a stack of stops, then those that stay.
    fn positions(&self, steps: usize) -> Vec<HeldRow> {
        let stacked = (0..steps).flat_map(|step| (0..self.symbols).map(move |at| (step, at)));
        let stacked = stacked.map(|(step, at)| {
            let below = i64::try_from(step + 1).unwrap_or(i64::MAX);
            (at, 0, bought_for(FIRST - below * STEP))
        });
        let staying = (0..self.positions).map(|index| (index % self.symbols, 1, FIRST));
        (0..)
            .zip(stacked.chain(staying))
            .map(|(number, (at, rules, avg))| HeldRow {
                number,
                symbol: u32::try_from(at).unwrap_or(u32::MAX),
                rules,
                phase: Phase::Open,
                qty: 100,
                original_qty: 100,
                avg,
                entry_us: OPEN_US - DAY_US,
                mark: 0,
            })
            .collect()
    }
}

/// Returns the average cost whose stop is reached at `level` and not a step above it.
fn bought_for(level: i64) -> i64 {
    let one = 1_000_000;
    (level * one + one + STOP - 1) / (one + STOP)
}

/// Returns a complete profile whose second stop comes first, and one whose levels stay away.
fn rules() -> Vec<Rules> {
    let wide = wide_rules();
    let stop = Rules {
        name: "stop".into(),
        sl2: Scaled {
            pnl: STOP,
            min: 0,
            max: 0,
            qty: 1_000_000,
        },
        ..wide.clone()
    };
    vec![stop, wide]
}

fn tick(time_us: u64, symbol: Symbol, units: i64) -> anyhow::Result<Tick> {
    Ok(Tick {
        time: LogicalTime::from_micros(time_us),
        symbol,
        last: Price::from_units(units)?,
        bid: None,
        volume: 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stop_is_reached_at_its_level_and_not_above() {
        for level in [FIRST - STEP, FIRST - 700 * STEP, 33_333 * WON] {
            let reach = bought_for(level) * (1_000_000 + STOP) / 1_000_000;
            assert!((level..level + STEP).contains(&reach), "{level} {reach}");
        }
    }

    #[test]
    fn exactly_the_planned_ticks_decide() {
        let plot = Plot {
            symbols: 7,
            positions: 50,
            ticks: 3_000,
            decides_every: 4,
            seed: 3,
        };
        let input = plot.script(Schedule::new(50_000)).unwrap();
        let decided = crate::exits::by_loop(&input);
        assert_eq!(decided.len(), plot.decisions_before(plot.ticks));
        let schedule = Schedule::new(50_000);
        for decision in decided {
            let index = schedule.index(LogicalTime::from_micros(decision.time_us));
            assert!(plot.decides(usize::try_from(index).unwrap()));
        }
    }
}
