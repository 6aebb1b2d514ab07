//! The conditions that a rule asks of the minutes before.

use turnstile_dataflows::model::Symbol;
use turnstile_dataflows::reentry::ReentryRule;

use super::{MINUTE, Oracle};

impl Oracle {
    /// Whether volume, structure, momentum and volatility are as the rule wants them.
    pub(super) fn holds(
        &self,
        rule: &ReentryRule,
        symbol: Symbol,
        tape: &[(u64, i64, u64)],
    ) -> bool {
        let trigger = &rule.trigger;
        let price = tape.last().expect("a tick").1;
        let mut minutes: Vec<Vec<(i64, u64)>> = Vec::new();
        let mut last = None;
        for (time, price, volume) in tape {
            if last != Some(time / MINUTE) {
                minutes.push(Vec::new());
                last = Some(time / MINUTE);
            }
            minutes.last_mut().expect("one").push((*price, *volume));
        }
        // Nobody asks for more than thirty minutes before the present one.
        let first = minutes.len().saturating_sub(31);
        let minutes = &minutes[first..];
        let done = &minutes[..minutes.len() - 1];
        let volume = |minutes: &[Vec<(i64, u64)>]| -> u128 {
            minutes
                .iter()
                .flatten()
                .map(|(_, volume)| u128::from(*volume))
                .sum()
        };
        let high = |minute: &Vec<(i64, u64)>| minute.iter().map(|(price, _)| *price).max();
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
            if done.len() < 11 {
                return false;
            }
            let closes: Vec<i64> = done
                .iter()
                .map(|minute| minute.last().expect("one").0)
                .collect();
            let end = closes.len();
            let rising = (end - 10..end).filter(|at| closes[*at] > closes[at - 1]);
            let rising = u64::try_from(rising.count()).expect("ten");
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
