//! The judging function of the hand-written loop: one position, one price, at most one decision,
//! filled whole at once (decision contract, sections 2 and 3, and 6 on immediate fills).
//!
//! Written apart from the engine, in plain integers. A level is held as the outermost price that
//! reaches it; the exact level is computed again for a decision alone.

use turnstile_dataflows::model::{ExitReason, LogicalTime, Phase};

use super::decided::Decided;
use super::levels::{
    OFF_ABOVE, OFF_BELOW, at_or_above, at_or_below, is_on, plain, rounded, scaled, share, trail_gap,
};
use crate::input::{Custom, HeldRow, Input, Listed, Rules};

/// No time.
const NEVER: u64 = u64::MAX;
/// No run of breaches.
const NO_RUN: u64 = u64::MAX;
const DAY_US: u64 = 86_400_000_000;
/// 09:00:00 in Seoul, as microsecond of the day.
const SESSION_US: u64 = 9 * 3_600_000_000;

/// What positions share: rules and symbols.
#[derive(Debug)]
pub(super) struct Desk {
    rules: Vec<Rules>,
    listed: Vec<Listed>,
}

/// A position with its levels.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) number: u32,
    symbol: u32,
    rules: u16,
    pub(super) phase: Phase,
    /// One bit for each action of the phase that was decided, and for each custom rule.
    spent: u32,
    qty: i64,
    original_qty: i64,
    avg: i64,
    pub(super) mark: i64,
    hard_stop: i64,
    gap_down: i64,
    sl2: i64,
    sl1: i64,
    arm: i64,
    break_even: i64,
    take: [i64; 3],
    /// In force from the first take-profit on.
    floor: i64,
    /// How far the trailing level lies below the mark, as a threshold.
    gap: i128,
    limit_us: u64,
    idle_us: u64,
    momentum: i64,
    floor_run: u64,
    trail_run: u64,
    custom: Box<[i64]>,
}

/// Between which prices, and until when, judging changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Quiet {
    /// Judge at or below.
    pub(super) low: i64,
    /// Judge at or above.
    pub(super) high: i64,
    /// Judge from here on.
    pub(super) wake_us: u64,
}

/// Bits of [`Held::spent`] that a change of phase clears; custom rules follow.
const SL2: u32 = 1;
const SL1: u32 = 2;
const TRAIL: u32 = 4;
const OF_PHASE: u32 = SL2 | SL1 | TRAIL;

const fn custom_bit(index: usize) -> u32 {
    8 << index
}

/// What is sold, and at which level.
struct Hit {
    reason: ExitReason,
    level: i64,
    qty: i64,
}

impl Desk {
    pub(super) fn new(input: &Input) -> Self {
        Self {
            rules: input.rules.clone(),
            listed: input.listed.clone(),
        }
    }

    fn rules(&self, held: &Held) -> &Rules {
        &self.rules[usize::from(held.rules)]
    }

    fn listed(&self, symbol: u32) -> &Listed {
        &self.listed[usize::try_from(symbol).unwrap_or(usize::MAX)]
    }

    /// Returns a position with its levels.
    pub(super) fn hold(&self, row: &HeldRow) -> Held {
        let rules = &self.rules[usize::from(row.rules)];
        let listed = self.listed(row.symbol);
        let avg = row.avg;
        let stop = |rule| match is_on(rule) {
            true => at_or_below(avg, scaled(rules, rule, listed.atr)),
            false => OFF_BELOW,
        };
        let take = |rule| match is_on(rule) {
            true => at_or_above(avg, scaled(rules, rule, listed.atr)),
            false => OFF_ABOVE,
        };
        let fall = |base, ratio| match ratio {
            0 => OFF_BELOW,
            ratio => at_or_below(base, plain(ratio)),
        };
        let after = |days: u32| match days {
            0 => NEVER,
            days => row.entry_us + u64::from(days) * DAY_US,
        };
        let custom = |rule: &Custom| match (rule.is_above, rule.pnl != 0 && rule.qty != 0) {
            (true, true) => at_or_above(avg, plain(rule.pnl)),
            (true, false) => OFF_ABOVE,
            (false, true) => at_or_below(avg, plain(rule.pnl)),
            (false, false) => OFF_BELOW,
        };
        Held {
            number: row.number,
            symbol: row.symbol,
            rules: row.rules,
            phase: row.phase,
            spent: 0,
            qty: row.qty,
            original_qty: row.original_qty,
            avg,
            mark: row.mark,
            hard_stop: fall(avg, rules.hard_stop),
            gap_down: fall(listed.prev_close, rules.gap_down),
            sl2: stop(&rules.sl2),
            sl1: stop(&rules.sl1),
            arm: match rules.break_even_trigger {
                0 => OFF_ABOVE,
                trigger => at_or_above(avg, plain(trigger)),
            },
            break_even: at_or_below(avg, plain(rules.break_even_buffer)),
            take: rules.take.each_ref().map(take),
            floor: match row.phase {
                Phase::Open => OFF_BELOW,
                _ => fall(avg, rules.floor),
            },
            gap: -trail_gap(rules, listed.atr),
            limit_us: after(rules.max_hold_days),
            idle_us: after(rules.no_momentum_days),
            momentum: at_or_above(avg, plain(rules.no_momentum_profit)),
            floor_run: NO_RUN,
            trail_run: NO_RUN,
            custom: rules.custom.iter().map(custom).collect(),
        }
    }
}

