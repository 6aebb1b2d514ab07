//! Triggers: the rules in force for a position, compiled to prices and times that can be compared.

use std::sync::Arc;

use crate::model::{
    CustomCondition, ExitMode, ExitReason, Floor, LogicalTime, ManualSale, Phase, Position,
    PositionMode, Price, Quantity, Ratio, Scaled, Threshold,
};

use super::rule::Terms;

const DAY_US: u64 = 86_400_000_000;

/// One rule that may sell, in the phase the position is in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trigger {
    pub(super) reason: ExitReason,
    /// Which custom rule of the profile, or which request of the operator.
    pub(super) item: usize,
    pub(super) when: When,
    pub(super) sells: Sells,
}

/// A price to be reached: the outermost price that reaches it, and how it is printed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reach {
    /// Comparisons use this one; both sides are inclusive.
    pub(super) price: Price,
    printed: Printed,
}

/// What the printed level is made from, once it is needed.
#[derive(Clone, Copy, Debug)]
enum Printed {
    Return { base: Price, threshold: Threshold },
    Floor(Floor),
}

impl Reach {
    /// Returns the highest price at or below `base × (1 + threshold)`.
    pub(super) fn below(base: Price, threshold: Threshold) -> Option<Self> {
        Some(Self {
            price: threshold.at_or_below(base)?,
            printed: Printed::Return { base, threshold },
        })
    }

    /// Returns the lowest price at or above `base × (1 + threshold)`.
    fn above(base: Price, threshold: Threshold) -> Option<Self> {
        Some(Self {
            price: threshold.at_or_above(base)?,
            printed: Printed::Return { base, threshold },
        })
    }

    /// Returns the exact level rounded half to even.
    pub(super) fn level(&self) -> Price {
        let level = match self.printed {
            Printed::Return { base, threshold } => threshold.rounded(base),
            Printed::Floor(floor) => floor.level(),
        };
        level.unwrap_or(self.price)
    }
}

/// What makes a trigger hit.
#[derive(Clone, Copy, Debug)]
pub(super) enum When {
    /// At once: in EMERGENCY_FLATTEN, and where the operator asks.
    Now,
    /// The price is at or below.
    Below(Reach),
    /// The price is at or above.
    Above(Reach),
    /// At or below the floor, debounced.
    Floor(Reach),
    /// At or below, from 09:00:00 to `window_s` seconds later in Seoul, both inclusive.
    Gap { reach: Reach, window_s: u32 },
    /// The mark has reached `arm` and the price is at or below.
    BreakEven { arm: Price, reach: Reach },
    /// The price is at or below the mark less the gap, debounced.
    Trail { gap: Threshold },
    /// Held until `limit`, or until the second time with a mark below the price beside it.
    Held {
        limit: Option<LogicalTime>,
        idle: Option<(LogicalTime, Price)>,
    },
}

impl When {
    /// Returns whether it hits only after a run of breaches.
    pub(super) const fn is_debounced(&self) -> bool {
        matches!(self, Self::Floor(_) | Self::Trail { .. })
    }
}

/// How much a trigger sells, before it is held between one and what is available.
#[derive(Clone, Copy, Debug)]
pub(super) enum Sells {
    All,
    Shares(Quantity),
    OfRemaining(Ratio),
    OfOriginal(Ratio),
}

impl Sells {
    /// Returns the shares to sell of `remaining`.
    pub(super) fn quantity(
        self,
        remaining: Quantity,
        original: Quantity,
        available: Quantity,
    ) -> Quantity {
        let shares = match self {
            Self::All => return available,
            Self::Shares(shares) => shares,
            Self::OfRemaining(ratio) => ratio.share_of(remaining),
            Self::OfOriginal(ratio) => ratio.share_of(original),
        };
        shares.max(Quantity::ONE).min(available)
    }
}

impl Trigger {
    fn of(reason: ExitReason, when: When, sells: Sells) -> Self {
        Self {
            reason,
            item: 0,
            when,
            sells,
        }
    }

