//! A rule profile as the contract reads it (section 5): what is off is not there.

use std::sync::Arc;

use serde_json::Value;

use super::exact::Rate;

/// What one profile says. `None` is off: a base threshold that is missing or zero before scaling,
/// or a quantity of zero (contract, 2.7).
#[derive(Clone, Debug)]
pub struct Rules {
    atr: Option<Atr>,
    /// HARDSTOP.
    pub hard_stop: Option<Rate>,
    /// GAP_DOWN: change, and seconds of the window.
    pub gap_down: Option<(Rate, u64)>,
    /// SL2.
    pub sl2: Option<Step>,
    /// BREAK_EVEN: trigger and buffer.
    pub break_even: Option<(Rate, Rate)>,
    /// SL1.
    pub sl1: Option<Step>,
    /// Custom rules in list order, those that are on.
    pub custom: Vec<Custom>,
    /// TP1.
    pub tp1: Option<Step>,
    /// What TP1 sets the floor to, above the average.
    pub floor: Option<Rate>,
    /// TP2.
    pub tp2: Option<Step>,
    /// TP3.
    pub tp3: Option<Step>,
    /// Whether TP3 leads to trailing.
    pub start_trailing: bool,
    trail: Option<Trail>,
    /// Days after which a position is sold, if any.
    pub max_hold_days: Option<u64>,
    /// Days after which a position without momentum is sold, if any, and the profit it needs.
    pub no_momentum: Option<(u64, Rate)>,
}

#[derive(Clone, Copy, Debug)]
struct Atr {
    reference: Rate,
    factor_min: Rate,
    factor_max: Rate,
}

/// A threshold that ATR scales, and what it sells.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    base: Rate,
    min: Rate,
    max: Rate,
    /// The part that is sold.
    pub qty: Rate,
}

#[derive(Clone, Copy, Debug)]
struct Trail {
    pct: Rate,
    atr_k: Rate,
    qty: Rate,
}

/// A custom rule that is on.
#[derive(Clone, Debug)]
pub struct Custom {
    /// Its name.
    pub id: Arc<str>,
    /// `profit_above`, else `profit_below`.
    pub is_above: bool,
    /// Its threshold.
    pub pnl: Rate,
    /// The part that is sold.
    pub qty: Rate,
    /// Whether it is a part of the original quantity, else of the remaining one.
    pub of_original: bool,
}

impl Rules {
    /// Reads a valid profile.
    pub fn read(profile: &Value) -> Self {
        let nothing = Value::Null;
        let section = |name: &str| profile.get(name).unwrap_or(&nothing);
        let on =
            |name: &str, key: &str| Rate::read(section(name), key).filter(|rate| !is_zero(*rate));
        let days = |key: &str| section("time").get(key).and_then(Value::as_u64);
        let max_hold_days = days("max_hold_days").filter(|days| *days > 0);
        let no_momentum_days = days("no_momentum_days").filter(|days| *days > 0);
        let number = |name: &str, key: &str| Rate::read(section(name), key).unwrap_or(Rate::ZERO);
        let window_s = section("gap_down").get("window_s").and_then(Value::as_u64);
        let start_trailing = section("tp3")
            .get("start_trailing")
            .and_then(Value::as_bool);
        let custom = profile.get("custom").and_then(Value::as_array);
        Self {
            atr: profile.get("atr").map(Atr::read),
            hard_stop: on("hard_stop", "pnl"),
            gap_down: on("gap_down", "change").map(|change| (change, window_s.unwrap_or(30))),
            sl2: Step::read(section("sl2"), Rate::ALL),
            break_even: on("break_even", "trigger")
                .map(|trigger| (trigger, number("break_even", "buffer"))),
            sl1: Step::read(section("sl1"), Rate::ZERO),
            custom: custom
                .into_iter()
                .flatten()
                .filter_map(Custom::read)
                .collect(),
            tp1: Step::read(section("tp1"), Rate::ZERO),
            floor: on("tp1", "floor"),
            tp2: Step::read(section("tp2"), Rate::ZERO),
            tp3: Step::read(section("tp3"), Rate::ZERO),
            start_trailing: start_trailing.unwrap_or(true),
            trail: profile.get("trail").map(Trail::read),
            max_hold_days,
            no_momentum: no_momentum_days.map(|days| (days, number("time", "no_momentum_profit"))),
        }
    }

