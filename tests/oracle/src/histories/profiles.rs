//! Random profiles: every section now and then, thresholds tight and wide, what is off included.

use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use crate::Dice;

/// Returns the JSON number of a decimal.
fn number(mantissa: i64, places: u32) -> Value {
    let text = Decimal::new(mantissa, places).normalize().to_string();
    serde_json::from_str(&text).expect("a decimal is a JSON number")
}

/// Draws a valid profile.
pub(super) fn draw(dice: &mut Dice) -> Value {
    let mut profile = Map::new();
    // One in three is so tight that a few price steps reach several levels at once.
    let scale = dice.pick(&[1, 1, 10]);
    let mut sections = Sections { dice, scale };
    for (percent, name, draw) in SECTIONS {
        if sections.dice.percent(percent) {
            profile.insert(name.to_owned(), draw(&mut sections));
        }
    }
    Value::Object(profile)
}

type Draw = fn(&mut Sections<'_>) -> Value;

/// How often each section is there.
const SECTIONS: [(u64, &str, Draw); 12] = [
    (40, "atr", |sections| sections.atr()),
    (60, "hard_stop", |sections| sections.hard_stop()),
    (55, "gap_down", |sections| sections.gap_down()),
    (75, "sl2", |sections| sections.step(&[-50, -45, -40], 80)),
    (45, "break_even", |sections| sections.break_even()),
    (75, "sl1", |sections| sections.step(&[-30, -25, -20], 92)),
    (85, "tp1", |sections| sections.tp1()),
    (85, "tp2", |sections| sections.step(&[30, 40, 60], 92)),
    (70, "tp3", |sections| sections.tp3()),
    (75, "trail", |sections| sections.trail()),
    (40, "time", |sections| sections.time()),
    (55, "custom", |sections| sections.custom()),
];

struct Sections<'d> {
    dice: &'d mut Dice,
    scale: i64,
}

impl Sections<'_> {
    /// Draws a ratio near one of `thousandths`, sometimes zero, sometimes with many decimals.
    fn ratio(&mut self, thousandths: &[i64]) -> Value {
        let base = self.dice.pick(thousandths);
        match self.dice.below(20) {
            0 => number(0, 0),
            1..=3 => {
                let fine = self.dice.between(-999_999_999, 999_999_999);
                let range = if base < 0 { -499..=0 } else { 0..=499 };
                let value = base * 1_000_000_000 / self.scale + fine;
                let low = range.start() * 1_000_000_000;
                number(value.clamp(low, range.end() * 1_000_000_000), 12)
            }
            4..=7 => number(
                base * 1_000 / self.scale + self.dice.between(-9, 9) * base.signum(),
                6,
            ),
            _ => number(base * 1_000 / self.scale, 6),
        }
    }

    fn share(&mut self) -> Value {
        let micros = [
            0, 100_000, 200_000, 250_000, 333_333, 500_000, 500_000, 1_000_000,
        ];
        number(self.dice.pick(&micros), 6)
    }

    /// Draws a threshold that ATR scales. `percent` says how often its quantity is given.
    fn step(&mut self, thousandths: &[i64], percent: u64) -> Value {
        let mut step = Map::new();
        step.insert("pnl".to_owned(), self.ratio(thousandths));
        if self.dice.percent(percent) {
            step.insert("qty".to_owned(), self.share());
        }
        if self.dice.percent(30) {
            let sign = thousandths[0].signum();
            let (min, max) = (self.dice.pick(&[0, 5, 15]), self.dice.pick(&[0, 35, 70]));
            step.insert("min".to_owned(), number(sign * min * 1_000 / self.scale, 6));
            step.insert("max".to_owned(), number(sign * max * 1_000 / self.scale, 6));
        }
        Value::Object(step)
    }

    fn atr(&mut self) -> Value {
        let reference = number(self.dice.pick(&[0, 20_000, 20_000, 30_000, 7_000]), 6);
        let (low, high) = self.dice.pick(&[
            (1_000_000, 1_000_000),
            (700_000, 1_600_000),
            (0, 3_000_000),
            (500_000, 500_000),
        ]);
        let mut atr = json!({"ref": reference, "factor_max": number(high, 6)});
        if low < 1_000_000 || self.dice.percent(50) {
            atr["factor_min"] = number(low, 6);
        }
        atr
    }

    fn hard_stop(&mut self) -> Value {
        json!({"pnl": self.ratio(&[-70, -60, -100])})
    }

    fn gap_down(&mut self) -> Value {
        let mut gap = json!({"change": self.ratio(&[-30, -10, -20])});
        if self.dice.percent(70) {
            gap["window_s"] = json!(self.dice.pick(&[0, 5, 30, 600, 100_000]));
        }
        gap
    }

    fn break_even(&mut self) -> Value {
        let mut rule = json!({"trigger": self.ratio(&[10, 20, 30])});
        if self.dice.percent(70) {
            rule["buffer"] = self.ratio(&[0, 2, 5, 10]);
        }
        rule
    }

    fn tp1(&mut self) -> Value {
        let mut step = self.step(&[20, 30, 50], 92);
        if self.dice.percent(85) {
            step["floor"] = self.ratio(&[6, 10, 2]);
        }
        step
    }

    fn tp3(&mut self) -> Value {
        let mut step = self.step(&[40, 60, 90], 92);
        if self.dice.percent(60) {
            step["start_trailing"] = json!(self.dice.percent(50));
        }
        step
    }

    fn trail(&mut self) -> Value {
        let mut trail = json!({"qty": self.share()});
        if self.dice.percent(85) {
            trail["pct"] = self.ratio(&[10, 20, 30, 0]);
        }
        if self.dice.percent(60) {
            trail["atr_k"] = number(self.dice.pick(&[0, 500_000, 1_000_000, 2_000_000]), 6);
        }
        trail
    }

    fn time(&mut self) -> Value {
        json!({
            "max_hold_days": self.dice.pick(&[0, 1, 2, 3]),
            "no_momentum_days": self.dice.pick(&[0, 1, 2]),
            "no_momentum_profit": self.ratio(&[0, 5, 10, 20]),
        })
    }

    fn custom(&mut self) -> Value {
        let mut rules = Vec::new();
        for id in ["c1", "c2", "c3"] {
            if !self.dice.percent(60) {
                continue;
            }
            let is_above = self.dice.percent(50);
            let condition = if is_above {
                "profit_above"
            } else {
                "profit_below"
            };
            let pnl = self.ratio(if is_above {
                &[15, 25, -10]
            } else {
                &[-15, -25, 10]
            });
            let mut rule =
                json!({"id": id, "condition": condition, "pnl": pnl, "qty": self.share()});
            if self.dice.percent(30) {
                rule["enabled"] = json!(self.dice.percent(60));
            }
            if self.dice.percent(50) {
                rule["base"] = json!(self.dice.pick(&["REMAINING", "ORIGINAL"]));
            }
            rules.push(rule);
        }
        // The list order decides, not the id.
        self.dice.shuffle(&mut rules);
        Value::Array(rules)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use turnstile_dataflows::model::Profile;

    #[test]
    fn every_drawn_profile_is_valid() {
        let mut dice = Dice::new(1, 0);
        for _ in 0..2_000 {
            let profile = draw(&mut dice);
            let read = Profile::from_value(&profile);
            assert!(read.is_ok(), "{profile}: {}", read.unwrap_err());
        }
    }
}
