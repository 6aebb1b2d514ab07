//! The tape of a symbol: its last price and its minutes, as far as triggers ask for them.
//!
//! A minute is a minute of logical time in which the symbol traded. The tape of a symbol begins with
//! its first candidate, or with the engine, and ends with its last; where it is too short for a
//! condition, the condition does not hold. All prices are evaluation prices.

use std::collections::VecDeque;
use std::num::NonZeroU64;

use serde::{Deserialize, Serialize};

use crate::exit::SymbolContext;
use crate::model::{LogicalTime, Price, Tick};

use super::rule::{MILLION, ReentryTrigger};

const MINUTE_US: u64 = 60_000_000;
/// Minutes of volume that are compared, the present one among them.
const RECENT: usize = 5;
/// Minutes before them that they are compared with.
const BASE: usize = 20;
/// Minutes that momentum and volatility look at.
const MOMENTUM: usize = 10;
/// Completed minutes that are kept: enough for every condition.
const KEPT: usize = 30;
/// One million millionths.
const SQUARE: i128 = 1_000_000_000_000;

/// Average true range of a symbol: `atr_pct × close of the day before`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(super) struct Volatility {
    /// ATR ÷ close, millionths.
    pub(super) pct: i64,
    /// Close of the day before.
    pub(super) close: Price,
}

impl Volatility {
    /// Returns the volatility of a symbol; none without ATR or close.
    pub(super) fn of(context: SymbolContext) -> Option<Self> {
        Some(Self {
            pct: context.atr_pct_millionths?,
            close: context.prev_close?,
        })
    }

    /// Returns `k` ATRs, k in millionths, in 1e-12 units of a price.
    fn times(self, k: u64) -> Option<i128> {
        i128::from(self.pct)
            .checked_mul(i128::from(self.close.units()))?
            .checked_mul(i128::from(k))
    }

    /// Returns the lowest price that is `k` ATRs, in millionths, above `base`.
    pub(super) fn above(self, base: Price, k: u64) -> Option<Price> {
        let above = self.times(k)?;
        let whole = above.div_euclid(SQUARE) + i128::from(above.rem_euclid(SQUARE) != 0);
        let units = i64::try_from(i128::from(base.units()).checked_add(whole)?).ok()?;
        Price::from_units(units).ok()
    }
}

#[derive(Clone, Copy, Debug)]
struct Minute {
    /// First microsecond after it. Never zero, so that having none takes no more room.
    end: NonZeroU64,
    high: Price,
    low: Price,
    close: Price,
    volume: u64,
    /// Time of its last tick.
    last: LogicalTime,
}

impl Minute {
    fn begin(tick: &Tick, price: Price) -> Self {
        let time = tick.time.micros();
        Self {
            end: NonZeroU64::MIN.saturating_add(time - time % MINUTE_US + MINUTE_US - 1),
            high: price,
            low: price,
            close: price,
            volume: tick.volume,
            last: tick.time,
        }
    }
}

/// The tape of one symbol. What each tick changes comes first.
#[derive(Debug, Default)]
#[repr(C)]
pub(super) struct Tape {
    running: Option<Minute>,
    /// Completed minutes, the last at the end.
    done: VecDeque<Minute>,
}

/// Figures of the tape at a moment, for explanations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TapeFigures {
    /// Shares of the last five minutes, the present one among them.
    pub recent_volume: u64,
    /// Shares of the twenty minutes before; none where there were not that many.
    pub base_volume: Option<u64>,
    /// Last swing high.
    pub swing_high: Option<Price>,
    /// Minutes of the last ten that closed higher than the one before.
    pub rising: Option<u32>,
    /// Highest and lowest price of the last ten minutes and the present one.
    pub range: Option<(Price, Price)>,
}

impl Tape {
    /// Returns the last price and the time of its tick.
    pub(super) fn last(&self) -> Option<(Price, LogicalTime)> {
        let running = self.running.as_ref();
        running.map(|minute| (minute.close, minute.last))
    }

    /// Takes a tick in, with its evaluation price.
    #[inline]
    pub(super) fn add(&mut self, tick: &Tick, price: Price) {
        match &mut self.running {
            Some(minute) if tick.time.micros() < minute.end.get() => {
                minute.high = minute.high.max(price);
                minute.low = minute.low.min(price);
                minute.close = price;
                minute.volume = minute.volume.saturating_add(tick.volume);
                minute.last = tick.time;
            }
            running => {
                if let Some(done) = running.replace(Minute::begin(tick, price)) {
                    if self.done.len() == KEPT {
                        self.done.pop_front();
                    }
                    self.done.push_back(done);
                }
            }
        }
    }

    /// Returns the figures of this moment.
    pub(super) fn figures(&self) -> TapeFigures {
        let (recent_volume, base_volume) = self.volumes();
        TapeFigures {
            recent_volume,
            base_volume,
            swing_high: self.swing_high(),
            rising: self.rising(),
            range: self.range(),
        }
    }

    /// Returns whether the conditions of `trigger` that ask for minutes hold at `price`.
    pub(super) fn allows(
        &self,
        trigger: &ReentryTrigger,
        price: Price,
        volatility: Option<Volatility>,
    ) -> bool {
        (trigger.volume_ratio == 0 || self.has_volume(trigger.volume_ratio))
            && (!trigger.structure_break || self.swing_high().is_some_and(|high| price > high))
            && (trigger.momentum == 0 || self.has_momentum(trigger.momentum))
            && (trigger.volatility_atr == 0 || self.is_calm(trigger.volatility_atr, volatility))
    }

