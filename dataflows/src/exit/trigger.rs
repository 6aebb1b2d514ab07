//! Triggers: the rules of a plan, compiled to prices and times that can be compared.

use std::sync::Arc;

use crate::model::{ExitMode, ExitReason, LogicalTime, Phase, Price, Quantity, Ratio, Threshold};

use super::plan::Plan;
use crate::model::{CustomCondition, CustomRule, Scaled};

const DAY_US: u64 = 86_400_000_000;

/// One rule that may sell, in the phase the plan is in.
#[derive(Clone, Debug)]
pub(crate) struct Trigger {
    pub(crate) reason: ExitReason,
    pub(crate) rule_id: Option<Arc<str>>,
    pub(crate) when: When,
    pub(crate) sells: Sells,
}

/// A price to be reached: the outermost price that reaches it, and the level as it is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reach {
    /// Comparisons use this one; both sides are inclusive.
    pub(crate) price: Price,
    /// The exact level rounded half to even.
    pub(crate) level: Price,
}

/// What makes a trigger hit.
#[derive(Clone, Debug)]
pub(crate) enum When {
    /// In EMERGENCY_FLATTEN: at once.
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

/// How much a trigger sells, before it is held between one and what is available.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Sells {
    All,
    OfRemaining(Ratio),
    OfOriginal(Ratio),
}

impl Sells {
    /// Returns the shares to sell of a position.
    pub(crate) fn quantity(self, plan: &Plan, available: Quantity) -> Quantity {
        let shares = match self {
            Self::All => return available,
            Self::OfRemaining(ratio) => ratio.share_of(plan.position.qty),
            Self::OfOriginal(ratio) => ratio.share_of(plan.position.original_qty),
        };
        shares.max(Quantity::ONE).min(available)
    }
}

/// Returns the triggers of `plan` in the priority of its phase, those that are off left out
/// (decision contract, 2.7 and section 3). `avg` is the position's average cost.
pub(crate) fn compile(plan: &Plan, avg: Price) -> Vec<Trigger> {
    let rules = Rules { plan, avg };
    let mut list = Vec::with_capacity(12);
    if plan.mode == ExitMode::EmergencyFlatten {
        list.push(Trigger::all(ExitReason::Flatten, When::Now));
    }
    list.extend(rules.hard_stop());
    list.extend(rules.gap_down());
    list.extend(rules.stop(ExitReason::Sl2, plan.rule.profile.sl2));
    match plan.state.phase {
        Phase::Open => {
            list.extend(rules.break_even());
            list.extend(rules.stop(ExitReason::Sl1, plan.rule.profile.sl1));
            list.extend(rules.custom());
            list.extend(rules.take(ExitReason::Tp1, plan.rule.profile.tp1));
        }
        Phase::Tp1Done => {
            list.extend(rules.floor());
            list.extend(rules.stop(ExitReason::Sl1, plan.rule.profile.sl1));
            list.extend(rules.custom());
            list.extend(rules.take(ExitReason::Tp2, plan.rule.profile.tp2));
        }
        Phase::Tp2Done => {
            list.extend(rules.floor());
            list.extend(rules.stop(ExitReason::Sl1, plan.rule.profile.sl1));
            list.extend(rules.custom());
            list.extend(rules.take(ExitReason::Tp3, plan.rule.profile.tp3));
            list.extend(rules.trail(ExitReason::TrailPartial));
        }
        Phase::Tp3Done => list.extend(rules.floor()),
        Phase::TrailingActive => {
            list.extend(rules.floor());
            list.extend(rules.trail(ExitReason::Trail));
        }
        Phase::Exited => return Vec::new(),
    }
    list.extend(rules.time());
    list
}

impl Trigger {
    fn all(reason: ExitReason, when: When) -> Self {
        Self {
            reason,
            rule_id: None,
            when,
            sells: Sells::All,
        }
    }
}

struct Rules<'p> {
    plan: &'p Plan,
    avg: Price,
}

