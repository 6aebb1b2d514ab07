//! The conditions that a rule asks of the minutes before.

use turnstile_dataflows::model::Symbol;
use turnstile_dataflows::reentry::ReentryRule;

use super::{MINUTE, Oracle};

/// Price and volume of each tick of one minute.
type Minute = Vec<(i64, u64)>;

/// The present minute and the thirty before: nobody asks for more.
fn by_minute(tape: &[(u64, i64, u64)]) -> Vec<Minute> {
    let mut minutes: Vec<Minute> = Vec::new();
    let mut last = None;
    for (time, price, volume) in tape {
        if last != Some(time / MINUTE) {
            minutes.push(Vec::new());
            last = Some(time / MINUTE);
        }
        minutes.last_mut().expect("one").push((*price, *volume));
    }
    let first = minutes.len().saturating_sub(31);
    minutes.split_off(first)
}

/// How many of the last ten minutes closed higher than the one before.
fn rising(done: &[Minute]) -> Option<u64> {
    if done.len() < 11 {
        return None;
    }
    let close = |minute: &Minute| minute.last().expect("one").0;
    let end = done.len();
    let rising = (end - 10..end).filter(|at| close(&done[*at]) > close(&done[at - 1]));
    Some(u64::try_from(rising.count()).expect("ten"))
}

impl Oracle {
    /// The score by which candidates are ranked.
    pub(super) fn score(&self, symbol: Symbol) -> Option<u64> {
        let minutes = by_minute(self.tape.get(&symbol)?);
        rising(minutes.split_last()?.1)
    }

    /// Whether volume, structure, momentum and volatility are as the rule wants them.
    pub(super) fn holds(
        &self,
        rule: &ReentryRule,
        symbol: Symbol,
        tape: &[(u64, i64, u64)],
    ) -> bool {
        let trigger = &rule.trigger;
        let price = tape.last().expect("a tick").1;
        let minutes = by_minute(tape);
        let done = &minutes[..minutes.len() - 1];
        let volume = |minutes: &[Minute]| -> u128 {
            minutes
                .iter()
                .flatten()
                .map(|(_, volume)| u128::from(*volume))
                .sum()
        };
        let high = |minute: &Minute| minute.iter().map(|(price, _)| *price).max();
        if trigger.volume_ratio > 0 {
            if minutes.len() < 25 {
                return false;
            }
            let (base, recent) = minutes[minutes.len() - 25..].split_at(20);
            let (base, recent) = (volume(base), volume(recent));
            if base == 0 || recent * 4 * 1_000_000 < base * u128::from(trigger.volume_ratio) {
                return false;
            }
        }
        if trigger.structure_break {
            let swing = (1..done.len().saturating_sub(1)).rev().find(|at| {
                let of = |at: usize| high(&done[at]);
                of(*at) > of(at - 1) && of(*at) >= of(at + 1)
            });
            if swing.is_none_or(|at| Some(price) <= high(&done[at])) {
                return false;
            }
        }
        if trigger.momentum > 0 {
            let Some(rising) = rising(done) else {
                return false;
            };
            if rising * 1_000_000 < trigger.momentum * 10 {
                return false;
            }
        }
        if trigger.volatility_atr > 0 {
            let Some((pct, close)) = self.atrs.get(&symbol) else {
                return false;
            };
            if done.len() < 10 {
                return false;
            }
            let seen: Vec<i64> = minutes[minutes.len() - 11..]
                .iter()
                .flatten()
                .map(|(price, _)| *price)
                .collect();
            let range = seen.iter().max().expect("one") - seen.iter().min().expect("one");
            let most = i128::from(*pct) * i128::from(*close) * i128::from(trigger.volatility_atr);
            if i128::from(range) * 1_000_000_000_000 > most {
                return false;
            }
        }
        true
    }
}