    fn all(reason: ExitReason, when: When) -> Self {
        Self::of(reason, when, Sells::All)
    }

    /// Returns the custom rule or the request that it stands for.
    pub(super) fn rule_id(&self, subject: &Subject<'_>) -> Option<Arc<str>> {
        match self.reason {
            ExitReason::CustomLoss | ExitReason::CustomProfit => {
                let rules = &subject.terms.rule.profile.custom;
                rules.get(self.item).map(|rule| rule.id.clone())
            }
            ExitReason::Manual => {
                let sale = subject.manual.get(self.item);
                sale.map(|sale| sale.request.clone())
            }
            _ => None,
        }
    }
}

/// What triggers are compiled from.
#[derive(Clone, Copy)]
pub(super) struct Subject<'p> {
    pub(super) position: &'p Position,
    pub(super) terms: &'p Terms,
    pub(super) phase: Phase,
    pub(super) floor: Option<Floor>,
    pub(super) avg: Price,
    pub(super) manual: &'p [ManualSale],
}

/// Writes to `list` the triggers of a position in the priority of its phase, those that are off
/// left out (decision contract, 2.7 and section 3). A request of the operator stands right after
/// the hard stop.
pub(super) fn compile(subject: &Subject<'_>, list: &mut Vec<Trigger>) {
    list.clear();
    let profile = &subject.terms.rule.profile;
    if subject.phase == Phase::Exited || subject.position.mode == PositionMode::Disabled {
        return;
    }
    if subject.position.mode == PositionMode::ManualOnly {
        list.extend(subject.manual_sales());
        return;
    }
    if subject.terms.control.mode == ExitMode::EmergencyFlatten {
        list.push(Trigger::all(ExitReason::Flatten, When::Now));
    }
    list.extend(subject.hard_stop());
    list.extend(subject.manual_sales());
    list.extend(subject.gap_down());
    list.extend(subject.stop(ExitReason::Sl2, profile.sl2));
    match subject.phase {
        Phase::Open => {
            list.extend(subject.break_even());
            list.extend(subject.stop(ExitReason::Sl1, profile.sl1));
            list.extend(subject.custom());
            list.extend(subject.take(ExitReason::Tp1, profile.tp1));
        }
        Phase::Tp1Done => {
            list.extend(subject.floor());
            list.extend(subject.stop(ExitReason::Sl1, profile.sl1));
            list.extend(subject.custom());
            list.extend(subject.take(ExitReason::Tp2, profile.tp2));
        }
        Phase::Tp2Done => {
            list.extend(subject.floor());
            list.extend(subject.stop(ExitReason::Sl1, profile.sl1));
            list.extend(subject.custom());
            list.extend(subject.take(ExitReason::Tp3, profile.tp3));
            list.extend(subject.trail(ExitReason::TrailPartial));
        }
        Phase::Tp3Done => list.extend(subject.floor()),
        Phase::TrailingActive => {
            list.extend(subject.floor());
            list.extend(subject.trail(ExitReason::Trail));
        }
        Phase::Exited => {}
    }
    list.extend(subject.time());
}

