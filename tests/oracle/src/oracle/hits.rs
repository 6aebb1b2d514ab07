//! Triggers: which of them hit at a price, in the priority of the phase (contract, section 3).

use std::sync::Arc;

use turnstile_dataflows::model::{
    ExitMode, ExitReason, LogicalTime, ManualSale, Phase, Position, PositionMode, Price,
};

use super::exact::{Rate, Won};
use super::rows::{Context, State};
use super::rules::{Rules, Step};

const SECOND_US: u64 = 1_000_000;
const DAY_US: u64 = 86_400 * SECOND_US;
/// Seoul is nine hours ahead of UTC.
const SEOUL_US: u64 = 9 * 3_600 * SECOND_US;
/// 09:00:00.
const OPENING_US: u64 = 9 * 3_600 * SECOND_US;

/// A line of a priority list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trigger {
    HardStop,
    Manual,
    GapDown,
    Sl2,
    StopFloor,
    BreakEven,
    Sl1,
    Custom,
    Tp1,
    Tp2,
    Tp3,
    TrailPartial,
    Trail,
    Time,
}

/// Returns the priority list of a phase. MANUAL stands right after HARDSTOP.
pub(super) const fn priorities(phase: Phase) -> &'static [Trigger] {
    use Trigger::{
        BreakEven, Custom, GapDown, HardStop, Manual, Sl1, Sl2, StopFloor, Time, Tp1, Tp2, Tp3,
        Trail, TrailPartial,
    };
    match phase {
        Phase::Open => &[
            HardStop, Manual, GapDown, Sl2, BreakEven, Sl1, Custom, Tp1, Time,
        ],
        Phase::Tp1Done => &[
            HardStop, Manual, GapDown, Sl2, StopFloor, Sl1, Custom, Tp2, Time,
        ],
        Phase::Tp2Done => &[
            HardStop,
            Manual,
            GapDown,
            Sl2,
            StopFloor,
            Sl1,
            Custom,
            Tp3,
            TrailPartial,
            Time,
        ],
        Phase::Tp3Done => &[HardStop, Manual, GapDown, Sl2, StopFloor, Time],
        Phase::TrailingActive => &[HardStop, Manual, GapDown, Sl2, StopFloor, Trail, Time],
        Phase::Exited => &[],
    }
}

/// An unbroken run of breaching ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run {
    /// The 3-second slot in which it began.
    pub(super) slot: u64,
    /// Whether a breaching tick has come in a later slot.
    pub(super) hits: bool,
}

/// The runs of the debounced triggers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Runs {
    pub(super) floor: Option<Run>,
    pub(super) trail_partial: Option<Run>,
    pub(super) trail: Option<Run>,
}

/// A trigger that hits.
#[derive(Clone, Debug)]
pub(super) struct Hit {
    pub(super) reason: ExitReason,
    /// Custom rule, or request of the operator.
    pub(super) rule_id: Option<Arc<str>>,
    /// The price that had to be reached; none where the evaluation price stands for it.
    pub(super) level: Option<Won>,
    /// What it sells.
    pub(super) sells: Sells,
    /// Slot of the run, for debounced triggers.
    pub(super) slot: Option<u64>,
}

/// What a trigger sells.
#[derive(Clone, Copy, Debug)]
pub(super) enum Sells {
    All,
    Shares(i64),
}

/// Everything that an evaluation looks at.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) now: LogicalTime,
    pub(super) price: Price,
    pub(super) avg: Price,
    pub(super) position: &'a Position,
    pub(super) state: &'a State,
    pub(super) rules: &'a Rules,
    pub(super) context: Context,
    pub(super) mode: ExitMode,
    pub(super) mark: Option<Price>,
    pub(super) runs: Runs,
    pub(super) requests: &'a [ManualSale],
}