    /// Returns the factor by which ATR scales thresholds (contract, 2.5). `atr_pct` is in millionths.
    pub fn factor(&self, atr_pct: Option<i64>) -> Rate {
        let (Some(atr), Some(atr_pct)) = (&self.atr, atr_pct) else {
            return Rate::ALL;
        };
        if is_zero(atr.reference) {
            return Rate::ALL;
        }
        let factor = Rate::millionths(atr_pct).divided_by(atr.reference);
        factor.max(atr.factor_min).min(atr.factor_max)
    }

    /// Returns the gap and the quantity of TRAIL and TRAIL_PARTIAL: `pct`, or `max(pct, atr_k ×
    /// atr_pct)` where the symbol has an ATR (contract, 5).
    pub fn trail(&self, atr_pct: Option<i64>) -> Option<(Rate, Rate)> {
        let trail = self.trail.filter(|trail| !is_zero(trail.qty))?;
        let gap = match atr_pct {
            Some(atr_pct) => trail.pct.max(trail.atr_k.times(Rate::millionths(atr_pct))),
            None => trail.pct,
        };
        (!is_zero(gap)).then_some((gap, trail.qty))
    }
}

impl Step {
    fn read(section: &Value, qty_default: Rate) -> Option<Self> {
        let number = |key: &str| Rate::read(section, key);
        let step = Self {
            base: number("pnl").unwrap_or(Rate::ZERO),
            min: number("min").unwrap_or(Rate::ZERO),
            max: number("max").unwrap_or(Rate::ZERO),
            qty: number("qty").unwrap_or(qty_default),
        };
        (!is_zero(step.base) && !is_zero(step.qty)).then_some(step)
    }

    /// Returns the threshold under `factor`: base × factor, its absolute value then clamped to
    /// [|min|, |max|], where a zero bound is no bound. The sign is that of the base.
    pub fn threshold(&self, factor: Rate) -> Rate {
        let mut size = self.base.times(factor).size();
        if !is_zero(self.min) {
            size = size.max(self.min.size());
        }
        if !is_zero(self.max) {
            size = size.min(self.max.size());
        }
        if self.base < Rate::ZERO {
            size.negated()
        } else {
            size
        }
    }
}

impl Atr {
    fn read(section: &Value) -> Self {
        let number = |key: &str| Rate::read(section, key);
        Self {
            reference: number("ref").unwrap_or(Rate::ZERO),
            factor_min: number("factor_min").unwrap_or(Rate::ALL),
            factor_max: number("factor_max").unwrap_or(Rate::ALL),
        }
    }
}

impl Trail {
    fn read(section: &Value) -> Self {
        let number = |key: &str| Rate::read(section, key).unwrap_or(Rate::ZERO);
        Self {
            pct: number("pct"),
            atr_k: number("atr_k"),
            qty: number("qty"),
        }
    }
}

impl Custom {
    fn read(rule: &Value) -> Option<Self> {
        let text = |key: &str| rule.get(key).and_then(Value::as_str);
        let is_enabled = rule.get("enabled").and_then(Value::as_bool).unwrap_or(true);
        let pnl = Rate::read(rule, "pnl").unwrap_or(Rate::ZERO);
        let qty = Rate::read(rule, "qty").unwrap_or(Rate::ZERO);
        let is_on = is_enabled && !is_zero(pnl) && !is_zero(qty);
        is_on.then(|| Self {
            id: text("id").expect("a custom rule has an id").into(),
            is_above: text("condition") == Some("profit_above"),
            pnl,
            qty,
            of_original: text("base") == Some("ORIGINAL"),
        })
    }
}