impl Subject<'_> {
    fn hard_stop(&self) -> Option<Trigger> {
        let pnl = self.terms.rule.profile.hard_stop;
        if pnl.is_zero() {
            return None;
        }
        let reach = Reach::below(self.avg, pnl.threshold())?;
        Some(Trigger::all(ExitReason::HardStop, When::Below(reach)))
    }

    fn manual_sales(&self) -> impl Iterator<Item = Trigger> {
        let sales = self.manual.iter().enumerate();
        sales.map(|(item, sale)| Trigger {
            item,
            ..Trigger::of(ExitReason::Manual, When::Now, Sells::Shares(sale.qty))
        })
    }

    fn gap_down(&self) -> Option<Trigger> {
        let gap = self.terms.rule.profile.gap_down;
        let gap = gap.filter(|gap| !gap.change.is_zero())?;
        let reach = Reach::below(self.terms.context.prev_close?, gap.change.threshold())?;
        let window_s = gap.window_s;
        Some(Trigger::all(
            ExitReason::GapDown,
            When::Gap { reach, window_s },
        ))
    }

    fn threshold(&self, rule: &Scaled) -> Threshold {
        let atr = self.terms.context.atr_pct_millionths;
        self.terms.rule.profile.threshold(rule, atr)
    }

    fn stop(&self, reason: ExitReason, rule: Option<Scaled>) -> Option<Trigger> {
        let rule = rule.filter(Scaled::is_on)?;
        let reach = Reach::below(self.avg, self.threshold(&rule))?;
        let sells = Sells::OfRemaining(rule.qty);
        Some(Trigger::of(reason, When::Below(reach), sells))
    }

    fn take(&self, reason: ExitReason, rule: Option<Scaled>) -> Option<Trigger> {
        let rule = rule.filter(Scaled::is_on)?;
        let reach = Reach::above(self.avg, self.threshold(&rule))?;
        let sells = Sells::OfOriginal(rule.qty);
        Some(Trigger::of(reason, When::Above(reach), sells))
    }

    fn floor(&self) -> Option<Trigger> {
        let floor = self.floor?;
        let reach = Reach {
            price: floor.reach()?,
            printed: Printed::Floor(floor),
        };
        Some(Trigger::all(ExitReason::StopFloor, When::Floor(reach)))
    }

    fn break_even(&self) -> Option<Trigger> {
        let rule = self.terms.rule.profile.break_even;
        let rule = rule.filter(|rule| !rule.trigger.is_zero())?;
        let arm = rule.trigger.threshold().at_or_above(self.avg)?;
        let reach = Reach::below(self.avg, rule.buffer.threshold())?;
        Some(Trigger::all(
            ExitReason::BreakEven,
            When::BreakEven { arm, reach },
        ))
    }

    fn custom(&self) -> impl Iterator<Item = Trigger> {
        let rules = self.terms.rule.profile.custom.iter().enumerate();
        let on =
            rules.filter(|(_, rule)| rule.enabled && !rule.pnl.is_zero() && !rule.qty.is_zero());
        on.filter_map(|(item, rule)| {
            let threshold = rule.pnl.threshold();
            let (reason, when) = match rule.condition {
                CustomCondition::ProfitAbove => (
                    ExitReason::CustomProfit,
                    When::Above(Reach::above(self.avg, threshold)?),
                ),
                CustomCondition::ProfitBelow => (
                    ExitReason::CustomLoss,
                    When::Below(Reach::below(self.avg, threshold)?),
                ),
            };
            let sells = if rule.of_original {
                Sells::OfOriginal(rule.qty)
            } else {
                Sells::OfRemaining(rule.qty)
            };
            Some(Trigger {
                item,
                ..Trigger::of(reason, when, sells)
            })
        })
    }

    fn trail(&self, reason: ExitReason) -> Option<Trigger> {
        let profile = &self.terms.rule.profile;
        let trail = profile.trail.filter(|trail| !trail.qty.is_zero())?;
        let gap = profile.trail_gap(self.terms.context.atr_pct_millionths)?;
        let sells = Sells::OfRemaining(trail.qty);
        Some(Trigger::of(reason, When::Trail { gap }, sells))
    }

    fn time(&self) -> Option<Trigger> {
        let rule = self.terms.rule.profile.time?;
        let entry = self.position.entry;
        let after = |days: u32| {
            (days > 0).then(|| entry.plus_micros(u64::from(days).saturating_mul(DAY_US)))
        };
        let limit = after(rule.max_hold_days);
        let momentum = rule.no_momentum_profit.threshold().at_or_above(self.avg);
        let idle = after(rule.no_momentum_days).zip(momentum);
        if limit.is_none() && idle.is_none() {
            return None;
        }
        Some(Trigger::all(ExitReason::Time, When::Held { limit, idle }))
    }
}