impl Held {
    /// Judges the position by a tick and fills what is decided.
    pub(super) fn judge(&mut self, desk: &Desk, now_us: u64, price: i64) -> Option<Decided> {
        self.mark = self.mark.max(price);
        let slot = LogicalTime::from_micros(now_us).breach_slot();
        let is_floor_hit = breach(&mut self.floor_run, price <= self.floor, slot);
        let trail = self.trail();
        let is_trail_hit = breach(&mut self.trail_run, price <= trail, slot);
        let hit = self.first_hit(desk, now_us, price, is_floor_hit, is_trail_hit)?;
        let decided = Decided {
            time_us: now_us,
            position: self.number,
            reason: hit.reason,
            qty: hit.qty,
            level: hit.level,
        };
        self.fill(desk, &hit);
        Some(decided)
    }

    /// Returns the level of the trailing stop that is in force.
    fn trail(&self) -> i64 {
        let is_on = matches!(self.phase, Phase::Tp2Done | Phase::TrailingActive)
            && self.spent & TRAIL == 0
            && self.gap != 0;
        if is_on {
            at_or_below(self.mark, self.gap)
        } else {
            OFF_BELOW
        }
    }

    /// Returns the take-profit of the phase, from zero.
    fn step(&self) -> Option<usize> {
        match self.phase {
            Phase::Open => Some(0),
            Phase::Tp1Done => Some(1),
            Phase::Tp2Done => Some(2),
            Phase::Tp3Done | Phase::TrailingActive | Phase::Exited => None,
        }
    }

    /// Returns the first trigger of the phase that hits and was not decided before.
    fn first_hit(
        &mut self,
        desk: &Desk,
        now_us: u64,
        price: i64,
        is_floor_hit: bool,
        is_trail_hit: bool,
    ) -> Option<Hit> {
        let rules = desk.rules(self);
        if let Some(hit) = self.full_stop(desk, now_us, price) {
            return Some(hit);
        }
        if self.phase == Phase::Open && self.mark >= self.arm && price <= self.break_even {
            return self.all(ExitReason::BreakEven, self.avg, rules.break_even_buffer);
        }
        if is_floor_hit {
            return self.all(ExitReason::StopFloor, self.avg, rules.floor);
        }
        if let Some(step) = self.step()
            && let Some(hit) = self.stop_or_profit(desk, price, step)
        {
            return Some(hit);
        }
        if is_trail_hit {
            let reason = match self.phase {
                Phase::Tp2Done => ExitReason::TrailPartial,
                _ => ExitReason::Trail,
            };
            return self.part(reason, self.mark, self.gap, self.qty, rules.trail_qty);
        }
        let is_idle = now_us >= self.idle_us && self.mark < self.momentum;
        (now_us >= self.limit_us || is_idle).then_some(Hit {
            reason: ExitReason::Time,
            level: price,
            qty: self.qty,
        })
    }

    fn full_stop(&self, desk: &Desk, now_us: u64, price: i64) -> Option<Hit> {
        let (rules, listed) = (desk.rules(self), desk.listed(self.symbol));
        if price <= self.hard_stop {
            return self.all(ExitReason::HardStop, self.avg, rules.hard_stop);
        }
        if price <= self.gap_down && is_in_window(now_us, rules.window_s) {
            return self.all(ExitReason::GapDown, listed.prev_close, rules.gap_down);
        }
        if price <= self.sl2 && self.spent & SL2 == 0 {
            let threshold = scaled(rules, &rules.sl2, listed.atr);
            return self.part(
                ExitReason::Sl2,
                self.avg,
                threshold,
                self.qty,
                rules.sl2.qty,
            );
        }
        None
    }

    /// Judges the first stop loss, the custom rules and the take-profit of the phase.
    fn stop_or_profit(&mut self, desk: &Desk, price: i64, step: usize) -> Option<Hit> {
        let (rules, listed) = (desk.rules(self), desk.listed(self.symbol));
        if price <= self.sl1 && self.spent & SL1 == 0 {
            let threshold = scaled(rules, &rules.sl1, listed.atr);
            return self.part(
                ExitReason::Sl1,
                self.avg,
                threshold,
                self.qty,
                rules.sl1.qty,
            );
        }
        for (index, (rule, &level)) in rules.custom.iter().zip(&*self.custom).enumerate() {
            let (reason, is_hit) = if rule.is_above {
                (ExitReason::CustomProfit, price >= level)
            } else {
                (ExitReason::CustomLoss, price <= level)
            };
            if is_hit && self.spent & custom_bit(index) == 0 {
                self.spent |= custom_bit(index);
                let of = if rule.is_of_original {
                    self.original_qty
                } else {
                    self.qty
                };
                return self.part(reason, self.avg, plain(rule.pnl), of, rule.qty);
            }
        }
        if price >= self.take[step] {
            let rule = &rules.take[step];
            let reason = [ExitReason::Tp1, ExitReason::Tp2, ExitReason::Tp3][step];
            let threshold = scaled(rules, rule, listed.atr);
            return self.part(reason, self.avg, threshold, self.original_qty, rule.qty);
        }
        None
    }

