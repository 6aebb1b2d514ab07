//! Rule profiles of the input: one description, from which both the engine's profile and the
//! integers of the loop are made.

use std::fmt::Write;
use std::sync::Arc;

use anyhow::Context;
use turnstile_dataflows::model::Profile;

/// Parts of one in which everything here is counted.
pub(crate) const MILLION: i64 = 1_000_000;

/// A complete rule profile; ratios in millionths.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    /// Identifier, and strategy that it serves.
    pub(crate) name: Arc<str>,
    pub(crate) atr_reference: i64,
    pub(crate) factor_min: i64,
    pub(crate) factor_max: i64,
    pub(crate) hard_stop: i64,
    pub(crate) gap_down: i64,
    pub(crate) window_s: u32,
    pub(crate) sl2: Scaled,
    pub(crate) break_even_trigger: i64,
    pub(crate) break_even_buffer: i64,
    pub(crate) sl1: Scaled,
    /// The three take-profits.
    pub(crate) take: [Scaled; 3],
    /// What the first take-profit sets.
    pub(crate) floor: i64,
    pub(crate) start_trailing: bool,
    pub(crate) trail_pct: i64,
    pub(crate) trail_atr_k: i64,
    pub(crate) trail_qty: i64,
    pub(crate) max_hold_days: u32,
    pub(crate) no_momentum_days: u32,
    pub(crate) no_momentum_profit: i64,
    pub(crate) custom: Vec<Custom>,
}

/// A threshold that ATR scales.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scaled {
    pub(crate) pnl: i64,
    pub(crate) min: i64,
    pub(crate) max: i64,
    pub(crate) qty: i64,
}

/// A custom rule: of a gain where `is_above`, else of a loss.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Custom {
    pub(crate) id: &'static str,
    pub(crate) is_above: bool,
    pub(crate) pnl: i64,
    pub(crate) qty: i64,
    pub(crate) is_of_original: bool,
}

const fn scaled(pnl: i64, min: i64, max: i64, qty: i64) -> Scaled {
    Scaled { pnl, min, max, qty }
}

const fn custom(
    id: &'static str,
    is_above: bool,
    pnl: i64,
    qty: i64,
    is_of_original: bool,
) -> Custom {
    Custom {
        id,
        is_above,
        pnl,
        qty,
        is_of_original,
    }
}

/// Returns profiles with every trigger on, whose levels lie so near that prices reach them.
pub(crate) fn tight() -> Vec<Rules> {
    let first = Rules {
        name: "tight-a".into(),
        atr_reference: 20_000,
        factor_min: 800_000,
        factor_max: 1_250_000,
        hard_stop: -50_000,
        gap_down: -20_000,
        window_s: 30,
        sl2: scaled(-24_000, 0, -28_000, MILLION),
        break_even_trigger: 9_000,
        break_even_buffer: 2_000,
        sl1: scaled(-12_000, -10_000, 0, 500_000),
        take: [
            scaled(12_000, 10_000, 14_000, 200_000),
            scaled(20_000, 0, 24_000, 250_000),
            scaled(28_000, 0, 0, 300_000),
        ],
        floor: 3_000,
        start_trailing: true,
        trail_pct: 8_000,
        trail_atr_k: 300_000,
        trail_qty: 500_000,
        max_hold_days: 20,
        no_momentum_days: 3,
        no_momentum_profit: 10_000,
        custom: vec![
            custom("lock-in", true, 10_000, 100_000, false),
            custom("cut", false, -8_000, 150_000, true),
            custom("runner", true, 24_000, 100_000, true),
        ],
    };
    let second = Rules {
        name: "tight-b".into(),
        sl2: scaled(-18_000, 0, 0, 800_000),
        sl1: scaled(-9_000, 0, 0, 400_000),
        take: [
            scaled(8_000, 0, 0, 100_000),
            scaled(14_000, 0, 0, 200_000),
            scaled(22_000, 0, 0, 300_000),
        ],
        start_trailing: false,
        break_even_trigger: 6_000,
        break_even_buffer: 1_000,
        custom: vec![custom("half", true, 17_000, 500_000, false)],
        ..first.clone()
    };
    vec![first, second]
}

/// Returns profiles with every trigger on, whose levels lie beyond what prices reach.
pub(crate) fn wide() -> Vec<Rules> {
    let first = wide_rules();
    let second = Rules {
        name: "wide-b".into(),
        start_trailing: false,
        trail_pct: 210_000,
        custom: vec![custom("cut", false, -340_000, 250_000, false)],
        ..first.clone()
    };
    vec![first, second]
}