impl View<'_> {
    /// Puts all triggers that hit into `hits`, the first in the priority of the phase first.
    pub(super) fn hits(&self, hits: &mut Vec<Hit>) {
        if self.position.mode == PositionMode::ManualOnly {
            self.manual(hits);
            return;
        }
        if self.mode == ExitMode::EmergencyFlatten {
            hits.push(all(ExitReason::Flatten, None));
        }
        for trigger in priorities(self.state.phase) {
            match trigger {
                Trigger::HardStop => {
                    self.push_if_below(hits, ExitReason::HardStop, self.hard_stop())
                }
                Trigger::Manual => self.manual(hits),
                Trigger::GapDown => {
                    let level = self.gap_down().filter(|_| self.is_in_window());
                    self.push_if_below(hits, ExitReason::GapDown, level);
                }
                Trigger::Sl2 => self.stop_loss(hits, ExitReason::Sl2, self.rules.sl2),
                Trigger::StopFloor => {
                    let run = self.runs.floor.filter(|run| run.hits);
                    if let (Some(level), Some(run)) = (self.state.floor, run) {
                        let slot = Some(run.slot);
                        hits.push(Hit {
                            slot,
                            ..all(ExitReason::StopFloor, Some(level))
                        });
                    }
                }
                Trigger::BreakEven => {
                    let level = self.break_even();
                    let level = level
                        .filter(|(arm, _)| self.mark.is_some_and(|mark| Won::of(mark) >= *arm));
                    self.push_if_below(hits, ExitReason::BreakEven, level.map(|(_, level)| level));
                }
                Trigger::Sl1 => self.stop_loss(hits, ExitReason::Sl1, self.rules.sl1),
                Trigger::Custom => self.custom(hits),
                Trigger::Tp1 => self.take_profit(hits, ExitReason::Tp1, self.rules.tp1),
                Trigger::Tp2 => self.take_profit(hits, ExitReason::Tp2, self.rules.tp2),
                Trigger::Tp3 => self.take_profit(hits, ExitReason::Tp3, self.rules.tp3),
                Trigger::TrailPartial => {
                    self.trailing(hits, ExitReason::TrailPartial, self.runs.trail_partial);
                }
                Trigger::Trail => self.trailing(hits, ExitReason::Trail, self.runs.trail),
                Trigger::Time => {
                    if self.is_held_too_long() {
                        hits.push(all(ExitReason::Time, None));
                    }
                }
            }
        }
    }

    fn is_below(&self, level: Won) -> bool {
        Won::of(self.price) <= level
    }

    fn push_if_below(&self, hits: &mut Vec<Hit>, reason: ExitReason, level: Option<Won>) {
        if level.is_some_and(|level| self.is_below(level)) {
            hits.push(all(reason, level));
        }
    }

    fn manual(&self, hits: &mut Vec<Hit>) {
        for request in self
            .requests
            .iter()
            .filter(|request| request.position == self.position.id)
        {
            hits.push(Hit {
                reason: ExitReason::Manual,
                rule_id: Some(request.request.clone()),
                level: None,
                sells: Sells::Shares(request.qty.shares()),
                slot: None,
            });
        }
    }

    pub(super) fn hard_stop(&self) -> Option<Won> {
        Some(Won::beyond(self.avg, self.rules.hard_stop?))
    }

    pub(super) fn gap_down(&self) -> Option<Won> {
        let (change, _window) = self.rules.gap_down?;
        Some(Won::beyond(self.context.prev_close?, change))
    }

    fn is_in_window(&self) -> bool {
        let Some((_change, window_s)) = self.rules.gap_down else {
            return false;
        };
        let of_day = (self.now.micros() + SEOUL_US) % DAY_US;
        of_day >= OPENING_US && of_day <= OPENING_US + window_s * SECOND_US
    }

    /// Returns where a threshold that ATR scales lies.
    pub(super) fn step(&self, step: Option<Step>) -> Option<Won> {
        let factor = self.rules.factor(self.context.atr_pct);
        Some(Won::beyond(self.avg, step?.threshold(factor)))
    }

    fn stop_loss(&self, hits: &mut Vec<Hit>, reason: ExitReason, step: Option<Step>) {
        let Some((step, level)) = step.zip(self.step(step)) else {
            return;
        };
        if self.is_below(level) {
            let shares = step.qty.ceil_of(self.position.qty.shares());
            hits.push(part(reason, level, shares));
        }
    }

    fn take_profit(&self, hits: &mut Vec<Hit>, reason: ExitReason, step: Option<Step>) {
        let Some((step, level)) = step.zip(self.step(step)) else {
            return;
        };
        if Won::of(self.price) >= level {
            let shares = step.qty.ceil_of(self.position.original_qty.shares());
            hits.push(part(reason, level, shares));
        }
    }

    /// Returns where the mark arms BREAK_EVEN, and where it then sells.
    pub(super) fn break_even(&self) -> Option<(Won, Won)> {
        let (trigger, buffer) = self.rules.break_even?;
        Some((
            Won::beyond(self.avg, trigger),
            Won::beyond(self.avg, buffer),
        ))
    }

    fn custom(&self, hits: &mut Vec<Hit>) {
        for rule in &self.rules.custom {
            let level = Won::beyond(self.avg, rule.pnl);
            let (reason, is_hit) = if rule.is_above {
                (ExitReason::CustomProfit, Won::of(self.price) >= level)
            } else {
                (ExitReason::CustomLoss, self.is_below(level))
            };
            if !is_hit {
                continue;
            }
            let base = if rule.of_original {
                self.position.original_qty
            } else {
                self.position.qty
            };
            let rule_id = Some(rule.id.clone());
            let shares = rule.qty.ceil_of(base.shares());
            hits.push(Hit {
                rule_id,
                ..part(reason, level, shares)
            });
        }
    }

    /// Returns where the trailing stop lies, and what part it sells.
    pub(super) fn trail(&self) -> Option<(Won, Rate)> {
        let (gap, qty) = self.rules.trail(self.context.atr_pct)?;
        Some((Won::beyond(self.mark?, gap.negated()), qty))
    }

    fn trailing(&self, hits: &mut Vec<Hit>, reason: ExitReason, run: Option<Run>) {
        let Some(run) = run.filter(|run| run.hits) else {
            return;
        };
        let Some((level, qty)) = self.trail() else {
            return;
        };
        let shares = qty.ceil_of(self.position.qty.shares());
        let slot = Some(run.slot);
        hits.push(Hit {
            slot,
            ..part(reason, level, shares)
        });
    }

    fn is_held_too_long(&self) -> bool {
        let entry = self.position.entry.micros();
        let is_held = |days: u64| self.now.micros() >= entry + days * DAY_US;
        let has_no_momentum = |profit: Rate| {
            let mark = self.mark.expect("an evaluation has raised the mark");
            Won::of(mark) < Won::beyond(self.avg, profit)
        };
        self.rules.max_hold_days.is_some_and(is_held)
            || self
                .rules
                .no_momentum
                .is_some_and(|(days, profit)| is_held(days) && has_no_momentum(profit))
    }

    /// Returns the prices that any trigger of the phase compares with.
    pub(super) fn levels(&self) -> Vec<Won> {
        let momentum = self
            .rules
            .no_momentum
            .map(|(_days, profit)| Won::beyond(self.avg, profit));
        let (arm, back) = self.break_even().unzip();
        let custom = self.rules.custom.iter();
        let mut levels: Vec<Won> = custom.map(|rule| Won::beyond(self.avg, rule.pnl)).collect();
        for trigger in priorities(self.state.phase) {
            let here = match trigger {
                Trigger::HardStop => [self.hard_stop(), None],
                Trigger::GapDown => [self.gap_down(), None],
                Trigger::Sl2 => [self.step(self.rules.sl2), None],
                Trigger::StopFloor => [self.state.floor, None],
                Trigger::BreakEven => [arm, back],
                Trigger::Sl1 => [self.step(self.rules.sl1), None],
                Trigger::Tp1 => [self.step(self.rules.tp1), None],
                Trigger::Tp2 => [self.step(self.rules.tp2), None],
                Trigger::Tp3 => [self.step(self.rules.tp3), None],
                Trigger::TrailPartial | Trigger::Trail => [
                    self.trail().map(|(level, _qty)| level),
                    self.mark.map(Won::of),
                ],
                Trigger::Time => [momentum, None],
                Trigger::Manual | Trigger::Custom => [None, None],
            };
            levels.extend(here.into_iter().flatten());
        }
        levels
    }

    /// Returns the runs after a tick (contract, 2.8). A debounced trigger that is off, or not in
    /// the list of the phase, is not in breach.
    pub(super) fn runs_after_tick(&self) -> Runs {
        let slot = self.now.micros() / (3 * SECOND_US);
        let after = |trigger: Trigger, run: Option<Run>, level: Option<Won>| {
            let is_listed = priorities(self.state.phase).contains(&trigger);
            let is_breach = is_listed && level.is_some_and(|level| self.is_below(level));
            match run {
                _ if !is_breach => None,
                None => Some(Run { slot, hits: false }),
                Some(run) => Some(Run {
                    slot: run.slot,
                    hits: run.hits || slot > run.slot,
                }),
            }
        };
        let trail = self.trail().map(|(level, _qty)| level);
        Runs {
            floor: after(Trigger::StopFloor, self.runs.floor, self.state.floor),
            trail_partial: after(Trigger::TrailPartial, self.runs.trail_partial, trail),
            trail: after(Trigger::Trail, self.runs.trail, trail),
        }
    }
}

fn all(reason: ExitReason, level: Option<Won>) -> Hit {
    Hit {
        reason,
        rule_id: None,
        level,
        sells: Sells::All,
        slot: None,
    }
}

fn part(reason: ExitReason, level: Won, shares: i64) -> Hit {
    Hit {
        reason,
        rule_id: None,
        level: Some(level),
        sells: Sells::Shares(shares),
        slot: None,
    }
}