impl Rules<'_> {
    fn below(&self, base: Price, threshold: Threshold) -> Option<Reach> {
        let price = threshold.at_or_below(base)?;
        Some(Reach {
            price,
            level: threshold.rounded(base).unwrap_or(price),
        })
    }

    fn above(&self, base: Price, threshold: Threshold) -> Option<Reach> {
        let price = threshold.at_or_above(base)?;
        Some(Reach {
            price,
            level: threshold.rounded(base).unwrap_or(price),
        })
    }

    fn hard_stop(&self) -> Option<Trigger> {
        let pnl = self.plan.rule.profile.hard_stop;
        if pnl.is_zero() {
            return None;
        }
        let reach = self.below(self.avg, pnl.threshold())?;
        Some(Trigger::all(ExitReason::HardStop, When::Below(reach)))
    }

    fn gap_down(&self) -> Option<Trigger> {
        let gap = self
            .plan
            .rule
            .profile
            .gap_down
            .filter(|gap| !gap.change.is_zero())?;
        let reach = self.below(self.plan.context.prev_close?, gap.change.threshold())?;
        Some(Trigger::all(
            ExitReason::GapDown,
            When::Gap {
                reach,
                window_s: gap.window_s,
            },
        ))
    }

    fn stop(&self, reason: ExitReason, rule: Option<Scaled>) -> Option<Trigger> {
        let rule = rule.filter(Scaled::is_on)?;
        let atr = self.plan.context.atr_pct_millionths;
        let reach = self.below(self.avg, self.plan.rule.profile.threshold(&rule, atr))?;
        let sells = Sells::OfRemaining(rule.qty);
        Some(Trigger {
            reason,
            rule_id: None,
            when: When::Below(reach),
            sells,
        })
    }

    fn take(&self, reason: ExitReason, rule: Option<Scaled>) -> Option<Trigger> {
        let rule = rule.filter(Scaled::is_on)?;
        let atr = self.plan.context.atr_pct_millionths;
        let reach = self.above(self.avg, self.plan.rule.profile.threshold(&rule, atr))?;
        let sells = Sells::OfOriginal(rule.qty);
        Some(Trigger {
            reason,
            rule_id: None,
            when: When::Above(reach),
            sells,
        })
    }

    fn floor(&self) -> Option<Trigger> {
        let floor = self.plan.state.floor?;
        let reach = Reach {
            price: floor.reach()?,
            level: floor.level()?,
        };
        Some(Trigger::all(ExitReason::StopFloor, When::Floor(reach)))
    }

    fn break_even(&self) -> Option<Trigger> {
        let rule = self
            .plan
            .rule
            .profile
            .break_even
            .filter(|rule| !rule.trigger.is_zero())?;
        let arm = rule.trigger.threshold().at_or_above(self.avg)?;
        let reach = self.below(self.avg, rule.buffer.threshold())?;
        Some(Trigger::all(
            ExitReason::BreakEven,
            When::BreakEven { arm, reach },
        ))
    }

    fn custom(&self) -> Vec<Trigger> {
        let on = |rule: &&CustomRule| rule.enabled && !rule.pnl.is_zero() && !rule.qty.is_zero();
        let rules = self.plan.rule.profile.custom.iter().filter(on);
        rules.filter_map(|rule| self.custom_trigger(rule)).collect()
    }

    fn custom_trigger(&self, rule: &CustomRule) -> Option<Trigger> {
        let threshold = rule.pnl.threshold();
        let (reason, when) = match rule.condition {
            CustomCondition::ProfitAbove => (
                ExitReason::CustomProfit,
                When::Above(self.above(self.avg, threshold)?),
            ),
            CustomCondition::ProfitBelow => (
                ExitReason::CustomLoss,
                When::Below(self.below(self.avg, threshold)?),
            ),
        };
        let base = if rule.of_original {
            Sells::OfOriginal
        } else {
            Sells::OfRemaining
        };
        Some(Trigger {
            reason,
            rule_id: Some(rule.id.clone()),
            when,
            sells: base(rule.qty),
        })
    }

    fn trail(&self, reason: ExitReason) -> Option<Trigger> {
        let trail = self
            .plan
            .rule
            .profile
            .trail
            .filter(|trail| !trail.qty.is_zero())?;
        let gap = self
            .plan
            .rule
            .profile
            .trail_gap(self.plan.context.atr_pct_millionths)?;
        let sells = Sells::OfRemaining(trail.qty);
        Some(Trigger {
            reason,
            rule_id: None,
            when: When::Trail { gap },
            sells,
        })
    }

    fn time(&self) -> Option<Trigger> {
        let rule = self.plan.rule.profile.time?;
        let entry = self.plan.position.entry;
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
