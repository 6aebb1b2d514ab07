//! Exit rule profiles (decision contract, section 5).
//!
//! A profile is one object, taken whole: an absent section is off. [`Profile::from_value`] is the
//! only door; it reports every fault with the path of its key.

mod parse;
mod write;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use parse::{ProfileFault, ProfileFaults};

use super::ratio::half_even_div;
use super::{Floor, Price, Ratio, Threshold};

/// One millionth parts of one: the scale of ATR percent and of its factor.
pub(crate) const MILLION: i64 = 1_000_000;

/// A whole set of exit rules for one position.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "serde_json::Value", into = "serde_json::Value")]
pub struct Profile {
    pub(crate) atr: Option<AtrScaling>,
    pub(crate) hard_stop: Ratio,
    pub(crate) gap_down: Option<GapDown>,
    pub(crate) sl1: Option<Scaled>,
    pub(crate) sl2: Option<Scaled>,
    pub(crate) break_even: Option<BreakEven>,
    pub(crate) tp1: Option<Scaled>,
    pub(crate) floor: Ratio,
    pub(crate) tp2: Option<Scaled>,
    pub(crate) tp3: Option<Scaled>,
    pub(crate) start_trailing: Option<bool>,
    pub(crate) trail: Option<Trail>,
    pub(crate) time: Option<TimeLimit>,
    pub(crate) custom: Vec<CustomRule>,
}

/// Scaling of thresholds by volatility, in millionths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct AtrScaling {
    pub(crate) reference: i64,
    pub(crate) factor_min: i64,
    pub(crate) factor_max: i64,
}

/// A threshold that ATR scales, and how much it sells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Scaled {
    pub(crate) pnl: Ratio,
    pub(crate) min: Ratio,
    pub(crate) max: Ratio,
    pub(crate) qty: Ratio,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct GapDown {
    pub(crate) change: Ratio,
    pub(crate) window_s: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct BreakEven {
    pub(crate) trigger: Ratio,
    pub(crate) buffer: Ratio,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Trail {
    pub(crate) pct: Ratio,
    /// In millionths.
    pub(crate) atr_k: i64,
    pub(crate) qty: Ratio,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct TimeLimit {
    pub(crate) max_hold_days: u32,
    pub(crate) no_momentum_days: u32,
    pub(crate) no_momentum_profit: Ratio,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct CustomRule {
    pub(crate) id: Arc<str>,
    pub(crate) enabled: bool,
    pub(crate) condition: CustomCondition,
    pub(crate) pnl: Ratio,
    pub(crate) qty: Ratio,
    pub(crate) of_original: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum CustomCondition {
    ProfitAbove,
    ProfitBelow,
}

impl Scaled {
    /// Returns whether neither threshold nor quantity is zero before scaling.
    pub(crate) fn is_on(&self) -> bool {
        !self.pnl.is_zero() && !self.qty.is_zero()
    }
}

impl Profile {
    /// Returns whether the third take-profit is on.
    pub(crate) fn tp3_is_on(&self) -> bool {
        self.tp3.as_ref().is_some_and(Scaled::is_on)
    }

    /// Returns whether the third take-profit leads to trailing.
    pub(crate) fn start_trailing(&self) -> bool {
        self.start_trailing.unwrap_or(true)
    }

    /// Returns the floor that the first take-profit sets, `avg × (1 + floor)`; none where it is off.
    pub(crate) fn floor_of(&self, avg: Price) -> Option<Floor> {
        (!self.floor.is_zero()).then(|| Floor::of(avg, self.floor))
    }

    /// Returns the ATR factor in millionths: `clamp(atr_pct ÷ ref, min, max)`, six decimals, half
    /// to even; one without ATR or reference (decision contract 2.5).
    pub(crate) fn factor(&self, atr_pct: Option<i64>) -> i64 {
        let (Some(scaling), Some(atr)) = (self.atr, atr_pct) else {
            return MILLION;
        };
        if scaling.reference == 0 {
            return MILLION;
        }
        let product = i128::from(atr) * i128::from(MILLION);
        let factor = half_even_div(product, i128::from(scaling.reference));
        let factor = i64::try_from(factor).unwrap_or(i64::MAX);
        factor.max(scaling.factor_min).min(scaling.factor_max)
    }

    /// Returns a scaled threshold.
    pub(crate) fn threshold(&self, rule: &Scaled, atr_pct: Option<i64>) -> Threshold {
        rule.pnl
            .scaled(self.factor(atr_pct))
            .clamped(rule.pnl, rule.min, rule.max)
    }

    /// Returns the trail gap as a (negative) threshold on the high-water mark: `pct`, or
    /// `max(pct, atr_k × atr_pct)` where the symbol has an ATR. None where it is zero.
    pub(crate) fn trail_gap(&self, atr_pct: Option<i64>) -> Option<Threshold> {
        let trail = self.trail?;
        let by_atr = atr_pct.map_or(Threshold::default(), |atr| {
            Threshold::product(trail.atr_k, atr)
        });
        let gap = trail.pct.threshold().max(by_atr);
        (gap > Threshold::default()).then(|| gap.negated())
    }
}