fn is_zero(rate: Rate) -> bool {
    rate == Rate::ZERO
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn size(rules: &Value, atr_pct: Option<i64>) -> Rate {
        let rules = Rules::read(rules);
        rules.sl1.unwrap().threshold(rules.factor(atr_pct))
    }

    fn rate(millionths: i64) -> Rate {
        Rate::millionths(millionths)
    }

    #[test]
    fn atr_scales_within_its_bounds() {
        let rules = json!({
            "atr": {"ref": 0.02, "factor_min": 0.7, "factor_max": 1.6},
            "sl1": {"pnl": -0.03, "min": -0.022, "max": -0.045, "qty": 0.5},
        });
        assert_eq!(size(&rules, None), rate(-30_000));
        assert_eq!(size(&rules, Some(20_000)), rate(-30_000));
        assert_eq!(size(&rules, Some(24_000)), rate(-36_000));
        assert_eq!(
            size(&rules, Some(90_000)),
            rate(-45_000),
            "factor 1.6, then |max|"
        );
        assert_eq!(
            size(&rules, Some(1)),
            rate(-22_000),
            "factor 0.7, then |min|"
        );
    }

    #[test]
    fn without_a_reference_nothing_is_scaled_and_zero_bounds_are_none() {
        let sl1 = json!({"pnl": -0.03, "min": 0.0, "max": 0.0, "qty": 0.5});
        let unscaled = json!({"atr": {"ref": 0, "factor_min": 2, "factor_max": 3}, "sl1": sl1});
        assert_eq!(size(&unscaled, Some(90_000)), rate(-30_000));
        let scaled = json!({"atr": {"ref": 0.02, "factor_max": 3}, "sl1": sl1});
        assert_eq!(size(&scaled, Some(50_000)), rate(-75_000));
    }

    #[test]
    fn the_trail_gap_follows_atr_where_there_is_one() {
        let rules = Rules::read(&json!({"trail": {"pct": 0.03, "atr_k": 2.0, "qty": 0.5}}));
        assert_eq!(rules.trail(None).unwrap().0, rate(30_000));
        assert_eq!(rules.trail(Some(10_000)).unwrap().0, rate(30_000));
        assert_eq!(rules.trail(Some(20_000)).unwrap().0, rate(40_000));
    }

    #[test]
    fn zero_and_absent_are_off() {
        let rules = Rules::read(&json!({
            "hard_stop": {"pnl": 0}, "gap_down": {"window_s": 30}, "sl2": {"qty": 1},
            "sl1": {"pnl": -0.03}, "tp1": {"pnl": 0.07, "qty": 0.0, "floor": 0.0},
            "trail": {"pct": 0.03}, "time": {"max_hold_days": 0},
            "custom": [{"id": "a", "condition": "profit_above", "pnl": 0.0, "qty": 1},
                       {"id": "b", "condition": "profit_above", "pnl": 0.1, "qty": 0},
                       {"id": "c", "condition": "profit_above", "pnl": 0.1, "qty": 1, "enabled": false}],
        }));
        assert!(rules.hard_stop.is_none() && rules.gap_down.is_none());
        assert!(
            rules.sl2.is_none() && rules.sl1.is_none(),
            "sl1.qty is 0 by default"
        );
        assert!(rules.tp1.is_none() && rules.floor.is_none() && rules.tp3.is_none());
        assert!(rules.trail(Some(1)).is_none() && rules.break_even.is_none());
        assert!(rules.max_hold_days.is_none() && rules.no_momentum.is_none());
        assert!(rules.custom.is_empty() && rules.start_trailing);
        assert!(
            Rules::read(&json!({"sl2": {"pnl": -0.05}})).sl2.is_some(),
            "sl2.qty is 1 by default"
        );
    }
}