    fn volumes(&self) -> (u64, Option<u64>) {
        let sum = |minutes: &mut dyn Iterator<Item = &Minute>| {
            minutes.fold(0_u64, |sum, minute| sum.saturating_add(minute.volume))
        };
        let recent = self
            .running
            .iter()
            .chain(self.done.iter().rev().take(RECENT - 1));
        let recent = sum(&mut { recent });
        let base = self.done.iter().rev().skip(RECENT - 1).take(BASE);
        let has_base = self.done.len() >= RECENT - 1 + BASE;
        (recent, has_base.then(|| sum(&mut { base })))
    }

    /// `recent ÷ (base ÷ 4) ≥ ratio`: five minutes against the average of five of the twenty.
    fn has_volume(&self, ratio: u64) -> bool {
        let (recent, base) = self.volumes();
        let fives = u128::from(u64::try_from(BASE / RECENT).unwrap_or_default());
        base.filter(|base| *base > 0).is_some_and(|base| {
            u128::from(recent) * fives * u128::from(MILLION) >= u128::from(ratio) * u128::from(base)
        })
    }

    /// Returns the high of the last completed minute that is above the one before it and not below
    /// the one after it.
    fn swing_high(&self) -> Option<Price> {
        let highs = self.done.iter().rev().map(|minute| minute.high);
        let (middle, before) = (highs.clone().skip(1), highs.clone().skip(2));
        let mut threes = highs.zip(middle).zip(before);
        let found = threes.find(|((after, high), before)| high > before && high >= after);
        found.map(|((_after, high), _before)| high)
    }

    /// Returns how many of the last ten completed minutes closed higher than the one before: the
    /// score by which candidates are ranked.
    pub(super) fn rising(&self) -> Option<u32> {
        if self.done.len() <= MOMENTUM {
            return None;
        }
        let closes = self.done.iter().rev().map(|minute| minute.close);
        let pairs = closes.clone().zip(closes.skip(1)).take(MOMENTUM);
        let rising = pairs.filter(|(close, before)| close > before).count();
        u32::try_from(rising).ok()
    }

    fn has_momentum(&self, least: u64) -> bool {
        let minutes = u64::try_from(MOMENTUM).unwrap_or_default();
        self.rising()
            .is_some_and(|rising| u64::from(rising) * MILLION >= least * minutes)
    }

    fn range(&self) -> Option<(Price, Price)> {
        if self.done.len() < MOMENTUM {
            return None;
        }
        let seen = || {
            let done = self.done.iter().rev().take(MOMENTUM);
            done.chain(self.running.iter())
        };
        let high = seen().map(|minute| minute.high).max()?;
        let low = seen().map(|minute| minute.low).min()?;
        Some((high, low))
    }

    /// `high − low ≤ most × ATR`.
    fn is_calm(&self, most: u64, volatility: Option<Volatility>) -> bool {
        let Some(((high, low), most)) = self
            .range()
            .zip(volatility.and_then(|volatility| volatility.times(most)))
        else {
            return false;
        };
        i128::from(high.units() - low.units()) * SQUARE <= most
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Ratio;
    use crate::reentry::rule::TriggerKind;

    fn won(won: i64) -> Price {
        Price::from_won(won).unwrap()
    }

    /// A tape of one tick a minute.
    fn tape(ticks: &[(i64, u64)]) -> Tape {
        let mut tape = Tape::default();
        for (minute, (price, volume)) in ticks.iter().enumerate() {
            let minute = u64::try_from(minute).unwrap();
            let tick = Tick {
                time: LogicalTime::from_micros(minute * MINUTE_US),
                symbol: "A".parse().unwrap(),
                last: won(*price),
                bid: None,
                volume: *volume,
            };
            tape.add(&tick, tick.last);
        }
        tape
    }

    fn trigger(change: impl FnOnce(&mut ReentryTrigger)) -> ReentryTrigger {
        let mut trigger = ReentryTrigger {
            kind: TriggerKind::Rebound(Ratio::ZERO),
            volume_ratio: 0,
            structure_break: false,
            stable_us: 0,
            momentum: 0,
            volatility_atr: 0,
            ranking_held: false,
        };
        change(&mut trigger);
        trigger
    }

    #[test]
    fn five_minutes_are_compared_with_the_twenty_before() {
        let asked = trigger(|trigger| trigger.volume_ratio = 1_200_000);
        let mut ticks = vec![(100, 10); 20];
        ticks.extend([(100, 12); 5]);
        assert!(tape(&ticks).allows(&asked, won(100), None));
        ticks[24].1 = 11;
        assert!(!tape(&ticks).allows(&asked, won(100), None));
        assert!(
            !tape(&ticks[1..]).allows(&asked, won(100), None),
            "too short"
        );
    }

    #[test]
    fn a_structure_is_broken_above_the_last_swing_high() {
        let asked = trigger(|trigger| trigger.structure_break = true);
        let tape = tape(&[(100, 0), (110, 0), (105, 0), (107, 0), (106, 0), (1, 0)]);
        assert!(!tape.allows(&asked, won(107), None));
        assert!(tape.allows(&asked, won(108), None));
    }

    #[test]
    fn momentum_is_the_part_of_rising_minutes_and_volatility_their_range() {
        let asked = trigger(|trigger| {
            trigger.momentum = 700_000;
            trigger.volatility_atr = 3_000_000;
        });
        let rising: Vec<_> = (0..12).map(|minute| (100 + minute, 0)).collect();
        let atr = |pct| {
            Some(Volatility {
                pct,
                close: won(100),
            })
        };
        // Ten minutes and the present one: 101 to 111.
        assert!(tape(&rising).allows(&asked, won(100), atr(33_334)));
        assert!(!tape(&rising).allows(&asked, won(100), atr(33_333)));
        assert!(!tape(&rising).allows(&asked, won(100), None));
        assert!(!tape(&[(100, 0); 12]).allows(&asked, won(100), atr(900_000)));
    }
}