/// Returns a profile with every trigger on, whose levels lie beyond what prices reach.
pub(crate) fn wide_rules() -> Rules {
    Rules {
        name: "wide-a".into(),
        atr_reference: 20_000,
        factor_min: 900_000,
        factor_max: 1_100_000,
        hard_stop: -450_000,
        gap_down: -200_000,
        window_s: 30,
        sl2: scaled(-400_000, 0, -450_000, MILLION),
        break_even_trigger: 300_000,
        break_even_buffer: 10_000,
        sl1: scaled(-350_000, -300_000, 0, 500_000),
        take: [
            scaled(360_000, 0, 400_000, 100_000),
            scaled(420_000, 400_000, 450_000, 200_000),
            scaled(480_000, 450_000, 490_000, 300_000),
        ],
        floor: 6_000,
        start_trailing: true,
        trail_pct: 180_000,
        trail_atr_k: 2_000_000,
        trail_qty: 500_000,
        max_hold_days: 365,
        no_momentum_days: 200,
        no_momentum_profit: 50_000,
        custom: vec![
            custom("lock-in", true, 430_000, 200_000, false),
            custom("cut", false, -320_000, 250_000, true),
        ],
    }
}

impl Rules {
    /// Returns the profile of the engine.
    ///
    /// # Errors
    /// If the rules break the contract.
    pub(crate) fn profile(&self) -> anyhow::Result<Profile> {
        let text = self.json();
        let value = serde_json::from_str(&text)
            .with_context(|| format!("profile {} is not JSON: {text}", self.name))?;
        Profile::from_value(&value).with_context(|| format!("profile {}", self.name))
    }

    fn json(&self) -> String {
        let of = decimal;
        let stop = |rule: &Scaled| {
            let (pnl, min, max, qty) = (of(rule.pnl), of(rule.min), of(rule.max), of(rule.qty));
            format!(r#""pnl": {pnl}, "min": {min}, "max": {max}, "qty": {qty}"#)
        };
        let mut custom = String::new();
        for rule in &self.custom {
            let comma = if custom.is_empty() { "" } else { ", " };
            let side = if rule.is_above { "above" } else { "below" };
            let base = if rule.is_of_original {
                "ORIGINAL"
            } else {
                "REMAINING"
            };
            // Writing into a text cannot fail.
            let _ = write!(
                custom,
                r#"{comma}{{"id": "{}", "condition": "profit_{side}", "pnl": {}, "qty": {}, "base": "{base}"}}"#,
                rule.id,
                of(rule.pnl),
                of(rule.qty),
            );
        }
        let [tp1, tp2, tp3] = &self.take;
        format!(
            r#"{{"atr": {{"ref": {}, "factor_min": {}, "factor_max": {}}},
            "hard_stop": {{"pnl": {}}}, "gap_down": {{"change": {}, "window_s": {}}},
            "sl2": {{{}}}, "sl1": {{{}}}, "break_even": {{"trigger": {}, "buffer": {}}},
            "tp1": {{{}, "floor": {}}}, "tp2": {{{}}}, "tp3": {{{}, "start_trailing": {}}},
            "trail": {{"pct": {}, "atr_k": {}, "qty": {}}},
            "time": {{"max_hold_days": {}, "no_momentum_days": {}, "no_momentum_profit": {}}},
            "custom": [{custom}]}}"#,
            of(self.atr_reference),
            of(self.factor_min),
            of(self.factor_max),
            of(self.hard_stop),
            of(self.gap_down),
            self.window_s,
            stop(&self.sl2),
            stop(&self.sl1),
            of(self.break_even_trigger),
            of(self.break_even_buffer),
            stop(tp1),
            of(self.floor),
            stop(tp2),
            stop(tp3),
            self.start_trailing,
            of(self.trail_pct),
            of(self.trail_atr_k),
            of(self.trail_qty),
            self.max_hold_days,
            self.no_momentum_days,
            of(self.no_momentum_profit),
        )
    }
}

/// Returns millionths as a decimal number.
fn decimal(millionths: i64) -> String {
    let sign = if millionths < 0 { "-" } else { "" };
    let size = millionths.unsigned_abs();
    format!("{sign}{}.{:06}", size / 1_000_000, size % 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_profile_keeps_the_contract() {
        for rules in tight().into_iter().chain(wide()) {
            rules.profile().unwrap();
        }
    }

    #[test]
    fn millionths_are_written_as_decimals() {
        assert_eq!(decimal(-24_000), "-0.024000");
        assert_eq!(decimal(1_250_000), "1.250000");
    }
}