    fn all(&self, reason: ExitReason, base: i64, ratio: i64) -> Option<Hit> {
        Some(Hit {
            reason,
            level: rounded(base, plain(ratio)),
            qty: self.qty,
        })
    }

    fn part(
        &self,
        reason: ExitReason,
        base: i64,
        threshold: i128,
        of: i64,
        ratio: i64,
    ) -> Option<Hit> {
        Some(Hit {
            reason,
            level: rounded(base, threshold),
            qty: share(of, ratio).clamp(1, self.qty),
        })
    }

    fn fill(&mut self, desk: &Desk, hit: &Hit) {
        self.qty -= hit.qty;
        let rules = desk.rules(self);
        let next = match hit.reason {
            _ if self.qty == 0 => Phase::Exited,
            ExitReason::Tp1 => Phase::Tp1Done,
            ExitReason::Tp2 if !is_on(&rules.take[2]) => Phase::TrailingActive,
            ExitReason::Tp2 => Phase::Tp2Done,
            ExitReason::Tp3 if rules.start_trailing => Phase::TrailingActive,
            ExitReason::Tp3 => Phase::Tp3Done,
            _ => self.phase,
        };
        match hit.reason {
            ExitReason::Sl2 => self.spent |= SL2,
            ExitReason::Sl1 => self.spent |= SL1,
            ExitReason::Trail | ExitReason::TrailPartial => {
                self.spent |= TRAIL;
                self.trail_run = NO_RUN;
            }
            ExitReason::Tp1 if rules.floor != 0 => {
                self.floor = self.floor.max(at_or_below(self.avg, plain(rules.floor)));
            }
            _ => {}
        }
        if next != self.phase {
            self.phase = next;
            self.spent &= !OF_PHASE;
            self.floor_run = NO_RUN;
            self.trail_run = NO_RUN;
        }
    }

    /// Returns within what the position stays silent from here on.
    pub(super) fn quiet(&self, desk: &Desk, now_us: u64) -> Quiet {
        let rules = desk.rules(self);
        let mut quiet = Quiet {
            low: self.hard_stop.max(self.floor),
            high: OFF_ABOVE,
            wake_us: self.limit_us,
        };
        if self.gap_down != OFF_BELOW {
            if is_in_window(now_us, rules.window_s) {
                quiet.low = quiet.low.max(self.gap_down);
            }
            quiet.wake_us = quiet.wake_us.min(next_session(now_us));
        }
        if self.mark < self.momentum {
            quiet.wake_us = quiet.wake_us.min(self.idle_us);
        }
        if self.spent & SL2 == 0 {
            quiet.low = quiet.low.max(self.sl2);
        }
        if self.phase == Phase::Open {
            if self.mark >= self.arm {
                quiet.low = quiet.low.max(self.break_even);
            } else {
                quiet.high = self.arm;
            }
        }
        if let Some(step) = self.step() {
            quiet.high = quiet.high.min(self.take[step]);
            if self.spent & SL1 == 0 {
                quiet.low = quiet.low.max(self.sl1);
            }
            for (index, (rule, &level)) in rules.custom.iter().zip(&*self.custom).enumerate() {
                match (self.spent & custom_bit(index) == 0, rule.is_above) {
                    (true, true) => quiet.high = quiet.high.min(level),
                    (true, false) => quiet.low = quiet.low.max(level),
                    (false, _) => {}
                }
            }
        }
        let trail = self.trail();
        if trail != OFF_BELOW {
            quiet.low = quiet.low.max(trail);
            quiet.high = quiet.high.min(self.mark + 1); // The level moves with the mark.
        }
        if self.floor_run != NO_RUN || self.trail_run != NO_RUN {
            quiet.low = OFF_ABOVE; // A run ends or is confirmed by any tick.
        }
        quiet
    }
}

/// Begins, continues or ends a run of breaches and returns whether it is confirmed.
fn breach(run: &mut u64, is_breach: bool, slot: u64) -> bool {
    if !is_breach {
        *run = NO_RUN;
        return false;
    }
    if *run == NO_RUN {
        *run = slot;
    }
    slot > *run
}

fn is_in_window(now_us: u64, window_s: u32) -> bool {
    let end = SESSION_US + u64::from(window_s) * 1_000_000;
    (SESSION_US..=end).contains(&LogicalTime::from_micros(now_us).seoul_micro_of_day())
}

fn next_session(now_us: u64) -> u64 {
    let of_day = LogicalTime::from_micros(now_us).seoul_micro_of_day();
    let days = if of_day < SESSION_US { 0 } else { DAY_US };
    now_us - of_day + SESSION_US + days
}
